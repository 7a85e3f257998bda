"""The router of the app API."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from projects.api.routing import Routes


async def _named(request: Request) -> Response:
    return PlainTextResponse(f"named {request.path_params}")


async def _word(request: Request) -> Response:
    return PlainTextResponse("word")


async def _missing(scope: Any, receive: Any, send: Any) -> None:
    await PlainTextResponse("missing", 404)(scope, receive, send)


ROUTES = Routes(
    [
        Route("/api/things/{thing}/parts/{part}", _named, methods=["GET", "PATCH"]),
        Route("/api/things/meta/kinds", _word),
    ],
    _missing,
)


def ask(method: str, path: str) -> str:
    sent: list[Any] = []

    async def send(message: Any) -> None:
        sent.append(message)

    scope = {"type": "http", "method": method, "path": path, "headers": [], "query_string": b""}
    asyncio.run(ROUTES(scope, None, send))  # type: ignore[arg-type]
    return bytes(sent[1]["body"]).decode()


def test_parts_of_a_path_become_parameters_by_name() -> None:
    assert ask("GET", "/api/things/a/parts/b c") == "named {'thing': 'a', 'part': 'b c'}"


def test_a_word_comes_before_a_name() -> None:
    assert ask("GET", "/api/things/meta/kinds") == "word"


def test_what_a_word_does_not_lead_to_may_still_be_a_name() -> None:
    assert ask("GET", "/api/things/meta/parts/x") == "named {'thing': 'meta', 'part': 'x'}"


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("DELETE", "/api/things/a/parts/b"),
        ("GET", "/api/things/a/parts/"),
        ("GET", "/api/things//parts/b"),
        ("GET", "/api/things/a/parts/b/"),
        ("GET", "/api/things/a"),
        ("GET", "/"),
        ("POST", "/api/things/meta/kinds"),
    ],
)
def test_another_method_or_address_is_missing(method: str, path: str) -> None:
    assert ask(method, path) == "missing"


def test_head_is_answered_where_get_is() -> None:
    assert ask("HEAD", "/api/things/meta/kinds") == "word"
