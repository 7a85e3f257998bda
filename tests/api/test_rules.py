"""``/api/rules`` and the warnings of saved collections: who may ask, and what is answered."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import httpx
import pytest

from projects.accounts import service_keys
from projects.context import ProjectHandle
from projects.control.actor import COMMAND
from projects.control.keys import create_key
from projects.databases import write_session
from projects.databases.lanes import TooBusyError, stop_lanes
from projects.models import Project
from tests.api.support import signed_in
from tests.api.test_collections import send

RULES = "/api/rules"
NOTES = {"name": "notes", "fields": [{"name": "owner", "type": "text"}]}


@pytest.fixture(autouse=True)
def _lanes(transactional_db: None) -> Iterator[None]:
    service_keys._cache.forget()
    yield
    stop_lanes(5)


@pytest.fixture
def key(hosted_project: ProjectHandle) -> str:
    return create_key(COMMAND, Project.objects.get(uid=hosted_project.uid), kind="service").text


def ask(project: ProjectHandle, method: str, path: str, token: str = "", **rest: Any) -> httpx.Response:
    return send(project, method, path, key=token, root=RULES, **rest)


@pytest.mark.parametrize(
    ("method", "path"), [("GET", "/overview"), ("POST", "/explain"), ("POST", "/complete")]
)
def test_only_superusers_may_ask_about_rules(hosted_project: ProjectHandle, method: str, path: str) -> None:
    with write_session(hosted_project) as session:
        _, token = signed_in(session, "alice@example.com")
    body = {"json": {"collection": "users"}} if method == "POST" else {}
    assert ask(hosted_project, method, path, **body).status_code == 401
    assert ask(hosted_project, method, path, token, **body).status_code == 403


def test_the_overview_names_every_collection_and_its_warnings(
    hosted_project: ProjectHandle, key: str
) -> None:
    made = send(hosted_project, "POST", "", key=key, json={**NOTES, "deleteRule": ""})
    assert made.status_code == 200
    report = ask(hosted_project, "GET", "/overview", key).json()
    by_name = {one["name"]: one for one in report["collections"]}
    assert by_name["users"]["rules"]["list"]["audience"] == "owner"
    assert by_name["notes"]["rules"]["delete"] == {
        "rule": "",
        "audience": "public",
        "guests": "always",
        "public": True,
    }
    assert by_name["_superusers"]["system"] is True
    assert [(one["code"], one["collection"]) for one in report["warnings"]] == [("open_delete", "notes")]


def test_a_saved_collection_is_answered_with_its_warnings(hosted_project: ProjectHandle, key: str) -> None:
    rule = "owner = @request.auth.id"
    made = send(hosted_project, "POST", "", key=key, json={**NOTES, "updateRule": rule}).json()
    (warning,) = made["warnings"]
    assert warning.keys() == {
        "code",
        "severity",
        "collection",
        "rule",
        "field",
        "message",
        "position",
        "hint",
    }
    assert (warning["code"], warning["rule"], warning["field"]) == (
        "guest_equals_empty",
        "updateRule",
        "owner",
    )
    closed = {"updateRule": f'@request.auth.id != "" && {rule}'}
    changed = send(hosted_project, "PATCH", "/notes", key=key, json=closed).json()
    assert "warnings" not in changed
    assert "warnings" not in send(hosted_project, "GET", "/notes", key=key).json()
    picked = send(
        hosted_project, "PATCH", "/notes?fields=name,warnings.code", key=key, json={"updateRule": rule}
    )
    assert picked.json() == {"name": "notes", "warnings": [{"code": "guest_equals_empty"}]}


def test_a_saved_collection_is_answered_even_when_there_is_no_time_for_its_warnings(
    hosted_project: ProjectHandle, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def busy(*_arguments: Any, **_options: Any) -> None:
        raise TooBusyError

    monkeypatch.setattr("projects.api.collections.read", busy)
    made = send(hosted_project, "POST", "", key=key, json={**NOTES, "deleteRule": ""})
    assert (made.status_code, made.json()["name"], "warnings" in made.json()) == (200, "notes", False)


def test_an_import_ignores_warnings_and_its_dry_run_names_them(
    hosted_project: ProjectHandle, key: str
) -> None:
    made = send(hosted_project, "POST", "", key=key, json={**NOTES, "deleteRule": ""}).json()
    assert made["warnings"]
    body = {"collections": [{**made, "viewRule": "owner != ''"}]}
    dry = send(hosted_project, "PUT", "/import?dryRun=1", key=key, json=body).json()
    assert [one["code"] for one in dry["warnings"]] == ["open_delete"]
    assert send(hosted_project, "PUT", "/import", key=key, json=body).status_code == 204


def test_a_rule_is_explained_for_a_user_and_a_record(hosted_project: ProjectHandle, key: str) -> None:
    with write_session(hosted_project) as session:
        alice, _ = signed_in(session, "alice@example.com")
        bob, _ = signed_in(session, "bob@example.com")
    asked = {"collection": "users", "operation": "update", "user": f"users/{bob}", "record": alice}
    answer = ask(hosted_project, "POST", "/explain", key, json=asked).json()
    assert (answer["verdict"], answer["rule"]) == (False, "id = @request.auth.id")
    assert (answer["tree"]["left"]["value"], answer["tree"]["right"]["value"]) == (alice, bob)
    assert answer["plan"][0]["access"] == "index"


def test_a_rule_that_is_wrong_is_answered_with_where_and_what_was_expected(
    hosted_project: ProjectHandle, key: str
) -> None:
    refused = ask(hosted_project, "POST", "/explain", key, json={"collection": "users", "rule": "id = (1"})
    assert refused.status_code == 400
    assert refused.json()["data"]["rule"]["params"]["position"] == 5
    assert ask(hosted_project, "POST", "/explain", key, content=b"[1]").status_code == 400


def test_an_editor_is_told_what_may_stand_at_a_position(hosted_project: ProjectHandle, key: str) -> None:
    def complete(**body: Any) -> httpx.Response:
        return ask(hosted_project, "POST", "/complete", key, json={"collection": "users", **body})

    answer = complete(text="id = @request.au").json()
    assert (answer["start"], answer["end"]) == (5, 16)
    assert [item["text"] for item in answer["items"]] == ["@request.auth."]
    assert answer["errors"][0]["position"] == 5
    assert complete(text="na", position=1).json()["items"][0]["text"] == "name"
    assert complete(text="@", kind="filter").json()["items"][0]["kind"] == "macro"
    refusals: list[tuple[str, dict[str, Any]]] = [
        ("collection", {"collection": "nope"}),
        ("collection", {"collection": None}),
        ("text", {"text": 5}),
        ("text", {"text": "x" * 50_001}),
        ("position", {"text": "x", "position": 2}),
        ("position", {"text": "x", "position": True}),
        ("kind", {"text": "x", "kind": "nope"}),
    ]
    for field, body in refusals:
        refused = complete(**body)
        assert (refused.status_code, list(refused.json()["data"])) == (400, [field])
