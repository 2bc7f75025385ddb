"""What is decided about enterprises: values in, values out."""

from __future__ import annotations

from enum import StrEnum

from stdnum.cn import uscc

from service.kernel.text import compact

LONGEST_NAME = 100


class EmploymentSource(StrEnum):
    """How it is known that somebody works for an enterprise."""

    FILING = "filing"  # they named it as their employer, and let it follow


def normal_credit_code(text: str) -> str | None:
    """A unified social credit code (GB 32100-2015) as it is kept; None where it is none.

    18 of `0123456789ABCDEFGHJKLMNPQRTUWXY`, in upper case; full-width characters are folded, and
    blanks and dashes between them do not count. The letters I, O, S, V and Z are skipped, and the
    last character is a check over all before it.
    """
    code = compact(text)
    return uscc.compact(code) if code.isascii() and uscc.is_valid(code) else None
