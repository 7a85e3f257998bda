"""The access log: one JSON line per request, written by a thread of its own.

The logging machinery takes longer for a line than the server for a request (60 to 150 µs), and a log whose
reader is slow would hold up the event loop. Here a line is one call of orjson, and the lines of a moment
are one write.
"""

from __future__ import annotations

import sys
import threading
from collections import deque
from datetime import UTC, datetime
from typing import Any

import orjson
import structlog

# How long a line may wait to be written, and how many may wait before new ones are dropped and counted.
_PAUSE_SECONDS = 0.1
_MOST_WAITING = 50_000


class AccessLog:
    """``write`` from any thread; ``stop`` writes what waits."""

    def __init__(self) -> None:
        self._lines: deque[bytes] = deque()
        self._dropped = 0
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="access-log", daemon=True)
        self._thread.start()

    def write(self, **fields: Any) -> None:
        if len(self._lines) >= _MOST_WAITING:
            self._dropped += 1
            return
        fields.update(event="request", level="info", logger="mbaas.access", timestamp=datetime.now(UTC))
        self._lines.append(orjson.dumps(fields))

    def stop(self) -> None:
        self._stopping.set()
        self._thread.join(timeout=2)

    def _run(self) -> None:
        while not self._stopping.wait(_PAUSE_SECONDS):
            self._flush()
        self._flush()

    def _flush(self) -> None:
        lines = [self._lines.popleft() for _ in range(len(self._lines))]
        if not lines:
            return
        stream = getattr(sys.stderr, "buffer", None)
        if stream is not None:
            stream.write(b"\n".join(lines) + b"\n")
            stream.flush()
        if dropped := self._dropped:
            self._dropped = 0
            structlog.get_logger("mbaas").warning("access log lines were dropped", count=dropped)


class ConsoleLog:
    """For a person who watches a terminal: the same facts through the logging machinery, coloured."""

    def __init__(self) -> None:
        self._log = structlog.get_logger("mbaas.access")

    def write(self, **fields: Any) -> None:
        self._log.info("request", **fields)

    def stop(self) -> None:
        """Nothing waits."""


def access_log() -> AccessLog | ConsoleLog | None:
    """The log that the settings ask for; None where requests are below the wanted level."""
    from django.conf import settings

    from mbaas.logs import is_console

    if settings.MBAAS_LOG_LEVEL not in ("DEBUG", "INFO"):
        return None
    return ConsoleLog() if is_console(settings.MBAAS_LOG_FORMAT) else AccessLog()
