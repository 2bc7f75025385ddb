"""The flow of an offering: a graph of stages, as a district's pack declares it."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Any, Literal

from service.kernel.shown import as_key
from service.routing.conditions.asked import Condition, Source, SourceKind, parse_condition, sources
from service.routing.graph import Graph, inverted, reachable


class StageKind(StrEnum):
    ACCEPTANCE = "acceptance"
    REVIEW = "review"
    CHECK = "check"  # the system looks, nobody else
    EXTERNAL = "external"  # an authority outside is asked; a department records its answer
    PUBLICITY = "publicity"  # a notice period: time passes it, unless an objection is upheld
    DECISION = "decision"
    FULFILMENT = "fulfilment"


class Verdict(StrEnum):
    ACCEPT = "accept"
    NOT_ACCEPT = "not_accept"
    PASS = "pass"  # noqa: S105 - a verdict, not a password
    APPROVE = "approve"
    REJECT = "reject"
    RETURN = "return"  # the applicant is asked, once, to correct what is named


# The verdict with which the flow goes on, by the kind of the stage that is left.
PASSING: Mapping[StageKind, Verdict] = {
    StageKind.ACCEPTANCE: Verdict.ACCEPT,
    StageKind.REVIEW: Verdict.PASS,
    StageKind.CHECK: Verdict.PASS,
    StageKind.EXTERNAL: Verdict.PASS,
    StageKind.PUBLICITY: Verdict.PASS,
    StageKind.DECISION: Verdict.APPROVE,
    StageKind.FULFILMENT: Verdict.PASS,
}
_JUDGED = frozenset({Verdict.PASS, Verdict.REJECT})
_RETURNED = frozenset({Verdict.RETURN})
# Every verdict that a stage of a kind can be given. What is already decided can only be delivered.
VERDICTS: Mapping[StageKind, frozenset[Verdict]] = {
    StageKind.ACCEPTANCE: frozenset({Verdict.ACCEPT, Verdict.NOT_ACCEPT}) | _RETURNED,
    StageKind.REVIEW: _JUDGED | _RETURNED,
    StageKind.CHECK: _JUDGED,
    StageKind.EXTERNAL: _JUDGED,
    StageKind.PUBLICITY: _JUDGED,
    StageKind.DECISION: frozenset({Verdict.APPROVE, Verdict.REJECT}),
    StageKind.FULFILMENT: frozenset({Verdict.PASS}),
}

ALL: Literal["all"] = "all"
Selection = frozenset[str] | Literal["all"]


@dataclass(frozen=True, slots=True)
class Limit:
    """What a stage is allotted: days of the district's working calendar, or its office hours."""

    working_days: int = 0
    working_hours: int = 0
    in_hours: bool = False

    @classmethod
    def of(cls, raw: Mapping[str, Any]) -> Limit:
        """Out of `{working_days: n}` or `{working_hours: n}`."""
        if "working_hours" in raw:
            return cls(working_hours=int(raw["working_hours"]), in_hours=True)
        return cls(working_days=int(raw["working_days"]))


class SubjectPart(StrEnum):
    """What can be shown of the member of the family that an item is about."""

    NAME = "name"
    ID_NUMBER = "id_number"
    BIRTH_DATE = "birth_date"
    KINSHIP = "kinship"


@dataclass(frozen=True)
class Sees:
    """What the department of a stage may read: per section its fields, facts, and materials; of
    the member of the family that the item is about, if it is about one; and of earlier stages
    what they said (`opinions`: stage keys).

    What is not named is not sent. Opinions of its own department a stage reads always.
    """

    sections: Mapping[str, Selection]
    facts: Selection = frozenset()
    materials: Selection = frozenset()
    subject: Selection = frozenset()
    opinions: Selection = frozenset()

    def visible(self, section: str, answers: Mapping[str, Any]) -> dict[str, Any]:
        """The part of a section's answers that may be shown; empty where nothing is named."""
        fields = self.sections.get(section, frozenset())
        if fields == ALL:
            return dict(answers)
        return {name: value for name, value in answers.items() if name in fields}

    def shows_material(self, code: str) -> bool:
        """Whether documents of this code may be shown."""
        return self.materials == ALL or code in self.materials

    def shows_fact(self, kind: str) -> bool:
        """Whether facts of this kind may be shown."""
        return self.facts == ALL or kind in self.facts

    def shows_opinion(self, stage: str) -> bool:
        """Whether opinion and result of an earlier stage may be shown, of whichever department."""
        return self.opinions == ALL or stage in self.opinions

    def shows_of_subject(self, part: SubjectPart) -> bool:
        """Whether this may be shown of the member of the family."""
        return self.subject == ALL or part in self.subject


