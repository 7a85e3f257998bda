"""Secrets at rest: encrypted with a key that can be rotated.

``MBAAS_SECRET_KEYS`` lists secrets, newest first. The first encrypts, all of them decrypt: to rotate,
put a new one in front, run ``manage.py rotate_secrets``, then drop the old one.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings


class SecretUnreadableError(Exception):
    """A stored secret was encrypted with a key that is no longer in MBAAS_SECRET_KEYS."""


def _fernet() -> MultiFernet:
    secrets: list[str] = list(settings.MBAAS_SECRET_KEYS)
    return MultiFernet([Fernet(_fernet_key(secret)) for secret in secrets])


def _fernet_key(secret: str) -> bytes:
    # Fernet wants exactly 32 bytes; the label keeps this key apart from other uses of the same secret.
    digest = hashlib.sha256(b"mbaas secrets at rest:" + secret.encode()).digest()
    return base64.urlsafe_b64encode(digest)


def encrypt(plain: str) -> str:
    """``plain`` as ASCII text that only a holder of one of the keys can read. Empty stays empty."""
    return _fernet().encrypt(plain.encode()).decode("ascii") if plain else ""


def decrypt(stored: str) -> str:
    """What ``encrypt`` was given. Raises SecretUnreadableError when no key fits."""
    if not stored:
        return ""
    try:
        return _fernet().decrypt(stored.encode("ascii")).decode()
    except InvalidToken as error:
        raise SecretUnreadableError("the stored secret fits none of MBAAS_SECRET_KEYS") from error


def rotate(stored: str) -> str:
    """``stored`` encrypted anew with the first key. Raises SecretUnreadableError when no key fits."""
    if not stored:
        return ""
    try:
        return _fernet().rotate(stored.encode("ascii")).decode("ascii")
    except InvalidToken as error:
        raise SecretUnreadableError("the stored secret fits none of MBAAS_SECRET_KEYS") from error


def hash_secret(text: str) -> str:
    """What is kept of a key or token that we made: SHA-256, as hex.

    A fast hash is enough: the text has 256 random bits, so there is nothing to guess.
    """
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
