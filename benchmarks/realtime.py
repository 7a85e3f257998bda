"""``python -m benchmarks.realtime``: events delivered to many signed-in subscribers, beside PocketBase.

Every subscriber is another user, listening to the collection whose rule names the user. One client creates public
records one after another; each must reach each subscriber. A private one before that must reach its author alone.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections import Counter, defaultdict
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass

import orjson

from benchmarks import dataset, machine, options
from benchmarks.client import Client
from benchmarks.peers.lineup import lineup
from benchmarks.peers.rest import RestPeer, make_users, record_body, user_tokens
from benchmarks.scratch import ROOT, run_folder
from benchmarks.table import ratio, render, spread

CREATES = 20
SUBSCRIBERS = (500, 2000)
PATIENCE_SECONDS = 15.0


@dataclass(frozen=True, slots=True)
class Delivery:
    """``rate`` per second; ``p95`` in ms from sending the create; ``cpu`` of the server, µs per delivery."""

    rate: float
    p95: float
    cpu: float


def main() -> None:
    parser = options.parser("realtime", __doc__.split("\n")[2], rounds=5)
    parser.add_argument("--subscribers", default=",".join(map(str, SUBSCRIBERS)), help="how many, by commas")
    given = parser.parse_args()
    if given.engine != "sqlite":
        parser.error("PocketBase keeps its records in SQLite: --engine sqlite")
    counts = [int(text) for text in given.subscribers.split(",")]
    names = options.peers(given) or ["mbaas", "pocketbase"]
    found: dict[tuple[int, str], list[Delivery]] = defaultdict(list)
    with run_folder() as folder, lineup(folder, "sqlite", names, records=given.records) as peers:
        about = machine.describe(f"{peer.name} {peer.version}".strip() for peer in peers)
        tokens = {peer.name: subscribers_of(peer, max(counts)) for peer in peers}
        for count in counts:
            for turn in range(given.rounds):
                for peer in peers:
                    one = deliver(peer, *tokens[peer.name], count)
                    found[count, peer.name].append(one)
                    options.progress(
                        f"{count}, round {turn + 1}: {peer.name} {one.rate:,.0f}/s, p95 {one.p95:.0f} ms"
                    )
    print(f"{about}\n- {CREATES} creates, one after another; {given.rounds} rounds\n")
    print(table(found, counts, [peer.name for peer in peers]))


def subscribers_of(peer: RestPeer, count: int) -> tuple[list[str], list[str]]:
    """Ids and tokens of ``count`` new users."""
    token = peer.superuser()
    options.progress(f"{peer.name}: {count} users …")
    with cheap_passwords(peer, token):
        ids = make_users(peer.url, token, count, first=dataset.USERS, passwords=False)
    return ids, user_tokens(peer.url, token, ids)


@contextmanager
def cheap_passwords(peer: RestPeer, token: str) -> Iterator[None]:
    """PocketBase hashes at the lowest cost meanwhile: nobody signs in with these passwords."""
    client = Client(peer.url, {"Authorization": token})
    fields = client("GET", "/api/collections/users")["fields"]
    cheap = [{**one, "cost": 4} if one["type"] == "password" else one for one in fields]
    client("PATCH", "/api/collections/users", {"fields": cheap})
    try:
        yield
    finally:
        client("PATCH", "/api/collections/users", {"fields": fields})


def deliver(peer: RestPeer, ids: list[str], tokens: list[str], count: int) -> Delivery:
    """One round with ``count`` subscribers. Raises AssertionError when an event is missing or one too many."""
    job = {
        "url": peer.url, "topic": f"{dataset.SEEN}/*", "tokens": tokens[:count],
        # The author's private record is one more.
        "expect": count * CREATES + 1, "patience": PATIENCE_SECONDS,
    }  # fmt: skip
    process = subprocess.Popen(
        [sys.executable, "-m", "benchmarks.subscribers"],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert process.stdin
    assert process.stdout
    with process:
        process.stdin.write(orjson.dumps(job) + b"\n")
        process.stdin.close()
        assert process.stdout.readline() == b"ready\n", "the subscribers did not get ready"
        time.sleep(0.5)
        author = Client(peer.url, {"Authorization": tokens[0]})
        path = f"/api/collections/{dataset.SEEN}/records"
        notes = list(dataset.notes(CREATES))
        private = author("POST", path, {**record_body(notes[0], ids[0]), "public": False})["id"]
        time.sleep(0.5)
        before = peer.process.cpu_seconds()
        sent = {}
        for note in notes:
            at = time.monotonic()
            sent[author("POST", path, {**record_body(note, ids[0]), "public": True})["id"]] = at
        arrived = orjson.loads(process.stdout.readline())["arrivals"]
        used = peer.process.cpu_seconds() - before
        author.close()
    return evaluate(arrived, sent, private, count, used)


def evaluate(
    arrived: list[tuple[int, str, float]], sent: dict[str, float], private: str, count: int, used: float
) -> Delivery:
    got = Counter((subscriber, record) for subscriber, record, _ in arrived)
    wanted = {(subscriber, record) for subscriber in range(count) for record in sent} | {(0, private)}
    assert set(got) == wanted, f"{len(wanted - set(got))} events missing, {len(set(got) - wanted)} too many"
    assert max(got.values()) == 1, "an event came twice"
    public = [(record, at) for _, record, at in arrived if record != private]
    waits = sorted(at - sent[record] for record, at in public)
    seconds = max(at for _, at in public) - min(sent.values())
    return Delivery(
        rate=len(public) / seconds, p95=waits[int(len(waits) * 0.95)] * 1000, cpu=used / len(public) * 1e6
    )


def table(found: dict[tuple[int, str], list[Delivery]], counts: list[int], names: list[str]) -> str:
    both = len(names) > 1
    rows = []
    for count in counts:
        for title, attribute in (
            ("deliveries/s (≥ 2×)", "rate"),
            ("p95, ms (≤ 1×)", "p95"),
            ("CPU, µs each", "cpu"),
        ):
            of = {name: [getattr(one, attribute) for one in found[count, name]] for name in names}
            row = [f"{count:,} subscribers: {title}", *(spread(of[name]) for name in names)]
            rows.append([*row, *([ratio(of[names[0]], of[names[1]])] if both else [])])
    return render(["", *names, *([f"{names[0]} / {names[1]}"] if both else [])], rows)


if __name__ == "__main__":
    main()
