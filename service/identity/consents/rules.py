"""What is decided about consents: values in, values out."""

from __future__ import annotations

import re
from enum import StrEnum
from typing import Final


class LegalBasis(StrEnum):
    """Why personal information may be processed (PIPL, articles 13 and 34)."""

    CONSENT = "consent"
    STATUTORY_DUTY = "statutory_duty"


EMPLOYER_VIEW: Final = "enterprise"
"""The consent by which an employer may follow how the person's tickets stand."""

EMPLOYMENT: Final = "employment"
"""The section in which a pack has the employer named who may then follow: by `EMPLOYER_CODE`, the
credit code, and `EMPLOYED_SINCE`, the day from which on."""

EMPLOYER_CODE: Final = "employer_code"
EMPLOYED_SINCE: Final = "contract_from"


FREE: Final = frozenset({EMPLOYER_VIEW})
"""The consents that can be taken back at any time, because nothing that was filed rests on them.

Which ones the bundles ask for stands in packs, of which nothing is known here: so it is only the
one that is known to be optional everywhere.
"""


_CONSENT: Final = re.compile(r"([a-z][a-z0-9_]{0,39})@([1-9][0-9]{0,5})")


def parse_consent(code: str) -> tuple[str, int] | None:
    """`processing@1` as code and version; None where it has another form."""
    match = _CONSENT.fullmatch(code)
    return (match[1], int(match[2])) if match else None
