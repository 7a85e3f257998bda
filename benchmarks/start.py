"""``python -m benchmarks.start``: how soon the server answers after its start, and what it weighs then.

With the demo project in it, beside an empty PocketBase; and which imports take the time.
"""

from __future__ import annotations

import re
import subprocess
import sys
import time

from benchmarks import machine, options
from benchmarks.client import Client
from benchmarks.peers.mbaas import Mbaas, version
from benchmarks.peers.pocketbase import PocketBase
from benchmarks.scratch import ROOT, run_folder
from benchmarks.table import median, number, render, spread
from tests.oracle.pocketbase import VERSION

SETTLE_SECONDS = 3
_IMPORT = re.compile(r"import time:\s+(\d+) \|\s+(\d+) \|(\s+)(\S+)")


def main() -> None:
    parser = options.parser("start", __doc__.split("\n")[2], rounds=5)
    parser.add_argument("--top", type=int, default=25, help="lines of the table of imports")
    given = parser.parse_args()
    about = machine.describe([f"mbaas {version()}", f"PocketBase {VERSION}"])
    started: dict[str, list[float]] = {"mbaas": [], "PocketBase": []}
    memory: dict[str, list[float]] = {"mbaas": [], "PocketBase": []}
    asked: list[float] = []
    with run_folder() as folder:
        ours, theirs = Mbaas(folder / "mbaas", demo=True), PocketBase(folder / "pocketbase")
        servers: dict[str, Mbaas | PocketBase] = {"mbaas": ours, "PocketBase": theirs}
        for _ in range(given.rounds):
            for name, server in servers.items():
                process = server.start()
                started[name].append(process.started_in)
                time.sleep(SETTLE_SECONDS)
                memory[name].append(process.memory_mb())
                if name == "mbaas":
                    # Once it has answered, what is loaded at first use is in as well.
                    Client(ours.url("demo"))("GET", "/api/collections/posts/records")
                    time.sleep(0.5)
                    asked.append(process.memory_mb())
                process.stop()
        imports = _imports(ours.environment)
    print(f"{about}\n- {given.rounds} starts\n")
    rows = [
        [
            "from the command to the first answer, s",
            spread(started["mbaas"]),
            spread(started["PocketBase"]),
            "",
        ],
        ["memory, idle, MB", spread(memory["mbaas"]), spread(memory["PocketBase"]), "< 150"],
        ["memory after a list of the demo project, MB", spread(asked), "", ""],
    ]
    print(render(["", "mbaas", "PocketBase", "reach"], rows))
    print(f"\nImports of the server, ms (median of three), the dearest {given.top} packages:\n")
    print(render(["package", "own and its first imports", "own modules alone"], imports[: given.top]))


def _imports(environment: dict[str, str]) -> list[list[str]]:
    """Every package with the ms of what it was first to import, and of its own modules."""
    runs = [_import_times(environment) for _ in range(3)]
    names = set.intersection(*(set(run) for run in runs))
    times = {
        name: (median([run[name][0] for run in runs]), median([run[name][1] for run in runs]))
        for name in names
    }
    ordered = sorted(times, key=lambda name: -times[name][0])
    return [[name, number(times[name][0] / 1000), number(times[name][1] / 1000)] for name in ordered]


def _import_times(environment: dict[str, str]) -> dict[str, tuple[float, float]]:
    code = "import mbaas.asgi, granian.server.embed, mbaas.background"
    done = subprocess.run(
        [sys.executable, "-X", "importtime", "-c", code],
        cwd=ROOT, env=environment, capture_output=True, text=True, check=True,
    )  # fmt: skip
    whole: dict[str, float] = {}
    own: dict[str, float] = {}
    for line in done.stderr.splitlines():
        if found := _IMPORT.match(line):
            self_time, total, module = float(found[1]), float(found[2]), found[4]
            package = module.partition(".")[0]
            own[package] = own.get(package, 0) + self_time
            whole[package] = max(whole.get(package, 0), total)
    return {package: (whole[package], own[package]) for package in whole}


if __name__ == "__main__":
    main()
