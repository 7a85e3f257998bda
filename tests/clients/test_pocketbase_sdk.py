"""The official JavaScript SDK, unmodified, against running servers: ours, and a real PocketBase.

The tests themselves are the ``*.test.mjs`` beside this file. That PocketBase passes them too shows that
they ask for its contract and not for ours.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import server as mbaas
from tests.conftest import SERVER_KINDS
from tests.oracle.pocketbase import NoBinaryError, pocketbase
from tests.services import skip_or_fail

HERE = Path(__file__).resolve().parent
# That of another library needs a server of its own, to be killed: test_tus_client.py.
FILES = sorted(path.name for path in HERE.glob("*.test.mjs") if path.name != "tus.test.mjs")
# PocketBase has one project.
NOT_FOR_POCKETBASE = {"isolation.test.mjs"}
SECONDS = 240

pytestmark = pytest.mark.timeout(SECONDS + 60)


@pytest.fixture(scope="module", params=[*SERVER_KINDS, "pocketbase"])
def where(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[dict[str, str]]:
    """The environment that tells the Node tests where a server is and who its superuser is."""
    require_node()
    folder = tmp_path_factory.mktemp("server")
    if request.param == "pocketbase":
        try:
            with pocketbase(folder) as model:
                yield {
                    "CLIENT_URL": model.base_url,
                    "CLIENT_EMAIL": model.email,
                    "CLIENT_PASSWORD": model.password,
                }
        except NoBinaryError as missing:
            skip_or_fail(str(missing))
        return
    # Two processes where they can talk to each other: what one writes the other's clients must hear.
    workers = 2 if request.param == "postgresql" else 1
    with mbaas.running(folder, engine=request.param, workers=workers) as server:
        yield {
            "CLIENT_URL": server.create_project("first"),
            "CLIENT_SECOND_URL": server.create_project("second"),
            "CLIENT_EMAIL": mbaas.OWNER,
            "CLIENT_PASSWORD": mbaas.PASSWORD,
        }


@pytest.mark.parametrize("file", FILES)
def test_sdk(where: dict[str, str], file: str) -> None:
    if file in NOT_FOR_POCKETBASE and "CLIENT_SECOND_URL" not in where:
        pytest.skip("PocketBase has one project")
    done = subprocess.run(
        ["node", "--test", "--test-reporter=spec", file],
        cwd=HERE, env={**os.environ, **where}, capture_output=True, text=True, timeout=SECONDS, check=False,
    )  # fmt: skip
    if done.returncode:
        pytest.fail(f"node --test {file}\n{done.stdout}\n{done.stderr}", pytrace=False)


def require_node() -> None:
    if shutil.which("node") is None:
        skip_or_fail("node is not in PATH: install Node.js 20 or newer")
    if not (HERE / "node_modules" / "pocketbase").exists():
        skip_or_fail("the npm packages are not installed: npm ci --prefix tests/clients")
