"""The control API over HTTP: the same roles, one shape for every refusal."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

import pytest
from django.test import Client

from projects.control import keys, tokens
from projects.control.actor import Actor
from projects.models import ApiKey, ConsoleUser, PersonalToken, Placement, Project
from tests.control.conftest import PASSWORD, ROLES

ROOT = "/api/v1"
Call = Callable[..., Any]


@pytest.fixture
def call(actors: dict[str, Actor], people: dict[str, ConsoleUser]) -> Call:
    """``call("owner", "POST", "/projects/", {...})``: as somebody, by personal token."""
    texts = {role: tokens.create_token(actors[role], people[role], name="test").text for role in ROLES}

    def send(role: str, method: str, path: str, body: Any = None) -> Any:
        return Client().generic(
            method,
            ROOT + path,
            json.dumps(body) if body is not None else "",
            content_type="application/json",
            HTTP_AUTHORIZATION=f"Bearer {texts[role]}",
        )

    return send


def _shape(answer: Any, status: int) -> dict[str, Any]:
    assert answer.status_code == status, answer.content
    body: dict[str, Any] = answer.json()
    assert set(body) == {"status", "message", "data"} and body["status"] == status
    assert body["message"]
    return body


# Who may, of viewer, developer and owner; operators may all, strangers find nothing.
READ, WORK, OWN = {"viewer", "developer", "owner"}, {"developer", "owner"}, {"owner"}
ROUTES: list[tuple[str, str, Any, set[str]]] = [
    ("GET", "/projects/shop/", None, READ),
    ("PATCH", "/projects/shop/", {"name": "New"}, WORK),
    ("DELETE", "/projects/shop/?confirm=shop", None, OWN),
    ("POST", "/projects/shop/suspend/", {}, OWN),
    ("GET", "/projects/shop/members/", None, READ),
    ("POST", "/projects/shop/members/", {"email": "stranger@example.com", "role": "viewer"}, OWN),
    ("GET", "/projects/shop/keys/", None, WORK),
    ("POST", "/projects/shop/keys/", {"kind": "public"}, WORK),
    ("POST", "/projects/shop/keys/", {"kind": "service"}, OWN),
    ("GET", "/projects/shop/audit/", None, WORK),
]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(("method", "path", "body", "allowed"), ROUTES)
def test_each_route_is_for_its_roles(
    method: str, path: str, body: Any, allowed: set[str], role: str, shop: Project, call: Call
) -> None:
    answer = call(role, method, path, body)
    if role in allowed | {"operator"}:
        assert answer.status_code < 300, answer.content
    else:
        _shape(answer, 404 if role == "stranger" else 403)


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize(
    ("method", "path", "body"),
    [
        ("GET", "/placements/", None),
        ("POST", "/placements/", {"name": "more", "engine": "sqlite"}),
        ("GET", "/placements/local/", None),
        ("PATCH", "/placements/local/", {"acceptsProjects": False}),
        ("GET", "/audit/", None),
    ],
)
def test_the_installation_is_for_operators(
    method: str, path: str, body: Any, role: str, shop: Project, call: Call
) -> None:
    answer = call(role, method, path, body)
    if role == "operator":
        assert answer.status_code < 300, answer.content
    else:
        _shape(answer, 403)


@pytest.mark.parametrize("method", ["GET", "POST", "PATCH", "DELETE"])
@pytest.mark.parametrize(
    "path",
    ["/me/", "/tokens/", "/projects/", "/projects/shop/", "/projects/shop/keys/", "/placements/", "/audit/"],
)
def test_nobody_gets_anything(method: str, path: str, shop: Project) -> None:
    answer = Client().generic(method, ROOT + path, "{}", content_type="application/json")
    _shape(answer, 401)
    assert answer["WWW-Authenticate"].startswith("Bearer")


@pytest.mark.parametrize(
    "header", ["Bearer pt_wrong", "Bearer", "Basic b3duZXI6eA==", "pt_wrong", "Bearer pt_ü", "Bearer sk_x y"]
)
def test_a_header_that_is_wrong_is_refused_even_with_a_session(
    header: str, client: Client, shop: Project, people: dict[str, ConsoleUser]
) -> None:
    client.force_login(people["owner"], backend="projects.control.auth.ConsoleBackend")
    assert client.get(f"{ROOT}/me/").status_code == 200
    _shape(client.get(f"{ROOT}/me/", HTTP_AUTHORIZATION=header), 401)


def test_a_projects_key_is_no_way_into_the_control_plane(shop: Project, actors: dict[str, Actor]) -> None:
    key = keys.create_key(actors["owner"], shop, kind="service").text
    _shape(Client().get(f"{ROOT}/projects/shop/", HTTP_AUTHORIZATION=f"Bearer {key}"), 401)


def test_a_project_is_created_listed_and_read(local: Placement, call: Call) -> None:
    made = call("owner", "POST", "/projects/", {"ref": "garden", "name": "Garden"})
    assert made.status_code == 201
    body = made.json()
    assert body["url"] == "http://testserver/p/garden" and body["role"] == "owner"
    assert (body["status"], body["placement"], body["engine"]) == ("active", "local", "sqlite")
    listed = call("owner", "GET", "/projects/").json()
    assert (listed["page"], listed["perPage"], listed["totalItems"], listed["totalPages"]) == (1, 30, 1, 1)
    assert listed["items"] == [call("owner", "GET", "/projects/garden/").json()]
    assert call("stranger", "GET", "/projects/").json()["items"] == []


def test_a_refused_creation_names_the_fields(local: Placement, call: Call) -> None:
    body = _shape(call("owner", "POST", "/projects/", {"ref": "A", "placement": "mars"}), 400)
    assert {name: set(error) >= {"code", "message"} for name, error in body["data"].items()} == {
        "ref": True,
        "placement": True,
    }
    assert set(_shape(call("owner", "POST", "/projects/", {}), 400)["data"]) == {"ref"}


@pytest.mark.parametrize(
    "body", ["", "{", "[]", '"x"', "null", "\xff", '{"ref": {"a": 1}}', '{"ref": "a\\u0000b"}']
)
def test_a_body_that_makes_no_sense_is_refused(
    body: str, local: Placement, people: dict[str, ConsoleUser], client: Client
) -> None:
    client.force_login(people["owner"], backend="projects.control.auth.ConsoleBackend")
    answer = client.generic(
        "POST", f"{ROOT}/projects/", body.encode("latin-1"), content_type="application/json"
    )
    _shape(answer, 400)
    assert not Project.objects.exists()


def test_a_body_that_is_too_large_is_refused(
    local: Placement, people: dict[str, ConsoleUser], client: Client, settings: Any
) -> None:
    settings.DATA_UPLOAD_MAX_MEMORY_SIZE = 1000
    client.force_login(people["owner"], backend="projects.control.auth.ConsoleBackend")
    body = {"ref": "garden", "name": "x" * 2000}
    _shape(client.post(f"{ROOT}/projects/", body, content_type="application/json"), 413)


def test_a_form_is_not_json(local: Placement, people: dict[str, ConsoleUser], client: Client) -> None:
    client.force_login(people["owner"], backend="projects.control.auth.ConsoleBackend")
    _shape(client.post(f"{ROOT}/projects/", {"ref": "garden"}), 415)


@pytest.mark.parametrize(
    ("method", "path", "status"),
    [
        ("GET", "/nothing/", 404),
        ("PUT", "/projects/", 405),
        ("GET", "/projects/?page=99", 404),
        ("GET", "/projects/unknown/", 404),
        ("GET", "/projects/shop/members/999999/", 405),
        ("PATCH", "/projects/shop/members/999999/", 404),
        ("DELETE", "/projects/shop/keys/999999/", 404),
    ],
)
def test_what_is_not_there_is_said_in_the_shape(
    method: str, path: str, status: int, shop: Project, call: Call
) -> None:
    _shape(call("owner", method, path, {"role": "viewer"} if method == "PATCH" else None), status)


def test_a_mistake_of_ours_shows_no_stack_trace(
    shop: Project, call: Call, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projects.control.api.projects.visible_projects", lambda actor: 1 / 0)
    body = _shape(call("owner", "GET", "/projects/"), 500)
    assert "division" not in json.dumps(body)


def test_pages_are_bounded(shop: Project, call: Call) -> None:
    body = call("owner", "GET", "/projects/shop/audit/?perPage=2&page=2").json()
    assert (body["page"], body["perPage"], len(body["items"])) == (2, 2, 1)
    assert call("owner", "GET", "/projects/shop/audit/?perPage=5000").json()["perPage"] == 200
    assert call("owner", "GET", "/projects/shop/audit/?perPage=-1").json()["perPage"] == 30


def test_members_are_added_changed_and_removed(shop: Project, call: Call) -> None:
    new = call(
        "owner", "POST", "/projects/shop/members/", {"email": "stranger@example.com", "role": "viewer"}
    ).json()
    path = f"/projects/shop/members/{new['id']}/"
    assert call("owner", "PATCH", path, {"role": "developer"}).json()["role"] == "developer"
    assert call("stranger", "GET", "/projects/shop/").json()["role"] == "developer"
    assert call("owner", "DELETE", path).status_code == 204
    _shape(call("stranger", "GET", "/projects/shop/"), 404)


def test_a_member_of_another_project_is_not_found_through_mine(
    shop: Project, local: Placement, call: Call
) -> None:
    call("stranger", "POST", "/projects/", {"ref": "garden"})
    for pk in shop.memberships.values_list("pk", flat=True):
        _shape(call("stranger", "DELETE", f"/projects/garden/members/{pk}/"), 404)
    assert shop.memberships.count() == 3


def test_a_key_is_shown_once_and_revoked(shop: Project, call: Call) -> None:
    made = call("owner", "POST", "/projects/shop/keys/", {"kind": "service", "name": "Server"})
    assert made.status_code == 201 and made.json()["key"].startswith("sk_")
    listed = call("owner", "GET", "/projects/shop/keys/")
    assert made.json()["key"] not in listed.content.decode()
    (item,) = listed.json()["items"]
    assert item["createdBy"] == "owner@example.com" and "key" not in item
    path = f"/projects/shop/keys/{item['id']}/"
    _shape(call("developer", "DELETE", path), 403)
    assert call("owner", "DELETE", path).json()["revokedAt"] is not None
    assert ApiKey.objects.get().revoked_at is not None


def test_suspension_deletion_and_their_ways_back(shop: Project, call: Call) -> None:
    assert call("owner", "POST", "/projects/shop/suspend/", {"reason": "x"}).json()["status"] == "suspended"
    _shape(call("owner", "POST", "/projects/shop/suspend/", {}), 400)
    assert call("owner", "POST", "/projects/shop/resume/", {}).json()["status"] == "active"
    assert set(_shape(call("owner", "DELETE", "/projects/shop/"), 400)["data"]) == {"confirm"}
    gone = call("owner", "DELETE", "/projects/shop/?confirm=shop")
    assert gone.status_code == 202 and gone.json()["deleteAfter"]
    assert call("owner", "POST", "/projects/shop/cancel-deletion/", {}).json()["status"] == "suspended"


def test_a_placements_password_never_leaves(call: Call, local: Placement) -> None:
    url = "postgresql://mbaas:s3cret@db.example.com:5432/apps"
    made = call("operator", "POST", "/placements/", {"name": "pg-1", "engine": "postgresql", "url": url})
    assert made.status_code == 201 and made.json()["server"] == "db.example.com:5432/apps"
    for path in ("/placements/", "/placements/pg-1/", "/audit/"):
        assert b"s3cret" not in call("operator", "GET", path).content
    assert call("operator", "DELETE", "/placements/pg-1/").status_code == 204


def test_a_session_signs_in_with_csrf_and_out(shop: Project) -> None:
    client = Client(enforce_csrf_checks=True)
    token = client.get(f"{ROOT}/session/").json()["csrfToken"]
    credentials = {"email": "owner@example.com", "password": PASSWORD}

    def post(path: str, body: Any, csrf: str = "") -> Any:
        return client.post(
            ROOT + path, body, content_type="application/json", headers={"X-CSRFToken": csrf} if csrf else {}
        )

    assert post("/session/", credentials).status_code == 403
    signed_in = post("/session/", credentials, token)
    assert signed_in.json()["person"]["email"] == "owner@example.com"
    assert client.get(f"{ROOT}/me/").json()["isOperator"] is False
    # The session alone changes nothing: a page elsewhere could make the browser send it.
    _shape(post("/projects/shop/suspend/", {}), 403)
    assert Project.objects.get().status == "active"
    csrf = signed_in.json()["csrfToken"]
    assert post("/projects/shop/suspend/", {}, csrf).status_code == 200
    assert client.delete(f"{ROOT}/session/", headers={"X-CSRFToken": csrf}).status_code == 204
    _shape(client.get(f"{ROOT}/me/"), 401)


def test_signing_in_is_throttled(shop: Project, settings: Any) -> None:
    settings.MBAAS_CONSOLE_SIGN_IN_LIMIT = 2
    statuses = [
        Client()
        .post(
            f"{ROOT}/session/",
            {"email": "owner@example.com", "password": password},
            content_type="application/json",
        )
        .status_code
        for password in ("wrong", "wrong", PASSWORD)
    ]
    assert statuses == [400, 400, 429]


def test_a_token_makes_no_tokens_and_changes_no_password(call: Call, shop: Project) -> None:
    count = PersonalToken.objects.count()
    _shape(call("owner", "POST", "/tokens/", {"name": "more"}), 403)
    _shape(
        call("owner", "POST", "/me/password/", {"current": PASSWORD, "password": "another-battery-9"}), 403
    )
    assert PersonalToken.objects.count() == count


def test_a_session_makes_tokens_and_changes_the_password(
    client: Client, shop: Project, people: dict[str, ConsoleUser]
) -> None:
    client.force_login(people["owner"], backend="projects.control.auth.ConsoleBackend")
    new = client.post(f"{ROOT}/tokens/", {"name": "ci", "days": 7}, content_type="application/json")
    assert new.status_code == 201 and new.json()["token"].startswith("pt_")
    assert "token" not in client.get(f"{ROOT}/tokens/").json()["items"][0]
    body = {"current": PASSWORD, "password": "another-battery-9"}
    assert client.post(f"{ROOT}/me/password/", body, content_type="application/json").status_code == 204
    # This session goes on.
    assert client.get(f"{ROOT}/me/").status_code == 200
    assert client.delete(f"{ROOT}/tokens/{new.json()['id']}/").status_code == 204


def test_nobody_ends_anothers_token(call: Call, people: dict[str, ConsoleUser]) -> None:
    token = PersonalToken.objects.get(user=people["owner"])
    _shape(call("operator", "DELETE", f"/tokens/{token.pk}/"), 404)
    assert PersonalToken.objects.filter(pk=token.pk).exists()


def test_everybody_changes_their_own_name_only(call: Call, people: dict[str, ConsoleUser]) -> None:
    body = {"name": "Vi", "isOperator": True, "is_operator": True, "email": "x@example.com"}
    assert call("viewer", "PATCH", "/me/", body).json()["name"] == "Vi"
    people["viewer"].refresh_from_db()
    assert not people["viewer"].is_operator and people["viewer"].email == "viewer@example.com"


def test_the_schema_describes_each_route_and_validates(db: None) -> None:
    from drf_spectacular.generators import SchemaGenerator
    from drf_spectacular.validation import validate_schema

    schema = SchemaGenerator().get_schema(request=None, public=True)  # type: ignore[no-untyped-call]
    validate_schema(schema)
    paths = set(schema["paths"])
    assert {f"{ROOT}/projects/", f"{ROOT}/projects/{{ref}}/keys/", f"{ROOT}/session/"} <= paths
    operations = [op["operationId"] for item in schema["paths"].values() for op in item.values()]
    assert len(operations) == len(set(operations))


def test_the_documentation_loads_nothing_from_elsewhere(client: Client, db: None) -> None:
    import re

    answer = client.get(f"{ROOT}/docs/")
    page = answer.content.decode()
    assert answer.status_code == 200 and "swagger" in page.lower()
    assert not re.findall(r"""(?:src|href)=["'](?:https?:)?//""", page)
    assert client.get(f"{ROOT}/schema/").status_code == 200
