"""Keys and tokens as text: made once, kept as SHA-256 only.

A fast hash is enough: the text has 256 random bits, so there is nothing to guess.
"""

from __future__ import annotations

import hashlib
import secrets
from dataclasses import dataclass

_BYTES = 32
_SHOWN = 11


@dataclass(frozen=True, slots=True)
class NewSecret:
    """``text`` goes to the person once, ``prefix`` and ``hash`` to the database."""

    text: str
    prefix: str
    hash: str


def new_secret(kind: str) -> NewSecret:
    """A new secret; ``kind`` is its visible start: ``sk``, ``pk`` or ``pt``."""
    text = f"{kind}_{secrets.token_urlsafe(_BYTES)}"
    return NewSecret(text, text[:_SHOWN], hash_secret(text))


def hash_secret(text: str) -> str:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
