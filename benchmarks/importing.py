"""``python -m benchmarks.importing``: rows per second into a collection, and what everybody else notices of it.

100,000 posts with a relation, as JSON lines and as CSV, over the API and by the command; then a whole PocketBase. Meanwhile
one client reads single records, one after another.
"""

from __future__ import annotations

import csv
import statistics
import time
from collections.abc import Callable
from contextlib import ExitStack
from pathlib import Path

import httpx
import orjson

from benchmarks import dataset, machine, options
from benchmarks.client import Beside, Client
from benchmarks.peers.mbaas import REF, Mbaas, version
from benchmarks.peers.pocketbase import pocketbase
from benchmarks.process import Process
from benchmarks.scratch import run_folder
from benchmarks.table import number, render
from tests.oracle.pocketbase import VERSION
from tests.services import postgres

ROWS = 100_000
AUTHORS = 1_000
AIM = 10_000
NAMES = ("id", "title", "body", "views", "open", "day", "tags", "author")
MS = 1000


def main() -> None:
    parser = options.parser("importing", __doc__.split("\n")[2], rounds=1)
    parser.add_argument("--rows", type=int, default=ROWS, help=f"rows of the tables (default: {ROWS:,})")
    given = parser.parse_args()
    with ExitStack() as stack:
        folder = stack.enter_context(run_folder())
        url = stack.enter_context(postgres()) if given.engine == "postgresql" else ""
        server = Mbaas(folder / "mbaas", postgres=url)
        for ref in (REF, "moved"):
            server.create_project(ref)
        process = server.start()
        stack.callback(process.stop)
        rows = tables(server, process, given.rows, folder)
        rows.append(whole(server, folder))
    print(f"{machine.describe([f'mbaas {version()}', f'PocketBase {VERSION}'])}\n- {given.engine}\n")
    print(render(["", "seconds", "rows/s", "aim", "gets beside it, ms: median; p99", "memory, MB"], rows))


def tables(server: Mbaas, process: Process, count: int, folder: Path) -> list[list[str]]:
    """A line for each way in; and one for the gets while nothing comes in."""
    admin = Client(server.url(), {"Authorization": server.token()})
    make_collections(admin)
    lines, cells = files(count, folder)
    record = admin("GET", "/api/collections/authors/records?perPage=1")["items"][0]["id"]

    def measured(name: str, work: Callable[[], int], aim: str = "") -> list[str]:
        options.progress(f"{name} …")
        process.wait_until_idle()
        times: list[float] = []
        reader = Client(server.url())

        def get() -> None:
            began = time.perf_counter()
            reader("GET", f"/api/collections/authors/records/{record}")
            times.append(time.perf_counter() - began)

        with Beside([get], pause=0.002):
            began = time.perf_counter()
            done = work()
            took = time.perf_counter() - began
        p99 = statistics.quantiles(times, n=100)[98]
        waits = f"{number(statistics.median(times) * MS)}; {number(p99 * MS)}"
        rate = number(done / took) if done else ""
        return [name, number(took), rate, aim, waits, number(process.memory_mb())]

    def over_api(path: Path, kind: str, collection: str, query: str = "") -> Callable[[], int]:
        def work() -> int:
            address = f"{server.url()}/api/collections/{collection}/records/import{query}"
            headers = {"Authorization": admin.headers["Authorization"], "Content-Type": kind}
            with open(path, "rb") as content:
                answer = httpx.post(address, content=content, headers=headers, timeout=600)
            found = answer.raise_for_status().json()
            assert not found["refused"], found
            return int(found["created"] + found["updated"] + found["unchanged"])

        return work

    def by_command() -> int:
        server.manage("import_records", REF, "posts3", str(lines), "--no-progress")
        return count

    def quiet() -> int:
        time.sleep(5)
        return 0

    aim = f"{AIM:,}"
    return [
        measured("nothing", quiet),
        measured("JSON lines over the API", over_api(lines, "application/jsonl", "posts1"), aim),
        measured("CSV over the API", over_api(cells, "text/csv", "posts2"), aim),
        measured("JSON lines by the command, with its start", by_command, aim),
        measured("the same again, upsert", over_api(lines, "application/jsonl", "posts1", "?upsert=1")),
    ]


def make_collections(admin: Client) -> None:
    rules = {"listRule": "", "viewRule": ""}
    field = {"name": "name", "type": "text"}
    made = admin("POST", "/api/collections", {"name": "authors", "type": "base", "fields": [field], **rules})
    for first in range(0, AUTHORS, 50):
        requests = [
            {
                "method": "POST",
                "url": "/api/collections/authors/records",
                "body": {"id": _author(number_), "name": f"Author {number_}"},
            }
            for number_ in range(first, first + 50)
        ]
        admin("POST", "/api/batch", {"requests": requests})
    fields = [
        {"name": "title", "type": "text", "required": True, "max": 200},
        {"name": "body", "type": "editor"},
        {"name": "views", "type": "number", "onlyInt": True},
        {"name": "open", "type": "bool"},
        {"name": "day", "type": "date"},
        {"name": "tags", "type": "select", "values": ["a", "b", "c"], "maxSelect": 3},
        {"name": "author", "type": "relation", "collectionId": made["id"], "maxSelect": 1},
        {"name": "created", "type": "autodate", "onCreate": True},
        {"name": "updated", "type": "autodate", "onCreate": True, "onUpdate": True},
    ]
    for name in ("posts1", "posts2", "posts3"):
        admin("POST", "/api/collections", {"name": name, "type": "base", "fields": fields, **rules})


def files(count: int, folder: Path) -> tuple[Path, Path]:
    """The same rows as JSON lines and as CSV."""
    lines, cells = folder / "posts.jsonl", folder / "posts.csv"
    with open(lines, "wb") as as_json, open(cells, "w", newline="") as as_csv:
        writer = csv.writer(as_csv)
        writer.writerow(NAMES)
        for number_ in range(count):
            values = (
                f"post{number_:011}", f"Post number {number_}", f"<p>{_text(number_)}</p>", number_,
                number_ % 3 == 0, "2026-01-01 10:00:00.000Z", ["a", "b"], _author(number_ % AUTHORS),
            )  # fmt: skip
            row = dict(zip(NAMES, values, strict=True))
            as_json.write(orjson.dumps(row, option=orjson.OPT_APPEND_NEWLINE))
            writer.writerow(
                [orjson.dumps(value).decode() if isinstance(value, list) else value for value in values]
            )
    return lines, cells


def whole(server: Mbaas, folder: Path) -> list[str]:
    """A PocketBase with the data set of the other benchmarks, moved into an empty project."""
    options.progress("a whole PocketBase …")
    with pocketbase(folder / "pocketbase"):
        pass
    data = folder / "pocketbase" / "pb_data"
    began = time.perf_counter()
    report = orjson.loads(server.manage("import_pocketbase", "moved", str(data), "--json"))
    took = time.perf_counter() - began
    records = sum(one["records"] for one in report["collections"])
    assert records >= dataset.RECORDS
    name = f"a PocketBase of {records:,} records, by the command"
    return [name, number(took), number(records / took), "", "", ""]


def _text(number_: int) -> str:
    return f"Some text of usual length, a sentence or two, number {number_}. " * 2


def _author(number_: int) -> str:
    return f"author{number_:09}"


if __name__ == "__main__":
    main()
