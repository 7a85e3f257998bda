"""A running server that the table can be played on."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Server:
    """Where a server's app API is (``base_url`` without a slash at the end) and who is superuser there."""

    name: str
    base_url: str
    email: str
    password: str
