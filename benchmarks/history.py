"""``python -m benchmarks.history``: a collection of 20,000 records goes back to a moment, beside a writer; histories.

One client asks one request after another, so that a figure is what an app waits for, HTTP and checks included.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from datetime import UTC, datetime
from typing import Any

from benchmarks import machine, options
from benchmarks.client import Beside, Client, in_parallel
from benchmarks.peers.mbaas import REF, Mbaas, version
from benchmarks.scratch import run_folder
from benchmarks.table import number, render
from tests.services import postgres

PATH = "/api/collections/notes"
BATCH, ASKED, CHANGES = 50, 100, 200
MS = 1000


def main() -> None:
    parser = options.parser("history", __doc__.split("\n")[2], rounds=1)
    given = parser.parse_args()
    with ExitStack() as stack:
        url = stack.enter_context(postgres()) if given.engine == "postgresql" else ""
        server = Mbaas(stack.enter_context(run_folder()), postgres=url)
        server.create_project(REF)
        process = server.start()
        stack.callback(process.stop)
        admin = Client(server.url(), {"Authorization": server.token()})
        rows = list(measure(server.url(), admin, given.records))
    print(f"{machine.describe([f'mbaas {version()}'])}\n- {given.engine}; {given.records:,} records\n")
    print(render(["", ""], rows))


def measure(url: str, admin: Client, records: int) -> Iterator[list[str]]:
    fields = [{"name": "title", "type": "text"}, {"name": "number", "type": "number"}]
    admin("POST", "/api/collections", {"name": "notes", "type": "base", "fields": fields})
    options.progress("records …")
    ids = [
        answer["body"]["id"]
        for answer in batches(
            url,
            admin,
            [
                {"method": "POST", "url": f"{PATH}/records", "body": {"title": f"Note {i}", "number": i}}
                for i in range(records)
            ],
        )
    ]
    at = datetime.now(UTC).isoformat()
    time.sleep(0.01)
    options.progress("changes …")
    third = records // 3
    batches(
        url,
        admin,
        [
            {"method": "PATCH", "url": f"{PATH}/records/{record}", "body": {"title": "Changed"}}
            for record in ids[:third]
        ]
        + [{"method": "DELETE", "url": f"{PATH}/records/{record}"} for record in ids[third : 2 * third]]
        + [{"method": "POST", "url": f"{PATH}/records", "body": {"title": "New"}} for _ in range(third)],
    )
    alone = create_times(Client(url, admin.headers), 1)
    body = {"at": at, "dryRun": False}
    waits: list[float] = []
    other = Client(url, admin.headers)
    options.progress("restoring …")
    with Beside([lambda: waits.extend(create_times(other, 0))], pause=0.01):
        began = time.perf_counter()
        told = admin("POST", f"{PATH}/restore", body)
        took = time.perf_counter() - began
    count = told["created"] + told["updated"] + told["deleted"]
    assert told["problems"]["count"] == 0 and told["created"] == told["updated"] == third, told
    yield ["records brought back, changed back, deleted: per second", number(count / took)]
    yield ["a create beside it, ms: median", number(statistics.median(waits))]
    yield ["… longest", number(max(waits))]
    yield ["a create alone, ms: median", number(statistics.median(alone))]
    one = ids[0]
    for turn in range(CHANGES):
        admin("PATCH", f"{PATH}/records/{one}", {"number": turn})
    history = times(lambda: admin("GET", f"{PATH}/records/{one}/history"))
    yield [f"a page of 30 of {CHANGES} changes, ms: median", number(statistics.median(history))]
    point = {"seq": admin("GET", f"{PATH}/records/{one}/history")["items"][-1]["seq"]}
    restored = times(lambda: admin("POST", f"{PATH}/records/{one}/restore", point))
    yield ["restoring a record, ms: median", number(statistics.median(restored))]


def batches(url: str, admin: Client, requests: list[dict[str, Any]]) -> list[Any]:
    """The answers to the requests, which are sent as batches."""
    parts = [requests[first : first + BATCH] for first in range(0, len(requests), BATCH)]
    answers = in_parallel(
        lambda client, part: client("POST", "/api/batch", {"requests": part}),
        parts,
        url=url,
        headers={"Authorization": admin.headers["Authorization"]},
        threads=2,
    )
    return [one for answer in answers for one in answer]


def create_times(client: Client, turns: int) -> list[float]:
    """Milliseconds of a create, or of ASKED."""
    once: Callable[[], Any] = lambda: client("POST", f"{PATH}/records", {"title": "Beside"})  # noqa: E731
    return times(once) if turns else timed(once)


def timed(once: Callable[[], object]) -> list[float]:
    began = time.perf_counter()
    once()
    return [(time.perf_counter() - began) * MS]


def times(once: Callable[[], object]) -> list[float]:
    """Milliseconds of each of ASKED calls, after a few that do not count."""
    return [took for _ in range(ASKED + 5) for took in timed(once)][5:]


if __name__ == "__main__":
    main()
