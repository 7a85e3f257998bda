"""A real PocketBase to ask.

The binary is built once from the published module (Go is needed for that) and kept in the user's cache;
``MBAAS_ORACLE_BIN`` names one that is there already. Only its answers count: its source stays unread.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx

from tests.oracle import processes
from tests.oracle.server import Server

VERSION = "0.39.11"
MODULE = f"github.com/pocketbase/pocketbase/examples/base@v{VERSION}"

EMAIL = "root@example.com"
PASSWORD = "correct-horse-9"


class NoBinaryError(RuntimeError):
    """There is no PocketBase binary and no Go to build one."""


def binary() -> Path:
    """The PocketBase binary, built first if need be. Raises NoBinaryError."""
    if given := os.environ.get("MBAAS_ORACLE_BIN"):
        if not os.access(given, os.X_OK):
            raise NoBinaryError(f"MBAAS_ORACLE_BIN names no program: {given}")
        return Path(given)
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    path = cache / "mbaas" / f"pocketbase-{VERSION}" / "base"
    if not path.exists():
        _build(path)
    return path


def _build(path: Path) -> None:
    go = shutil.which("go")
    if go is None:
        raise NoBinaryError(f"install Go, or set MBAAS_ORACLE_BIN to a build of {MODULE}")
    path.parent.mkdir(parents=True, exist_ok=True)
    processes.run(
        [go, "install", MODULE],
        cwd=path.parent,
        env={"GOBIN": str(path.parent), "CGO_ENABLED": "0", "GOFLAGS": ""},
    )


@contextmanager
def pocketbase(directory: Path) -> Iterator[Server]:
    """PocketBase with an empty database in ``directory``, one superuser and batches, while the block runs."""
    program, data, port = str(binary()), directory / "pb_data", processes.free_port()
    # Dev mode prints every statement; it is on by default where the binary lies in a temporary folder.
    common = ["--dir", str(data), "--dev=false"]
    processes.run([program, "superuser", "upsert", EMAIL, PASSWORD, *common], cwd=directory)
    base_url = f"http://127.0.0.1:{port}"
    with processes.serving(
        [program, "serve", "--http", f"127.0.0.1:{port}", *common],
        health=f"{base_url}/api/health",
        cwd=directory,
        log=directory / "pocketbase.log",
    ):
        _allow_batches(base_url)
        yield Server("pocketbase", base_url, EMAIL, PASSWORD)


def _allow_batches(base_url: str) -> None:
    """PocketBase answers batches only when a superuser allows them; we do from the start."""
    with httpx.Client(base_url=base_url) as client:
        entered = client.post(
            "/api/collections/_superusers/auth-with-password", json={"identity": EMAIL, "password": PASSWORD}
        )
        client.patch(
            "/api/settings",
            json={"batch": {"enabled": True, "maxRequests": 50, "timeout": 10}},
            headers={"Authorization": entered.json()["token"]},
        ).raise_for_status()
