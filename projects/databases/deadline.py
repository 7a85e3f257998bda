"""How long work on a database may take: single statements, and transactions of many."""

from __future__ import annotations

import time

from django.conf import settings

from projects.databases.session import Session

# After how many SQLite instructions a statement's deadline is looked at.
DEADLINE_INSTRUCTIONS = 20_000


class TimedOutError(Exception):
    """The work ran longer than it may (MBAAS_STATEMENT_TIMEOUT_MS, say) and was stopped."""


class Deadline:
    """When work has to be done. As SQLite's progress handler it stops the statement that is running then."""

    def __init__(self, milliseconds: int) -> None:
        self._seconds = milliseconds / 1000
        self.restart()

    def restart(self) -> None:
        """As much time again from now on."""
        self._at = time.monotonic() + self._seconds
        self.passed = False

    def __call__(self) -> int:
        self.passed = time.monotonic() > self._at
        return int(self.passed)

    def check(self) -> None:
        """Between statements: raises TimedOutError when it has passed."""
        if self():
            raise TimedOutError


def bound_transaction(session: Session, milliseconds: int) -> Deadline:
    """The deadline of what follows in this write transaction.

    A statement that runs when it passes is stopped (on PostgreSQL one may run for ``milliseconds`` itself);
    between statements the caller asks ``check()``.
    """
    deadline = Deadline(milliseconds)
    if session.engine == "sqlite":
        # The lane takes the limit off again at the end of the job.
        session.limit(deadline, DEADLINE_INSTRUCTIONS)
    else:
        longest = min(milliseconds, settings.MBAAS_STATEMENT_TIMEOUT_MS)
        session.execute(f"SET LOCAL statement_timeout = {longest:d}")
    return deadline


def prolong_transaction(session: Session, milliseconds: int) -> None:
    """Give what follows in this write transaction ``milliseconds``, whatever other writes may take."""
    if session.engine == "sqlite":
        session.limit(Deadline(milliseconds), DEADLINE_INSTRUCTIONS)
    else:
        session.execute(f"SET LOCAL statement_timeout = {milliseconds:d}")
