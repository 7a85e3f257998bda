"""Requests made up from the demo project's OpenAPI document: none fails, and every answer is one that it names."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from projects.control.demo import USERS
from tests import server as servers

# How long each run makes up requests; the seed is fixed so that a failure in CI is one at home too.
SECONDS = 6
SEED = "20261127"
CHECKS = (
    "not_a_server_error", "status_code_conformance", "content_type_conformance",
    "response_headers_conformance", "response_schema_conformance",
)  # fmt: skip
LEFT_OUT = ("realtimeConnect", "deleteCollection", "truncateCollection")

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def demo(server_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """The address of a running demo project that answers refused sign-ins at once."""
    folder = tmp_path_factory.mktemp("server")
    with servers.running(folder, engine=server_kind, MBAAS_SIGN_IN_REFUSAL_MS="0") as running:
        running.manage("bootstrap")
        yield running.project("demo")


def token(base: str, collection: str, identity: str, password: str) -> str:
    body = {"identity": identity, "password": password}
    answer = httpx.post(f"{base}/api/collections/{collection}/auth-with-password", json=body)
    return str(answer.raise_for_status().json()["token"])


def document(base: str, authorization: str) -> dict[str, Any]:
    """The document without ``fields``: what a client asks to leave out, no schema can demand."""
    answer = httpx.get(f"{base}/openapi.json", headers={"Authorization": authorization})
    made: dict[str, Any] = answer.raise_for_status().json()
    for methods in made["paths"].values():
        for operation in methods.values():
            operation["parameters"] = [
                parameter
                for parameter in operation.get("parameters", ())
                if parameter.get("$ref") != "#/components/parameters/fields"
            ]
    return made


@pytest.mark.parametrize("who", ["user", "superuser"])
def test_no_request_fails_and_every_answer_is_documented(demo: str, tmp_path: Path, who: str) -> None:
    if who == "superuser":
        authorization = token(demo, "_superusers", servers.OWNER, servers.PASSWORD)
    else:
        email, password = next(iter(USERS.items()))
        authorization = token(demo, "users", email, password)
    made = tmp_path / "openapi.json"
    made.write_text(json.dumps(document(demo, authorization)))
    command = [
        sys.executable, "-m", "schemathesis.cli", "run", str(made), "--url", demo,
        "--header", f"Authorization: {authorization}", "--checks", ",".join(CHECKS),
        "--phases", "examples,fuzzing", "--max-time", str(SECONDS), "--seed", SEED, "--workers", "1",
        "--suppress-health-check", "all", "--warnings", "off", "--continue-on-failure",
        # A stream that does not end, and what would leave nothing to ask for.
        *(word for name in LEFT_OUT for word in ("--exclude-operation-id", name)),
    ]  # fmt: skip
    hooks = {"SCHEMATHESIS_HOOKS": "tests.sdk_schemas.serializing", "PYTHONPATH": str(servers.ROOT)}
    done = subprocess.run(
        command, cwd=tmp_path, env=os.environ | hooks, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout[-8000:] + done.stderr[-2000:]
    assert "No test cases" not in done.stdout
