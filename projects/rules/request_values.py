"""The parts of a request as inputs of a rule: ``@request.auth.*``, ``body``, ``query``, ``headers``."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from projects.principal import RequestInfo
from projects.rules import inputs
from projects.rules.inputs import Input, Inputs, Read, walk
from projects.rules.values import plain


def names_read(area: str, names: tuple[str, ...]) -> frozenset[str]:
    """Under which name a value stands in ``reads``: a path inside it reads all of it."""
    return frozenset({f"@request.{area}.{names[0]}"})


def attribute(name: str) -> Input:
    """``@request.method``, ``@request.context``"""
    return Input(lambda given: getattr(given.request, name), reads=frozenset({f"@request.{name}"}))


def principal_collection_id(given: Inputs) -> Any:
    return given.request.principal.collection_id


def principal_collection_name(given: Inputs) -> Any:
    return given.request.principal.collection_name


def auth_reader(names: tuple[str, ...]) -> Read:
    """A field of the signed-in record, or a value inside it; null for guests."""
    name, path = names[0], names[1:]
    if path:
        return lambda given: walk((given.request.principal.record or {}).get(name), path)
    return lambda given: (given.request.principal.record or {}).get(name)


def body_reader(names: tuple[str, ...]) -> Read:
    """A value of the body, or one inside it; null when there is none."""
    name, path = names[0], names[1:]
    return lambda given: walk(given.request.body.get(name), path)


def listed(raw: Read, reads: frozenset[str]) -> Input:
    """The list of values that an API value holds."""
    return Input(lambda given: inputs.as_list(raw(given)), reads=reads)


def request_area(request: RequestInfo, area: str) -> Mapping[str, Any]:
    return request.body if area == "body" else request.query if area == "query" else request.headers


def is_set(area: str, names: tuple[str, ...]) -> Input:
    """``:isset``: 1 when the request has the name, whatever its value."""
    *path, name = names

    def read(given: Inputs) -> int:
        holder: Any = request_area(given.request, area)
        if path:
            holder = walk(holder.get(path[0]), path[1:])
        return int(isinstance(holder, Mapping) and name in holder)

    return Input(read, reads=names_read(area, names))


def request_value(area: str, names: tuple[str, ...], modifier: str) -> Input:
    """A value of body, query or headers, or one inside it; null when there is none."""
    name, path = names[0], names[1:]
    return with_modifier(
        lambda given: walk(request_area(given.request, area).get(name), path),
        modifier,
        names_read(area, names),
    )


def with_modifier(raw: Read, modifier: str, reads: frozenset[str], typed: bool = False) -> Input:
    """``raw`` reads an API value; ``:length`` and ``:lower`` make another of it."""
    if modifier == "length":
        return Input(lambda given: inputs.length(raw(given)), reads=reads)
    read: Read = lambda given: plain(raw(given))  # noqa: E731
    if modifier == "lower":
        return Input(inputs.lowered(read), reads=reads)
    return Input(read, typed=typed, reads=reads)
