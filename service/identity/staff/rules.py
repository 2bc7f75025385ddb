"""What is decided about departments: values in, values out."""

from __future__ import annotations

from enum import StrEnum


class DepartmentKind(StrEnum):
    """What sort of body a department is."""

    GOVERNMENT = "government"
    COMPANY = "company"
    OUTSIDE = "outside"
