"""The control plane's own transactions: always on ``default``, never on a project's database."""

from __future__ import annotations

from typing import Any

from django.db import connections, transaction

DEFAULT = "default"


def control_transaction() -> Any:
    """A transaction (a savepoint inside another) on the control plane's database."""
    return transaction.atomic(using=DEFAULT)


def control_connection() -> Any:
    """Django's connection to the control plane's database."""
    return connections[DEFAULT]
