"""Conditions: questions about a case with three answers, and the reasons for the answer.

A condition is made of clauses. A clause compares one thing that is known of a case (an answer of
the form, a fact that a department has established, an age, what an earlier stage came to) and is
met, not met or, where that thing is missing, unknown. `all`, `any` and `not` combine them by
Kleene's logic. Because clauses are values and not code, an answer always comes with the clauses
it rests on: what is missing, and what would change it.
"""

from __future__ import annotations

from service.routing.conditions.answered import Answer, Finding, evaluate
from service.routing.conditions.asked import (
    COMPARISONS,
    DEEPEST,
    AllOf,
    AnyOf,
    CelClause,
    Clause,
    Condition,
    MalformedCondition,
    Not,
    Source,
    SourceKind,
    Truth,
    cel_names,
    parse_condition,
    sources,
)
from service.routing.conditions.expressed import cel_cases
from service.routing.conditions.known import Answers, Known, NotKnown, first_value

__all__ = [
    "COMPARISONS",
    "DEEPEST",
    "AllOf",
    "Answer",
    "Answers",
    "AnyOf",
    "CelClause",
    "Clause",
    "Condition",
    "Finding",
    "Known",
    "MalformedCondition",
    "Not",
    "NotKnown",
    "Source",
    "SourceKind",
    "Truth",
    "cel_cases",
    "cel_names",
    "evaluate",
    "first_value",
    "parse_condition",
    "sources",
]
