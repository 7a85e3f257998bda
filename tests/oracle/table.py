"""What the table of requests is made of.

A scenario is a story told in requests. It makes the state that it needs through the API itself, so that the
same scenario runs on any server that speaks the contract. Values that a server invents (ids, tokens) are
captured from an answer with ``save`` and used further down as ``$name``, in paths, queries, headers and
bodies alike.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

Json = Any  # what json.loads gives

_CAPTURE: Final = re.compile(r"\$([a-z][a-z0-9_]*)")


class _NoBody:
    """Stands where a request has no body at all, which is not the same as the body ``null``."""

    def __repr__(self) -> str:
        return "NO_BODY"


NO_BODY: Final = _NoBody()


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One request, right or wrong, and who sends it.

    name: a sentence that says what is shown; unique in its scenario.
    path: below the base URL of the project; ``query`` is encoded and added.
    body: sent as JSON. ``raw`` is sent as it is instead, as ``Content-Type: application/json`` unless
        ``headers`` say otherwise.
    as_: ``guest``, ``superuser``, or a name under which ``save`` kept a token as ``<name>_token``.
    save: capture name -> dotted path in the JSON answer.
    mask: dotted paths in the JSON answer whose values are random (``*`` stands for every item of a list).
    given: what the scenario starts from; where PocketBase refuses it, the scenario shows nothing.
    """

    name: str
    method: str
    path: str
    as_: str = "guest"
    body: Json = NO_BODY
    raw: bytes | None = None
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    save: Mapping[str, str] = field(default_factory=dict)
    mask: tuple[str, ...] = ()
    given: bool = False


@dataclass(frozen=True, slots=True)
class Listen:
    """Opens a realtime stream; its client id is captured under ``stream``."""

    name: str
    stream: str


@dataclass(frozen=True, slots=True)
class Heard:
    """The events that came on ``stream`` since it was last looked at."""

    name: str
    stream: str


Step = Request | Listen | Heard


@dataclass(frozen=True, slots=True)
class Scenario:
    """A story: ``key`` names it in reports, ``about`` says what it shows."""

    key: str
    about: str
    steps: tuple[Step, ...]

    def __post_init__(self) -> None:
        names = [step.name for step in self.steps]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"{self.key}: two steps share the name {twice[0]!r}")


class MissingCaptureError(KeyError):
    """A request uses ``$name`` and nothing was captured under it."""


def fill(value: Json, captures: Mapping[str, str]) -> Json:
    """``value`` with every ``$name`` replaced; raises MissingCaptureError."""

    def replace(match: re.Match[str]) -> str:
        try:
            return captures[match[1]]
        except KeyError:
            raise MissingCaptureError(match[1]) from None

    match value:
        case str():
            return _CAPTURE.sub(replace, value)
        case bytes():
            return fill(value.decode("latin-1"), captures).encode("latin-1")
        case dict():
            return {fill(key, captures): fill(item, captures) for key, item in value.items()}
        case list() | tuple():
            return [fill(item, captures) for item in value]
        case _:
            return value


def strings_in(value: Json) -> Iterator[str]:
    """Every string in a JSON value, keys included."""
    match value:
        case str():
            yield value
        case bytes():
            yield value.decode("latin-1")
        case dict():
            for key, item in value.items():
                yield key
                yield from strings_in(item)
        case list() | tuple():
            for item in value:
                yield from strings_in(item)


def lookup(value: Json, path: str) -> Json:
    """The value at a dotted path; None where the path leads nowhere."""
    for part in path.split("."):
        if isinstance(value, dict):
            value = value.get(part)
        elif isinstance(value, list) and part.isdigit() and int(part) < len(value):
            value = value[int(part)]
        else:
            return None
    return value
