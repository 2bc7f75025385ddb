"""What is kept sealed of tickets, in the clear."""

from __future__ import annotations

from typing import Any

import orjson

from service.kernel import crypto
from service.tickets.models.filed import Draft, TicketSection
from service.tickets.models.items import Correction
from service.tickets.models.stages import Task


def unsealed_answers(section: TicketSection) -> dict[str, Any]:
    """The answers of a section."""
    text = crypto.unseal(section.content, table="ticket_sections", column="content", row=section.id)
    answers: dict[str, Any] = orjson.loads(text)
    return answers


def unsealed_result(task: Task) -> dict[str, Any] | None:
    """The result that a verdict recorded."""
    if task.result is None:
        return None
    text = crypto.unseal(task.result, table="tasks", column="result", row=task.id)
    result: dict[str, Any] = orjson.loads(text)
    return result


def unsealed_opinion(task: Task) -> str | None:
    """What was said with the verdict."""
    if task.opinion is None:
        return None
    return crypto.unseal(task.opinion, table="tasks", column="opinion", row=task.id)


def unsealed_points(correction: Correction) -> list[dict[str, Any]]:
    """What a correction asks for."""
    text = crypto.unseal(correction.points, table="corrections", column="points", row=correction.id)
    points: list[dict[str, Any]] = orjson.loads(text)
    return points


def unsealed_draft(draft: Draft) -> dict[str, Any]:
    """What a draft says."""
    text = crypto.unseal(draft.content, table="drafts", column="content", row=draft.id)
    content: dict[str, Any] = orjson.loads(text)
    return content
