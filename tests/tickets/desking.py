"""A desk with something on it: tasks that are due when a test says so."""

from __future__ import annotations

from datetime import timedelta
from uuid import uuid4

from service.kernel import clock
from tests.tickets.asking import seen

POLICE, BUILDERS = "public_security", "construction"
HOUR = timedelta(hours=1)


class Desk:
    """Files one settlement after another, whose acceptance is for the clerks of the police."""

    def __init__(self, world, superuser) -> None:
        self.world, self.superuser = world, superuser

    def task(self, *, due: timedelta | None = None, warned: bool = False, **columns):
        """The acceptance of a new item, as a row; `due` from now, `columns` as they shall be."""
        item = self.world.ticket(self.world.talent(), "settlement")["items"][0]
        if due is not None:
            now = clock.now()
            columns |= {"due_at": now + due, "warn_at": now + due - HOUR / 2}
            if warned:
                columns["warn_at"] = now - HOUR
        names = ", ".join(f"{name} = %s" for name in columns)
        if columns:
            self.superuser.execute(
                f"UPDATE tasks SET {names} WHERE item_id = %s", (*columns.values(), item["id"])
            )
        return self.row("item_id = %s", item["id"])

    def row(self, where, *values):
        """The columns of one task that tests look at, by name."""
        columns = ("id", "item_id", "ticket_id", "status", "assignee", "version", "due_at")
        found = self.superuser.execute(
            f"SELECT {', '.join(columns)} FROM tasks WHERE {where}", values
        ).fetchone()
        told = dict(zip(columns, found, strict=True))
        return told | {name: str(told[name]) for name in ("id", "item_id", "ticket_id")}

    def clear(self) -> None:
        """Nothing is left to do for anybody."""
        self.superuser.execute(
            "UPDATE tasks SET status = 'cancelled', closed_at = now(), next_alarm_at = NULL"
            " WHERE status IN ('open', 'claimed')"
        )


def listed(who, **query):
    """The ids of a list, all on one page."""
    answer = who.get("/v1/desk/tasks", query_string={"limit": "100", **query})
    assert answer.status_code == 200, answer.json
    return [task["id"] for task in answer.json["items"]]


def take_next(who, **body):
    return who.post("/v1/desk/tasks/next", json=body)


def assign(who, task, account, *, version=None):
    return who.post(
        f"/v1/desk/tasks/{task['id']}/assignment",
        json={"account": account},
        headers=seen("task", task, version),
    )


def statements(sql_count, call):
    """How many statements a call sends once the process is warm."""
    call()
    with sql_count() as sent:
        answer = call()
    assert answer.status_code == 200, answer.json
    return sent.total


def absent():
    return str(uuid4())
