"""``python -m benchmarks.latency``: how long gets take while others do heavy work.

The 99th percentile of gets, quiet, while another client runs one query of about a second after the other, and while
50 sign-ins hash passwords. Each server is compared with itself.
"""

from __future__ import annotations

import time
from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor

from benchmarks import dataset, machine, options
from benchmarks.client import Beside
from benchmarks.peers.base import Peer
from benchmarks.peers.lineup import NAMES, lineup
from benchmarks.peers.rest import MOST_COMPARISONS
from benchmarks.scratch import run_folder
from benchmarks.table import ratio, render, spread
from benchmarks.wrk import CONNECTIONS, Load, send

SIGN_INS = 50
SLOW_SECONDS = 1.0
PROBE = 10
QUIET, SLOW, HASHING = "quiet", "beside 1-second queries", f"beside {SIGN_INS} sign-ins"

Waits = dict[tuple[str, str], list[Load]]


def main() -> None:
    parser = options.parser("latency", __doc__.split("\n")[2], rounds=3)
    parser.add_argument("--connections", type=int, default=CONNECTIONS, help="clients that get (default: 32)")
    given = parser.parse_args()
    # The hand-written handler neither filters nor signs in.
    names = options.peers(given) or [name for name in NAMES[given.engine] if name != "limit"]
    with (
        run_folder() as folder,
        lineup(folder, given.engine, names, records=given.records) as peers,
    ):
        about = machine.describe(f"{peer.name} {peer.version}".strip() for peer in peers)
        waits, notes = measure(peers, given.rounds, given.seconds, given.connections)
    print(f"{about}\n- {given.engine}; {given.records:,} records; {given.connections} connections\n")
    titles = [peer.name for peer in peers]
    rows = []
    for name in (QUIET, SLOW, HASHING):
        row = [name]
        for title in titles:
            of, quiet = ([load.p99 for load in waits[kind, title]] for kind in (name, QUIET))
            row += [spread(of), ratio(of, quiet)]
        rows.append(row)
    head = ["p99 of gets, ms (≤ 3×)", *(text for title in titles for text in (title, "of its quiet one"))]
    print(render(head, rows))
    print("\n" + "\n".join(notes))


def measure(peers: list[Peer], rounds: int, seconds: float, connections: int) -> tuple[Waits, list[str]]:
    """The loads by (situation, peer), and lines that say how heavy the work beside them was."""
    waits: Waits = defaultdict(list)
    heavy = {peer.name: calibrate(peer) for peer in peers}
    spent: dict[str, list[float]] = defaultdict(list)
    for turn in range(rounds):
        for peer in peers:
            gets = peer.get()
            if turn == 0:
                send(gets, peer.process, seconds=2)
            waits[QUIET, peer.name].append(send(gets, peer.process, seconds=seconds, connections=connections))
            count = heavy[peer.name][0]
            with Beside([lambda peer=peer, count=count: peer.slow_query(count)]):  # type: ignore[misc]
                waits[SLOW, peer.name].append(
                    send(gets, peer.process, seconds=seconds, connections=connections)
                )
            with ThreadPoolExecutor(1) as pool:
                signing = pool.submit(_sign_in_all, peer)
                # About as long as the hashing takes, so that the gets meet it from end to end.
                waits[HASHING, peer.name].append(send(gets, peer.process, seconds=2, connections=connections))
                spent[peer.name].append(signing.result())
            options.progress(f"round {turn + 1}: {peer.name}")
    lines = []
    for peer in peers:
        count, took = heavy[peer.name]
        lines.append(
            f"- {peer.name}: a slow query compares {count} texts with each record, {took:.2f} s when nothing else "
            f"runs; the sign-ins took {spread(spent[peer.name])} s"
        )
    return waits, lines


def calibrate(peer: Peer) -> tuple[int, float]:
    """How many comparisons make a query of about a second, and how long that takes."""
    peer.slow_query(PROBE)
    count = round(min(MOST_COMPARISONS, max(1, PROBE * SLOW_SECONDS / _timed(peer, PROBE))))
    return count, _timed(peer, count)


def _timed(peer: Peer, count: int) -> float:
    """Seconds of the quickest of three: what else the machine does only adds."""
    times = []
    for _ in range(3):
        began = time.perf_counter()
        peer.slow_query(count)
        times.append(time.perf_counter() - began)
    return min(times)


def _sign_in_all(peer: Peer) -> float:
    began = time.perf_counter()
    with ThreadPoolExecutor(SIGN_INS) as pool:
        list(pool.map(lambda i: peer.sign_in(i % dataset.USERS), range(SIGN_INS)))
    return time.perf_counter() - began


if __name__ == "__main__":
    main()
