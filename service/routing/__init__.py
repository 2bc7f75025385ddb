"""The routing engine: which stages an item goes through, and what follows from each event.

Pure: values in, values out. No clock, no database, no framework, so that a flow can be checked
before it is published and an item's history can be replayed to the same state at any time.

`flow` declares what an offering's flow is, `check` says what is wrong with one, `events` is what
can happen to an item, `engine` is what follows.
"""

from __future__ import annotations

from service.routing.check import FlowFault, check_flow
from service.routing.engine import (
    CloseStage,
    Effect,
    EndItem,
    IllegalEvent,
    ItemState,
    OpenStage,
    Outcome,
    Phase,
    StageState,
    StageStatus,
    StartPromise,
    StopPromise,
    advance,
    initial,
    replay,
)
from service.routing.events import (
    AcceptanceDeemed,
    Context,
    Event,
    Filed,
    StageClosed,
    Withdrawn,
    decode_context,
    decode_event,
    encode_context,
    encode_event,
)
from service.routing.flow import (
    Flow,
    Limit,
    MalformedFlow,
    Sees,
    Stage,
    StageKind,
    Verdict,
    parse_flow,
)

__all__ = [
    "AcceptanceDeemed",
    "CloseStage",
    "Context",
    "Effect",
    "EndItem",
    "Event",
    "Filed",
    "Flow",
    "FlowFault",
    "IllegalEvent",
    "ItemState",
    "Limit",
    "MalformedFlow",
    "OpenStage",
    "Outcome",
    "Phase",
    "Sees",
    "Stage",
    "StageClosed",
    "StageKind",
    "StageState",
    "StageStatus",
    "StartPromise",
    "StopPromise",
    "Verdict",
    "Withdrawn",
    "advance",
    "check_flow",
    "decode_context",
    "decode_event",
    "encode_context",
    "encode_event",
    "initial",
    "parse_flow",
    "replay",
]
