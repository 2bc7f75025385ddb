"""What a department asks an applicant to correct, and whether an answer is complete."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from service.catalogue.rules.definitions import OfferingDefinition
from service.kernel.errors import FieldError
from service.routing.flow import ALL, Sees


@dataclass(frozen=True, slots=True)
class Point:
    """One thing to correct: in a section or a field of it, or in a material; `what` says how."""

    what: str
    section: str | None = None
    field: str | None = None
    material: str | None = None

    def plain(self) -> dict[str, str]:
        """The point as it is kept: what it does not name is left out."""
        named = {
            "what": self.what,
            "section": self.section,
            "field": self.field,
            "material": self.material,
        }
        return {name: value for name, value in named.items() if value is not None}


def readable(point: Point, sees: Sees, *, own: bool) -> bool:
    """Whether a stage may read a point: it asked it itself, or it sees what the point is about.

    A stage may ask about what it does not see: what is wrong is often noticed by one that cannot
    return any more. It is told its own words, but not the answer.
    """
    if own:
        return True
    if point.material is not None:
        return sees.materials == ALL or point.material in sees.materials
    fields = sees.sections.get(point.section or "", frozenset())
    return bool(fields) and (point.field is None or fields == ALL or point.field in fields)


def point_faults(
    definition: OfferingDefinition, points: Sequence[Point], *, asked: bool
) -> list[FieldError]:
    """What is wrong with the points of a verdict; `asked`: it is a return, which needs some.

    They may be about anything that the offering asks for, whatever the stage sees of it.
    """
    if not asked:
        return [FieldError("corrections", "corrections_not_expected")] if points else []
    if not points:
        return [FieldError("corrections", "corrections_missing")]
    return [
        fault
        for place, point in enumerate(points)
        for fault in _faults(definition, point, f"corrections.{place}")
    ]


def _faults(definition: OfferingDefinition, point: Point, path: str) -> Iterator[FieldError]:
    if (point.section is None) is (point.material is None):
        yield FieldError(path, "point_names_nothing")
    if point.material is not None:
        if point.material not in {one.code for one in definition.materials}:
            yield FieldError(f"{path}.material", "material_not_asked")
    elif point.section is not None:
        section = definition.sections.get(point.section)
        if section is None:
            yield FieldError(f"{path}.section", "section_not_expected")
        elif point.field not in (None, *section.schema["properties"]):
            yield FieldError(f"{path}.field", "unknown_field")


def section_missing(definition: OfferingDefinition, code: str, path: str) -> FieldError:
    """A section that has to be there and is not, by its title."""
    return FieldError(path, "section_missing", {"title": definition.section_title(code)})


def answer_faults(
    definition: OfferingDefinition,
    points: Sequence[Point],
    sections: Mapping[str, Any],
    *,
    today: date,
) -> list[FieldError]:
    """What is wrong with the sections of a correction: all that was asked for, and nothing else."""
    asked = {point.section for point in points if point.section is not None}
    faults = [
        section_missing(definition, code, f"sections.{code}")
        for code in sorted(asked - set(sections))
    ]
    for code, answers in sections.items():
        if code in asked:
            faults += definition.section_faults(code, answers, at=f"sections.{code}", today=today)
        else:
            faults.append(FieldError(f"sections.{code}", "section_not_expected"))
    return faults
