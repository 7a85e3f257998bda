"""Answers with an entity tag: sent again only to those who do not have them (RFC 9110, 304)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson
from starlette.requests import Request
from starlette.responses import Response

from projects.api.responses import json_response
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


def tagged_response(request: Request, answer: Tagged) -> Response:
    """The answer with its tag; 304 to a read whose client has it."""
    response = json_response(answer.data)
    tag = answer.tag or tag_of(bytes(response.body))
    known = request.headers.get("if-none-match")
    if known and request.method in ("GET", "HEAD") and is_known(known, tag):
        response = Response(status_code=304)
    response.raw_headers.append((b"etag", b'"%b"' % tag.encode()))
    return response
