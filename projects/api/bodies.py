"""Request bodies: JSON, forms and multipart, bounded in size, as one mapping of field to value."""

from __future__ import annotations

import math
import re
from typing import Any

import orjson
from django.conf import settings
from python_multipart.multipart import parse_options_header
from starlette.formparsers import MultiPartException
from starlette.requests import ClientDisconnect, Request

from projects.errors import ApiError, bad_request

JSON_PART = "@jsonPayload"
UNSUPPORTED = "Unsupported Content-Type."
_NUMBER = re.compile(r"-?\d+(\.\d+)?")


async def read_body(request: Request, broken: str = "", limit: int | None = None) -> dict[str, Any]:
    """The body as a mapping; empty for none and for ``null``.

    Raises 400 for what is broken or no mapping (with the message ``broken``, if given), 413 when it is
    larger than ``limit`` bytes (MBAAS_MAX_BODY_BYTES).
    """
    try:
        return await _read_body(request, settings.MBAAS_MAX_BODY_BYTES if limit is None else limit)
    except ApiError as error:
        if broken and error.status == 400 and error.message != UNSUPPORTED:
            raise bad_request(broken) from None
        raise


async def _read_body(request: Request, limit: int) -> dict[str, Any]:
    kind = request.headers.get("content-type", "")
    if kind.startswith("application/json"):
        return parse_json_object(await read_bytes(request, limit))
    if kind.startswith(("multipart/form-data", "application/x-www-form-urlencoded")):
        return await _read_form(request, limit)
    if not await read_bytes(request, limit):
        return {}
    raise bad_request(UNSUPPORTED)


async def read_bytes(request: Request, limit: int) -> bytes:
    """The whole body. Raises 413 as soon as it proves larger than ``limit`` bytes."""
    _refuse_if_announced_larger(request, limit)
    parts: list[bytes] = []
    size = 0
    try:
        async for part in request.stream():
            size += len(part)
            if size > limit:
                raise too_large()
            parts.append(part)
    except ClientDisconnect:
        raise bad_request() from None
    return b"".join(parts)


def too_large() -> ApiError:
    return ApiError(413, "Request entity too large.")


def _refuse_if_announced_larger(request: Request, limit: int) -> None:
    length = request.headers.get("content-length", "")
    if length.isdigit() and int(length) > limit:
        raise too_large()


def parse_json_object(raw: bytes) -> dict[str, Any]:
    """Raises 400 for what is not JSON, not an object, or holds a number that JSON cannot answer."""
    if not raw:
        return {}
    try:
        value = orjson.loads(raw)
    except orjson.JSONDecodeError:
        raise bad_request() from None
    if value is None:
        return {}
    if not isinstance(value, dict) or not _finite(value):
        raise bad_request()
    return value


def _finite(value: Any) -> bool:
    """Whether every number in it is finite (``1e999`` reads as infinity, which nothing can store)."""
    waiting = [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, float):
            if not math.isfinite(item):
                return False
        elif isinstance(item, dict):
            waiting.extend(item.values())
        elif isinstance(item, list):
            waiting.extend(item)
    return True


async def _read_form(request: Request, limit: int) -> dict[str, Any]:
    _refuse_if_announced_larger(request, limit)
    # Starlette reads the stream itself: hand it one that counts.
    watched = _Watched(request.receive, limit)
    request._receive = watched
    try:
        form = await request.form(max_fields=1000, max_part_size=limit)
    except (MultiPartException, ClientDisconnect, KeyError, AssertionError, ValueError):
        raise bad_request() from None
    except Exception as error:
        # Starlette turns a broken form into its own HTTP exception.
        if getattr(error, "status_code", None) == 400:
            raise bad_request() from None
        raise
    if not watched.is_complete(request.headers["content-type"]):
        raise bad_request()
    values: dict[str, list[Any]] = {}
    payload: dict[str, Any] = {}
    for name, value in form.multi_items():
        if not isinstance(value, str):
            continue
        if name == JSON_PART:
            payload.update(parse_json_object(value.encode()))
        else:
            values.setdefault(name, []).append(infer(value))
    plain = {name: items[0] if len(items) == 1 else items for name, items in values.items()}
    return {**plain, **payload}


class _Watched:
    """A receive that counts what comes and remembers how it ended."""

    # A boundary has at most 70 characters (RFC 2046); what may follow it is cut off by clients.
    _TAIL = 512

    def __init__(self, receive: Any, limit: int) -> None:
        self._receive = receive
        self._left = limit
        self._tail = b""

    async def __call__(self) -> Any:
        message = await self._receive()
        part = message.get("body", b"")
        self._left -= len(part)
        if self._left < 0:
            raise too_large()
        self._tail = (self._tail + part)[-self._TAIL :]
        return message

    def is_complete(self, content_type: str) -> bool:
        """Whether a multipart body came to its closing boundary; the parser takes a cut one for whole."""
        if not content_type.startswith("multipart/"):
            return True
        boundary = parse_options_header(content_type)[1].get(b"boundary", b"")
        return b"--" + boundary + b"--" in self._tail


def infer(text: str) -> Any:
    """A form's plain value as PocketBase reads it: ``true``, ``false`` and numbers are what they look like."""
    if text == "true":
        return True
    if text == "false":
        return False
    if _NUMBER.fullmatch(text):
        number = float(text)
        # Only when nothing is lost: "007" and long digits stay text.
        if number.is_integer() and str(int(number)) == text:
            return int(number)
        if repr(number) == text:
            return number
    return text
