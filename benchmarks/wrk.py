"""Load from wrk: keep-alive connections that send as fast as the server answers."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Protocol

import orjson

CONNECTIONS = 32
_SCRIPT = Path(__file__).with_name("load.lua")


class LoadError(RuntimeError):
    """wrk is missing, or a server answered with errors."""


@dataclass(frozen=True, slots=True)
class Requests:
    """What to send to ``origin`` (http://host:port): one method, ``targets`` of (path, body) taken at random.

    ``{n}`` in a target becomes a new number with each request.
    """

    origin: str
    targets: Sequence[tuple[str, str]]
    method: str = "GET"
    headers: Mapping[str, str] = field(default_factory=dict)

    def write(self, path: Path) -> None:
        lines = [self.method, *(f"{name}: {value}" for name, value in self.headers.items()), ""]
        lines += ["\t".join(target) for target in self.targets]
        path.write_text("\n".join(lines) + "\n")


@dataclass(frozen=True, slots=True)
class Load:
    """What came of it. Times in milliseconds; ``cpu`` is the server's processor time per request in µs."""

    rate: float
    p50: float
    p95: float
    p99: float
    cpu: float = 0.0


class HasCpu(Protocol):
    def cpu_seconds(self) -> float: ...


def send(requests: Requests, server: HasCpu, *, seconds: float, connections: int = CONNECTIONS) -> Load:
    """Load the server for ``seconds``. Raises LoadError when an answer was an error."""
    wrk = shutil.which("wrk")
    if wrk is None:
        raise LoadError("wrk is not in PATH: apt-get install wrk")
    handle, name = tempfile.mkstemp(prefix="wrk-")
    os.close(handle)
    try:
        requests.write(Path(name))
        before = server.cpu_seconds()
        done = subprocess.run(
            [wrk, "-t1", f"-c{connections}", f"-d{max(1, round(seconds))}s", "--timeout", "30s",
             "-s", str(_SCRIPT), requests.origin, "--", name],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        used = server.cpu_seconds() - before
    finally:
        os.unlink(name)
    line = next((one for one in done.stdout.splitlines() if one.startswith("JSON ")), None)
    if done.returncode or line is None:
        raise LoadError(f"wrk failed:\n{done.stdout}\n{done.stderr}")
    found = orjson.loads(line[5:])
    if found["failed"] or found["broken"]:
        raise LoadError(f"{requests.method} {requests.targets[0]} at {requests.origin}: {found}")
    return Load(
        rate=found["requests"] / found["seconds"],
        p50=found["p50"] / 1000,
        p95=found["p95"] / 1000,
        p99=found["p99"] / 1000,
        # None at all, when every answer takes longer than the load lasts.
        cpu=used / max(1, found["requests"]) * 1e6,
    )
