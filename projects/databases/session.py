"""A project's database inside one transaction: what every operation reads and writes through.

It runs SQL on the driver's connection below Django's (the ORM costs 146 µs for a read that takes 6),
inside transactions that Django knows of, so that ORM code and a session can share one.
"""

from __future__ import annotations

import sqlite3
import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from functools import lru_cache
from typing import Any, TypeVar

import psycopg
from django.conf import settings
from django.db import DatabaseError, connections, transaction
from django.db.backends.base.base import BaseDatabaseWrapper

from projects.context import Engine, ProjectHandle, use_project
from projects.databases.functions import add_functions
from projects.databases.memory import Memory
from projects.databases.migrating import ensure_migrated
from projects.databases.postgresql.pools import check, keeps_connection

T = TypeVar("T")
Row = tuple[Any, ...]


# PostgreSQL: how long a thread keeps one connection at most.
_HELD_SECONDS = 5.0
# For how long a statement that was stopped is believed to be slow, and how many are remembered.
_SLOW_SECONDS = 10.0
_MOST_SLOW = 1_000
# SQLite instructions a quick statement may take: up to a millisecond.
QUICK_INSTRUCTIONS = 20_000


# How the engines say that they stopped a statement (SQLite says other things so too).
_STOPPED = (sqlite3.OperationalError, psycopg.errors.QueryCanceled)


class StoppedError(Exception):
    """A statement ran for longer than its session lets it."""


