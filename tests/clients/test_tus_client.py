"""``tus-js-client``, unmodified, against a server that is killed while it uploads."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator

import httpx
import pytest

from tests import server as mbaas
from tests.clients.test_pocketbase_sdk import HERE, require_node
from tests.files.tus import UPLOADS

SECONDS = 120

pytestmark = pytest.mark.timeout(SECONDS + 60)


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[mbaas.Server]:
    """On one engine: the bytes of an upload touch no database."""
    with mbaas.running(tmp_path_factory.mktemp("server")) as running:
        running.create_project("first")
        yield running


def test_an_upload_survives_that_its_server_is_killed(server: mbaas.Server) -> None:
    require_node()
    environment = {
        **os.environ,
        "CLIENT_URL": server.project("first"),
        "CLIENT_EMAIL": mbaas.OWNER,
        "CLIENT_PASSWORD": mbaas.PASSWORD,
    }
    with subprocess.Popen(
        ["node", "tus.test.mjs"],
        cwd=HERE, env=environment, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
    ) as node:  # fmt: skip
        assert node.stdout is not None
        printed, kills = [], 0
        for line in node.stdout:
            printed.append(line)
            if line.strip() == "kill":
                server.kill()
                server.start()
                kills += 1
        code = node.wait(SECONDS)
    if code or kills != 1:
        pytest.fail(f"{kills} kills\n{''.join(printed)}", pytrace=False)


def test_browsers_may_speak_the_protocol(server: mbaas.Server) -> None:
    address = server.project("first") + UPLOADS
    origin = {"Origin": "https://app.example.com"}
    asked = {
        **origin,
        "Access-Control-Request-Method": "PATCH",
        "Access-Control-Request-Headers": "tus-resumable,upload-offset",
    }
    said = httpx.options(address, headers=asked).headers
    assert said["tus-resumable"] == said["tus-version"] == "1.0.0"
    assert "termination" in said["tus-extension"] and "sha256" in said["tus-checksum-algorithm"]
    assert int(said["tus-max-size"]) > 10**9
    assert "PATCH" in said["access-control-allow-methods"]
    assert "upload-offset" in said["access-control-allow-headers"]
    answer = httpx.post(address, headers=origin)
    assert answer.status_code == 412
    assert "Location" in answer.headers["access-control-expose-headers"]
    elsewhere = httpx.options(server.project("first") + "/api/health", headers=origin).headers
    assert "tus-version" not in elsewhere
