"""``python -m benchmarks.records``: gets, lists and creates per second beside other servers.

All servers hold the same records under the same rule and answer the same load in turns; a ratio is the median of
the rounds' ratios, so that what else the machine does falls on both.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Sequence

from benchmarks import machine, options
from benchmarks.client import Beside
from benchmarks.peers.base import Peer
from benchmarks.peers.lineup import lineup
from benchmarks.scratch import run_folder
from benchmarks.table import median, number, ratio, render, spread
from benchmarks.wrk import Load, Requests, send

WARM_UP_SECONDS = 2
# How often a record is written beside the lists that count, where that is the work.
CHANGE_EVERY = 0.05

Work = tuple[str, Callable[[Peer], Requests]]

CHANGING = "list 30 with total, 20 writes/s"
FILTERED, UNFILTERED = "list 30, filter, new constants", "list 30"
WORKS: tuple[Work, ...] = (
    ("get", lambda peer: peer.get()),
    (UNFILTERED, lambda peer: peer.page(total=False)),
    (FILTERED, lambda peer: peer.page(total=False, rank_above="{n}")),
    ("list 30 with total", lambda peer: peer.page(total=True)),
    (CHANGING, lambda peer: peer.page(total=True)),
    ("create", lambda peer: peer.create()),
)
# What issue 4 asks for: of the other server, and of the hand-written handler.
REACH: dict[str, dict[str, tuple[float | None, float | None]]] = {
    "sqlite": {"get": (2, 0.6), UNFILTERED: (2, 0.6), "list 30 with total": (5, None), "create": (2, None)},
    "postgresql": {
        "get": (2.5, 0.6), UNFILTERED: (None, 0.6), "list 30 with total": (5, None), "create": (1.5, None),
    },
}  # fmt: skip

Loads = dict[tuple[str, str], list[Load]]


def main() -> None:
    parser = options.parser("records", __doc__.split("\n")[2], rounds=5)
    parser.add_argument("--works", default="", help="only those whose names begin so, separated by commas")
    given = parser.parse_args()
    wanted = tuple(given.works.split(",")) if given.works else ("",)
    works = [work for work in WORKS if work[0].startswith(wanted)]
    with run_folder() as folder:
        options.progress("filling the servers …")
        with lineup(folder, given.engine, options.peers(given), records=given.records) as peers:
            about = machine.describe(f"{peer.name} {peer.version}".strip() for peer in peers)
            loads = measure(peers, works, rounds=given.rounds, seconds=given.seconds)
    print(
        f"{about}\n- {given.engine}; {given.records:,} records; {given.rounds} rounds of {given.seconds:g} s\n"
    )
    names = [peer.name for peer in peers]
    works_done = [name for name, _ in works]
    print(rates(loads, works_done, names, given.engine))
    print(f"\nProcessor time of the server process per request, µs:\n\n{costs(loads, works_done, names)}")
    if {FILTERED, UNFILTERED} <= set(works_done) and "mbaas" in names:
        print(f"\n{filter_line(loads)}")


def measure(peers: Sequence[Peer], works: Sequence[Work], *, rounds: int, seconds: float) -> Loads:
    """Every work at every peer in every round, the peers alternating; the order turns with the rounds."""
    loads: Loads = defaultdict(list)
    for _, requests in works:
        for peer in peers:
            send(requests(peer), peer.process, seconds=min(WARM_UP_SECONDS, seconds))
    for turn in range(rounds):
        shift = turn % len(peers)
        for name, requests in works:
            for peer in [*peers[shift:], *peers[:shift]]:
                load = _send(name, requests, peer, seconds)
                loads[name, peer.name].append(load)
                options.progress(
                    f"round {turn + 1}, {name}: {peer.name} {load.rate:,.0f}/s, p99 {load.p99:.0f} ms"
                )
    return loads


def _send(name: str, requests: Callable[[Peer], Requests], peer: Peer, seconds: float) -> Load:
    if name != CHANGING:
        return send(requests(peer), peer.process, seconds=seconds)
    with Beside([peer.change_one], pause=CHANGE_EVERY):
        return send(requests(peer), peer.process, seconds=seconds)


def rates(loads: Loads, works: Sequence[str], names: Sequence[str], engine: str) -> str:
    """Requests per second, and ours against each of the others."""
    others = [name for name in names if name != "mbaas"] if "mbaas" in names else []
    rows = []
    for work in works:
        of = {name: [load.rate for load in loads[work, name]] for name in names}
        row = [work, *(spread(of[name]) for name in names)]
        for other in others:
            reach = REACH[engine].get(work, (None, None))[other == "hand-written"]
            goal = f" (≥ {reach:g}×)" if reach else ""
            row.append(f"{ratio(of['mbaas'], of[other])}{goal}")
        rows.append(row)
    head = ["per second: median (lowest–highest)", *names, *(f"mbaas / {other}" for other in others)]
    return render(head, rows)


def costs(loads: Loads, works: Sequence[str], names: Sequence[str]) -> str:
    rows = [[work, *(spread([load.cpu for load in loads[work, name]]) for name in names)] for work in works]
    return render(["", *names], rows)


def filter_line(loads: Loads) -> str:
    """What a filter with new constants costs over none."""
    pairs = zip(loads[FILTERED, "mbaas"], loads[UNFILTERED, "mbaas"], strict=True)
    extra = median([a.cpu - b.cpu for a, b in pairs])
    return f"A filter with new constants costs mbaas {number(extra)} µs of processor time (≤ 30)."


if __name__ == "__main__":
    main()
