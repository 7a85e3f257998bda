"""Answers with an entity tag: sent again only to those who do not have them (RFC 9110, 304)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from projects.api.requests import header
from projects.api.responses import as_json, json_bytes
from projects.records.answers import Answer
from projects.records.call import Call
from projects.records.etags import expanded_tag, is_known, record_tag, tag_of
from projects.records.present import Shape, present_one
from projects.records.rows import Values
from projects.schema.collection import CollectionSchema


@dataclass(frozen=True, slots=True)
class Tagged:
    """What is answered. ``tag`` is the entity tag where it is not the answer's own: of a record shown in part,
    or with more than itself."""

    data: Any
    tag: str = ""


def show(call: Call, collection: CollectionSchema, record: Values, shape: Shape) -> Tagged:
    """A record in the shape that the client wants, with the record's tag. Raises 400 for the shape."""
    data = present_one(call, collection, record, shape)
    if shape.is_plain:
        return Tagged(data)
    tag = record_tag(call, collection, record)
    return Tagged(data, expanded_tag(tag, orjson.dumps(data)) if shape.expand else tag)


def rendered(shown: Tagged | None) -> Answer:
    """A write's answer as it is sent: the record with its tag, or 204 without a body."""
    if shown is None:
        return Answer(204)
    body = as_json(shown.data)
    return Answer(200, body, shown.tag or tag_of(body))


def tagged_response(request: Request, answer: Tagged) -> Response:
    """The answer to a read with its tag; 304 when the client has it."""
    body = as_json(answer.data)
    tag = answer.tag or tag_of(body)
    known = header(request, b"if-none-match")
    response = Response(status_code=304) if known and is_known(known, tag) else json_bytes(body)
    add_tag(response, tag)
    return response


def add_tag(response: Response, tag: str) -> None:
    response.raw_headers.append((b"etag", b'"%b"' % tag.encode()))
