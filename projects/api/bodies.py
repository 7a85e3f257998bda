"""Request bodies: JSON, forms and multipart, bounded in size, as one mapping of field to value."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Iterable, Mapping
from typing import Any
from urllib.parse import parse_qsl

import orjson
from django.conf import settings
from starlette.requests import Request

from projects.api.multipart import FormReader, too_large
from projects.api.requests import header
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
    kind = header(request, b"content-type")
    if kind.startswith("application/json"):
        return parse_json_object(await read_bytes(request, limit))
    if kind.startswith("multipart/form-data"):
        refuse_if_announced_larger(request, limit)
        form = await FormReader(kind, values_limit=limit, body_limit=limit).read(chunks(request))
        return form_values(form.values)
    if kind.startswith("application/x-www-form-urlencoded"):
        return _read_urlencoded(await read_bytes(request, limit))
    if not await read_bytes(request, limit):
        return {}
    raise bad_request(UNSUPPORTED)


async def read_bytes(request: Request, limit: int) -> bytes:
    """The whole body. Raises 413 as soon as it proves larger than ``limit`` bytes."""
    refuse_if_announced_larger(request, limit)
    parts: list[bytes] = []
    size = 0
    async for part in chunks(request):
        size += len(part)
        if size > limit:
            raise too_large()
        parts.append(part)
    return b"".join(parts)


async def chunks(request: Request) -> AsyncIterator[bytes]:
    """The body as it comes. Raises 400 when the client goes away before its end."""
    more = True
    while more:
        message = await request.receive()
        if message["type"] == "http.disconnect":
            raise bad_request()
        more = message.get("more_body", False)
        if part := message.get("body", b""):
            yield part


def refuse_if_announced_larger(request: Request, limit: int) -> None:
    length = header(request, b"content-length")
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


def _read_urlencoded(raw: bytes) -> dict[str, Any]:
    try:
        return form_values(parse_qsl(raw.decode("latin-1"), keep_blank_values=True, max_num_fields=1000))
    except ValueError:
        raise bad_request() from None


def form_values(items: Iterable[tuple[str, str]]) -> dict[str, Any]:
    """A form's values by name: a list where a name comes several times, ``@jsonPayload`` merged over them.

    Raises 400 for a payload that is not a JSON object.
    """
    values: dict[str, list[Any]] = {}
    payload: dict[str, Any] = {}
    for name, value in items:
        if name == JSON_PART:
            payload.update(parse_json_object(value.encode("utf-8", "surrogatepass")))
        else:
            values.setdefault(name, []).append(infer(value))
    plain: Mapping[str, Any] = {
        name: found[0] if len(found) == 1 else found for name, found in values.items()
    }
    return {**plain, **payload}


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
