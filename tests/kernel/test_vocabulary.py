"""Only what is registered can be emitted, with what it is registered with."""

from __future__ import annotations

import pytest

from service.kernel import clock, events, messages
from service.kernel.actor import system
from service.kernel.events import Event, payload_of
from service.kernel.vocabulary import (
    Kind,
    Nothing,
    Payload,
    PayloadError,
    UnregisteredKind,
    kind_of,
    register,
    registered,
)
from tests.kernel.kinds import OTHER, TESTED, Tested


class Another(Payload, frozen=True, kw_only=True):
    code: str = "a"


def tell(session, kind, **more):
    return events.emit(session, kind, actor=system("demo"), at=clock.now(), **more)


def stored(session):
    """What would be written when the session commits."""
    return session.info["pending_events"][-1]


def test_a_payload_is_stored_as_json_without_what_has_no_value(session):
    tell(session, "tested", data=Tested(code="a", times=2))
    assert (stored(session)["kind"], stored(session)["version"]) == ("tested", 1)
    assert stored(session)["data"] == {"code": "a", "times": 2}
    tell(session, "tested")
    assert stored(session)["data"] == {}


def test_a_mapping_with_the_keys_of_the_payload_will_do(session):
    tell(session, "tested", data={"code": "a"})
    assert stored(session)["data"] == {"code": "a"}


@pytest.mark.parametrize(
    "data", [{"kode": "a"}, {"code": 1}, {"code": "a", "more": 1}, Another(), Nothing(), "a"]
)
def test_anything_else_is_refused_at_once(session, data):
    with pytest.raises(PayloadError, match="tested"):
        tell(session, "tested", data=data)
    assert "pending_events" not in session.info


def test_an_unregistered_kind_is_refused_at_once(session):
    with pytest.raises(UnregisteredKind, match="unheard of"):
        tell(session, "unheard of")
    assert "pending_events" not in session.info


def test_a_kind_is_public_or_not_and_nobody_says_otherwise(session):
    tell(session, "tested", public=False)
    with pytest.raises(ValueError, match="public=False"):
        tell(session, "tested", public=True)


def test_a_name_is_registered_once():
    register([TESTED, OTHER])
    with pytest.raises(ValueError, match="tested"):
        register([Kind("tested", Another)])
    assert kind_of("tested") is TESTED


def event(kind="tested", version=1, **data):
    return Event(district_id="demo", kind=kind, version=version, data=data)


def test_a_payload_is_read_as_it_was_written():
    assert payload_of(event(code="a"), Tested) == Tested(code="a")
    assert payload_of(event(code="a", times=3), Tested).times == 3


def test_a_key_that_the_payload_no_longer_has_is_passed_over():
    assert payload_of(event(code="a", before="b"), Tested) == Tested(code="a")


@pytest.mark.parametrize(
    ("read", "payload"),
    [(event(version=2), Tested), (event(code=1), Tested), (event(), Another)],
    ids=["another version", "no such payload", "another type"],
)
def test_what_is_no_such_payload_is_not_read(read, payload):
    with pytest.raises(PayloadError):
        payload_of(read, payload)


def test_every_public_kind_has_its_words(database):
    public = [kind for kind in registered().values() if kind.public]
    assert len(public) > 20
    for kind in public:
        for language in messages.LANGUAGES:
            params = {"offering": "a", "predecessor": "b", "department": "c"}
            assert messages.say(kind.text, language, params)
