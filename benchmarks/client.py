"""A small HTTP client for preparing data and for what runs beside the load: keep-alive, JSON, no magic."""

from __future__ import annotations

import http.client
import threading
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar
from urllib.parse import urlsplit

import orjson

T = TypeVar("T")
R = TypeVar("R")

TIMEOUT = 120
IDLE_SECONDS = 5


class RequestFailedError(RuntimeError):
    """The server answered with an error status."""


class Client:
    """One connection to ``url``, whose path is put before every request's."""

    def __init__(self, url: str, headers: Mapping[str, str] | None = None) -> None:
        parts = urlsplit(url)
        assert parts.hostname
        self._prefix = parts.path.rstrip("/")
        self._connection = http.client.HTTPConnection(parts.hostname, parts.port, timeout=TIMEOUT)
        self._used = time.monotonic()
        self.headers = {"Content-Type": "application/json", **(headers or {})}

    def __call__(self, method: str, path: str, body: Any = None) -> Any:
        """The JSON answer (None when there is none). Raises RequestFailedError."""
        data = None if body is None else orjson.dumps(body)
        if time.monotonic() - self._used > IDLE_SECONDS:
            # A server may have closed it meanwhile; http.client opens it anew.
            self._connection.close()
        self._used = time.monotonic()
        try:
            self._connection.request(method, self._prefix + path, data, self.headers)
            answer = self._connection.getresponse()
            content = answer.read()
        except (OSError, http.client.HTTPException):
            self._connection.close()
            raise
        if answer.status >= http.client.BAD_REQUEST:
            raise RequestFailedError(f"{method} {path}: {answer.status} {content[:500]!r}")
        return orjson.loads(content) if content else None

    def close(self) -> None:
        self._connection.close()


def in_parallel(
    work: Callable[[Client, T], R],
    items: Iterable[T],
    *,
    url: str,
    headers: Mapping[str, str],
    threads: int = 8,
) -> list[R]:
    """``work(client, item)`` for all items in order of the items, on connections of the threads' own."""
    own = threading.local()

    def one(item: T) -> R:
        if not hasattr(own, "client"):
            own.client = Client(url, headers)
        return work(own.client, item)

    with ThreadPoolExecutor(threads) as pool:
        return list(pool.map(one, items))


class Beside:
    """Calls ``turns`` one after another in a thread, over and over, until the block ends."""

    def __init__(self, turns: Sequence[Callable[[], object]], *, pause: float = 0) -> None:
        self._turns = turns
        self._pause = pause
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._error: BaseException | None = None
        self.count = 0

    def __enter__(self) -> Beside:
        self._thread.start()
        return self

    def __exit__(self, *exc: object) -> None:
        self._stop.set()
        self._thread.join(TIMEOUT)
        if self._error is not None:
            raise self._error

    def _run(self) -> None:
        try:
            while not self._stop.is_set():
                self._turns[self.count % len(self._turns)]()
                self.count += 1
                self._stop.wait(self._pause)
        except BaseException as error:
            # Raised again where the block ends.
            self._error = error
