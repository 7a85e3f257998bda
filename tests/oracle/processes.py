"""Starts a server on a free loopback port, waits until it answers, stops it by its own process id."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path

import httpx

START_SECONDS = 60
STOP_SECONDS = 10


class DidNotStartError(RuntimeError):
    """The server ended, or did not answer in time; the message carries what it printed."""


def free_port() -> int:
    """A loopback port that is free now."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None) -> str:
    """Runs a command to its end; what it printed. Raises DidNotStartError when it fails."""
    done = subprocess.run(
        command, cwd=cwd, env=dict(os.environ) | dict(env or {}), capture_output=True, text=True, check=False
    )
    if done.returncode != 0:
        raise DidNotStartError(f"{' '.join(command)}\n{done.stdout}{done.stderr}")
    return done.stdout


@contextmanager
def serving(
    command: Sequence[str], *, health: str, cwd: Path, log: Path, env: Mapping[str, str] | None = None
) -> Iterator[None]:
    """A server process while the block runs; it is up once ``health`` answers 200.

    The process leads its own group, so that its workers end with it.
    """
    with log.open("wb") as output:
        process = subprocess.Popen(
            command,
            cwd=cwd,
            env=dict(os.environ) | dict(env or {}),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=subprocess.STDOUT,
            start_new_session=True,
        )
        try:
            _wait_until_healthy(process, health, log)
            yield
        finally:
            _stop(process)


def _wait_until_healthy(process: subprocess.Popen[bytes], health: str, log: Path) -> None:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        try:
            if httpx.get(health, timeout=2).status_code == httpx.codes.OK:
                return
        except httpx.TransportError:
            pass
        time.sleep(0.05)
    raise DidNotStartError(f"{' '.join(map(str, process.args))}\n{log.read_text(errors='replace')[-4000:]}")  # type: ignore[arg-type]


def _stop(process: subprocess.Popen[bytes]) -> None:
    for sign in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is not None:
            return
        os.killpg(process.pid, sign)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            continue
