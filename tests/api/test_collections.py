"""Collections in bulk over HTTP: who may, and what is answered."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from projects.accounts import service_keys
from projects.api.app import app
from projects.context import ProjectHandle, use_project
from projects.control.actor import COMMAND
from projects.control.keys import create_key
from projects.databases.lanes import stop_lanes
from projects.models import Project
from projects.schema.oauth2_providers import PROVIDERS

ROOT = "/api/collections"


@pytest.fixture(autouse=True)
def _lanes(transactional_db: None) -> Iterator[None]:
    service_keys._cache.forget()
    yield
    stop_lanes(5)


@pytest.fixture
def key(hosted_project: ProjectHandle) -> str:
    return create_key(COMMAND, Project.objects.get(uid=hosted_project.uid), kind="service").text


def send(
    project: ProjectHandle, method: str, path: str, *, key: str = "", root: str = ROOT, **rest: Any
) -> httpx.Response:
    async def inside(scope: Any, receive: Any, send: Any) -> None:
        with use_project(project):
            await app(scope, receive, send)

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(inside, client=("192.0.2.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            headers = {"Authorization": key} if key else {}
            return await client.request(method, f"{root}{path}", headers=headers, **rest)

    return asyncio.run(run())


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("GET", "/meta/export"),
        ("GET", "/meta/oauth2-providers"),
        ("GET", "/meta/scaffolds"),
        ("PUT", "/import?dryRun=1"),
        ("PUT", "/import"),
        ("DELETE", "/users/truncate"),
    ],
)
def test_a_guest_may_do_nothing_with_collections(
    hosted_project: ProjectHandle, method: str, path: str
) -> None:
    body = {"json": {"collections": [{"name": "x"}]}} if method == "PUT" else {}
    assert send(hosted_project, method, path, **body).status_code == 401


def test_a_dry_run_answers_the_changes_and_makes_none(hosted_project: ProjectHandle, key: str) -> None:
    body = {"collections": [{"name": "fresh", "fields": [{"name": "title", "type": "text"}]}]}
    dry = send(hosted_project, "PUT", "/import?dryRun=1", key=key, json=body)
    assert dry.status_code == 200, dry.text
    assert [(entry["name"], entry["change"]) for entry in dry.json()["collections"]] == [("fresh", "create")]
    assert send(hosted_project, "GET", "/fresh", key=key).status_code == 404
    assert send(hosted_project, "PUT", "/import", key=key, json=body).status_code == 204
    assert send(hosted_project, "PUT", "/import?dryRun=1", key=key, json=body).json()["collections"] == []


def test_an_export_can_be_imported_as_it_is(hosted_project: ProjectHandle, key: str) -> None:
    exported = send(hosted_project, "GET", "/meta/export", key=key).json()
    assert {made["name"] for made in exported["collections"]} >= {"users", "_superusers"}
    assert send(hosted_project, "PUT", "/import", key=key, json=exported).status_code == 204
    assert send(hosted_project, "GET", "/meta/export", key=key).json() == exported


def test_the_providers_are_those_that_a_collection_may_name(hosted_project: ProjectHandle, key: str) -> None:
    found = send(hosted_project, "GET", "/meta/oauth2-providers", key=key).json()
    assert [provider["name"] for provider in found] == list(PROVIDERS)
    assert all(set(provider) == {"name", "displayName", "logo"} for provider in found)


def test_a_view_is_read_and_never_written(hosted_project: ProjectHandle, key: str) -> None:
    made = {
        "name": "v",
        "type": "view",
        "viewQuery": "SELECT id, name FROM users",
        "listRule": "",
        "viewRule": "",
    }
    assert send(hosted_project, "POST", "", key=key, json=made).status_code == 200
    assert send(hosted_project, "GET", "/v/records").json()["items"] == []
    for method, path in (
        ("POST", "/v/records"),
        ("PATCH", "/v/records/x"),
        ("DELETE", "/v/records/x"),
        ("PATCH", "/v/records?filter=id!=''"),
        ("DELETE", "/v/records?filter=id!=''"),
    ):
        body = {} if method == "DELETE" else {"json": {"name": "x"}}
        refused = send(hosted_project, method, path, key=key, **body)
        assert (refused.status_code, refused.json()["message"]) == (400, "Unsupported collection type."), path
        assert send(hosted_project, method, path, **body).status_code == 400
    part = {"method": "POST", "url": "/api/collections/v/records", "body": {"name": "x"}}
    batch = send(hosted_project, "POST", "/api/batch", root="", key=key, json={"requests": [part]})
    assert batch.status_code == 400
    tried = send(hosted_project, "POST", "/meta/dry-run-view", key=key, json={"query": made["viewQuery"]})
    assert [field["name"] for field in tried.json()["fields"]] == ["id", "name"]
    assert send(hosted_project, "POST", "/meta/dry-run-view", json={"query": "SELECT 1"}).status_code == 401
