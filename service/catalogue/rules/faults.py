"""What can be wrong with a pack, told to the person who writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, order=True, slots=True)
class PackFault:
    """One fault, with the place to mend it: `file` within the pack, `line` from 1, dotted `key`."""

    file: str
    line: int
    key: str
    code: str
    message: str

    def __str__(self) -> str:
        return f"{self.file}:{self.line}: {self.key or '(whole file)'}: {self.message}"


class FaultyPack(Exception):
    """The pack cannot be published; `faults` has everything that is wrong, in reading order."""

    def __init__(self, faults: Iterable[PackFault]) -> None:
        self.faults = tuple(sorted(set(faults)))
        super().__init__("\n".join(map(str, self.faults)))


MESSAGES: Final[Mapping[str, str]] = {
    # reading
    "missing_file": "the pack has no such file",
    "unexpected_file": "is no file of a pack: pack.yaml, or *.yaml in sections, offerings, bundles",
    "unreadable": "cannot be read: {problem}",
    "duplicate_key": "is given twice",
    # the shape of a file
    "missing_key": "is missing",
    "missing_language": "has no text in this language",
    "unknown_key": "is not known here",
    "wrong_type": "must be of type {expected}",
    "wrong_value": "{problem}",
    # what the files say of each other
    "duplicate_code": "the code {name} is already taken in {file}",
    "unknown_department": "there is no department {name}",
    "unknown_section": "there is no section {name}",
    "unknown_field": "section {section} has no field {name}",
    "section_not_asked": "section {name} is not among the sections of this offering",
    "unknown_offering": "there is no offering {name}",
    "unknown_zone": "there is no time zone {name}",
    "hours_disordered": "office hours must follow one another within the day",
    # schemas and their examples
    "bad_schema": "is not a JSON Schema that packs may use: {problem}",
    "example_invalid": "does not satisfy the schema at {where}: {problem}",
    "example_incomplete": "no example shows the field {name}",
    "option_untitled": "the value {name} has no title in x-options",
    # flows
    "no_stages": "a flow needs stages",
    "duplicate_stage": "there is already a stage {stage}",
    "unknown_stage": "there is no stage {stage}",
    "limit_not_positive": "must be at least one working day",
    "verdict_not_allowed": "a stage of kind {kind} has no verdict {verdict}",
    "verdict_missing": "a stage of kind {kind} must be able to {verdict}",
    "start_not_acceptance": "stage {stage} follows no other, yet only the acceptance starts a flow",
    "acceptance_not_first": "the acceptance starts the flow and follows no stage",
    "several_acceptances": "a flow has one acceptance",
    "decision_missing": "a flow needs a decision",
    "several_decisions": "a flow has one decision",
    "cycle": "stage {stage} waits for itself",
    "unreachable": "no way leads from the acceptance to stage {stage}",
    "decision_bypassed": "stage {stage} lies on a way that goes past the decision",
    "fulfilment_before_decision": "stage {stage} delivers what is not yet decided",
    "review_after_decision": "stage {stage} reviews what is already decided",
    "limits_exceed_promise": (
        "the longest way to the decision takes {working_days} working days, {promise} are promised"
    ),
}
