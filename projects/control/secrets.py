"""Keys and tokens as text: made once, kept as a hash only."""

from __future__ import annotations

import secrets
from dataclasses import dataclass

from projects.crypto import hash_secret

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
