"""Bodies: what is read, what is refused, and how soon."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from starlette.requests import Request

from projects.api.bodies import infer, read_body
from projects.errors import ApiError

FORM = "application/x-www-form-urlencoded"
PARTS = "multipart/form-data; boundary=x"


def request(body: bytes, kind: str = "application/json", parts: int = 1, **headers: str) -> Request:
    size = -(-len(body) // parts) or 1
    pieces = [body[at : at + size] for at in range(0, len(body), size)] or [b""]
    messages = [
        {"type": "http.request", "body": piece, "more_body": number + 1 < len(pieces)}
        for number, piece in enumerate(pieces)
    ]

    async def receive() -> Any:
        return messages.pop(0) if messages else {"type": "http.disconnect"}

    raw = [(b"content-type", kind.encode())] if kind else []
    raw += [(name.replace("_", "-").encode(), value.encode()) for name, value in headers.items()]
    return Request({"type": "http", "method": "POST", "path": "/", "headers": raw}, receive)


def read(*args: Any, **options: Any) -> dict[str, Any]:
    return asyncio.run(read_body(request(*args, **options)))


def part(name: str, value: str) -> bytes:
    return f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()


@pytest.mark.parametrize(
    ("body", "kind", "expected"),
    [
        (b'{"a":1}', "application/json", {"a": 1}),
        (b'{"a":1}', "application/json; charset=utf-8", {"a": 1}),
        (b"", "application/json", {}),
        (b"null", "application/json", {}),
        (b"", "", {}),
        (b"a=1&b=x&b=2&c=true", FORM, {"a": 1, "b": ["x", 2], "c": True}),
        (part("a", "7") + part("b", "x") + b"--x--\r\n", PARTS, {"a": 7, "b": "x"}),
        (part("@jsonPayload", '{"a":"kept"}') + part("a", "lost") + b"--x--", PARTS, {"a": "kept"}),
    ],
)
def test_what_is_read(body: bytes, kind: str, expected: dict[str, Any]) -> None:
    assert read(body, kind) == expected
    assert read(body, kind, parts=5) == expected


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (b"{", "application/json"),
        (b"[]", "application/json"),
        (b'"x"', "application/json"),
        (b'{"a":"\x00"}', "application/json"),
        (b'{"a":"\xff"}', "application/json"),
        (b'{"a":1e999}', "application/json"),
        (b'{"a":{"b":[-1e999]}}', "application/json"),
        (b'{"a":NaN}', "application/json"),
        (b"[" * 20_000, "application/json"),
        (b'{"a":1}', "text/plain"),
        (b'{"a":1}', ""),
        (b"--x\r\nbroken", PARTS),
        (part("a", "1"), PARTS),
        (part("a", "1")[:-4], PARTS),
        (b"abc", "multipart/form-data"),
        (part("@jsonPayload", "{bad") + b"--x--", PARTS),
    ],
)
def test_what_is_refused(body: bytes, kind: str) -> None:
    with pytest.raises(ApiError) as error:
        read(body, kind)
    assert error.value.status == 400


@pytest.mark.parametrize("kind", ["application/json", FORM, PARTS, "text/plain"])
@pytest.mark.parametrize("announced", [True, False])
def test_a_body_beyond_the_limit_is_413(settings: Any, kind: str, announced: bool) -> None:
    settings.MBAAS_MAX_BODY_BYTES = 1000
    body = part("a", "x" * 5000) if kind == PARTS else b"a=" + b"x" * 5000
    headers = {"content_length": str(len(body))} if announced else {}
    with pytest.raises(ApiError) as error:
        read(body, kind, parts=10, **headers)
    assert error.value.status == 413


@pytest.mark.parametrize(
    ("text", "value"),
    [("true", True), ("false", False), ("12", 12), ("-1.5", -1.5), ("007", "007"), ("1e5", "1e5"), ("", "")],
)
def test_plain_values_of_forms_are_what_they_look_like(text: str, value: Any) -> None:
    assert infer(text) == value
    assert type(infer(text)) is type(value)


def test_long_digits_stay_text() -> None:
    assert infer("12345678901234567890") == "12345678901234567890"
