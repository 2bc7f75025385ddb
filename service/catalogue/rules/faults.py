"""What can be wrong with a pack, in words for the person who writes it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, order=True, slots=True)
class PackFault:
    """One fault, with the place to correct: `file` within the pack, `line` from 1, dotted `key`."""

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


# In English alone, and therefore not in `messages.toml`: that has what users read, in both
# languages; these are completed by the words of JSON Schema and YAML parsers, which are English.
MESSAGES: Final[Mapping[str, str]] = {
    # reading
    "missing_file": "the pack has no such file",
    "reserved_code": "the code {name} means something in expressions already",
    "unexpected_file": "is no file of a pack: those are pack.yaml, and *.yaml in its folders",
    "unreadable": "cannot be read: {problem}",
    "duplicate_key": "is given twice",
    # the shape of a file
    "missing_key": "is missing",
    "missing_language": "has no text in this language",
    "unknown_key": "is not known here",
    "wrong_type": "must be of type {expected}",
    "wrong_value": "{problem}",
    "wrong_shape": "has none of the shapes that it may have here",
    # what the files say of each other
    "duplicate_code": "the code {name} is already taken in {file}",
    "unknown_department": "there is no department {name}",
    "unknown_section": "there is no section {name}",
    "unknown_field": "section {section} has no field {name}",
    "section_not_asked": "section {name} is not among the sections of this offering",
    "unknown_offering": "there is no offering {name}",
    "offering_not_bundled": "offering {name} is not among those of this bundle",
    "unknown_fact": "there is no kind of fact {name}",
    "unknown_value": "facts of kind {fact} have no value {name}",
    "unknown_material": "there is no material {name}",
    "material_not_asked": "material {name} is not among those of this offering",
    "unknown_citation": "there is no citation {name}",
    "unknown_result": "the stage records no {name}",
    "unknown_opinion": "there is no stage {name} whose opinion could be read",
    "departments_twice": "a stage has one department, or a list of them, not both",
    "no_subject": "this offering is about the applicant; there is no other subject",
    "unknown_zone": "there is no time zone {name}",
    "hours_disordered": "office hours must follow one another within the day",
    # schemas and their examples
    "bad_schema": "is not a JSON Schema that packs may use: {problem}",
    "example_invalid": "does not satisfy the schema at {where}: {problem}",
    "example_incomplete": "no example shows the field {name}",
    "option_untitled": "the value {name} has no title in x-options",
    "example_breaks_rule": "breaks a rule of the section: {rule}",
    "fact_invalid": "an example makes no good fact, at {where}: {problem}",
    # conditions
    "wrong_clause": "does not fit what is looked at: {problem}",
    "nested_too_deep": "conditions are nested {deepest} deep at the most",
    "value_needed": "which value of the fact {fact}? without one, only `given` can be asked",
    "no_facts_here": "a rule of a section looks at the section alone",
    "no_ages_here": "ages are known when something is filed: make it a criterion of an offering",
    "no_requests_here": "a rule of a section looks at the section alone",
    "requests_itself": "an offering is not asked for together with itself",
    "stage_not_before": "stage {stage} has come to nothing yet where this is asked",
    "wrong_date": "is no date, nor taken from one: {problem}",
    "prefill_unfit": "{fact} may be {value}, which this field does not take",
    "bad_expression": "is no expression that can be used: {problem}",
    "expression_fails": "comes to neither yes nor no on the examples: {problem}",
    # edges
    "edge_to_itself": "an offering does not wait for itself",
    "duplicate_edge": "{successor} waits for {predecessor} already",
    "edge_cycle": "these wait for each other in a cycle: {cycle}",
    # flows
    "no_stages": "a flow needs stages",
    "duplicate_stage": "there is already a stage {stage}",
    "unknown_stage": "there is no stage {stage}",
    "limit_not_positive": "must be at least one",
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
    "key_not_allowed": "a stage of kind {kind} has no {key}",
    "key_needed": "a stage of kind {kind} needs it",
    "one_department": "a stage of kind {kind} has one department",
    "join_of_one": "only several departments are joined",
    "quorum_too_large": "there are not so many departments",
    "not_before": "stage {stage} does not come before {here}",
    "no_way_back": "a rejection does not lead back to stage {stage} of kind {kind}",
    "promise_exceeds_law": "{promise} working days are promised, the law allows {statutory}",
    "limits_exceed_promise": (
        "the longest way to the decision takes {working_days} working days, {promise} are promised"
    ),
}
