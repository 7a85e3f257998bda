"""The command line that the benchmarks share."""

from __future__ import annotations

import argparse
import sys

from benchmarks import dataset
from benchmarks.peers.lineup import NAMES

ENGINES = tuple(NAMES)


def parser(module: str, description: str, *, rounds: int, seconds: float = 5) -> argparse.ArgumentParser:
    """--engine, --peers, --rounds, --seconds, --records."""
    made = argparse.ArgumentParser(prog=f"python -m benchmarks.{module}", description=description)
    made.add_argument("--engine", choices=ENGINES, default="sqlite", help="where records are kept")
    made.add_argument("--peers", default="", help="only these, separated by commas")
    made.add_argument("--rounds", type=int, default=rounds, help=f"turns of every peer (default: {rounds})")
    made.add_argument(
        "--seconds", type=float, default=seconds, help=f"length of one load (default: {seconds:g})"
    )
    made.add_argument("--records", type=int, default=dataset.RECORDS, help="records of the collection")
    return made


def peers(options: argparse.Namespace) -> list[str]:
    """The names given with --peers. Ends the program when one is unknown for the engine."""
    names = [name for name in options.peers.split(",") if name]
    if unknown := set(names) - set(NAMES[options.engine]):
        sys.exit(
            f"not a peer on {options.engine}: {', '.join(sorted(unknown))}; {', '.join(NAMES[options.engine])}"
        )
    return names


def progress(text: str) -> None:
    """What is being done now, for the person who waits."""
    print(text, file=sys.stderr, flush=True)
