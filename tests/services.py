"""Private PostgreSQL and Redis servers for tests: on loopback, on a free port, gone afterwards.

In Python::

    with postgres() as url, redis() as redis_url: ...

From a shell, the command finds the addresses in MBAAS_TEST_POSTGRES and MBAAS_TEST_REDIS::

    python -m tests.services postgres redis -- pytest

Where a server's programs are not installed the shell form runs the command without it and says so;
with CI=true in the environment it fails instead.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import glob
import os
import pwd
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import NoReturn

import psycopg

POSTGRES_VARIABLE = "MBAAS_TEST_POSTGRES"
REDIS_VARIABLE = "MBAAS_TEST_REDIS"

ROLE = DATABASE = "mbaas"
START_SECONDS = 30
STOP_SECONDS = 15
_PR_SET_PDEATHSIG = 1
# A path of a Unix socket holds at most 107 bytes.
_LONGEST_TEMP = 60


class ServiceMissingError(RuntimeError):
    """The server's programs are not on this machine; the text says what to install."""


class ServiceFailedError(RuntimeError):
    """The server did not come up; the text holds the end of its log."""


def on_ci() -> bool:
    return os.environ.get("CI", "").lower() in ("1", "true", "yes")


@contextmanager
def postgres() -> Iterator[str]:
    """A PostgreSQL server; yields the URL of a database as an operator would prepare it for a placement.

    The login is no superuser: it may create roles, and schemas in its one database. Text sorts by ICU's
    English rules there, unlike bytes, so that a column which forgot its ``COLLATE "C"`` is noticed. Nothing
    is forced to disk. Raises ServiceMissingError, ServiceFailedError.
    """
    programs = _postgres_programs()
    with _temporary_folder("mbaas-pg-") as folder:
        user = _unprivileged_user()
        if user:
            os.chown(folder, user.pw_uid, user.pw_gid)
        data, log = folder / "data", folder / "log"
        as_user = {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []} if user else {}
        major = int(re.search(r"(\d+)", _output(str(programs / "postgres"), "--version"))[1])  # type: ignore[index]
        collation = ["--locale-provider=icu", "--icu-locale=en-US"] if major >= 15 else []
        made = subprocess.run(
            [str(programs / "initdb"), "--pgdata", str(data), "--username", "postgres", "--auth", "trust",
             "--encoding", "UTF8", "--locale", "C.UTF-8", "--no-sync", *collation],
            cwd=folder, capture_output=True, text=True, check=False, **as_user,
        )  # fmt: skip
        if made.returncode:
            raise ServiceFailedError(f"initdb failed:\n{made.stderr[-2000:]}")
        port = free_port()
        settings = {
            "listen_addresses": "127.0.0.1",
            "port": port,
            "unix_socket_directories": folder,
            "fsync": "off",
            "synchronous_commit": "off",
            "full_page_writes": "off",
            "max_connections": 200,
            "shared_buffers": "64MB",
            "log_min_messages": "warning",
        }
        command = [str(programs / "postgres"), "-D", str(data)]
        for name, value in settings.items():
            command += ["-c", f"{name}={value}"]
        with open(log, "w") as output:
            process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
                preexec_fn=lambda: die_with_parent(signal.SIGINT),
                **as_user,
            )
        try:
            _wait_for(process, log, lambda: _postgres_answers(port))
            with psycopg.connect(_as_administrator(port), autocommit=True) as administrator:
                # CREATEDB only for the control plane's test databases.
                administrator.execute(f"CREATE ROLE {ROLE} LOGIN CREATEROLE CREATEDB PASSWORD '{ROLE}'")
                administrator.execute(f"CREATE DATABASE {DATABASE}")
                administrator.execute(f"GRANT CREATE ON DATABASE {DATABASE} TO {ROLE}")
            yield f"postgresql://{ROLE}:{ROLE}@127.0.0.1:{port}/{DATABASE}"
        finally:
            # SIGINT is PostgreSQL's fast shutdown: it ends the sessions instead of waiting for them.
            stop(process, signal.SIGINT)


@contextmanager
def redis() -> Iterator[str]:
    """A Redis server that keeps nothing on disk; yields its URL. Raises ServiceMissingError, ServiceFailedError."""
    program = shutil.which("redis-server") or shutil.which("valkey-server")
    if program is None:
        raise ServiceMissingError("redis-server is not in PATH: apt-get install redis-server")
    with _temporary_folder("mbaas-redis-") as folder:
        port, log = free_port(), folder / "log"
        with open(log, "w") as output:
            process = subprocess.Popen(
                [program, "--port", str(port), "--bind", "127.0.0.1", "--save", "", "--appendonly", "no",
                 "--dir", str(folder), "--daemonize", "no"],
                stdin=subprocess.DEVNULL, stdout=output, stderr=output, start_new_session=True,
                preexec_fn=lambda: die_with_parent(signal.SIGTERM),
            )  # fmt: skip
        try:
            _wait_for(process, log, lambda: _redis_answers(port))
            yield f"redis://127.0.0.1:{port}/0"
        finally:
            stop(process)


