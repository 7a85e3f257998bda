"""What endpoints read of a request most often, without the objects that Starlette makes for it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, MutableMapping
from functools import lru_cache
from types import MappingProxyType
from typing import Any
from urllib.parse import unquote_plus

from starlette.requests import Request


def query_of(request: Request) -> Mapping[str, str]:
    """The query's parameters; of several with one name the last."""
    raw: bytes = request.scope["query_string"]
    if not raw:
        return _NO_QUERY
    return _read_query(raw) if len(raw) <= _SHORT_QUERY else dict(_query_pairs(raw))


_NO_QUERY: Mapping[str, str] = MappingProxyType({})
# Apps ask the same questions all day; longer ones are remembered by nobody.
_SHORT_QUERY = 256


@lru_cache(maxsize=2048)
def _read_query(raw: bytes) -> Mapping[str, str]:
    return MappingProxyType(dict(_query_pairs(raw)))


def _query_pairs(raw: bytes) -> Iterator[tuple[str, str]]:
    # As urllib's parse_qsl does it, which takes three times as long.
    for pair in raw.decode("latin-1").split("&"):
        if pair:
            name, _, value = pair.partition("=")
            yield _unquoted(name), _unquoted(value)


def _unquoted(text: str) -> str:
    return text if text.isalnum() else unquote_plus(text)


def header(request: Request, name: bytes) -> str:
    """The first header with that lower-case name; ``""`` where there is none."""
    return str(raw_header(request.scope, name), "latin-1")


def raw_header(scope: MutableMapping[str, Any], name: bytes) -> bytes:
    """``header`` of an ASGI scope, as it came."""
    for key, value in scope["headers"]:
        if key == name:
            return bytes(value)
    return b""
