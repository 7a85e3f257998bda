"""The control plane's connection as threads of the serving path use it."""

from __future__ import annotations

from django.db import connections


def refresh_control_connection() -> None:
    """Drop this thread's connection to the control plane if it broke or is too old; the next query opens one.

    Django does that when a request begins, which no lane ever sees. Call it before reading the control plane.
    The project's own connection, which may be inside a transaction, is left alone.
    """
    connection = connections["default"]
    if not connection.in_atomic_block:
        connection.close_if_unusable_or_obsolete()
