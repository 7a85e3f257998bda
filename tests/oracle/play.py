"""Plays scenarios on one server and keeps what it answered."""

from __future__ import annotations

import io
import itertools
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import TracebackType
from typing import Self

import httpx
from PIL import Image, UnidentifiedImageError

from tests.oracle.server import Server
from tests.oracle.sse import Event, Stream
from tests.oracle.table import (
    NO_BODY,
    Heard,
    Json,
    Listen,
    MissingCaptureError,
    Request,
    Scenario,
    Step,
    fill,
    lookup,
)

TIMEOUT_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Answer:
    """What came back for one step; ``problem`` says why nothing did."""

    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Json = None
    events: tuple[Event, ...] = ()
    problem: str = ""


@dataclass(frozen=True, slots=True)
class Played:
    """A scenario's answers, one per step, and a word for each value that was captured on the way."""

    answers: tuple[Answer, ...]
    words: Mapping[str, str]


class Player:
    """Sends the steps of scenarios to one server, each scenario on a clean slate."""

    def __init__(self, server: Server) -> None:
        self._server = server
        self._client = httpx.Client(base_url=server.base_url, timeout=TIMEOUT_SECONDS)
        self._captures: dict[str, str] = {}
        self._words: dict[str, str] = {}
        self._streams: dict[str, Stream] = {}

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._client.close()

    def play(self, scenario: Scenario, *, like: Played | None = None) -> Played:
        """Plays ``scenario``. ``like`` is how another server played it: so many events are waited for."""
        self._captures, self._words = {}, {}
        self._sign_in_superuser()
        self._clean()
        try:
            answers = tuple(
                self._step(step, like.answers[number] if like else None)
                for number, step in enumerate(scenario.steps)
            )
        finally:
            for stream in self._streams.values():
                stream.close()
            self._streams = {}
        return Played(answers, dict(self._words))

    def _step(self, step: Step, like: Answer | None) -> Answer:
        try:
            match step:
                case Request():
                    return self._send(step)
                case Listen():
                    return self._listen(step)
                case Heard():
                    stream = self._streams.get(step.stream)
                    if stream is None:
                        return Answer(problem=f"the stream {step.stream!r} is not open")
                    return Answer(events=tuple(stream.take(at_least=len(like.events) if like else 0)))
        except MissingCaptureError as missing:
            return Answer(problem=f"nothing was captured as {missing.args[0]!r}")
        except (httpx.TransportError, OSError) as error:
            return Answer(problem=f"{type(error).__name__}: {error}")

    def _send(self, request: Request) -> Answer:
        headers = fill(dict(request.headers), self._captures)
        if request.as_ != "guest":
            headers.setdefault("Authorization", fill(f"${request.as_}_token", self._captures))
        content: bytes | None = None
        if request.raw is not None:
            content = fill(request.raw, self._captures)
        elif request.body is not NO_BODY:
            content = json.dumps(fill(request.body, self._captures)).encode()
        if content is not None:
            headers.setdefault("Content-Type", "application/json")
        response = self._client.request(
            request.method,
            fill(request.path, self._captures),
            params=fill(dict(request.query), self._captures) or None,
            headers=headers,
            content=content,
        )
        answer = Answer(response.status_code, dict(response.headers), _body(response))
        for name, path in request.save.items():
            self._capture(name, lookup(answer.body, path))
        return answer

    def _listen(self, step: Listen) -> Answer:
        if earlier := self._streams.pop(step.stream, None):
            earlier.close()
        stream = self._streams[step.stream] = Stream(self._server.base_url)
        events = tuple(stream.take(at_least=1))
        if events:
            self._capture(step.stream, events[0].id)
        return Answer(stream.status, stream.headers, None, events)

    def _sign_in_superuser(self) -> None:
        try:
            answer = self._client.post(
                "/api/collections/_superusers/auth-with-password",
                json={"identity": self._server.email, "password": self._server.password},
            )
        except httpx.TransportError:
            return  # each step will say so
        for name, path in (("superuser", "record.id"), ("superuser_token", "token")):
            self._capture(name, lookup(_body(answer), path))

    def _capture(self, name: str, value: Json) -> None:
        """Keeps a text; a name that is captured again stands for the newer value from then on."""
        if isinstance(value, str):
            self._captures[name] = value
            taken = set(self._words.values())
            more = (f"<{name}:{number}>" for number in itertools.count(2))
            words = itertools.chain([f"<{name}>"], more)
            self._words.setdefault(value, next(word for word in words if word not in taken))

    def _clean(self) -> None:
        """Takes away what earlier scenarios made. What cannot be taken away shows as a difference."""
        headers = {"Authorization": self._captures.get("superuser_token", "")}

        def listed(path: str) -> Sequence[Mapping[str, Json]]:
            items = lookup(_body(self._client.get(path, params={"perPage": "500"}, headers=headers)), "items")
            return items if isinstance(items, list) else ()

        def delete(path: str) -> None:
            self._client.delete(path, headers=headers)

        try:
            # A collection goes only after those that refer to it, hence several rounds.
            made, left = -1, [""]
            while left and made != len(left):
                made = len(left)
                left = [
                    item["id"]
                    for item in listed("/api/collections")
                    if not item["system"] and item["name"] != "users"
                ]
                for collection in left:
                    delete(f"/api/collections/{collection}")
            for collection in ("users", "_superusers"):
                for item in listed(f"/api/collections/{collection}/records"):
                    if item["id"] != self._captures.get("superuser"):
                        delete(f"/api/collections/{collection}/records/{item['id']}")
        except (httpx.TransportError, KeyError):
            return


def _body(response: httpx.Response) -> Json:
    """The JSON of an answer; an image as its format and size; other text as text; None when there is nothing."""
    if not response.content:
        return None
    if response.headers.get("content-type", "").startswith("image/"):
        try:
            image = Image.open(io.BytesIO(response.content))
        except UnidentifiedImageError:
            return response.text
        return {"format": image.format, "size": list(image.size)}
    try:
        return json.loads(response.content)
    except ValueError:
        return response.text
