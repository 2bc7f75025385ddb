"""Time, which a story cannot wait for: public notice of five working days ends at once.

Nobody can cut a notice period short over HTTP, and that is right. The demonstration moves the end
of the period into the past, in the database of the service that runs here, and lets the timer do
what it does every minute.
"""

from __future__ import annotations

import os
from datetime import timedelta
from pathlib import Path
from uuid import UUID

from sqlalchemy import update

from service.kernel import clock
from service.kernel.actor import system
from service.kernel.db import Scope
from service.kernel.settings import load
from service.local.environment import read_environment
from service.local.story.telling import expect
from service.routing.flow import StageKind
from service.runtime import open_database
from service.tickets.models.stages import Task
from service.tickets.rules.states import TaskStatus
from service.tickets.timers import fire_alarms


class Notices:
    """Lets the notice periods of tickets end."""

    def __init__(self, var: Path, district: str) -> None:
        environment = read_environment(var)
        expect(environment, f"no service runs in {var}: start it with `make up`")
        os.environ.update(environment)
        settings = load()
        expect(settings.environment != "production", "this is a demonstration")
        self._database, self._district = open_database(settings), district

    def end(self, ticket_id: str) -> int:
        """Let all running notice periods of a ticket end; returns how many did."""
        at, scope = clock.now(), Scope.system(self._district)
        over = at - timedelta(seconds=1)
        with self._database.transaction(scope) as session:
            session.execute(
                update(Task)
                .where(
                    Task.district_id == self._district,
                    Task.ticket_id == UUID(ticket_id),
                    Task.kind == StageKind.PUBLICITY,
                    Task.status == TaskStatus.OPEN,
                )
                .values(due_at=over, next_alarm_at=over)
            )
        with self._database.transaction(scope) as session:
            return fire_alarms(session, system(self._district), ticket_id=UUID(ticket_id), at=at)

    def close(self) -> None:
        self._database.dispose()
