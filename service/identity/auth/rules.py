"""What is decided about accounts and sign-ins: values in, values out."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final


class CredentialKind(StrEnum):
    """How somebody proves who they are."""

    PASSWORD = "password"  # noqa: S105 - the name of a kind
    WECHAT = "wechat"


_USERNAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{1,63}")


def valid_username(text: str) -> bool:
    """Lower-case letters, digits, `.`, `_` and `-`; 2 to 64 of them, the first no sign."""
    return bool(_USERNAME.fullmatch(text))


class RefreshVerdict(StrEnum):
    """What a refresh token that is presented deserves."""

    FRESH = "fresh"
    GRACE = "grace"
    REUSE = "reuse"
    ENDED = "ended"


@dataclass(frozen=True, slots=True)
class TokenState:
    """A refresh token as it is found, with the sign-in it belongs to."""

    used_at: datetime | None
    expires_at: datetime
    ended: bool


def judge_refresh(state: TokenState, at: datetime, grace: timedelta) -> RefreshVerdict:
    """Whether a token buys the next one.

    A used token is good for `grace` after its first use, for a client that lost the answer.
    After that it is a copy in other hands: everything that came of the sign-in is to be revoked
    (RFC 9700, section 4.14.2). A sign-in that has ended buys nothing and needs no revoking.
    """
    if state.ended or at >= state.expires_at:
        return RefreshVerdict.ENDED
    if state.used_at is None:
        return RefreshVerdict.FRESH
    return RefreshVerdict.GRACE if at - state.used_at <= grace else RefreshVerdict.REUSE
