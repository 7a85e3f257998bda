"""Where benchmarks install their peers and keep the data of a run."""

from __future__ import annotations

import os
import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
VARIABLE = "MBAAS_BENCH_DIR"


def scratch() -> Path:
    """The folder of installed peers: MBAAS_BENCH_DIR, else ``mbaas/bench`` in the user's cache."""
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache")
    folder = Path(os.environ.get(VARIABLE) or cache / "mbaas" / "bench").resolve()
    folder.mkdir(parents=True, exist_ok=True)
    return folder


@contextmanager
def run_folder() -> Iterator[Path]:
    """A folder for one run's databases and logs, removed at its end."""
    folder = Path(tempfile.mkdtemp(prefix="run-", dir=scratch()))
    try:
        yield folder
    finally:
        shutil.rmtree(folder, ignore_errors=True)
