"""How passwords are hashed, for console people and end users alike."""

from __future__ import annotations

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2Hasher(Argon2PasswordHasher):
    """Argon2id with 19 MiB, 2 passes, 1 lane: the OWASP Password Storage Cheat Sheet's minimum.

    Django's default takes 100 MiB and 8 lanes a sign-in, which on a small machine is a way to stop it.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
