"""``python -m benchmarks.growth``: a get, the first page and one in the middle at a million records, beside ten thousand.

Both collections lie in one database. Their rows are written by SQL; asking is the same as in benchmarks.records.
"""

from __future__ import annotations

import sqlite3
from collections import defaultdict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from pathlib import Path

import psycopg

from benchmarks import dataset, machine, options
from benchmarks.client import Client
from benchmarks.peers.mbaas import REF, Mbaas, version
from benchmarks.peers.pocketbase import PocketBase
from benchmarks.peers.rest import make_users, user_tokens
from benchmarks.process import Process
from benchmarks.scratch import run_folder
from benchmarks.table import ratio, render, spread
from benchmarks.wrk import CONNECTIONS, Load, Requests, send
from tests.oracle.pocketbase import VERSION
from tests.services import postgres

COUNTED = "first page with total, 2 connections"
FEW = 2
SMALL, LARGE = 10_000, 1_000_000
PICKED = 5000

_SQLITE = """
WITH RECURSIVE n(i) AS (SELECT 0 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < {count})
INSERT INTO "{table}" (id, title, body, author, public, rank, created, updated)
SELECT printf('g%014x', i * 7919 % 2147483647), 'Note ' || i, '{body}', CASE i % {users} {authors} END,
  i / {users} % 2 = 0, i, strftime('%Y-%m-%d %H:%M:%f', 1760000000 + i, 'unixepoch') || 'Z',
  strftime('%Y-%m-%d %H:%M:%f', 1760000000 + i, 'unixepoch') || 'Z' FROM n
"""
_POSTGRESQL = """
INSERT INTO "{schema}"."{table}" (id, title, body, author, public, rank, created, updated)
SELECT 'g' || lpad(to_hex(i * 7919::bigint % 2147483647), 14, '0'), 'Note ' || i, '{body}',
  CASE i % {users} {authors} END, i / {users} % 2 = 0, i,
  to_char(to_timestamp(1760000000 + i) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS"Z"'),
  to_char(to_timestamp(1760000000 + i) AT TIME ZONE 'UTC', 'YYYY-MM-DD HH24:MI:SS.MS"Z"')
FROM generate_series(0, {count} - 1) AS i
"""


def main() -> None:
    parser = options.parser("growth", __doc__.split("\n")[2], rounds=5)
    parser.add_argument(
        "--large", type=int, default=LARGE, help=f"records of the large one (default: {LARGE:,})"
    )
    given = parser.parse_args()
    names = options.peers(given) or ["mbaas", *(["pocketbase"] if given.engine == "sqlite" else [])]
    rows = []
    about = machine.describe([f"mbaas {version()}", *([f"PocketBase {VERSION}"] if len(names) > 1 else [])])
    for name in names:
        loads = measure(name, given.engine, given.large, given.rounds, given.seconds)
        works = dict.fromkeys(work for work, _ in loads)
        for work in works:
            small, large = ([load.rate for load in loads[work, size]] for size in ("small", "large"))
            rows.append([f"{name}: {work}", spread(small), spread(large), ratio(small, large)])
    print(f"{about}\n- {given.engine}; {given.rounds} rounds of {given.seconds:g} s\n")
    print(render(["per second", f"{SMALL:,}", f"{given.large:,}", "slower by (≤ 1.2×)"], rows))


def measure(
    name: str, engine: str, large: int, rounds: int, seconds: float
) -> dict[tuple[str, str], list[Load]]:
    loads: dict[tuple[str, str], list[Load]] = defaultdict(list)
    with ExitStack() as stack:
        folder = stack.enter_context(run_folder())
        url = stack.enter_context(postgres()) if engine == "postgresql" else ""
        process, base, token, seen = _start(name, folder, url, large)
        stack.callback(process.stop)
        middle = {
            size: _middle(name, base, token, size, count)
            for size, count in (("small", SMALL), ("large", large))
        }
        for turn in range(-1, rounds):
            for work, targets in _works(base, seen, middle).items():
                for size, some in targets.items():
                    requests = Requests(base.partition("/p/")[0], some, headers={"Authorization": token})
                    load = send(
                        requests,
                        process,
                        seconds=2 if turn < 0 else seconds,
                        connections=FEW if work == COUNTED else CONNECTIONS,
                    )
                    # Counts that were not waited for go on in the server.
                    process.wait_until_idle()
                    if turn >= 0:
                        loads[work, size].append(load)
            options.progress(f"{name}: round {turn + 1}")
    return loads


