"""What was sent for an item and is not kept, since nobody asks for it."""

from __future__ import annotations

from dataclasses import asdict, dataclass


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A field of a section that does not apply, or a material whose condition is not met."""

    section: str | None = None
    field: str | None = None
    material: str | None = None

    def plain(self) -> dict[str, str]:
        """As it is kept: what it does not name is left out."""
        return {name: value for name, value in asdict(self).items() if value is not None}
