"""Reads one server-sent event stream in the background, as strictly as the clients in the field do."""

from __future__ import annotations

import http.client
import json
import socket
import threading
import time
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

CONNECT_SECONDS = 10
QUIET_SECONDS = 0.2
LATE_SECONDS = 3.0


@dataclass(frozen=True, slots=True)
class Event:
    """One event as it stood on the wire: its lines' names in order, and what they said."""

    lines: tuple[str, ...]
    id: str
    topic: str
    data: Any


class Stream:
    """An open stream. ``status`` and ``headers`` are those of the response."""

    def __init__(self, base_url: str) -> None:
        url = urlsplit(base_url)
        self._connection = http.client.HTTPConnection(url.netloc, timeout=CONNECT_SECONDS)
        self._connection.request("GET", f"{url.path}/api/realtime", headers={"Accept": "text/event-stream"})
        self._response = self._connection.getresponse()
        # Kept here: the connection lets go of its socket when an answer has no length.
        self._socket: socket.socket | None = self._connection.sock
        if self._socket is not None:
            self._socket.settimeout(None)
        self.status = self._response.status
        self.headers = {name.lower(): value for name, value in self._response.getheaders()}
        self._events: list[Event] = []
        self._taken = 0
        self._changed = threading.Condition()
        self._ended = False
        threading.Thread(target=self._read, daemon=True).start()

    def take(self, *, at_least: int = 0) -> list[Event]:
        """The events since the last call, once the stream has been quiet for a moment.

        A test can only know that nothing came by waiting; ``at_least`` says how many are worth a longer wait.
        """
        wanted = self._taken + at_least
        deadline = time.monotonic() + LATE_SECONDS
        with self._changed:
            while len(self._events) < wanted and not self._ended and time.monotonic() < deadline:
                self._changed.wait(deadline - time.monotonic())
            seen = -1
            while seen != len(self._events) and not self._ended:
                seen = len(self._events)
                self._changed.wait_for(lambda: len(self._events) != seen, QUIET_SECONDS)  # noqa: B023
            new = self._events[self._taken :]
            self._taken = len(self._events)
            return new

    def close(self) -> None:
        """Ends the stream; the reader then notices and lets go of the connection."""
        if self._socket is not None:
            with suppress(OSError):
                self._socket.shutdown(socket.SHUT_RDWR)

    def _read(self) -> None:
        block: list[str] = []
        try:
            while line := self._response.readline():
                text = line.decode().rstrip("\n")
                if text:
                    block.append(text)
                elif block:
                    self._add(block)
                    block = []
        except (OSError, http.client.HTTPException):
            pass  # closed, by us or by the server
        self._connection.close()
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _add(self, block: list[str]) -> None:
        # A line that starts with a colon is a comment: a server may send one to keep the connection open.
        pairs = [line.split(":", 1) for line in block if not line.startswith(":")]
        if not pairs:
            return
        said = {pair[0]: pair[-1] for pair in pairs}
        try:
            data = json.loads(said.get("data", ""))
        except ValueError:
            data = said.get("data", "")
        event = Event(tuple(pair[0] for pair in pairs), said.get("id", ""), said.get("event", ""), data)
        with self._changed:
            self._events.append(event)
            self._changed.notify_all()