class Session:
    """One transaction on one project's database. Made by ``read_session`` and ``write_session``."""

    __slots__ = (
        "_after_commit",
        "_begin",
        "_cursor",
        "_depth",
        "_memory",
        "_raw",
        "_slow",
        "_ticks",
        "_written",
        "engine",
        "is_writing",
        "project",
        "writes_once",
    )

    def __init__(
        self,
        project: ProjectHandle,
        raw: Any,
        memory: Memory | None = None,
        *,
        is_writing: bool = False,
        begin: Callable[[], object] | None = None,
    ) -> None:
        self.project = project
        self.is_writing = is_writing
        # Begins the transaction, for as long as it has not begun.
        self._begin = begin
        # Whose job it is promises that its first write is its last: see ``row_of_all``.
        self.writes_once = False
        self._memory = memory
        self._ticks = 0
        self._written = 0
        # Statements that were too long for a quick session, and until when that is believed.
        self._slow: dict[str, float] | None = None
        self.engine: Engine = project.engine
        self._raw = raw
        # psycopg's own cursor, not Django's: it binds on the server and keeps statements prepared.
        self._cursor: Any = raw.cursor() if project.engine == "sqlite" else psycopg.Cursor(raw)
        self._after_commit: list[Callable[[], None]] = []
        self._depth = 0

    def rows(self, sql: str, params: Sequence[Any] = (), anew: bool = False) -> list[Row]:
        """All rows of a statement in the engine's own placeholders. Raises StoppedError.

        ``anew``: how it is best run depends so much on ``params`` that PostgreSQL plans it for each of them.
        """
        try:
            return self._start(sql, params, anew).fetchall()  # type: ignore[no-any-return]
        except _STOPPED as error:
            raise self._failure(error, sql) from None

    def row(self, sql: str, params: Sequence[Any] = (), anew: bool = False) -> Row | None:
        """The first row, or None; ``anew`` as for ``rows``. Raises StoppedError."""
        try:
            return self._start(sql, params, anew).fetchone()  # type: ignore[no-any-return]
        except _STOPPED as error:
            raise self._failure(error, sql) from None

    def execute(self, sql: str, params: Sequence[Any] = ()) -> int:
        """Run a statement; returns how many rows it changed. Raises StoppedError."""
        try:
            count: int = self._start(sql, params).rowcount
        except _STOPPED as error:
            raise self._failure(error, sql) from None
        # Only what succeeded: a statement that fails leaves nothing behind.
        self._written += 1
        return count

    def peek(self, sql: str, params: Sequence[Any] = ()) -> Row | None:
        """``row`` of a statement that reads and locks nothing: a transaction need not begin for it."""
        begin, self._begin = self._begin, None
        try:
            return self.row(sql, params)
        finally:
            self._begin = begin

    def row_of_all(self, sql: str, params: Sequence[Any] = ()) -> Row | None:
        """``row`` of a statement that may be all that this session writes. With ``writes_once``, in a session that
        begins late, it is a transaction of its own, which spares two round trips: what fails later cannot undo it."""
        return self.peek(sql, params) if self.writes_once else self.row(sql, params)

    def _start(self, sql: str, params: Sequence[Any], anew: bool = False) -> Any:
        if self._begin is not None:
            self.begin()
        if self._slow is not None:
            self._ticks = 0
            if self._slow and self._slow.get(sql, 0.0) > time.monotonic():
                raise StoppedError
        if anew and self.engine == "postgresql":
            return self._cursor.execute(sql, params, prepare=False)
        return self._cursor.execute(sql, params)

    def _failure(self, error: Exception, sql: str) -> Exception:
        if isinstance(error, sqlite3.OperationalError) and error.args[:1] != ("interrupted",):
            return error
        if self._slow is not None:
            if len(self._slow) >= _MOST_SLOW:
                self._slow.clear()
            self._slow[sql] = time.monotonic() + _SLOW_SECONDS
        return StoppedError()

    @property
    def has_begun(self) -> bool:
        """PostgreSQL: whether a statement that fails would spoil a transaction."""
        return self.is_writing and self._begin is None

    def begin(self) -> None:
        """Begin the transaction of a session that begins late, unless it has begun."""
        if self._begin is not None:
            begin, self._begin = self._begin, None
            begin()

    def execute_many(self, sql: str, rows: Sequence[Sequence[Any]]) -> None:
        """Run a statement once for each of ``rows`` of parameters."""
        self.begin()
        self._cursor.executemany(sql, rows)

    def insert_rows(self, table: str, columns: str, rows: Iterable[Sequence[Any]]) -> None:
        """Store many rows in one go; ``table`` and ``columns`` are SQL, quoted by the caller.

        Values are what ``execute`` would take. Raises the driver's errors; then, on PostgreSQL, the transaction or
        the savepoint around it can only be rolled back.
        """
        self.begin()
        if self.engine == "postgresql":
            with self._cursor.copy(f"COPY {table} ({columns}) FROM STDIN") as copy:
                for row in rows:
                    copy.write_row(row)
            return
        marks = ", ".join("?" * (columns.count(",") + 1))
        self._cursor.executemany(f"INSERT INTO {table} ({columns}) VALUES ({marks})", rows)
        self._written += 1

    def remember(self, key: Hashable, load: Callable[[], T]) -> T:
        """What ``load()`` reads, asked again only once somebody has written to the database.

        Where that cannot be known (reads on PostgreSQL) it is read each time. What a session that writes remembers
        ends with its transaction; who changes something that is remembered calls ``forget``.
        """
        return load() if self._memory is None else self._memory.get(key, load)

    def remembers(self, key: Hashable) -> bool:
        """Whether ``remember`` has this already."""
        return self._memory is not None and key in self._memory

    def forget(self) -> None:
        """Read anew what was remembered: this session has changed it."""
        if self._memory is not None:
            self._memory.forget()

    def sql(self, text: str) -> str:
        """Hand-written SQL with ``?`` in the engine's placeholders. ``?`` must not occur in literals."""
        return text if self.engine == "sqlite" else _percent_placeholders(text)

    @contextmanager
    def savepoint(self) -> Iterator[None]:
        """What the block wrote, and its after-commit calls, are undone when it raises."""
        self.begin()
        name = f"s{self._depth}"
        kept = len(self._after_commit)
        self._depth += 1
        self._cursor.execute(f"SAVEPOINT {name}")
        try:
            yield
        except BaseException:
            del self._after_commit[kept:]
            self.forget()
            # A statement that is stopped may take SQLite's whole transaction with it, and its savepoints.
            if self.in_transaction:
                self._cursor.execute(f"ROLLBACK TO SAVEPOINT {name}")
                self._cursor.execute(f"RELEASE SAVEPOINT {name}")
            raise
        else:
            self._cursor.execute(f"RELEASE SAVEPOINT {name}")
        finally:
            self._depth -= 1

    @property
    def written(self) -> int:
        """SQLite: grows with every statement that may have changed something, and every call for after the commit."""
        return self._written + len(self._after_commit) + int(self._raw.total_changes)

    @property
    def in_transaction(self) -> bool:
        """False once the database itself gave the transaction up."""
        return bool(self._raw.in_transaction) if self.engine == "sqlite" else not self._raw.closed

    def after_commit(self, call: Callable[[], None]) -> None:
        """Call ``call()`` once what was written so far is durable; never if it is rolled back.

        Calls run on the thread that committed, outside the transaction, and must neither block nor raise.
        """
        self._after_commit.append(call)

    def discard_connection(self) -> None:
        """Never use this connection again: what it has prepared is out of date."""
        self._raw.close()

    def take_after_commit(self) -> list[Callable[[], None]]:
        """The registered calls, handed to whoever commits."""
        calls, self._after_commit = self._after_commit, []
        return calls

    def limit(self, budget: Callable[[], int] | None, instructions: int = 1000) -> None:
        """SQLite: call ``budget`` every so many instructions; a non-zero answer stops the statement."""
        self._raw.set_progress_handler(budget, instructions)

    def limit_quick(self) -> None:
        """Stop any statement that takes between one and two times QUICK_INSTRUCTIONS; on PostgreSQL this thread's
        connections stop it themselves.

        One that was stopped is not even begun the next time, for as long as it is believed to be slow.
        """
        if self.engine == "postgresql":
            self._slow = _slow_statements.of(self.project.uid)
            return
        self._slow = self._memory.slow if self._memory is not None else {}
        self._raw.set_progress_handler(self._tick, QUICK_INSTRUCTIONS)

    @property
    def is_quick(self) -> bool:
        """Whether long statements are stopped, to be run again where they harm nobody. Such a session never waits."""
        return self._slow is not None

    def _tick(self) -> int:
        # SQLite counts a prepared statement's instructions over all its runs, so the first call says nothing
        # about this run: a short statement that ran often would be stopped now and then.
        self._ticks += 1
        return self._ticks > 1


