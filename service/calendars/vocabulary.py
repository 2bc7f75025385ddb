"""The kinds of events that calendars emit."""

from __future__ import annotations

from enum import StrEnum
from uuid import UUID

from service.kernel.vocabulary import Kind, Payload, register


class CalendarEvent(StrEnum):
    """What happens to working calendars."""

    CALENDAR_PUBLISHED = "calendar.published"


class CalendarPublished(Payload, frozen=True, kw_only=True):
    """A version of a district's calendar is in force from now on."""

    calendar: UUID
    code: str
    version: int


register([Kind(CalendarEvent.CALENDAR_PUBLISHED.value, CalendarPublished)])
