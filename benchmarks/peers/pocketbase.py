"""PocketBase, built from its published module; its source stays unread."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks import dataset
from benchmarks.peers.rest import Filled, RestPeer, fill, superuser_token
from benchmarks.process import Process, run
from tests.oracle.pocketbase import VERSION, binary
from tests.services import free_port

EMAIL = "root@example.com"
PASSWORD = "correct-horse-9"


class PocketBase:
    """An installation in ``folder``: started and stopped as often as needed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self._program = str(binary())
        # Dev mode prints every statement; it is on by default where the binary lies in a temporary folder.
        self._common = ["--dir", str(self.data), "--dev=false"]
        run([self._program, "superuser", "upsert", EMAIL, PASSWORD, *self._common], cwd=folder)
        self.port = free_port()

    @property
    def data(self) -> Path:
        return self.folder / "pb_data"

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> Process:
        return Process(
            [self._program, "serve", "--http", f"127.0.0.1:{self.port}", *self._common],
            health=f"{self.url}/api/health",
            cwd=self.folder,
            log=self.folder / "server.log",
        )

    def token(self) -> str:
        return superuser_token(self.url, EMAIL, PASSWORD)


@contextmanager
def pocketbase(folder: Path, *, records: int = dataset.RECORDS) -> Iterator[RestPeer]:
    """PocketBase filled with the data set, while the block runs."""
    installation = PocketBase(folder)
    process = installation.start()
    try:
        filled = (
            fill(installation.url, installation.token(), records=records) if records else Filled("", "", [])
        )
        yield RestPeer("PocketBase", VERSION, process, installation.url, filled, (EMAIL, PASSWORD))
    finally:
        process.stop()
