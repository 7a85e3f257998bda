"""Which servers a run compares, all of them up at once so that rounds can alternate between them."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from pathlib import Path
from typing import Any

from benchmarks import dataset
from benchmarks.peers.limit import limit
from benchmarks.peers.mbaas import mbaas
from benchmarks.peers.parse import parse_server
from benchmarks.peers.pocketbase import pocketbase
from tests.services import postgres

NAMES = {"sqlite": ("mbaas", "pocketbase", "limit"), "postgresql": ("mbaas", "parse", "limit")}


@contextmanager
def lineup(
    folder: Path, engine: str, names: Sequence[str] = (), *, records: int = dataset.RECORDS
) -> Iterator[list[Any]]:
    """The peers (see ``peers.base``) of that engine, or those of ``names``, filled one after another."""
    with ExitStack() as stack:
        url = stack.enter_context(postgres()) if engine == "postgresql" else ""
        yield [
            stack.enter_context(_start(name, folder / name, url, records)) for name in names or NAMES[engine]
        ]


def _start(name: str, folder: Path, url: str, records: int) -> AbstractContextManager[Any]:
    if name == "mbaas":
        return mbaas(folder, postgres=url, records=records)
    if name == "limit":
        return limit(folder, postgres=url, records=records)
    if name == "parse":
        return parse_server(folder, postgres=url, records=records)
    return pocketbase(folder, records=records)
