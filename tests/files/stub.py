"""A bucket's bad days: a proxy before an S3 server that answers 503, hangs, or breaks off."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Literal
from urllib.parse import urlsplit

Mood = Literal["well", "unavailable", "hanging", "cutting", "slow"]

_UNAVAILABLE = (
    b"HTTP/1.1 503 Service Unavailable\r\nContent-Type: application/xml\r\nContent-Length: 75\r\n"
    b"Connection: close\r\n\r\n<Error><Code>SlowDown</Code><Message>Please reduce your rate</Message></Error>"
)[:-1]


class Proxy:
    """Passes bytes on while it is ``well``; ``address`` is what the storage is told."""

    def __init__(self, target: str) -> None:
        parts = urlsplit(target)
        self._target = (str(parts.hostname), int(parts.port or 80))
        self._listener = socket.create_server(("127.0.0.1", 0))
        self.address = f"http://127.0.0.1:{self._listener.getsockname()[1]}"
        self.mood: Mood = "well"
        self.requests = 0
        self._open: list[socket.socket] = []
        self._closing = False
        threading.Thread(target=self._accept, daemon=True).start()

    def close(self) -> None:
        self._closing = True
        self._listener.close()
        for one in self._open:
            one.close()

    def _accept(self) -> None:
        while not self._closing:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            self._open.append(client)
            threading.Thread(target=self._serve, args=(client,), daemon=True).start()

    def _serve(self, client: socket.socket) -> None:
        try:
            first = client.recv(65536)
            self.requests += 1
            if self.mood == "hanging":
                while client.recv(65536):
                    pass
                return
            if self.mood == "unavailable":
                client.sendall(_UNAVAILABLE)
                client.close()
                return
            server = socket.create_connection(self._target)
            self._open.append(server)
            server.sendall(first)
            threading.Thread(target=self._pump, args=(client, server), daemon=True).start()
            self._pump(server, client, cut=self.mood == "cutting")
        except OSError:
            pass

    def _pump(self, source: socket.socket, sink: socket.socket, *, cut: bool = False) -> None:
        passed = 0
        try:
            while data := source.recv(65536):
                passed += len(data)
                if cut and passed > 100_000:
                    break
                sink.sendall(data)
        except OSError:
            pass
        finally:
            for one in (source, sink):
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass


@contextmanager
def proxy_before(target: str) -> Iterator[Proxy]:
    made = Proxy(target)
    try:
        yield made
    finally:
        made.close()
