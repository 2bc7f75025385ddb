"""What a filing is judged by: values in, values out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from uuid import UUID

from service.catalogue.rules.definitions import BundleDefinition, OfferingDefinition
from service.facts.rules import KnownFact, by_kind
from service.filing.rules.filing import Filing, RequestedItem, answers_for
from service.routing.conditions.asked import SourceKind, sources
from service.routing.conditions.known import Known
from service.tickets.rules.established import already_established


@dataclass(frozen=True)
class FilingContext:
    """Who is who, what is established of them, what is open already."""

    filing: Filing
    bundle: BundleDefinition
    applicant: UUID
    born: Mapping[UUID, date | None]
    facts: Mapping[UUID, Sequence[KnownFact]]
    open_offerings: frozenset[str]
    today: date

    def facts_for(self, requested: RequestedItem) -> list[KnownFact]:
        """The facts that count for an item: its subject's, then the applicant's."""
        people = [requested.subject, self.applicant]
        return [fact for one in people if one is not None for fact in self.facts.get(one, ())]

    def established_for(self, requested: RequestedItem, until: date) -> list[KnownFact]:
        """The facts that stand for what an approval of the item would establish, if all do."""
        return already_established(
            self.bundle.offerings[requested.offering].flow.decision.gives,
            applicant=self.applicant,
            subject=requested.subject,
            answers=answers_for(self.filing, requested),
            facts=self.facts,
            until=until,
        )

    def known_for(self, requested: RequestedItem) -> Known:
        """What the conditions of an item may look at; the item itself is not asked for with it."""
        others = [one.offering for one in self.filing.items if one is not requested]
        born = {"applicant": self.born.get(self.applicant)}
        if requested.subject is not None:
            born["subject"] = self.born.get(requested.subject)
        return Known(
            self.today,
            answers=answers_for(self.filing, requested),
            facts=by_kind(self.facts_for(requested)),
            born=born,
            requested=self.open_offerings | set(others),
        )

    def established_by(self, until: date) -> dict[str, list[KnownFact]]:
        """By offering filed, the facts that stand for the approval of all its items on a day."""
        found: dict[str, list[list[KnownFact]]] = {}
        for requested in self.filing.items:
            facts = self.established_for(requested, until)
            found.setdefault(requested.offering, []).append(facts)
        return {
            offering: [fact for facts in each for fact in facts] if all(each) else []
            for offering, each in found.items()
        }

    def judged_by(
        self, requested: RequestedItem, definition: OfferingDefinition
    ) -> list[KnownFact]:
        """The facts at which the criteria of an item looked."""
        kinds = {
            source.parts[0]
            for criterion in definition.criteria
            for source in sources(criterion.met_when)
            if source.kind is SourceKind.FACT
        }
        return [fact for fact in self.facts_for(requested) if fact.kind in kinds]
