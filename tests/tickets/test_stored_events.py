"""What is stored with each kind of event, to the letter: databases are full of it."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

import service.subscribers  # noqa: F401 - registers every kind
from service.calendars.vocabulary import CalendarEvent, CalendarPublished
from service.catalogue.vocabulary import CatalogueEvent, CataloguePublished
from service.facts.rules import FactEvent
from service.facts.vocabulary import FactCodes
from service.identity.staff.vocabulary import PostsEnded, StaffEvent
from service.kernel.events import Event, payload_of
from service.kernel.vocabulary import Nothing, Payload, PayloadError, kind_of, registered
from service.materials.rules import MaterialEvent
from service.materials.vocabulary import MaterialCodes
from service.routing.bundle import EdgeStatus
from service.routing.events import (
    AcceptanceDeemed,
    Cancelled,
    Corrected,
    Filed,
    NoticeEnded,
    PredecessorsSettled,
    TaskDecided,
    Withdrawn,
    encode_event,
)
from service.routing.flow import StageKind, Verdict
from service.routing.states import Outcome, Phase
from service.tickets.rules.states import TicketEvent
from service.tickets.vocabulary import (
    CalendarFollowed,
    ChoiceMade,
    CorrectionDropped,
    DueMoved,
    EdgeMoved,
    ItemEnded,
    ItemMoved,
    ItemRejected,
    SectionCorrected,
    StageClosed,
    StageMoved,
    StageOpened,
    TaskCancelled,
    TaskClosed,
    TaskHeld,
    TaskOpened,
    TicketFiled,
    VoteTold,
)

ID = "0192f0c1-2b3c-7d4e-8f50-0123456789ab"
AT = datetime(2026, 3, 2, 9, tzinfo=UTC)
CONTEXT = {"opened": {"check.1": True}, "chosen": {"visit.1": ("police", "construction")}}
WHAT_WAS_ASKED = {"opened": {"check.1": True}, "chosen": {"visit.1": ["police", "construction"]}}


def moved(event, before, after, context=CONTEXT, **more):
    """What happened to an item, as an act hands it over."""
    return {"event": encode_event(event), "context": context, "offering": "schooling",
            "from": before, "to": after, **more}  # fmt: skip


def written(name, before, after, context=WHAT_WAS_ASKED, about=None, **event):
    """The same in the database."""
    return {"event": {"event": name, **event}, "context": context, "offering": "schooling",
            "from": before, "to": after, **(about or {})}  # fmt: skip


def decided(verdict, stage="acceptance"):
    event = TaskDecided(stage, 1, "education", verdict)
    return moved(event, Phase.ACCEPTANCE, Phase.PROCESSING, stage=stage, department="education")


def decision(verdict, stage="acceptance"):
    about = {"stage": stage, "department": "education"}
    return written("task_decided", "acceptance", "processing", about=about,
                   round=1, verdict=verdict, **about)  # fmt: skip


T = TicketEvent
BY_HAND = {"stage": "acceptance", "department": "education"}
SPAN = {"offering": "schooling", "stage": "review", "round": 2}

# Kind, payload type, what is handed over, what is stored.
STORED = [
    (T.TICKET_FILED, TicketFiled, {"bundle": "arrival"}, {"bundle": "arrival"}),
    (T.TICKET_COMPLETED, Nothing, None, {}),
    (T.TICKET_CLOSED, Nothing, None, {}),
    (T.TICKET_WITHDRAWN, Nothing, None, {}),
    (T.ITEM_FILED, ItemMoved, moved(Filed(soft=True), "waiting", Phase.ACCEPTANCE, {}),
     written("filed", "waiting", "acceptance", {}, hard=False, soft=True)),
    (T.ITEM_WAITING, ItemMoved, moved(Filed(hard=True), "waiting", Phase.WAITING),
     written("filed", "waiting", "waiting", hard=True, soft=False)),
    (T.ITEM_BEGUN, ItemMoved,
     moved(PredecessorsSettled(hard=False, soft=True), Phase.WAITING, Phase.ACCEPTANCE),
     written("predecessors_settled", "waiting", "acceptance", hard=False, soft=True)),
    (T.ITEM_FREED, ItemMoved,
     moved(PredecessorsSettled(hard=False, soft=False), Phase.PROCESSING, Phase.PROCESSING),
     written("predecessors_settled", "processing", "processing", hard=False, soft=False)),
    (T.ITEM_CANCELLED, ItemMoved, moved(Cancelled(), Phase.WAITING, Phase.ENDED),
     written("cancelled", "waiting", "ended")),
    (T.ITEM_CORRECTED, ItemMoved, moved(Corrected(), Phase.PROCESSING, Phase.PROCESSING),
     written("corrected", "processing", "processing")),
    (T.ITEM_WITHDRAWN, ItemMoved, moved(Withdrawn(), Phase.PROCESSING, Phase.ENDED),
     written("withdrawn", "processing", "ended")),
    (T.ITEM_ACCEPTED, StageMoved, decided(Verdict.ACCEPT), decision("accept")),
    (T.ITEM_DEEMED_ACCEPTED, StageMoved,
     moved(AcceptanceDeemed("acceptance", 1), Phase.ACCEPTANCE, Phase.PROCESSING, **BY_HAND),
     written("acceptance_deemed", "acceptance", "processing", about=BY_HAND,
             stage="acceptance", round=1)),
    (T.ITEM_NOT_ACCEPTED, StageMoved, decided(Verdict.NOT_ACCEPT), decision("not_accept")),
    (T.ITEM_APPROVED, StageMoved, decided(Verdict.APPROVE), decision("approve")),
    (T.ITEM_RETURNED, StageMoved, decided(Verdict.RETURN), decision("return")),
    (T.STAGE_PASSED, StageMoved, decided(Verdict.PASS, "visit"), decision("pass", "visit")),
    (T.STAGE_REJECTED, StageMoved, decided(Verdict.REJECT, "visit"), decision("reject", "visit")),
    (T.STAGE_DELIVERED, StageMoved, decided(Verdict.PASS, "seat"), decision("pass", "seat")),
    (T.NOTICE_ENDED, StageMoved,
     moved(NoticeEnded("publicity", 1), Phase.PROCESSING, Phase.PROCESSING,
           stage="publicity", department="education"),
     written("notice_ended", "processing", "processing",
             about={"stage": "publicity", "department": "education"},
             stage="publicity", round=1)),
    (T.ITEM_REJECTED, ItemRejected, decided(Verdict.REJECT), decision("reject")),
    (T.ITEM_REJECTED, ItemRejected, {"offering": "schooling"}, {"offering": "schooling"}),
    (T.ITEM_ENDED, ItemEnded, {"offering": "schooling", "outcome": Outcome.APPROVED},
     {"offering": "schooling", "outcome": "approved"}),
    (T.SECTION_CORRECTED, SectionCorrected, {"offering": "schooling", "shared": ["residence"]},
     {"offering": "schooling", "shared": ["residence"]}),
    (T.CORRECTION_DROPPED, CorrectionDropped, {"offering": "schooling"},
     {"offering": "schooling"}),
    *(
        (kind, EdgeMoved,
         {"offering": "schooling", "predecessor": "settlement", "edge": ID, "status": status},
         {"offering": "schooling", "predecessor": "settlement", "edge": ID,
          "status": status.value})
        for kind, status in ((T.EDGE_SETTLED, EdgeStatus.MET), (T.CHOICE_ASKED, EdgeStatus.ASKED))
    ),
    (T.CHOICE_MADE, ChoiceMade, {"offering": "schooling", "proceed": True},
     {"offering": "schooling", "proceed": True}),
    (T.TASK_CLAIMED, TaskHeld, {"department": "education"}, {"department": "education"}),
    (T.TASK_RELEASED, TaskHeld, {"department": "education"}, {"department": "education"}),
    (T.TASK_ASSIGNED, TaskHeld, {"department": "education", "account": ID},
     {"department": "education", "account": ID}),
    (FactEvent.FACT_ISSUED, FactCodes, {"fact": ID, "kind": "household", "issuer": "police"},
     {"fact": ID, "kind": "household", "issuer": "police"}),
    (FactEvent.FACT_REVOKED, FactCodes, {"fact": ID, "kind": "household", "issuer": "police"},
     {"fact": ID, "kind": "household", "issuer": "police"}),
    (MaterialEvent.MATERIAL_KEPT, MaterialCodes, {"material": ID, "code": "passport"},
     {"material": ID, "code": "passport"}),
    (MaterialEvent.MATERIAL_ERASED, MaterialCodes, {"material": ID, "code": "passport"},
     {"material": ID, "code": "passport"}),
    (CalendarEvent.CALENDAR_PUBLISHED, CalendarPublished,
     {"calendar": ID, "code": "default", "version": 2},
     {"calendar": ID, "code": "default", "version": 2}),
    (CatalogueEvent.CATALOGUE_PUBLISHED, CataloguePublished,
     {"new": ("offerings/schooling@2",), "retired": ()},
     {"new": ["offerings/schooling@2"], "retired": []}),
    (T.STAGE_OPENED, StageOpened, {**SPAN, "role": "clerk"}, {**SPAN, "role": "clerk"}),
    (T.STAGE_CLOSED, StageClosed, {**SPAN, "verdict": Verdict.PASS}, {**SPAN, "verdict": "pass"}),
    (T.STAGE_CLOSED, StageClosed, {**SPAN, "verdict": None}, SPAN),
    (T.TASK_OPENED, TaskOpened,
     {**SPAN, "role": "clerk", "department": "education", "kind": StageKind.REVIEW,
      "due_at": AT.isoformat()},
     {**SPAN, "role": "clerk", "department": "education", "kind": "review",
      "due_at": "2026-03-02T09:00:00Z"}),
    (T.TASK_CLOSED, TaskClosed,
     {"offering": "schooling", "stage": "review", "department": "education", "verdict": "pass",
      "deemed": False},
     {"offering": "schooling", "stage": "review", "department": "education", "verdict": "pass",
      "deemed": False}),
    (T.TASK_CANCELLED, TaskCancelled, {**SPAN, "department": "education"},
     {**SPAN, "department": "education"}),
    (T.DUE_MOVED, DueMoved,
     {"cause": "accepted", "before": AT.isoformat(), "after": AT.isoformat()},
     {"cause": "accepted", "before": "2026-03-02T09:00:00Z", "after": "2026-03-02T09:00:00Z"}),
    (StaffEvent.POSTS_ENDED, PostsEnded, {"account": ID}, {"account": ID}),
    (T.VOTE_GIVEN, StageMoved, decided(Verdict.RETURN), decision("return")),
    (T.VOTE_TOLD, VoteTold,
     {"offering": "schooling", "stage": "review", "department": "education", "verdict": "pass"},
     {"offering": "schooling", "stage": "review", "department": "education", "verdict": "pass"}),
    (T.CALENDAR_FOLLOWED, CalendarFollowed, {"calendar": ID}, {"calendar": ID}),
]  # fmt: skip
IDS = [f"{row[0].value}-{number}" for number, row in enumerate(STORED)]


def as_in_the_database(data):
    return json.loads(json.dumps(data))


@pytest.mark.parametrize(("kind", "payload", "handed", "stored"), STORED, ids=IDS)
def test_a_mapping_is_stored_as_ever(kind, payload, handed, stored):
    assert kind_of(kind).payload is payload
    assert kind_of(kind).version == 1
    assert as_in_the_database(kind_of(kind).stored(handed)) == stored


@pytest.mark.parametrize(("kind", "payload", "handed", "stored"), STORED, ids=IDS)
def test_what_is_stored_can_be_read_and_stored_again(kind, payload, handed, stored):
    event = Event(district_id="demo", kind=kind.value, version=1, data=stored)
    read = payload_of(event, payload)
    assert as_in_the_database(kind_of(kind).stored(read)) == stored


@pytest.mark.parametrize("missing", ["offering", "event", "from", "department"])
def test_a_key_that_is_missing_is_refused(missing):
    handed = decided(Verdict.ACCEPT)
    del handed[missing]
    with pytest.raises(PayloadError, match=missing):
        kind_of(TicketEvent.ITEM_ACCEPTED).stored(handed)


def test_every_kind_stands_here_and_is_public_as_ever():
    ours = {kind for kind in registered().values() if not kind.name.startswith("tested")}
    assert {kind.name for kind in ours} == {row[0].value for row in STORED}
    internal = {"task_claimed", "task_released", "task_assigned", "task_opened", "task_cancelled",
                "task_closed", "stage_opened", "stage_closed", "due_moved",
                "calendar_followed", "vote_given"}  # fmt: skip
    assert {kind.value for kind in TicketEvent} <= {kind.name for kind in ours}
    for kind in TicketEvent:
        assert kind_of(kind).public is (kind.value not in internal)
    assert not any(kind_of(kind).public for kind in (*FactEvent, *MaterialEvent))


def test_a_payload_says_what_it_holds():
    made = ItemMoved(
        offering="schooling", event={}, context={}, from_=Phase.WAITING, to=Phase.ENDED
    )
    assert kind_of(TicketEvent.ITEM_WITHDRAWN).stored(made)["from"] == "waiting"
    held = TaskHeld(department="education", account=UUID(ID))
    assert isinstance(held, Payload)
    assert kind_of(TicketEvent.TASK_ASSIGNED).stored(held)["account"] == ID
