"""The console and the control API behind the real server, as people and scripts reach them."""

from __future__ import annotations

import re
from collections.abc import Iterator

import httpx
import pytest

from tests.server import OWNER, PASSWORD, Server, running


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    with running(tmp_path_factory.mktemp("console")) as started:
        # The installation of tests has no demo.
        started.manage("bootstrap")
        yield started


def _csrf(page: str) -> str:
    found = re.search(r'name="csrfmiddlewaretoken" value="(\w+)"', page)
    assert found is not None
    return found[1]


def test_a_person_signs_in_and_makes_a_project_that_answers(server: Server) -> None:
    with httpx.Client(base_url=server.url, follow_redirects=True, timeout=30) as browser:
        page = browser.get("/").text
        form = {"username": OWNER, "password": PASSWORD, "csrfmiddlewaretoken": _csrf(page)}
        home = browser.post("/admin/login/", data=form)
        assert home.status_code == 200 and "/admin/p/demo/" in home.text
        page = browser.get("/admin/new/").text
        form = {"name": "Garden", "ref": "garden", "placement": "local", "csrfmiddlewaretoken": _csrf(page)}
        made = browser.post("/admin/new/", data=form)
        assert str(made.url) == f"{server.url}/admin/p/garden/"
        assert f"{server.url}/p/garden" in made.text
    assert httpx.get(f"{server.url}/p/garden/api/health").status_code == 200


def test_the_pages_assets_are_served_by_us(server: Server) -> None:
    page = httpx.get(f"{server.url}/admin/login/").text
    assets = re.findall(r'(?:href|src)="([^"]+\.(?:css|js|svg))"', page)
    assert len(assets) > 5
    for asset in assets:
        assert asset.startswith("/static/"), asset
        assert httpx.get(f"{server.url}{asset}").status_code == 200, asset


def test_suspension_holds_at_once_and_the_audit_names_request_and_address(server: Server) -> None:
    token = server.manage("create_token", OWNER).strip()
    server.create_project("notes")
    with httpx.Client(
        base_url=f"{server.url}/api/v1", headers={"Authorization": f"Bearer {token}"}, timeout=30
    ) as api:
        assert httpx.get(f"{server.url}/p/notes/api/health").status_code == 200
        request_id = {"X-Request-Id": "suspend-notes-1"}
        suspended = api.post("/projects/notes/suspend/", json={"reason": "late"}, headers=request_id)
        assert suspended.json()["status"] == "suspended"
        answer = httpx.get(f"{server.url}/p/notes/api/health")
        assert answer.status_code == 503 and set(answer.json()) == {"status", "message", "data"}
        entry = api.get("/projects/notes/audit/").json()["items"][0]
        assert (entry["action"], entry["requestId"], entry["ip"]) == (
            "project.suspended",
            "suspend-notes-1",
            "127.0.0.1",
        )
        api.post("/projects/notes/resume/", json={})
        assert httpx.get(f"{server.url}/p/notes/api/health").status_code == 200
        assert api.delete("/projects/notes/?confirm=notes").status_code == 202
        assert httpx.get(f"{server.url}/p/notes/api/health").status_code == 404


def test_the_demo_is_as_documented(server: Server) -> None:
    api = f"{server.url}/p/demo/api/collections"
    public = httpx.get(f"{api}/posts/records").json()["items"]
    assert {post["public"] for post in public} == {True}
    for email, password in (("alice@example.com", "demo-alice-pass"), ("bob@example.com", "demo-bob-pass")):
        body = {"identity": email, "password": password}
        signed_in = httpx.post(f"{api}/users/auth-with-password", json=body).json()
        seen = httpx.get(f"{api}/posts/records", headers={"Authorization": signed_in["token"]}).json()
        mine = [post for post in seen["items"] if post["author"] == signed_in["record"]["id"]]
        assert mine and len(seen["items"]) >= len(public)
        drafts = [post for post in seen["items"] if not post["public"]]
        assert {post["author"] for post in drafts} <= {signed_in["record"]["id"]}
