"""A server in a process of its own: started, waited for, measured, stopped by its process id."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx

from tests.services import die_with_parent

START_SECONDS = 60
STOP_SECONDS = 20
IDLE_SECONDS = 60
# An idle server with its background work.
_IDLE_SHARE = 0.1
_TICKS = os.sysconf("SC_CLK_TCK")


class ServerError(RuntimeError):
    """A command failed, or a server did not come up; the text holds what it printed."""


def run(command: Sequence[str], *, cwd: Path, env: Mapping[str, str] | None = None, stdin: str = "") -> str:
    """Run a command to its end; its standard output. Raises ServerError."""
    done = subprocess.run(
        list(command), cwd=cwd, env=dict(env) if env else None, input=stdin,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise ServerError(f"{' '.join(command)}\n{done.stdout}\n{done.stderr}"[-4000:])
    return done.stdout


class Process:
    """``command`` as a server that is up once ``health`` answers 200. ``started_in`` is seconds until then."""

    def __init__(
        self,
        command: Sequence[str],
        *,
        health: str,
        cwd: Path,
        log: Path,
        env: Mapping[str, str] | None = None,
    ) -> None:
        self._log = log
        began = time.perf_counter()
        with log.open("ab") as output:
            self._process = subprocess.Popen(
                list(command),
                cwd=cwd,
                env=dict(env) if env else None,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(signal.SIGTERM),
            )
        self._wait(health)
        self.started_in = time.perf_counter() - began

    @property
    def pid(self) -> int:
        return self._process.pid

    def _wait(self, health: str) -> None:
        deadline = time.monotonic() + START_SECONDS
        with httpx.Client(timeout=2) as client:
            while time.monotonic() < deadline and self._process.poll() is None:
                try:
                    if client.get(health).status_code == httpx.codes.OK:
                        return
                except httpx.TransportError:
                    pass
                time.sleep(0.005)
        self.stop()
        raise ServerError(f"{self._process.args!r} did not start:\n{self.log_tail()}")

    def log_tail(self) -> str:
        return self._log.read_text(errors="replace")[-4000:]

    def cpu_seconds(self) -> float:
        """Processor time that the process has used, in user and kernel mode."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def memory_mb(self) -> float:
        """Resident memory in MB."""
        for line in Path(f"/proc/{self.pid}/status").read_text().splitlines():
            if line.startswith("VmRSS:"):
                return int(line.split()[1]) / 1024
        raise ServerError(f"process {self.pid} has no memory")

    def open_files(self) -> int:
        return len(os.listdir(f"/proc/{self.pid}/fd"))

    def wait_until_idle(self) -> None:
        """Until it works no more on what was asked of it and given up, IDLE_SECONDS at most."""
        deadline = time.monotonic() + IDLE_SECONDS
        before = self.cpu_seconds()
        while time.monotonic() < deadline:
            time.sleep(0.3)
            now = self.cpu_seconds()
            if now - before < _IDLE_SHARE * 0.3:
                return
            before = now

    def stop(self) -> None:
        if self._process.poll() is not None:
            return
        os.killpg(self.pid, signal.SIGTERM)
        try:
            self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            os.killpg(self.pid, signal.SIGKILL)
            self._process.wait()
