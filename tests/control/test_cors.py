"""Which web pages may read a project's answers."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from mbaas import edge
from projects.context import ProjectHandle


async def _app(scope: Any, receive: Any, send: Any) -> None:
    await send({"type": "http.response.start", "status": 200, "headers": []})
    await send({"type": "http.response.body", "body": b""})


def _ask(
    project: ProjectHandle | None, origin: str, method: str, monkeypatch: pytest.MonkeyPatch
) -> dict[str, str]:
    async def find(ref: str) -> ProjectHandle | None:
        return project

    monkeypatch.setattr(edge, "find_project", find)
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    async def receive() -> Any:
        return {"type": "http.request", "body": b"", "more_body": False}

    headers = [(b"origin", origin.encode()), (b"access-control-request-headers", b"authorization")]
    scope = {"type": "http", "method": method, "path": "/p/shop/api/health", "headers": headers}
    asyncio.run(edge.Edge(_app, _app, _app)(scope, receive, send))
    answered = {name.decode(): value.decode() for name, value in sent[0]["headers"]}
    return {name: value for name, value in answered.items() if name.startswith("access-control")}


def _project(*origins: str, status: str = "active") -> ProjectHandle:
    settings = (("corsOrigins", list(origins)),) if origins else ()
    return ProjectHandle("a" * 15, "shop", "sqlite", "local", status, settings)


@pytest.mark.parametrize("method", ["GET", "OPTIONS"])
@pytest.mark.parametrize(
    ("project", "expected"),
    [
        (_project(), "*"),
        (_project("*"), "*"),
        (_project("https://app.example.com"), "https://app.example.com"),
        (_project("https://other.example.com"), None),
        (_project("https://other.example.com", status="suspended"), None),
        (_project(status="suspended"), "*"),
        (None, "*"),
    ],
)
def test_a_page_reads_what_the_project_lets_its_origin_read(
    project: ProjectHandle | None, expected: str | None, method: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    headers = _ask(project, "https://app.example.com", method, monkeypatch)
    assert headers.get("access-control-allow-origin") == expected
    assert ("access-control-allow-headers" in headers) is (method == "OPTIONS" and expected is not None)


def test_the_installations_origins_hold_where_the_project_says_nothing(
    settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MBAAS_CORS_ORIGINS = ["https://ours.example.com"]
    assert not _ask(_project(), "https://app.example.com", "GET", monkeypatch)
    assert _ask(_project(), "https://ours.example.com", "GET", monkeypatch)
    assert _ask(_project("https://app.example.com"), "https://app.example.com", "GET", monkeypatch)
