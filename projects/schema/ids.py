"""Ids: random and time-ordered ones of records, name-derived ones of collections and fields."""

from __future__ import annotations

import random
import secrets
import time
import zlib
from collections.abc import Collection
from typing import Final

_BASE36: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
# The system's own generator, as in secrets, whose choice() takes eight times as long for a whole text.
_SYSTEM_RANDOM: Final = random.SystemRandom()
_TIME_DIGITS: Final = 8
_RANDOM_DIGITS: Final = 7

DEFAULT_ID_PATTERN: Final = "^[a-z0-9]+$"
DEFAULT_ID_AUTOGENERATE: Final = "[a-z0-9]{15}"


_THREE_DIGITS: Final = [a + b + c for a in _BASE36 for b in _BASE36 for c in _BASE36]
_THREE: Final = 36**3


def _base36(number: int, digits: int) -> str:
    """The last ``digits`` (nine at most) of ``number``."""
    high, low = divmod(number, _THREE)
    higher, middle = divmod(high, _THREE)
    return (_THREE_DIGITS[higher % _THREE] + _THREE_DIGITS[middle] + _THREE_DIGITS[low])[-digits:]


def new_record_id() -> str:
    """15 characters ``[a-z0-9]``: the millisecond (8 base-36 digits, good until 2059), then 7 random ones.

    The prefix puts new rows at the end of the primary key's tree, so inserts touch few pages.
    """
    prefix = _base36(time.time_ns() // 1_000_000, _TIME_DIGITS)
    return prefix + _base36(secrets.randbelow(36**_RANDOM_DIGITS), _RANDOM_DIGITS)


def collection_id(kind: str, name: str) -> str:
    """The id of a collection whose creator gave none; the same for the same type and name, so that
    schemas imported elsewhere agree (the wire contract's form)."""
    return f"pbc_{zlib.crc32((kind + name).encode())}"


def free_collection_id(kind: str, name: str, taken: Collection[str]) -> str:
    """``collection_id``, or a random one of its form when a renamed collection still has that."""
    free = collection_id(kind, name)
    while free in taken:
        free = f"pbc_{secrets.randbelow(2**32)}"
    return free


def field_id(kind: str, name: str) -> str:
    """The id of a field whose creator gave none."""
    return f"{kind}{zlib.crc32(name.encode())}"


def new_secret(length: int = 50) -> str:
    """A random token secret of ``[A-Za-z0-9]``."""
    alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
    return "".join(_SYSTEM_RANDOM.choices(alphabet, k=length))
