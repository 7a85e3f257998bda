"""A real mbaas server in a process of its own, for tests that need one."""

from __future__ import annotations

import os
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit, urlunsplit

import httpx
import psycopg

from tests.services import POSTGRES_VARIABLE, REDIS_VARIABLE, die_with_parent, free_port

ROOT = Path(__file__).resolve().parent.parent
START_SECONDS = 60
STOP_SECONDS = 60
LOG_TAIL = 6000

OWNER = "owner@example.com"
PASSWORD = "correct-horse-battery-9"

# Registers the PostgreSQL server that the tests were given as where new projects go.
_ADD_PLACEMENT = """
from projects.control.actor import COMMAND
from projects.control.placements import create_placement
create_placement(COMMAND, name="test-postgres", engine="postgresql", url={url!r}, is_default=True)
"""


class ServerError(AssertionError):
    """A command failed, or the server did not come up or go down; the text holds what it printed."""


@dataclass
class Server:
    """An installation in ``folder``: its data, its environment, and the process while it runs.

    ``url`` is the address without a slash at the end.
    """

    folder: Path
    workers: int = 1
    extra: dict[str, str] = field(default_factory=dict)
    port: int = field(default_factory=free_port)
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def log(self) -> Path:
        return self.folder / "server.log"

    @property
    def environment(self) -> dict[str, str]:
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("MBAAS_", "DJANGO_"))
        }
        return {
            **kept,
            "DJANGO_SETTINGS_MODULE": "mbaas.settings",
            "MBAAS_DATA_DIR": str(self.folder / "data"),
            "MBAAS_ADMIN_EMAIL": OWNER,
            "MBAAS_ADMIN_PASSWORD": PASSWORD,
            # A test signs in more often in a minute than any person.
            "MBAAS_RATE_LIMITS": "off",
            "MBAAS_LOG_FORMAT": "json",
            "MBAAS_LOG_LEVEL": "WARNING",
            **self.extra,
        }

    def manage(self, *arguments: str) -> str:
        """Run a management command to its end; its standard output. Raises ServerError."""
        done = subprocess.run(
            [sys.executable, "manage.py", *arguments],
            cwd=ROOT, env=self.environment, capture_output=True, text=True, check=False,
        )  # fmt: skip
        if done.returncode:
            raise ServerError(f"manage.py {' '.join(arguments)}: {done.stdout}\n{done.stderr}")
        return done.stdout

    def create_project(self, ref: str) -> str:
        """Make a project that OWNER owns; the base URL of its API."""
        self.manage("create_project", ref, "--owner", OWNER)
        return self.project(ref)

    def project(self, ref: str) -> str:
        return f"{self.url}/p/{ref}"

    def start(self) -> None:
        """Start the server and wait until it is ready. Raises ServerError."""
        self.launch()
        deadline = time.monotonic() + START_SECONDS
        while time.monotonic() < deadline and self._running().poll() is None:
            try:
                if httpx.get(f"{self.url}/readyz", timeout=2).status_code == httpx.codes.OK:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.05)
        self.kill()
        raise ServerError(f"the server did not become ready:\n{self.log_tail()}")

    def launch(self) -> None:
        """Start the server and do not wait for it."""
        with open(self.log, "ab") as output:
            self.process = subprocess.Popen(
                [
                    sys.executable,
                    "manage.py",
                    "serve",
                    "--port",
                    str(self.port),
                    "--workers",
                    str(self.workers),
                ],
                cwd=ROOT,
                env=self.environment,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=subprocess.STDOUT,
                # A group of its own: kill() takes the workers along.
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(signal.SIGTERM),
            )

    def terminate(self) -> None:
        """Ask the server to end, as an operator does."""
        self._running().send_signal(signal.SIGTERM)

    def wait(self) -> int:
        """Wait for a server that was asked to end; its exit code. Raises ServerError when it does not."""
        process = self._running()
        try:
            return process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            self.kill()
            raise ServerError(f"the server did not end on SIGTERM:\n{self.log_tail()}") from None

    def stop(self) -> int:
        self.terminate()
        return self.wait()

    def kill(self) -> None:
        """End it with SIGKILL, its workers too: nothing of it gets to run any more."""
        process = self._running()
        try:
            os.killpg(process.pid, signal.SIGKILL)
        except ProcessLookupError:
            pass
        process.wait()

    def log_tail(self) -> str:
        return self.log.read_text(errors="replace")[-LOG_TAIL:] if self.log.exists() else ""

    def _running(self) -> subprocess.Popen[bytes]:
        if self.process is None:
            raise ServerError("the server was not started")
        return self.process


@contextmanager
def installation(folder: Path, *, engine: str = "sqlite", workers: int = 1, **extra: str) -> Iterator[Server]:
    """A migrated installation, not started yet; stopped at the end, and its control database removed.

    ``engine`` "postgresql": control plane and projects on MBAAS_TEST_POSTGRES, messages through
    MBAAS_TEST_REDIS; else one process with SQLite files alone. ``extra``: more of the environment.
    """
    control = None
    if engine == "postgresql":
        control = _create_control_database()
        extra = {"MBAAS_DATABASE_URL": control, "MBAAS_REDIS_URL": os.environ[REDIS_VARIABLE], **extra}
    folder.mkdir(parents=True, exist_ok=True)
    server = Server(folder, workers, extra)
    try:
        server.manage("bootstrap", "--no-demo")
        if engine == "postgresql":
            server.manage("shell", "-v", "0", "-c", _ADD_PLACEMENT.format(url=os.environ[POSTGRES_VARIABLE]))
        yield server
    finally:
        if server.process is not None and server.process.poll() is None:
            server.kill()
        if control:
            _drop_control_database(control)


@contextmanager
def running(folder: Path, *, engine: str = "sqlite", workers: int = 1, **extra: str) -> Iterator[Server]:
    """An installation whose server runs while the block does, and must end well on SIGTERM after it."""
    with installation(folder, engine=engine, workers=workers, **extra) as server:
        server.start()
        yield server
        server.stop()


def _create_control_database() -> str:
    parts = urlsplit(os.environ[POSTGRES_VARIABLE])
    name = f"control_{secrets.token_hex(6)}"
    with psycopg.connect(os.environ[POSTGRES_VARIABLE], autocommit=True) as connection:
        connection.execute(f'CREATE DATABASE "{name}"')
    return urlunsplit(parts._replace(path=f"/{name}"))


def _drop_control_database(url: str) -> None:
    with psycopg.connect(os.environ[POSTGRES_VARIABLE], autocommit=True) as connection:
        connection.execute(f'DROP DATABASE IF EXISTS "{urlsplit(url).path[1:]}" WITH (FORCE)')
