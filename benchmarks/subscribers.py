"""Many realtime subscribers in one process: ``python -m benchmarks.subscribers`` is started by benchmarks.realtime.

Reads a job (JSON) from standard input: ``url``, ``topic``, ``tokens``, one for each subscriber, ``expect``, how many
events they will get together. Writes a line "ready" once all are subscribed; after the events, or after ``patience`` seconds
without one, a line of JSON: ``arrivals`` [[subscriber, record id, seconds of the monotonic clock], …].

Bytes are only kept while events come, and read afterwards: the fewer instructions per event here, the more of the
machine is left to the server.
"""

from __future__ import annotations

import re
import resource
import select
import socket
import sys
import time
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

import orjson

from benchmarks.client import in_parallel

READ_BYTES = 1 << 16
CONNECT_SECONDS = 60
_RECORD = re.compile(rb'"record":\{[^\n]*?"id":"([^"]+)"')


@dataclass(slots=True)
class Stream:
    """One open event stream; ``chunks`` are (arrival, bytes)."""

    socket: socket.socket
    chunks: list[tuple[float, bytes]] = field(default_factory=list)

    def text(self) -> bytes:
        return b"".join(data for _, data in self.chunks)


def raise_file_limit() -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))


def connect(url: str, count: int) -> list[Stream]:
    """Open ``count`` streams and wait for each one's first event."""
    parts = urlsplit(url)
    request = (
        f"GET {parts.path}/api/realtime HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: text/event-stream\r\n\r\n"
    )
    streams = []
    for _ in range(count):
        one = socket.create_connection((parts.hostname or "", parts.port or 80), timeout=CONNECT_SECONDS)
        one.sendall(request.encode())
        streams.append(Stream(one))
    for stream in streams:
        while b"\n\n" not in stream.text().partition(b"\r\n\r\n")[2]:
            data = stream.socket.recv(READ_BYTES)
            if not data:
                raise RuntimeError(f"a stream ended: {stream.text()[:300]!r}")
            stream.chunks.append((0.0, data))
        stream.socket.setblocking(False)
    return streams


def client_id(stream: Stream) -> str:
    found = re.search(rb'"clientId":"([^"]+)"', stream.text())
    if found is None:
        raise RuntimeError(f"no client id: {stream.text()[:300]!r}")
    return found[1].decode()


def subscribe(url: str, topic: str, streams: list[Stream], tokens: list[str]) -> None:
    pairs = list(zip(streams, tokens, strict=True))

    def one(client: Any, pair: tuple[Stream, str]) -> None:
        stream, token = pair
        client.headers["Authorization"] = token
        client("POST", "/api/realtime", {"clientId": client_id(stream), "subscriptions": [topic]})

    in_parallel(one, pairs, url=url, headers={}, threads=4)


def collect(streams: list[Stream], expected: int, patience: float) -> None:
    """Read until all streams together got ``expected`` events, or none came for ``patience`` seconds."""
    poll = select.epoll()
    by_file = {stream.socket.fileno(): stream for stream in streams}
    for file in by_file:
        poll.register(file, select.EPOLLIN)
    seen = 0
    now = time.monotonic
    while seen < expected:
        ready = poll.poll(patience)
        if not ready:
            break
        for file, _ in ready:
            stream = by_file[file]
            data = stream.socket.recv(READ_BYTES)
            if not data:
                poll.unregister(file)
                continue
            stream.chunks.append((now(), data))
            seen += data.count(b"\ndata:")
    poll.close()


def arrivals(number: int, stream: Stream) -> list[tuple[int, str, float]]:
    """The record events of a stream, each with the time at which its last byte was there."""
    found = []
    text, ends = b"", []
    for at, data in stream.chunks:
        text += data
        ends.append((len(text), at))
    for match in _RECORD.finditer(text):
        end = text.find(b"\n\n", match.end())
        at = next((at for length, at in ends if length > end), ends[-1][1])
        found.append((number, match[1].decode(), at))
    return found


def main() -> None:
    job = orjson.loads(sys.stdin.buffer.readline())
    raise_file_limit()
    streams = connect(job["url"], len(job["tokens"]))
    subscribe(job["url"], job["topic"], streams, job["tokens"])
    print("ready", flush=True)
    collect(streams, job["expect"], job["patience"])
    all_of_them = [one for number, stream in enumerate(streams) for one in arrivals(number, stream)]
    sys.stdout.buffer.write(orjson.dumps({"arrivals": all_of_them}) + b"\n")
    sys.stdout.flush()
    for stream in streams:
        stream.socket.close()


if __name__ == "__main__":
    main()