class JoinKind(StrEnum):
    ALL = "all"
    ANY = "any"
    QUORUM = "quorum"


@dataclass(frozen=True, slots=True)
class Join:
    """When a stage of several departments is passed: by all, by any, or by `least` of them."""

    kind: JoinKind = JoinKind.ALL
    least: int = 0

    def __post_init__(self) -> None:
        if self.kind is JoinKind.QUORUM and self.least < 1:
            raise ValueError("a quorum is at least one: with none a rejection would pass the stage")

    def needed(self, departments: int) -> int:
        """How many of so many departments must pass it."""
        return {JoinKind.ALL: departments, JoinKind.ANY: 1, JoinKind.QUORUM: self.least}[self.kind]


@dataclass(frozen=True, slots=True)
class Choice:
    """Who works on a stage: `departments`, unless what `by` looks at names a case.

    Without `by` it is always the same departments, each with a task of its own.
    """

    departments: tuple[str, ...]
    by: Source | None = None
    cases: Mapping[str, str] | None = None

    def of(self, value: Any) -> tuple[str, ...]:
        """The departments where `by` comes to this value; None is nothing known of it."""
        named = None if value is None else (self.cases or {}).get(as_key(value))
        return self.departments if named is None else (named,)

    @property
    def possible(self) -> tuple[str, ...]:
        """Every department it may come to."""
        return tuple(dict.fromkeys((*self.departments, *(self.cases or {}).values())))


@dataclass(frozen=True, slots=True)
class OnReject:
    """Where a rejection leads: to another round of `to`, which has at most `rounds` of them."""

    to: str
    rounds: int

    def __post_init__(self) -> None:
        if self.rounds < 1:
            raise ValueError("a stage is done at least once")


@dataclass(frozen=True)
class FactTemplate:
    """How to make a fact that an approval establishes about the applicant or the subject.

    Values, `begins` and `ends` are in plain form: a literal, `{result: name}`,
    `{field: section.name}`; `ends` may be a span from the beginning.
    """

    fact: str
    about: Literal["applicant", "subject"]
    value: Mapping[str, Any]
    begins: Any = None
    ends: Any = None


@dataclass(frozen=True, slots=True)
class Cites:
    """One of an offering's citations, by code, and where in it; None is its own article."""

    citation: str
    article: Mapping[str, str] | None = None


@dataclass(frozen=True)
class Stage:
    """One step of a flow.

    `after` names the stages that must be behind before this one opens: none means the start, the
    same `after` means parallel, several mean a join of all of them. `when` skips the stage where
    it is not met; `checks` is what a check looks at, `cites` the rule behind it. `records` is the
    JSON Schema of the result that the passing verdict must bring. `four_eyes`: not by anybody who
    did a stage before it.
    """

    key: str
    kind: StageKind
    title: Mapping[str, str]
    limit: Limit
    choice: Choice
    role: str
    after: tuple[str, ...]
    may: frozenset[Verdict]
    sees: Sees
    join: Join = Join()
    when: Condition | None = None
    checks: Condition | None = None
    cites: Cites | None = None
    on_reject: OnReject | None = None
    four_eyes: bool = False
    records: Mapping[str, Any] | None = None
    gives: tuple[FactTemplate, ...] = ()
    authority: Mapping[str, str] | None = None

    @property
    def department(self) -> str | None:
        """The department that usually works on it; the first of several, none for a check."""
        return self.choice.departments[0] if self.choice.departments else None


@dataclass(frozen=True)
class Flow:
    """The stages of an offering and the working days promised from acceptance to decision.

    A flow is good to run once `check_flow` has found nothing in it. `statutory_working_days` is
    what the law allows at the most, where a law says so.
    """

    stages: tuple[Stage, ...]
    promise_working_days: int
    statutory_working_days: int | None = None

    @cached_property
    def by_key(self) -> Mapping[str, Stage]:
        return {stage.key: stage for stage in self.stages}

    @cached_property
    def graph(self) -> Graph:
        """By stage, the stages that it follows at once."""
        return {stage.key: stage.after for stage in self.stages}

    @cached_property
    def starts(self) -> tuple[Stage, ...]:
        """The stages that open when the item is begun."""
        return tuple(stage for stage in self.stages if not stage.after)

    @cached_property
    def decision(self) -> Stage:
        """The one decision of a flow that has been checked."""
        return next(stage for stage in self.stages if stage.kind is StageKind.DECISION)

    @cached_property
    def looks_at_facts(self) -> frozenset[str]:
        """The kinds of facts by which the flow finds its way."""
        conditions = [
            condition
            for stage in self.stages
            for condition in (stage.when, stage.checks)
            if condition
        ]
        named = [source for condition in conditions for source in sources(condition)]
        named += [stage.choice.by for stage in self.stages if stage.choice.by]
        return frozenset(source.parts[0] for source in named if source.kind is SourceKind.FACT)

    @cached_property
    def upstream(self) -> Mapping[str, frozenset[str]]:
        """By stage, every other stage that must be behind before it opens."""
        known = frozenset(self.by_key)
        return {key: (reachable(self.graph, key) & known) - {key} for key in known}

    @cached_property
    def downstream(self) -> Mapping[str, frozenset[str]]:
        """By stage, itself and every stage that can only open after it."""
        followers = inverted(self.graph)
        return {key: reachable(followers, key) | {key} for key in self.by_key}