def _middle(name: str, base: str, token: str, size: str, count: int) -> str:
    """What asks for the page in the middle: a cursor, or where there is none its number."""
    if name == "pocketbase":
        return f"page={count // 60}"
    ask = Client(base, {"Authorization": token})
    query = f"perPage=1&sort=-created&filter=rank%3C{count // 2}&cursor="
    return f"cursor={ask('GET', f'/api/collections/{size}/records?{query}')['nextCursor']}"


def _works(
    base: str, seen: dict[str, list[str]], middle: dict[str, str]
) -> dict[str, dict[str, list[tuple[str, str]]]]:
    prefix = base[base.index("/p/") :] if "/p/" in base else ""
    path = {size: f"{prefix}/api/collections/{size}/records" for size in seen}
    page = "perPage=30&sort=-created"
    return {
        "get": {size: [(f"{path[size]}/{record}", "") for record in seen[size]] for size in seen},
        "first page": {size: [(f"{path[size]}?{page}&skipTotal=1", "")] for size in seen},
        "page in the middle": {
            size: [(f"{path[size]}?{page}&skipTotal=1&{middle[size]}", "")] for size in seen
        },
        COUNTED: {size: [(f"{path[size]}?{page}", "")] for size in seen},
    }


def _start(name: str, folder: Path, url: str, large: int) -> tuple[Process, str, str, dict[str, list[str]]]:
    """A server with the collections ``small`` and ``large``: itself, its base, a reader's token, ids to get."""
    counts = {"small": SMALL, "large": large}
    if name == "pocketbase":
        server = PocketBase(folder)
        process, base = server.start(), server.url
        token, file = server.token(), server.data / "data.db"
        uid = ""
    else:
        ours = Mbaas(folder, postgres=url)
        uid = ours.create_project(REF)
        process, base = ours.start(), ours.url()
        token, file = ours.token(), ours.data / "projects" / uid[-2:] / uid / "data.sqlite3"
    users = make_users(base, token, 4)
    admin = Client(base, {"Authorization": token})
    users_id = admin("GET", "/api/collections/users")["id"]
    for size in counts:
        admin("POST", "/api/collections", dataset.collection(size, users_id))
    reader = user_tokens(base, token, users[:1])[0]
    options.progress(f"{name}: {large:,} records …")
    write = _sqlite(file) if not url else _postgresql(url, f"p_{uid}")
    seen = {size: write(size, count, users) for size, count in counts.items()}
    return process, base, reader, seen


Write = Callable[[str, int, Sequence[str]], list[str]]


def _statement(template: str, table: str, count: int, users: Sequence[str], schema: str = "") -> str:
    authors = " ".join(f"WHEN {i} THEN '{user}'" for i, user in enumerate(users))
    body = dataset.body_text(1)
    return template.format(
        table=table, count=count, users=len(users), authors=authors, body=body, schema=schema
    )


def _sqlite(file: Path) -> Write:
    def write(table: str, count: int, users: Sequence[str]) -> list[str]:
        connection = sqlite3.connect(file, timeout=30)
        connection.execute(_statement(_SQLITE, table, count, users))
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
        picked = f'SELECT id FROM "{table}" WHERE public = 1 ORDER BY random() LIMIT {PICKED}'
        ids = [row[0] for row in connection.execute(picked)]
        connection.close()
        return ids

    return write


def _postgresql(url: str, schema: str) -> Write:
    def write(table: str, count: int, users: Sequence[str]) -> list[str]:
        with psycopg.connect(url) as connection:
            connection.execute(f'SET ROLE "{schema}"')
            connection.execute(_statement(_POSTGRESQL, table, count, users, schema))
            connection.execute(f'ANALYZE "{schema}"."{table}"')
            picked = f'SELECT id FROM "{schema}"."{table}" WHERE public ORDER BY random() LIMIT {PICKED}'
            return [row[0] for row in connection.execute(picked)]

    return write


if __name__ == "__main__":
    main()
