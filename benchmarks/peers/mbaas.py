"""Ours, as an operator runs it: one process, limits on, everything at its default, the log in a file."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

from benchmarks import dataset
from benchmarks.client import Client
from benchmarks.peers.rest import Filled, RestPeer, fill, superuser_token
from benchmarks.process import Process, run
from benchmarks.scratch import ROOT, run_folder
from tests.services import free_port, postgres

OWNER = "owner@example.com"
PASSWORD = "correct-horse-battery-9"
REF = "bench"

_ADD_PLACEMENT = """
from projects.control.actor import COMMAND
from projects.control.placements import create_placement
create_placement(COMMAND, name="bench-postgres", engine="postgresql", url={url!r}, is_default=True)
"""


class Mbaas:
    """An installation in ``folder``; projects go to the PostgreSQL server at ``postgres`` when one is given."""

    def __init__(self, folder: Path, *, postgres: str = "", demo: bool = False) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.port = free_port()
        self.manage("bootstrap", *([] if demo else ["--no-demo"]))
        if postgres:
            self.manage("shell", "-v", "0", "-c", _ADD_PLACEMENT.format(url=postgres))

    @property
    def origin(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def url(self, ref: str = REF) -> str:
        return f"{self.origin}/p/{ref}"

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def environment(self) -> dict[str, str]:
        # Nothing of the caller's own installation, so that all is at its default.
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("MBAAS_", "DJANGO_"))
        }
        return {
            **kept,
            "DJANGO_SETTINGS_MODULE": "mbaas.settings",
            "MBAAS_DATA_DIR": str(self.data),
            "MBAAS_ADMIN_EMAIL": OWNER,
            "MBAAS_ADMIN_PASSWORD": PASSWORD,
        }

    def manage(self, *arguments: str) -> str:
        """A management command's standard output. Raises ServerError."""
        return run([sys.executable, "manage.py", *arguments], cwd=ROOT, env=self.environment)

    def create_project(self, ref: str = REF) -> str:
        """A new project that OWNER owns; its uid."""
        return self.manage("create_project", ref, "--owner", OWNER).strip()

    def start(self) -> Process:
        return Process(
            [sys.executable, "manage.py", "serve", "--port", str(self.port)],
            health=f"{self.origin}/readyz",
            cwd=ROOT,
            env=self.environment,
            log=self.folder / "server.log",
        )

    def token(self, ref: str = REF) -> str:
        """A superuser's token of the project."""
        return superuser_token(self.url(ref), OWNER, PASSWORD)


@contextmanager
def alone(engine: str) -> Iterator[tuple[str, Client, Process]]:
    """Our server with one empty project while the block runs: the API's address, a superuser's client, the process."""
    with ExitStack() as stack:
        folder = stack.enter_context(run_folder())
        server = Mbaas(folder, postgres=stack.enter_context(postgres()) if engine == "postgresql" else "")
        server.create_project()
        process = server.start()
        stack.callback(process.stop)
        yield server.url(), Client(server.url(), {"Authorization": server.token()}), process


@contextmanager
def mbaas(folder: Path, *, postgres: str = "", records: int = dataset.RECORDS) -> Iterator[RestPeer]:
    """Our server with one project, filled with the data set, while the block runs."""
    installation = Mbaas(folder, postgres=postgres)
    installation.create_project()
    process = installation.start()
    try:
        url = installation.url()
        filled = fill(url, installation.token(), records=records) if records else Filled("", "", [])
        yield RestPeer("mbaas", version(), process, url, filled, (OWNER, PASSWORD))
    finally:
        process.stop()


def version() -> str:
    """The commit that is measured, with a + when files differ from it."""
    try:
        commit = run(["git", "rev-parse", "--short", "HEAD"], cwd=ROOT).strip()
        changed = run(["git", "status", "--porcelain", "--", "projects", "mbaas"], cwd=ROOT).strip()
    except (OSError, RuntimeError):
        return "?"
    return commit + ("+" if changed else "")
