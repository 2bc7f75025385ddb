"""The installation's key file: data keys, the blind-index key, token keys, the cursor key.

One JSON file outside the repository, readable by the service alone:

    {"data":   {"active": "d1", "keys": {"d1": "<base64, 32 bytes>"}},
     "index":  "<base64, 32 bytes>",
     "cursor": "<base64, 32 bytes>",
     "token":  {"active": "t1", "keys": {"t1": "<PEM, Ed25519 private key>"}}}

New values are made with the active key; older keys stay in the file as long as something sealed
or signed with them is still about.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

KEY_BYTES = 32


@dataclass(frozen=True, slots=True)
class Keys:
    """The opened key file."""

    data: dict[str, bytes]
    active_data: str
    index: bytes
    cursor: bytes
    token: dict[str, Ed25519PrivateKey]
    active_token: str


def load_keys(path: Path) -> Keys:
    """Open a key file; raises `ValueError` that names the file and what is wrong, never a key."""
    try:
        return _read(json.loads(path.read_text(encoding="utf-8")))
    except (KeyError, TypeError, AttributeError) as error:
        raise ValueError(f"key file {path}: missing or misplaced {error}") from None
    except ValueError as error:
        raise ValueError(f"key file {path}: {error}") from None


def _read(raw: dict[str, Any]) -> Keys:
    keys = Keys(
        data={kid: _symmetric(text) for kid, text in raw["data"]["keys"].items()},
        active_data=raw["data"]["active"],
        index=_symmetric(raw["index"]),
        cursor=_symmetric(raw["cursor"]),
        token={kid: _signing(pem) for kid, pem in raw["token"]["keys"].items()},
        active_token=raw["token"]["active"],
    )
    if keys.active_data not in keys.data or keys.active_token not in keys.token:
        raise ValueError("an active key is not among the keys")
    return keys


def make_key_file(path: Path) -> None:
    """Write a new key file, readable by its owner alone; `FileExistsError` if there is one."""
    signing = Ed25519PrivateKey.generate().private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    content = {
        "data": {"active": "d1", "keys": {"d1": _random()}},
        "index": _random(),
        "cursor": _random(),
        "token": {"active": "t1", "keys": {"t1": signing.decode()}},
    }
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        json.dump(content, file, indent=2)


def _random() -> str:
    return base64.b64encode(secrets.token_bytes(KEY_BYTES)).decode()


def _symmetric(text: str) -> bytes:
    key = base64.b64decode(text, validate=True)
    if len(key) != KEY_BYTES:
        raise ValueError(f"a symmetric key has {KEY_BYTES} bytes, one has {len(key)}")
    return key


def _signing(pem: str) -> Ed25519PrivateKey:
    key = serialization.load_pem_private_key(pem.encode(), password=None)
    if not isinstance(key, Ed25519PrivateKey):
        raise ValueError("a token key is not an Ed25519 private key")  # noqa: TRY004 - of the file
    return key
