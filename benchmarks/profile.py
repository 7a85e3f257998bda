"""``python -m benchmarks.profile WORK``: where the time of one request goes, by function.

py-spy looks at the thread that runs Python while the server is under load. A thread's samples are scaled to the
processor time that the system counted for it, so that figures are µs per request. "self" is spent in the function's
own code and in C that it calls, "with calls" also in what it calls. Time that a thread spends in C without the
interpreter's lock (SQLite's own work) is spread over the thread's functions.
"""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from collections import Counter, defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path

from benchmarks import machine, options
from benchmarks.peers.base import Peer
from benchmarks.peers.lineup import lineup
from benchmarks.records import WORKS
from benchmarks.scratch import ROOT, run_folder
from benchmarks.table import number, render
from benchmarks.wrk import Load, Requests, send

SAMPLES_PER_SECOND = 250
_THREAD = re.compile(r"thread \((\d+)\)(?:: (.*))?$")
_CHOICES = {
    "get": "get",
    "list": "list 30",
    "filter": "list 30, filter",
    "total": "list 30 with total",
    "create": "create",
}


def main() -> None:
    parser = options.parser("profile", "Where the time of one request goes.", rounds=1, seconds=10)
    parser.add_argument("work", choices=list(_CHOICES))
    parser.add_argument("--top", type=int, default=40, help="lines of each table")
    parser.add_argument("--raw", type=Path, help="keep py-spy's stacks here (for flame graphs)")
    given = parser.parse_args()
    work = next(run for name, run in WORKS if name.startswith(_CHOICES[given.work]))
    with (
        run_folder() as folder,
        lineup(folder, given.engine, options.peers(given) or ["mbaas"], records=given.records) as peers,
    ):
        about = machine.describe()
        peer = peers[0]
        send(work(peer), peer.process, seconds=3)
        profile = sample(peer, work(peer), given.seconds)
    if given.raw:
        given.raw.write_text(profile.stacks)
    load = profile.load
    print(
        f"{about}\n- {peer.name}, {given.engine}, {given.work}: {load.rate:,.0f}/s, {load.cpu:,.0f} µs each\n"
    )
    print(tables(profile, given.top))


@dataclass(frozen=True, slots=True)
class Profile:
    """py-spy's stacks, the load they were taken under, and µs per request of every thread by its id."""

    stacks: str
    load: Load
    threads: dict[int, float]


def sample(peer: Peer, requests: Requests, seconds: float) -> Profile:
    """Look at the server while it answers ``requests``. Ends the program where py-spy cannot."""
    spy = shutil.which("py-spy") or shutil.which("py-spy", path=sysconfig.get_path("scripts"))
    if spy is None:
        sys.exit("py-spy is not installed: pip install py-spy")
    pid = peer.process.pid
    with ThreadPoolExecutor(1) as pool, tempfile.TemporaryDirectory(prefix="profile-") as folder:
        out = Path(folder) / "stacks"
        before = _thread_seconds(pid)
        sending = pool.submit(send, requests, peer.process, seconds=seconds + 1)
        done = subprocess.run(
            [spy, "record", "--pid", str(pid), "--duration", str(round(seconds)), "--function", "--gil",
             "--rate", str(SAMPLES_PER_SECOND), "--format", "raw", "--threads", "--output", str(out)],
            capture_output=True, text=True, check=False,
        )  # fmt: skip
        load = sending.result()
        if done.returncode or not out.exists():
            sys.exit(f"py-spy failed (it needs the right to trace processes):\n{done.stderr}")
        used = {tid: after - before.get(tid, 0) for tid, after in _thread_seconds(pid).items()}
        total = sum(used.values()) or 1
        return Profile(out.read_text(), load, {tid: one / total * load.cpu for tid, one in used.items()})


def _thread_seconds(pid: int) -> dict[int, float]:
    found = {}
    for task in Path(f"/proc/{pid}/task").iterdir():
        fields = (task / "stat").read_text().rpartition(")")[2].split()
        found[int(task.name)] = float(fields[11]) + float(fields[12])
    return found


def tables(profile: Profile, top: int) -> str:
    """Threads, functions by own time, functions by time with their calls; in µs per request."""
    samples: Counter[int] = Counter()
    names: dict[int, str] = {}
    stacks = []
    for line in profile.stacks.splitlines():
        text, _, count = line.rpartition(" ")
        head, *frames = text.split(";")
        named = _THREAD.match(head)
        if named is None:
            continue
        tid = int(named[1])
        names[tid] = named[2] or "?"
        samples[tid] += int(count)
        stacks.append((tid, int(count), [_short(frame) for frame in frames]))
    own: dict[str, float] = defaultdict(float)
    whole: dict[str, float] = defaultdict(float)
    for tid, seen, frames in stacks:
        micros = seen / samples[tid] * profile.threads.get(tid, 0)
        own[frames[-1] if frames else "?"] += micros
        for frame in set(frames):
            whole[frame] += micros
    threads: dict[str, float] = defaultdict(float)
    for tid, micros in profile.threads.items():
        threads[names.get(tid, "others: the HTTP server's own, idle ones")] += micros
    parts = [("thread", threads), ("function, self", own), ("function, with calls", whole)]
    return "\n\n".join(
        render([title, "µs"], [[name, number(micros)] for name, micros in _dearest(times, top)])
        for title, times in parts
    )


def _dearest(times: dict[str, float], top: int) -> list[tuple[str, float]]:
    return sorted(times.items(), key=lambda item: -item[1])[:top]


def _short(frame: str) -> str:
    """Without the path of this machine: ``function (projects/api/app.py)``."""
    name, _, path = frame.partition(" (")
    path = path.rstrip(")")
    for marker in (f"{ROOT}/", "site-packages/", "lib/python3"):
        if marker in path:
            path = path.partition(marker)[2]
    return f"{name} ({path})" if path else frame


if __name__ == "__main__":
    main()
