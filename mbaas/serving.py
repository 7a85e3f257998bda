"""Runs the server: one process by default, several under a small supervisor with ``--workers``.

Every process is the same: Granian embedded in an event loop of ours, so that a stop can first tell
streams to go elsewhere and finish requests. Several processes share the port (SO_REUSEPORT).
"""

from __future__ import annotations

import asyncio
import os
import resource
import signal
import socket
import subprocess
import sys
import time
from typing import TYPE_CHECKING, Any

import structlog
import uvloop

if TYPE_CHECKING:
    from mbaas.lifecycle import Lifecycle

log = structlog.get_logger("mbaas")

# A worker that dies sooner than this after its start is restarted only after a pause.
_QUICK_DEATH_SECONDS = 5.0


class PortTakenError(Exception):
    """Something else listens on the address."""


def raise_file_limit() -> int:
    """Open as many files and sockets as the system allows; returns how many that is."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < hard:
        resource.setrlimit(resource.RLIMIT_NOFILE, (hard, hard))
    return hard


def check_port(host: str, port: int) -> None:
    """Raise PortTakenError when the address is in use (SO_REUSEPORT would share it silently)."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    with socket.socket(family, socket.SOCK_STREAM) as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((host, port))
        except OSError as error:
            raise PortTakenError(f"cannot listen on {host}:{port}: {error.strerror}") from error


def run_process(host: str, port: int, *, background_work: bool) -> None:
    """Serve in this process until SIGTERM or SIGINT. ``background_work``: run the embedded worker too."""
    raise_file_limit()
    uvloop.run(_serve(host, port, background_work))


async def _serve(host: str, port: int, background_work: bool) -> None:
    from granian.constants import HTTPModes, Interfaces
    from granian.server.embed import Server

    from mbaas.asgi import application
    from mbaas.background import start_background_work

    server = Server(
        application,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.auto,
        websockets=True,
        backlog=4096,
        # A stream holds its place for as long as it lives, so this bounds streams, not work.
        backpressure=100_000,
        log_enabled=False,
    )
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for name in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(name, stop.set)
    background = start_background_work() if background_work else None
    serving = asyncio.create_task(server.serve())
    stopping = asyncio.create_task(_asked_to_stop(application, stop))
    try:
        await asyncio.wait({serving, stopping}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        log.info("stopping")
        await application.stop()
        if background is not None:
            await asyncio.to_thread(background.stop)
        server.stop()  # type: ignore[no-untyped-call]
        stopping.cancel()
        await serving


async def _asked_to_stop(application: Lifecycle, stop: asyncio.Event) -> None:
    """Until ``stop`` is set, but not before the start is complete: a server told to stop on its way up would wait for
    ever for the parts that were stopped before they ran."""
    await application.started()
    await stop.wait()


class Supervisor:
    """Keeps ``workers`` server processes running and passes signals on to them."""

    def __init__(self, host: str, port: int, workers: int) -> None:
        self._command = [
            sys.executable,
            sys.argv[0],
            "serve",
            "--host",
            host,
            "--port",
            str(port),
            "--worker",
        ]
        self._workers = workers
        self._running: dict[int, tuple[subprocess.Popen[bytes], float]] = {}
        self._stopping = False

    def run(self) -> None:
        """Start the workers, restart what dies, until SIGTERM or SIGINT."""
        for name in (signal.SIGTERM, signal.SIGINT):
            signal.signal(name, self._stop)
        for number in range(self._workers):
            self._start(number)
        while self._running:
            for number, (process, started) in list(self._running.items()):
                if process.poll() is not None:
                    self._ended(number, process, started)
            time.sleep(0.1)

    def _start(self, number: int) -> None:
        # The first process also does the background work, so that scheduled tasks run once.
        extra = ["--background"] if number == 0 else []
        process = subprocess.Popen(self._command + extra, env={**os.environ, "MBAAS_WORKER": str(number)})
        self._running[number] = (process, time.monotonic())

    def _ended(self, number: int, process: subprocess.Popen[bytes], started: float) -> None:
        del self._running[number]
        if self._stopping:
            return
        log.error("a server process died and is started anew", worker=number, code=process.returncode)
        if time.monotonic() - started < _QUICK_DEATH_SECONDS:
            time.sleep(1)
        self._start(number)

    def _stop(self, number: int, frame: Any) -> None:
        self._stopping = True
        for process, _ in self._running.values():
            process.send_signal(signal.SIGTERM)