SERVICES: dict[str, tuple[str, Callable[[], AbstractContextManager[str]]]] = {
    "postgres": (POSTGRES_VARIABLE, postgres),
    "redis": (REDIS_VARIABLE, redis),
}


def skip_or_fail(reason: str) -> NoReturn:
    """What a test does without a program it needs: on CI, which has them all, it fails."""
    import pytest

    (pytest.fail if on_ci() else pytest.skip)(reason)


def environment_url(variable: str) -> str:
    """The address of a server that the tests were given. Raises ServiceMissingError."""
    if url := os.environ.get(variable):
        return url
    raise ServiceMissingError(f"{variable} is not set: run the tests under python -m tests.services")


def free_port() -> int:
    """A loopback port that nothing listened on a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def stop(process: subprocess.Popen[bytes], how: signal.Signals = signal.SIGTERM) -> None:
    """End a process that this one started, by force when it does not go within STOP_SECONDS."""
    if process.poll() is None:
        process.send_signal(how)
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def die_with_parent(how: signal.Signals) -> None:
    """In a child before exec (Linux): a test run that is killed leaves no server behind."""
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, how)


def _postgres_programs() -> Path:
    found = [Path(path) for path in glob.glob("/usr/lib/postgresql/*/bin/initdb")]
    found.sort(key=lambda path: int(path.parts[-3]) if path.parts[-3].isdigit() else 0, reverse=True)
    if on_path := shutil.which("initdb"):
        found.insert(0, Path(on_path).resolve())
    for initdb in found:
        if (initdb.parent / "postgres").exists():
            return initdb.parent
    raise ServiceMissingError(
        "PostgreSQL's initdb and postgres are neither in PATH nor in /usr/lib/postgresql/*/bin:"
        " apt-get install postgresql"
    )


def _unprivileged_user() -> pwd.struct_passwd | None:
    """Whom to run PostgreSQL as: it refuses root. None: as ourselves."""
    if os.geteuid() != 0:
        return None
    for name in ("postgres", "nobody"):
        with contextlib.suppress(KeyError):
            return pwd.getpwnam(name)
    raise ServiceMissingError("PostgreSQL does not run as root, and there is no user postgres or nobody")


@contextmanager
def _temporary_folder(prefix: str) -> Iterator[Path]:
    base = tempfile.gettempdir()
    folder = Path(tempfile.mkdtemp(prefix=prefix, dir=base if len(base) < _LONGEST_TEMP else "/tmp"))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _wait_for(process: subprocess.Popen[bytes], log: Path, ready: Callable[[], bool]) -> None:
    deadline = time.monotonic() + START_SECONDS
    while not ready():
        if process.poll() is not None or time.monotonic() > deadline:
            raise ServiceFailedError(f"{process.args!r} did not start:\n{log.read_text()[-2000:]}")
        time.sleep(0.05)


def _redis_answers(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1) as peer:
        peer.sendall(b"PING\r\n")
        return peer.recv(16).startswith(b"+PONG")
    return False


def _as_administrator(port: int) -> str:
    return f"postgresql://postgres@127.0.0.1:{port}/postgres?connect_timeout=2"


def _postgres_answers(port: int) -> bool:
    with contextlib.suppress(psycopg.OperationalError), psycopg.connect(_as_administrator(port)):
        return True
    return False


def _output(*command: str) -> str:
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.services", description=__doc__.split("\n")[0])
    parser.add_argument("services", nargs="+", choices=sorted(SERVICES))
    own, dashes, command = _split(arguments)
    if not dashes or not command:
        parser.error("give the command to run after --")
    names = parser.parse_args(own).services
    # A polite end of this process stops the servers too.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(128 + signal.SIGTERM))
    environment = dict(os.environ)
    with ExitStack() as stack:
        for name in names:
            variable, start = SERVICES[name]
            try:
                environment[variable] = stack.enter_context(start())
            except ServiceMissingError as missing:
                print(f"tests.services: without {name}: {missing}", file=sys.stderr)
                if on_ci():
                    return 2
        child = subprocess.Popen(command, env=environment)
        try:
            return _exit_code(child.wait())
        except KeyboardInterrupt:
            # The terminal sent it to the command as well: let that end first.
            return _exit_code(child.wait())
        finally:
            if child.poll() is None:
                child.terminate()
                child.wait()


def _split(arguments: list[str]) -> tuple[list[str], bool, list[str]]:
    if "--" not in arguments:
        return arguments, False, []
    at = arguments.index("--")
    return arguments[:at], True, arguments[at + 1 :]


def _exit_code(returncode: int) -> int:
    return returncode if returncode >= 0 else 128 - returncode


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
