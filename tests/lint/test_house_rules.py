"""The rules of CONTRIBUTING.md that ruff checks: each one refuses a bad sample and says what to do instead."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
FUTURE = "from __future__ import annotations\n\n"

REFUSED = {
    "a bare transaction": (
        "from django.db import transaction\n\nwith transaction.atomic():\n    pass\n",
        "TID251", "write_session()",
    ),
    "a transaction imported by its own name": (
        "from django.db.transaction import atomic\n\nwith atomic():\n    pass\n",
        "TID251", "control_transaction()",
    ),
    "a transaction through the package": (
        "import django.db\n\nwith django.db.transaction.atomic():\n    pass\n",
        "TID251", "wrong database",
    ),
    "a bare on_commit": (
        "from django.db.transaction import on_commit\n\non_commit(print)\n",
        "TID251", "wrong database",
    ),
    "Django's default connection": (
        "from django.db import connection\n\nconnection.cursor()\n",
        "TID251", "control plane's connection",
    ),
    "Django's connections": (
        "from django.db import connections\n\nconnections['default'].cursor()\n",
        "TID251", "Take a Session",
    ),
    "a cache key without its project": (
        "from django.core.cache import cache\n\ncache.set('user', 1)\n",
        "TID251", "project's uid",
    ),
    "a cache by alias": (
        "from django.core.cache import caches\n\ncaches['default'].get('user')\n",
        "TID251", "project's uid",
    ),
    "a SQLite file opened by hand": (
        "import sqlite3\n\nsqlite3.connect('data.sqlite3')\n",
        "TID251", "Take a Session",
    ),
    "a PostgreSQL connection outside the pool": (
        "import psycopg\n\npsycopg.connect('')\n",
        "TID251", "placement's pool",
    ),
    "a second SQLite library": ("import apsw\n\napsw.Connection('x')\n", "TID251", "break its locks"),
    "print": ("print('hello')\n", "T201", "print"),
    "a TODO": ("A = 1  # TODO: say why\n", "FIX002", "TODO"),
    "an exception swallowed whole": (
        "try:\n    pass\nexcept Exception:\n    A = 1\n",
        "BLE001", "blind exception",
    ),
    "commented-out code": ("# a = 1 + compute(2)\n", "ERA001", "commented-out code"),
    "a naive date": ("import datetime\n\nA = datetime.datetime.now()\n", "DTZ005", "tz"),
    "an ignore that does not say what": ("A: int = ''  # type: ignore\n", "PGH003", "specific rule codes"),
    "a file without postponed annotations": (None, "I002", "from __future__ import annotations"),
}  # fmt: skip


@pytest.mark.parametrize("sample", REFUSED)
def test_refuses(sample: str) -> None:
    text, code, explanation = REFUSED[sample]
    found = check("A = 1\n" if text is None else FUTURE + text, "projects/records/sample.py")
    assert code in found, found
    assert explanation in found[code]


@pytest.mark.parametrize("path", ["projects/databases/sample.py", "projects/control/database.py"])
def test_the_helpers_may_use_what_they_wrap(path: str) -> None:
    text = "from django.db import transaction\n\nwith transaction.atomic(using='default'):\n    pass\n"
    assert check(FUTURE + text, path) == {}


def test_a_good_sample_passes() -> None:
    text = "from projects.databases import write_session\n\nwith write_session(None) as session:\n    session.rows('')\n"
    assert check(FUTURE + text, "projects/records/sample.py") == {}


def check(text: str, path: str) -> dict[str, str]:
    """ruff's findings, message by code, on ``text`` as if it were the file ``path`` of this project."""
    ruff = Path(sys.executable).with_name("ruff")
    done = subprocess.run(
        [str(ruff) if ruff.exists() else str(shutil.which("ruff")),
         "check", "--no-cache", "--output-format", "json", "--stdin-filename", path, "-"],
        input=text, capture_output=True, text=True, cwd=ROOT, check=False,
    )  # fmt: skip
    assert done.returncode in (0, 1), done.stderr
    return {finding["code"]: finding["message"] for finding in json.loads(done.stdout)}
