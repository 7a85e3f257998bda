"""``python -m benchmarks.projects``: what a project costs, and what a thousand do.

Times are ours against ourselves: a new project over the control API; many projects, each read once, with what the
server then holds open; and each read again, beside reads of one project.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import ExitStack

from benchmarks import machine, options
from benchmarks.client import Client
from benchmarks.peers.mbaas import OWNER, Mbaas
from benchmarks.process import Process
from benchmarks.scratch import run_folder
from benchmarks.table import median, number, render
from benchmarks.wrk import Requests, send
from tests.services import postgres

PROJECTS = 1000


def main() -> None:
    parser = options.parser("projects", __doc__.split("\n")[2], rounds=1)
    parser.add_argument("--projects", type=int, default=PROJECTS, help=f"how many (default: {PROJECTS})")
    given = parser.parse_args()
    with ExitStack() as stack:
        url = stack.enter_context(postgres()) if given.engine == "postgresql" else ""
        installation = Mbaas(stack.enter_context(run_folder()), postgres=url)
        about = machine.describe()
        process = installation.start()
        stack.callback(process.stop)
        rows = measure(installation, process, given.projects, given.seconds)
    print(f"{about}\n- {given.engine}; {given.projects:,} projects\n")
    print(render(["", "", "reach"], rows))


def measure(installation: Mbaas, process: Process, count: int, seconds: float) -> list[list[str]]:
    refs = [f"bench-{i}" for i in range(count)]
    made = create_all(installation, refs)
    paths = [f"/p/{ref}/api/collections/users/records?perPage=1" for ref in refs]
    client = Client(installation.origin)
    client("GET", paths[0])
    memory, files = process.memory_mb(), process.open_files()
    first = [timed(client, path) for path in paths]
    after_memory, after_files = process.memory_mb(), process.open_files()
    again = [timed(client, path) for path in paths]
    one = [timed(client, paths[0]) for _ in paths]
    few = paths[: min(20, count)]
    loads = [
        send(Requests(installation.origin, [(path, "") for path in of]), process, seconds=seconds)
        for of in (few[:1], few, paths)
    ]
    end_memory, end_files = process.memory_mb(), process.open_files()
    return [
        ["new project, ms: median", number(median(made) * 1000), "< 50"],
        ["new project, ms: 95th percentile", number(percentile(made, 95) * 1000), ""],
        [f"first read of each of {count:,}, ms: median", number(median(first) * 1000), ""],
        ["next read of each, ms: median", number(median(again) * 1000), ""],
        ["read of one again and again, ms: median", number(median(one) * 1000), ""],
        ["next read of each / of one", f"{median(again) / median(one):.2f}×", "≤ 2×"],
        ["32 connections, reads of one, per second", number(loads[0].rate), ""],
        [f"32 connections, reads of {len(few)} in turn", number(loads[1].rate), ""],
        [f"32 connections, reads of all {count:,}", number(loads[2].rate), ""],
        ["processor time per read of one, of all, µs", f"{loads[0].cpu:,.0f}, {loads[2].cpu:,.0f}", ""],
        ["open files before, after, under load", f"{files}, {after_files}, {end_files}", "bounded"],
        [
            "memory before, after, under load, MB",
            f"{memory:.0f}, {after_memory:.0f}, {end_memory:.0f}",
            "bounded",
        ],
    ]


def create_all(installation: Mbaas, refs: Sequence[str]) -> list[float]:
    """Make the projects over the control API, one after another; seconds of each."""
    token = installation.manage("create_token", OWNER).strip()
    client = Client(installation.origin, {"Authorization": f"Bearer {token}"})
    made = []
    for number_of, ref in enumerate(refs, 1):
        began = time.perf_counter()
        client("POST", "/api/v1/projects/", {"ref": ref, "name": ref})
        made.append(time.perf_counter() - began)
        if number_of % 100 == 0:
            options.progress(f"{number_of} projects")
    return made


def timed(client: Client, path: str) -> float:
    began = time.perf_counter()
    client("GET", path)
    return time.perf_counter() - began


def percentile(values: Sequence[float], percent: int) -> float:
    return sorted(values)[min(len(values) - 1, len(values) * percent // 100)]


if __name__ == "__main__":
    main()
