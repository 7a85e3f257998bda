"""How long the change log is kept: for histories as long as a project wants, for its other readers at least a while.

It is cut off from its beginning, so that what is left has no holes: whoever knows the first number that is left knows
whether anything between two moments is missing.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from itertools import takewhile
from typing import Any, Final

from django.conf import settings

from projects.context import ProjectHandle
from projects.databases import Session, write_session
from projects.errors import ApiError, FieldError
from projects.schema.dates import date_text

# The project's setting: days, 0 for no longer than other readers need.
SETTING: Final = "historyDays"
MOST_DAYS: Final = 36_500
GONE: Final = "The change log does not reach back that far any more."
_KEY: Final = "changes_from"


@dataclass(frozen=True, slots=True)
class LogStart:
    """Changes up to number ``seq`` are gone; what is left is whole from the ``moment`` on ("": from the beginning)."""

    seq: int = 0
    moment: str = ""

    def check_seq(self, seq: int) -> None:
        """Raises 410 when that change is gone."""
        if seq <= self.seq:
            raise self._gone()

    def check_moment(self, moment: str) -> None:
        """Raises 410 when some of what came after that moment is gone."""
        if moment < self.moment:
            raise self._gone()

    def _gone(self) -> ApiError:
        return ApiError(410, GONE, {"from": FieldError("history_gone", GONE, {"from": self.moment})})


def log_start(session: Session) -> LogStart:
    row = session.row(f"SELECT value FROM _params WHERE key = '{_KEY}'")
    if row is None:
        return LogStart()
    seq, _, moment = row[0].partition(" ")
    return LogStart(int(seq), moment)


def kept_since(project: ProjectHandle, now: datetime) -> str:
    """The moment from which on the project's change log is kept."""
    days = project.setting(SETTING)
    wanted = days if isinstance(days, int) else settings.MBAAS_HISTORY_DAYS
    hours = max(wanted * 24, settings.MBAAS_CHANGE_LOG_HOURS)
    return date_text(now - timedelta(hours=hours))


def check_history_days(value: Any) -> FieldError | None:
    """What is wrong with a project's setting ``historyDays``, in one sentence."""
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MOST_DAYS:
        return None
    return FieldError("validation_invalid_value", f"Must be a whole number of days from 0 to {MOST_DAYS}.")


def prune(project: ProjectHandle) -> int:
    """Forget changes that need not be kept any more, and kept answers whose time is over. Blocks.

    In transactions of MBAAS_PRUNE_STEP rows each: other writes go between. Returns how many changes went.
    """
    now = datetime.now(UTC)
    since = kept_since(project, now)
    pruned = _in_steps(project, lambda session: _prune_some(session, since, date_text(now)))
    _in_steps(project, _forget_answers)
    return pruned


def _in_steps(project: ProjectHandle, work: Callable[[Session], int]) -> int:
    """``work`` until it finds less than a step to do; how much it did in all."""
    done = 0
    while True:
        began = time.monotonic()
        with write_session(project) as session:
            count = work(session)
        done += count
        if count < settings.MBAAS_PRUNE_STEP:
            return done
        # As long again is for those who waited: SQLite gives its lock to whoever comes by first.
        time.sleep(time.monotonic() - began)


def needs_pruning(session: Session, project: ProjectHandle) -> bool:
    """Whether there is anything that ``prune`` would take."""
    row = session.row("SELECT created FROM _changes ORDER BY seq LIMIT 1")
    if row is not None and row[0] < kept_since(project, datetime.now(UTC)):
        return True
    sql = session.sql("SELECT 1 FROM _answers WHERE created <= ? LIMIT 1")
    return session.row(sql, (_oldest_answer(),)) is not None


def _prune_some(session: Session, since: str, now: str) -> int:
    """Cut off the changes before ``since``, at most a step of them; returns how many."""
    step = settings.MBAAS_PRUNE_STEP
    rows = session.rows(session.sql("SELECT seq, created FROM _changes ORDER BY seq LIMIT ?"), (step,))
    # What a clock that was wrong dated into the future would hold up everything behind it.
    gone = list(takewhile(lambda row: not since <= row[1] <= now, rows))
    if not gone:
        return 0
    last = gone[-1][0]
    session.execute(session.sql("DELETE FROM _changes WHERE seq <= ?"), (last,))
    moment = max((created for _, created in gone if created < since), default="")
    _keep_start(session, LogStart(last, moment))
    return len(gone)


def _keep_start(session: Session, start: LogStart) -> None:
    before = log_start(session)
    # It only ever moves on, even when a project wants longer histories now.
    value = f"{max(start.seq, before.seq)} {max(start.moment, before.moment)}"
    session.execute(
        session.sql(
            f"INSERT INTO _params (key, value) VALUES ('{_KEY}', ?)"
            " ON CONFLICT (key) DO UPDATE SET value = excluded.value"
        ),
        (value,),
    )


def _forget_answers(session: Session) -> int:
    sql = (
        "DELETE FROM _answers WHERE key IN (SELECT key FROM _answers WHERE created <= ? ORDER BY created LIMIT"
        f" {settings.MBAAS_PRUNE_STEP:d})"
    )
    return session.execute(session.sql(sql), (_oldest_answer(),))


def _oldest_answer() -> int:
    return int(time.time()) - settings.MBAAS_IDEMPOTENCY_HOURS * 3600
