"""What a run was made on and with: printed above every table."""

from __future__ import annotations

import datetime
import os
import platform
import sqlite3
from collections.abc import Iterable
from importlib.metadata import version
from pathlib import Path

# Of the minute before this program started; above a few hundredths, something else was running too.
LOAD = os.getloadavg()[0]
_PACKAGES = ("granian", "starlette", "Django", "SQLAlchemy", "orjson", "psycopg")


def describe(peers: Iterable[str] = ()) -> str:
    """Date, processor, memory, system and versions, as lines of Markdown."""
    info = Path("/proc/cpuinfo").read_text().splitlines()
    model = next((line.partition(":")[2].strip() for line in info if line.startswith("model name")), "?")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    packages = ", ".join(f"{name} {version(name)}" for name in _PACKAGES)
    now = datetime.datetime.now(datetime.UTC)
    lines = [
        f"- {now:%Y-%m-%d %H:%M} UTC; {os.cpu_count()} × {model}, {memory:.0f} GB; load before: {LOAD / (os.cpu_count() or 1):.2f} per processor",
        f"- Linux {platform.release()}, Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {packages}",
    ]
    if named := ", ".join(peers):
        lines.append(f"- peers: {named}")
    return "\n".join(lines)
