"""What was read from a project's database, kept for as long as nobody writes to it."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from typing import Any, TypeVar

T = TypeVar("T")

# More than this many values are not kept: all go, and the next reads begin anew.
_LIMIT = 5_000


class Memory:
    """Of one SQLite connection that only reads; or of one transaction that writes, whose session forgets what its own
    writes have changed.

    ``PRAGMA data_version`` (sqlite.org/pragma.html#pragma_data_version) changes whenever another connection, of
    whatever process, has committed. It is asked first thing in a transaction, so that it belongs to the snapshot which
    the rest of the transaction sees: what is remembered is exact.
    """

    __slots__ = ("_values", "_version", "slow")

    def __init__(self) -> None:
        # Statements too long for a quick session: see Session.
        self.slow: dict[str, float] = {}
        self._version = -1
        self._values: dict[Hashable, Any] = {}

    def begin(self, raw: Any) -> None:
        """Begin a transaction on ``raw``, a sqlite3 connection, and forget what no longer holds."""
        raw.execute("BEGIN")
        version = raw.execute("PRAGMA data_version").fetchone()[0]
        if version != self._version:
            self._values.clear()
            self._version = version

    def forget(self) -> None:
        self._values.clear()

    def __contains__(self, key: Hashable) -> bool:
        return key in self._values

    def get(self, key: Hashable, load: Callable[[], T]) -> T:
        """The value kept for ``key``, else what ``load()`` reads."""
        try:
            value: T = self._values[key]
        except KeyError:
            value = load()
            if len(self._values) >= _LIMIT:
                self._values.clear()
            self._values[key] = value
        return value
