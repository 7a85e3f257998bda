"""However many projects are opened one after another, a process holds a bounded number of files and bytes."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from tests import server as servers
from tests.system.app import TIMEOUT

# PostgreSQL makes a schema and a role of each, in a server that is thrown away.
PROJECTS = {"sqlite": 1000, "postgresql": 200}
# After this many everything that is kept for some has filled up.
WARM = {"sqlite": 250, "postgresql": 60}
MORE_MEMORY = 40 * 1024 * 1024

_CREATE = """
from projects.control.actor import COMMAND
from projects.control.projects import create_project
for number in range({count}):
    create_project(COMMAND, f"many-{{number}}")
"""


@pytest.fixture(scope="module")
def server(server_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    # The event loop may hold a thousand; here it is full before the first count.
    bound = {"MBAAS_OPEN_DATABASES": "100"}
    folder = tmp_path_factory.mktemp("server")
    with servers.installation(folder, engine=server_kind, **bound) as installed:
        installed.manage("shell", "-v", "0", "-c", _CREATE.format(count=PROJECTS[server_kind]))
        installed.start()
        yield installed
        installed.stop()


@pytest.mark.timeout(300)
def test_opening_many_projects_keeps_files_and_memory_bounded(
    server: servers.Server, server_kind: str
) -> None:
    with httpx.Client(timeout=TIMEOUT) as http:
        for number in range(WARM[server_kind]):
            visit(http, server, number)
        files, memory = open_files(server), resident(server)
        for number in range(WARM[server_kind], PROJECTS[server_kind]):
            visit(http, server, number)
    assert open_files(server) <= files + 10
    assert resident(server) <= memory + MORE_MEMORY


def visit(http: httpx.Client, server: servers.Server, number: int) -> None:
    """Read from a project's database and write to it."""
    url = f"{server.project(f'many-{number}')}/api/collections/users/records"
    answer = http.get(url)
    assert answer.status_code == 200, answer.text
    answer = http.post(
        url, json={"email": "not-an-address", "password": "long-enough", "passwordConfirm": "long-enough"}
    )
    assert answer.status_code == 400, answer.text


def open_files(server: servers.Server) -> int:
    assert server.process is not None
    return len(list(Path(f"/proc/{server.process.pid}/fd").iterdir()))


def resident(server: servers.Server) -> int:
    """Resident memory, bytes."""
    assert server.process is not None
    for line in Path(f"/proc/{server.process.pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1]) * 1024
    raise AssertionError("the process has no memory")
