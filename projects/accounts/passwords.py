"""Hashing and checking passwords: the slow work, for threads on which no database waits."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

from django.contrib.auth.hashers import check_password, make_password

from projects.records.auth_fields import HashedPasswords, PasswordWork
from projects.schema.fields.coerce import is_storable
from projects.schema.fields.password import PasswordHash

# How bcrypt hashes begin in their own form, as PocketBase stores them.
_BARE_BCRYPT = ("$2a$", "$2b$", "$2y$")
# bcrypt reads no further, and its library refuses more.
_BCRYPT_BYTES = 72


@dataclass(frozen=True, slots=True)
class Match:
    """Whether a password matched. ``upgrade`` is its hash by today's algorithm where the stored one is older."""

    right: bool
    upgrade: PasswordHash | None = None


def do_password_work(work: PasswordWork) -> HashedPasswords:
    """Hash and check what a write asked for (see ``projects.records.auth_fields``)."""
    proved = work.stored if work.old and matches(work.old, work.stored).right else ""
    if work.old and not proved:
        # The write will be refused: there is nothing to hash for.
        return HashedPasswords(work)
    return HashedPasswords(work, {name: hash_password(text) for name, text in work.plain.items()}, proved)


def hash_password(plain: str) -> PasswordHash:
    """A new hash by the preferred algorithm (about 20 ms of a core)."""
    return PasswordHash(make_password(plain))


def matches(plain: str, stored: str) -> Match:
    """Check ``plain`` against a stored hash. ``""`` stands for nobody's: it costs the same and never matches."""
    encoded = f"bcrypt${stored}" if stored.startswith(_BARE_BCRYPT) else stored
    if not _could_match(plain, encoded):
        check_password(plain if is_storable(plain) else "", _nobodys_hash())
        return Match(False)
    upgrades: list[PasswordHash] = []
    try:
        right = check_password(plain, encoded, setter=lambda text: upgrades.append(hash_password(text)))
    except ValueError:
        # Begins like a hash and is none: what an import brought. Nobody's password, then.
        right = False
    return Match(right, upgrades[0] if upgrades else None)


def _could_match(plain: str, encoded: str) -> bool:
    if not encoded or not is_storable(plain):
        return False
    return not encoded.startswith("bcrypt$") or len(plain.encode()) <= _BCRYPT_BYTES


@cache
def _nobodys_hash() -> str:
    """What is checked where there is no account, so that the answer takes as long as for a wrong password."""
    return make_password("nobody's password")