class MalformedFlow(ValueError):
    """The raw flow has not the shape of the pack format."""


def parse_flow(raw: Mapping[str, Any]) -> Flow:
    """The flow of an offering out of its plain form, that of `flow` in `format.json`.

    `may` left out means every verdict of the kind. Only the shape is read here:
    whether the graph makes sense is for `check_flow`. Raises `MalformedFlow`.
    """
    try:
        statutory = raw.get("statutory")
        return Flow(
            stages=tuple(_stage(stage) for stage in raw["stages"]),
            promise_working_days=int(raw["promise"]["working_days"]),
            statutory_working_days=int(statutory["working_days"]) if statutory else None,
        )
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise MalformedFlow(f"not a flow: {error!r}") from error


SYSTEM_ROLE = "system"
"""The role of a task that no person does."""


def _stage(raw: Mapping[str, Any]) -> Stage:
    kind = StageKind(raw["kind"])
    may, on_reject = raw.get("may"), raw.get("on_reject")
    return Stage(
        key=raw["key"],
        kind=kind,
        title=dict(raw["title"]),
        limit=Limit.of(raw["limit"]),
        choice=_choice(raw),
        role=raw.get("role", SYSTEM_ROLE),
        after=tuple(raw.get("after", ())),
        may=VERDICTS[kind] if may is None else frozenset(map(Verdict, may)),
        sees=_sees(raw.get("sees", {}), kind),
        join=_join(raw.get("join", JoinKind.ALL)),
        when=parse_condition(raw["when"]) if "when" in raw else None,
        checks=parse_condition(raw["checks"]) if "checks" in raw else None,
        cites=_cites(raw["cites"]) if "cites" in raw else None,
        on_reject=None if on_reject is None else OnReject(on_reject["to"], on_reject["rounds"]),
        four_eyes=bool(raw.get("four_eyes", False)),
        records=raw.get("records"),
        gives=tuple(map(_fact_template, raw.get("gives", ()))),
        authority=raw.get("authority"),
    )


def _choice(raw: Mapping[str, Any]) -> Choice:
    if "departments" in raw:
        return Choice(tuple(raw["departments"]))
    named = raw.get("department")
    if isinstance(named, Mapping):
        ((kind, name),) = named["by"].items()
        return Choice((named["otherwise"],), Source(SourceKind(kind), name), dict(named["cases"]))
    return Choice(() if named is None else (str(named),))


def _join(raw: str | Mapping[str, Any]) -> Join:
    if isinstance(raw, Mapping):
        return Join(JoinKind.QUORUM, int(raw["quorum"]))
    return Join(JoinKind(raw))


def _fact_template(raw: Mapping[str, Any]) -> FactTemplate:
    about = raw.get("about", "applicant")
    return FactTemplate(raw["fact"], about, dict(raw["value"]), raw.get("from"), raw.get("until"))


def _cites(raw: Mapping[str, Any]) -> Cites:
    return Cites(raw["citation"], raw.get("article"))


def _sees(raw: Mapping[str, Any], kind: StageKind) -> Sees:
    """Who decides reads what the others said of it, unless the pack says otherwise."""
    opinions = ALL if kind is StageKind.DECISION else ()
    return Sees(
        sections={code: _selection(fields) for code, fields in raw.get("sections", {}).items()},
        facts=_selection(raw.get("facts", ())),
        materials=_selection(raw.get("materials", ())),
        subject=_selection(raw.get("subject", ())),
        opinions=_selection(raw.get("opinions", opinions)),
    )


def _selection(raw: Collection[str]) -> Selection:
    return ALL if raw == ALL else frozenset(raw)
