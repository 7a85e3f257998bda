"""Who reads a project's OpenAPI document and SDK types, over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import httpx
import pytest

from projects.accounts import service_keys
from projects.accounts.tokens import issue_token
from projects.api.app import app
from projects.context import ProjectHandle, use_project
from projects.control.actor import COMMAND
from projects.control.keys import create_key
from projects.control.project_settings import API_DOCS, check_settings
from projects.databases import write_session
from projects.databases.lanes import stop_lanes
from projects.models import Project
from projects.rules import validate_rule
from projects.schema import create_collection, update_collection, view_collection
from tests.accounts.helpers import sign_up
from tests.hosting import host

PATHS = ["/openapi.json", "/sdk/typescript"]
CLOSED = {"name": "vault", "fields": [{"name": "note", "type": "text"}]}


@pytest.fixture(autouse=True)
def _lanes(transactional_db: None) -> Iterator[None]:
    service_keys._cache.forget()
    yield
    stop_lanes(5)


@pytest.fixture
def members_only(make_project: Callable[..., ProjectHandle]) -> ProjectHandle:
    return make_project("docs")


@pytest.fixture
def public(make_project: Callable[..., ProjectHandle]) -> ProjectHandle:
    return make_project("docs", **{API_DOCS: "public"})


def fetch(project: ProjectHandle, path: str, **headers: str) -> httpx.Response:
    async def inside(scope: Any, receive: Any, send: Any) -> None:
        with use_project(project):
            await app({**scope, "mbaas.prefix": "/p/docs"}, receive, send)

    async def run() -> httpx.Response:
        transport = httpx.ASGITransport(inside, client=("192.0.2.1", 1))
        async with httpx.AsyncClient(transport=transport, base_url="http://test") as client:
            return await client.get(path, headers=headers)

    return asyncio.run(run())


def service_key(project: ProjectHandle) -> str:
    host(project)
    return create_key(COMMAND, Project.objects.get(uid=project.uid), kind="service", name="docs").text


@pytest.mark.parametrize("path", PATHS)
def test_a_guest_and_an_end_user_read_nothing_of_a_project_of_members(
    members_only: ProjectHandle, path: str
) -> None:
    with write_session(members_only) as session:
        alice = sign_up(session)
        users = view_collection(session, "users")
        token = issue_token(members_only, users, alice)
    assert fetch(members_only, path).status_code == 401
    assert fetch(members_only, path, authorization=token).status_code == 403


@pytest.mark.parametrize("path", PATHS)
def test_a_guest_reads_of_a_public_project_what_an_app_can_use(public: ProjectHandle, path: str) -> None:
    with write_session(public) as session:
        create_collection(session, CLOSED, validate_rule=validate_rule)
    answer = fetch(public, path)
    assert answer.status_code == 200 and "vault" not in answer.text.lower()
    assert "users" in answer.text


@pytest.mark.parametrize("path", PATHS)
def test_a_superuser_reads_all_of_it(members_only: ProjectHandle, path: str) -> None:
    with write_session(members_only) as session:
        create_collection(session, CLOSED, validate_rule=validate_rule)
    answer = fetch(members_only, path, authorization=service_key(members_only))
    assert answer.status_code == 200 and "vault" in answer.text


def test_the_document_names_the_projects_address_and_says_when_it_changed(public: ProjectHandle) -> None:
    first = fetch(public, "/openapi.json")
    document = first.json()
    assert document["openapi"].startswith("3.1") and document["servers"] == [{"url": "/p/docs"}]
    tag = first.headers["etag"]
    again = fetch(public, "/openapi.json", **{"if-none-match": tag})
    assert again.status_code == 304 and not again.content
    with write_session(public) as session:
        update_collection(session, "users", {"listRule": None}, validate_rule=validate_rule)
    changed = fetch(public, "/openapi.json", **{"if-none-match": tag})
    assert changed.status_code == 200 and changed.headers["etag"] != tag
    assert "Authorization" in changed.headers["vary"] and "private" in changed.headers["cache-control"]


def test_a_version_that_there_is_not_is_refused(public: ProjectHandle) -> None:
    assert fetch(public, "/openapi.json?version=3.0").json()["openapi"].startswith("3.0")
    refused = fetch(public, "/openapi.json?version=2.0")
    assert refused.status_code == 400 and refused.json()["data"]["version"]["code"] == "validation_in_invalid"


def test_a_language_that_there_is_not_is_not_found(public: ProjectHandle) -> None:
    assert fetch(public, "/sdk/cobol").status_code == 404


def test_the_docs_page_says_nothing_and_runs_our_scripts_alone(members_only: ProjectHandle) -> None:
    page = fetch(members_only, "/docs")
    assert page.status_code == 200 and page.headers["content-type"].startswith("text/html")
    policy = page.headers["content-security-policy"]
    assert "script-src 'self';" in policy and "default-src 'none'" in policy
    assert "<script>" not in page.text and "http://" not in page.text and "https://" not in page.text
    assert "users" not in page.text


def test_who_may_read_is_one_of_two_words() -> None:
    assert not check_settings({API_DOCS: "public"}) and not check_settings({API_DOCS: "members"})
    assert API_DOCS in check_settings({API_DOCS: "everybody"}) and API_DOCS in check_settings(
        {API_DOCS: True}
    )