@lru_cache(maxsize=4096)
def _percent_placeholders(text: str) -> str:
    return text.replace("%", "%%").replace("?", "%s")


class _SlowStatements:
    """PostgreSQL: the statements of each project that were too long for a quick session."""

    def __init__(self) -> None:
        self._by_project: OrderedDict[str, dict[str, float]] = OrderedDict()
        self._lock = threading.Lock()

    def of(self, uid: str) -> dict[str, float]:
        with self._lock:
            found = self._by_project.setdefault(uid, {})
            self._by_project.move_to_end(uid)
            if len(self._by_project) > _MOST_SLOW:
                self._by_project.popitem(last=False)
        return found


_slow_statements = _SlowStatements()


class _OpenConnections(threading.local):
    """This thread's open project connections, least recently used first."""

    # PostgreSQL: the alias whose connection a thread that keeps one keeps, and until when.
    held: tuple[str, float] = ("", 0.0)

    def __init__(self) -> None:
        self.wrappers: OrderedDict[str, BaseDatabaseWrapper] = OrderedDict()
        self.memories: dict[str, Memory] = {}


_open = _OpenConnections()


def _checkout(project: ProjectHandle) -> BaseDatabaseWrapper:
    """This thread's connection to the project's database, opened (and migrated) when it is not yet.

    At most MBAAS_OPEN_DATABASES_PER_THREAD stay open: file handles and page caches are bounded however
    many projects a server hosts.
    """
    if project.engine == "postgresql" and keeps_connection():
        _hold(project)
    alias = project.alias
    wrapper = _open.wrappers.get(alias)
    if wrapper is None or wrapper.connection is None:
        ensure_migrated(project)
        wrapper = connections[alias]
        _connect(project, wrapper)
        _open.wrappers[alias] = wrapper
        _open.memories.pop(alias, None)
        while len(_open.wrappers) > settings.MBAAS_OPEN_DATABASES_PER_THREAD:
            _forget(next(iter(_open.wrappers)))
    _open.wrappers.move_to_end(alias)
    return wrapper


