"""``python -m benchmarks.files``: small files, thumbs and large files per second, beside PocketBase and nginx.

nginx serves the very file that lies in our storage, with sendfile and one worker: it is the limit to approach.
"""

from __future__ import annotations

import argparse
import io
import os
import shutil
import subprocess
import threading
import time
from collections import defaultdict
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import httpx
from PIL import Image

from benchmarks import machine
from benchmarks.peers.mbaas import REF, Mbaas, version
from benchmarks.peers.pocketbase import PocketBase
from benchmarks.process import Process, ServerError
from benchmarks.scratch import run_folder
from benchmarks.table import median, number, ratio, render, spread
from benchmarks.wrk import Requests, send
from tests.oracle.pocketbase import VERSION
from tests.services import free_port

T = TypeVar("T")

SMALL, MEGABYTE = 8 * 1024, 1024 * 1024
WARM_UP_SECONDS = 1
# What issue 5 asks for.
REACH = {"small file (8 KB) /s": 3000, "thumb that is there /s": 3000}

_NGINX = """
worker_processes 1; daemon off; user root; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{ worker_connections 1024; }}
http {{ access_log off; sendfile on; tcp_nopush on; default_type application/octet-stream;
  client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
  uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
  server {{ listen 127.0.0.1:{port}; root {folder}/www; }} }}
"""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server and the addresses of the three files on it; empty where it has none."""

    name: str
    process: Process
    small: str
    thumb: str
    large: str


def main() -> None:
    parser = argparse.ArgumentParser(
        prog="python -m benchmarks.files", description=(__doc__ or "").split("\n")[2]
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=4, help="length of one load")
    parser.add_argument("--megabytes", type=int, default=1024, help="size of the large file")
    given = parser.parse_args()
    with run_folder() as folder:
        large = folder / "large.bin"
        with large.open("wb") as out:
            block = os.urandom(MEGABYTE)
            for _ in range(given.megabytes):
                out.write(block)
        servers, passing = start(folder, large)
        about = machine.describe([f"mbaas {version()}", f"PocketBase {VERSION}", nginx_version()])
        try:
            found = measure(servers, given.rounds, given.seconds)
        finally:
            for server in servers:
                server.process.stop()
    print(
        f"{about}\n- {given.rounds} rounds of {given.seconds:g} s; the large file has {given.megabytes:,} MB\n"
    )
    print(
        render(
            ["", *(server.name for server in servers), "mbaas / PocketBase", "mbaas / nginx", "reach"],
            rows(found),
        )
    )
    print(
        f"\nUpload of the large file: {number(given.megabytes / passing['seconds'])} MB/s; memory grew by"
        f" {number(passing['up'])} MB on the way in, and by {number(passing['down'])} MB on the way out."
    )


def start(folder: Path, large: Path) -> tuple[list[Server], dict[str, float]]:
    ours = Mbaas(folder / "mbaas")
    ours.create_project()
    process = ours.start()
    token = ours.token()
    mine, passing = fill("mbaas", process, ours.url(REF), token, large)
    theirs = PocketBase(folder / "pocketbase")
    other = theirs.start()
    yours, _ = fill("PocketBase", other, theirs.url, theirs.token(), large)
    # The very files of our storage, told apart by their size.
    objects = sorted(
        (path for path in ours.data.glob("projects/*/*/files/*/*")), key=lambda path: path.stat().st_size
    )
    by_size = {path.stat().st_size: path for path in objects}
    thumb = len(httpx.get(mine.thumb).content)
    www = folder / "nginx" / "www"
    www.mkdir(parents=True)
    for name, size in (("small", SMALL), ("thumb", thumb), ("large", large.stat().st_size)):
        os.link(by_size[size], www / name)
    return [mine, yours, nginx(folder / "nginx")], passing


def fill(name: str, process: Process, url: str, token: str, large: Path) -> tuple[Server, dict[str, float]]:
    """A collection with the three files, open to everyone; and what passing the large one through took."""
    client = httpx.Client(base_url=url, headers={"Authorization": token}, timeout=600)
    rules = dict.fromkeys(("listRule", "viewRule", "createRule", "updateRule", "deleteRule"), "")
    fields = [{"name": "file", "type": "file", "maxSize": 2**33, "thumbs": ["200x200"]}]
    answer = client.post(
        "/api/collections", json={"name": "files", "type": "base", "fields": fields, **rules}
    )
    answer.raise_for_status()

    def upload(content: Any, filename: str) -> str:
        made = client.post("/api/collections/files/records", files={"file": (filename, content)})
        made.raise_for_status()
        record: dict[str, Any] = made.json()
        return f"{url}/api/files/files/{record['id']}/{record['file']}"

    small = upload(os.urandom(SMALL), "small.bin")
    picture = io.BytesIO()
    Image.effect_noise((1600, 1200), 60).convert("RGB").save(picture, "JPEG", quality=85)
    thumb = f"{upload(picture.getvalue(), 'picture.jpg')}?thumb=200x200"
    client.get(thumb).raise_for_status()
    with large.open("rb") as content:
        address, seconds, up = growing(process, lambda: upload(content, "large.bin"))
    _, _, down = growing(process, lambda: curl(address))
    return Server(name, process, small, thumb, address), {"seconds": seconds, "up": up, "down": down}


def growing(process: Process, work: Callable[[], T]) -> tuple[T, float, float]:
    """What ``work`` gave, the seconds it took, and by how many MB the process was larger than before at most."""
    done = threading.Event()
    before = most = process.memory_mb()

    def watch() -> None:
        nonlocal most
        while not done.wait(0.02):
            most = max(most, process.memory_mb())

    watching = threading.Thread(target=watch)
    watching.start()
    started = time.perf_counter()
    try:
        given = work()
    finally:
        took = time.perf_counter() - started
        done.set()
        watching.join()
    return given, took, most - before


def nginx(folder: Path) -> Server:
    port = free_port()
    (folder / "nginx.conf").write_text(_NGINX.format(folder=folder, port=port))
    origin = f"http://127.0.0.1:{port}"
    command = ["nginx", "-c", str(folder / "nginx.conf"), "-p", str(folder)]
    process = Process(command, health=f"{origin}/small", cwd=folder, log=folder / "nginx.log")
    return Server("nginx", process, f"{origin}/small", f"{origin}/thumb", f"{origin}/large")


def nginx_version() -> str:
    if shutil.which("nginx") is None:
        raise ServerError("nginx is not in PATH: apt-get install nginx")
    said = subprocess.run(["nginx", "-v"], capture_output=True, text=True, check=True).stderr
    return said.strip().removeprefix("nginx version: ")


Found = dict[str, dict[str, list[float]]]


def measure(servers: list[Server], rounds: int, seconds: float) -> Found:
    """What each server did, by kind of work and by its name, a value for each round."""
    found: Found = defaultdict(lambda: defaultdict(list))
    for server in servers:
        for url in (server.small, server.thumb):
            load(url, WARM_UP_SECONDS)
        curl(server.large)
    for _ in range(rounds):
        for server in servers:
            found["small file (8 KB) /s"][server.name].append(load(server.small, seconds))
        for server in servers:
            found["thumb that is there /s"][server.name].append(load(server.thumb, seconds))
        for server in servers:
            found["large file, MB/s"][server.name].append(curl(server.large) / MEGABYTE)
        for server in servers:
            found["large file from byte 1 on, MB/s"][server.name].append(curl(server.large, "1-") / MEGABYTE)
    return found


class _NoCpu:
    def cpu_seconds(self) -> float:
        return 0.0


def load(url: str, seconds: float) -> float:
    parts = urlsplit(url)
    path = f"{parts.path}?{parts.query}" if parts.query else parts.path
    return send(Requests(f"{parts.scheme}://{parts.netloc}", [(path, "")]), _NoCpu(), seconds=seconds).rate


def curl(url: str, part: str = "") -> float:
    """Bytes per second of one download."""
    command = [
        "curl",
        "-sf",
        "-o",
        "/dev/null",
        "-w",
        "%{speed_download}",
        *(["-r", part] if part else []),
        url,
    ]
    return float(subprocess.run(command, capture_output=True, text=True, check=True).stdout)


def rows(found: Found) -> list[list[str]]:
    out = []
    for work, by_name in found.items():
        ours = by_name["mbaas"]
        reach = REACH.get(work)
        out.append(
            [
                work,
                *(spread(values) for values in by_name.values()),
                ratio(ours, by_name["PocketBase"]),
                ratio(ours, by_name["nginx"]),
                "" if reach is None else f"≥ {reach:,}{'' if median(ours) >= reach else ' (missed)'}",
            ]
        )
    return out


if __name__ == "__main__":
    main()
