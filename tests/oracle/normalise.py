"""Takes out of an answer what must differ between two servers, and nothing else.

Ids that a server invents become ``<name>`` (under which they were captured) or ``<id:1>``, the same id
always the same word; times of this very run become ``<now>``; signed tokens are opened and their
claims shown. An id, a date or a token that the table itself sent stays as it is.
"""

from __future__ import annotations

import base64
import binascii
import itertools
import json
import math
import re
import time
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from itertools import groupby
from typing import Final

from tests.oracle.play import Answer, Played
from tests.oracle.sse import Event
from tests.oracle.table import Json, Request, Scenario, strings_in

# Headers that a client can notice. Left out: Date, Content-Length, Vary (caching differs: we send ETags),
# our X-Request-Id, and X-XSS-Protection (browsers have dropped it).
HEADERS: Final = (
    "content-type",
    "location",
    "x-content-type-options",
    "x-frame-options",
    "access-control-allow-origin",
    "access-control-allow-methods",
    "access-control-allow-headers",
)
FILE_HEADERS: Final = (
    *HEADERS,
    "content-disposition",
    "content-security-policy",
    "accept-ranges",
    "content-range",
)
STREAM_HEADERS: Final = (*HEADERS, "cache-control", "x-accel-buffering")

# What PocketBase and what we answered to one scenario, step by step.
Pair = tuple[list[Json], list[Json]]

_ID: Final = re.compile(r"[a-z0-9]{15}")
# The scenarios about files call them all "upload"; what is random in a stored name comes after that.
_STORED: Final = re.compile(r"(?<![a-z0-9])(upload\w*?)_[a-z0-9]{10}(?![a-z0-9])")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3}Z")
# Ours write dates with a T (RFC 3339, which every platform's date parser reads; Hermes of React Native does
# not read a space). PocketBase writes a space. Everywhere the same, so it is evened out here.
_OUR_DATE: Final = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d\.\d{3}Z)")
_JWT: Final = re.compile(r"[\w-]+\.[\w-]+\.[\w-]+")
_RECENT_SECONDS: Final = 3600
_EXPIRY_STEP_MINUTES: Final = 5


class Normaliser:
    """Normalises the answers of one server to one scenario, in order."""

    def __init__(self, scenario: Scenario, words: Mapping[str, str]) -> None:
        self._sent = set(_ids_sent(scenario))
        self._words = dict(words)
        self._counter = itertools.count(1)

    def body(self, value: Json) -> Json:
        """A JSON value without what the server invented."""
        match value:
            case str():
                return self._text(value)
            case dict():
                return {self._text(key): self.body(item) for key, item in sorted(value.items())}
            case list():
                return [self.body(item) for item in value]
            case _:
                return value

    def events(self, events: Iterable[Event]) -> list[Json]:
        """Events as JSON. Several topics of one stream get the same change in no fixed order: sorted.

        Only the first event's id is compared, by which clients learn their client id; on later ones ours is
        the change's sequence number, which resumes a stream.
        """
        shown: list[Json] = [
            {
                "lines": list(event.lines),
                "topic": self.body(event.topic),
                "data": self.body(event.data),
                **({"id": self.body(event.id)} if event.topic == "PB_CONNECT" else {}),
            }
            for event in events
        ]
        return [
            event
            for _, same in groupby(shown, key=_change)
            for event in sorted(same, key=lambda event: str(event["topic"]))
        ]

    def _text(self, text: str) -> str:
        if match := _OUR_DATE.fullmatch(text):
            text = f"{match[1]} {match[2]}"
        text = _STORED.sub(r"\1_<random>", text)
        if word := self._words.get(text):
            # A captured token is still shown by its claims, else nobody would look at them.
            return _opened(text, self) or word
        if _ID.fullmatch(text) and text not in self._sent:
            return self._words.setdefault(text, f"<id:{next(self._counter)}>")
        if _DATE.fullmatch(text) and _is_recent(text):
            return "<now>"
        return _opened(text, self) or text


def normalise(scenario: Scenario, played: Played) -> list[Json]:
    """One comparable JSON object per step: status, headers, body, events, problem."""
    normaliser = Normaliser(scenario, played.words)
    shown = []
    for step, answer in zip(scenario.steps, played.answers, strict=True):
        body = answer.body
        if isinstance(step, Request):
            for path in step.mask:
                body = masked(body, path.split("."))
        shown.append(_shown(normaliser, answer, body))
    return shown


def masked(value: Json, path: list[str]) -> Json:
    """``value`` with ``<masked>`` at ``path``, where the path leads somewhere."""
    if not path:
        return "<masked>"
    head, rest = path[0], path[1:]
    if isinstance(value, list) and head == "*":
        return [masked(item, rest) for item in value]
    if isinstance(value, list) and head.isdigit() and int(head) < len(value):
        return [masked(item, rest) if number == int(head) else item for number, item in enumerate(value)]
    if isinstance(value, dict) and head in value:
        return {key: masked(item, rest) if key == head else item for key, item in value.items()}
    return value


def _shown(normaliser: Normaliser, answer: Answer, body: Json) -> Json:
    if answer.problem:
        return {"problem": answer.problem}
    names = STREAM_HEADERS if answer.events else HEADERS
    if "content-disposition" in answer.headers:
        names = FILE_HEADERS
    return {
        "status": answer.status,
        "headers": {name: normaliser.body(answer.headers[name]) for name in names if name in answer.headers},
        "body": normaliser.body(_without_warnings(body)),
        "events": normaliser.events(answer.events),
    }


def _without_warnings(body: Json) -> Json:
    """A saved collection without what we say of its rules, which PocketBase does not."""
    if isinstance(body, dict) and "listRule" in body:
        return {key: value for key, value in body.items() if key != "warnings"}
    return body


def _change(event: Json) -> tuple[str, str]:
    data = event["data"] if isinstance(event["data"], dict) else {}
    record = data.get("record")
    return str(data.get("action")), str(record.get("id") if isinstance(record, dict) else event["topic"])


def _ids_sent(scenario: Scenario) -> Iterable[str]:
    for step in scenario.steps:
        if isinstance(step, Request):
            for value in (step.path, dict(step.query), step.body, step.raw):
                for text in strings_in(value):
                    yield from re.findall(r"(?<![a-z0-9])[a-z0-9]{15}(?![a-z0-9])", text)


def _is_recent(text: str) -> bool:
    try:
        then = datetime.strptime(text, "%Y-%m-%d %H:%M:%S.%fZ").replace(tzinfo=UTC)
    except ValueError:
        return False
    return abs(time.time() - then.timestamp()) < _RECENT_SECONDS


def _opened(text: str, normaliser: Normaliser) -> str | None:
    """A token's header and claims, in their order, with its end in minutes from now; None for other text."""
    if not _JWT.fullmatch(text):
        return None
    try:
        header, claims = (json.loads(_base64(part)) for part in text.split(".")[:2])
    except (ValueError, binascii.Error):
        return None
    if not isinstance(claims, dict):
        return None
    if isinstance(expires := claims.get("exp"), int):
        steps = math.ceil((expires - time.time()) / 60 / _EXPIRY_STEP_MINUTES)
        claims["exp"] = f"<in {steps * _EXPIRY_STEP_MINUTES} min>"
    if isinstance(identifier := claims.get("id"), str):
        claims["id"] = normaliser.body(identifier)
    return f"<token {json.dumps(header)} {json.dumps(claims)}>"


def _base64(text: str) -> bytes:
    return base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