def _connect(project: ProjectHandle, wrapper: BaseDatabaseWrapper) -> None:
    wrapper.ensure_connection()
    if project.engine == "sqlite":
        add_functions(wrapper.connection)


def _forget(alias: str) -> None:
    _open.memories.pop(alias, None)
    wrapper = _open.wrappers.pop(alias, None)
    if wrapper is not None:
        wrapper.close()
        # A migration in between may have taken it out already.
        with suppress(AttributeError):
            del connections[alias]


def _give_back(project: ProjectHandle, wrapper: BaseDatabaseWrapper) -> None:
    """On PostgreSQL the connection returns to its placement's pool; a SQLite file stays open."""
    if project.engine == "postgresql" and _open.held[0] != project.alias:
        wrapper.close()


def _hold(project: ProjectHandle) -> None:
    """Let this thread keep the connection to the project that it now takes, and no other."""
    alias, until = _open.held
    if alias == project.alias and time.monotonic() < until and _is_usable(_open.wrappers.get(alias)):
        return
    if (before := _open.wrappers.get(alias)) is not None:
        before.close()
    _open.held = (project.alias, time.monotonic() + _HELD_SECONDS)


def _is_usable(wrapper: BaseDatabaseWrapper | None) -> bool:
    if wrapper is None or wrapper.connection is None:
        return False
    try:
        check(wrapper.connection)
    except psycopg.OperationalError:
        return False
    return True


def open_alone(project: ProjectHandle) -> BaseDatabaseWrapper:
    """A connection to the project's SQLite database that no thread owns, opened (and migrated) on this one."""
    ensure_migrated(project)
    wrapper = connections.create_connection(project.alias)
    with use_project(project):
        _connect(project, wrapper)
    return wrapper


def close_project(project: ProjectHandle) -> None:
    """Close this thread's connection to the project, if it has one."""
    _forget(project.alias)


def close_thread() -> None:
    """Close all of this thread's project connections (before the thread ends, or between tests)."""
    for alias in list(_open.wrappers):
        _forget(alias)


@contextmanager
def read_session(project: ProjectHandle) -> Iterator[Session]:
    """A session that writes nothing, and on SQLite sees one snapshot."""
    with use_project(project):
        wrapper = _checkout(project)
        raw: Any = wrapper.connection
        if project.engine == "postgresql":
            # Single statements need no transaction block: three round trips become one. What the jobs of one turn of
            # a lane have in common is read once: they were all asked for before.
            try:
                yield Session(project, raw, Memory())
            finally:
                _give_back(project, wrapper)
            return
        memory = _open.memories.get(project.alias)
        if memory is None:
            memory = _open.memories[project.alias] = Memory()
        memory.begin(raw)
        try:
            yield Session(project, raw, memory)
        finally:
            # A read transaction has nothing to lose; an error may have ended it already.
            if raw.in_transaction:
                raw.execute("ROLLBACK")


@contextmanager
def write_session(project: ProjectHandle, *, late: bool = False) -> Iterator[Session]:
    """A session whose writes are committed together at the end, or not at all when the block raises.

    ``late``: on PostgreSQL its transaction begins with the first statement that is more than a ``peek``; ORM code in
    the block calls ``session.begin()`` first.
    """
    with use_project(project):
        wrapper = _checkout(project)
        is_done = False
        try:
            with ExitStack() as stack:

                def begin() -> None:
                    stack.enter_context(transaction.atomic(using=project.alias, durable=True))

                is_late = late and project.engine == "postgresql"
                if not is_late:
                    begin()
                session = Session(
                    project, wrapper.connection, Memory(), is_writing=True, begin=begin if is_late else None
                )
                yield session
                is_done = True
        except DatabaseError as error:
            # A commit is refused in Django's words, all else of a session in the driver's.
            if is_done and isinstance(error.__cause__, psycopg.Error):
                raise error.__cause__ from None
            raise
        finally:
            # A connection's own writes do not change its data_version.
            _open.memories.pop(project.alias, None)
            _give_back(project, wrapper)
        for call in session.take_after_commit():
            call()
