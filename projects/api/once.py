"""``Idempotency-Key``: a write that is sent again is done once, and answered as it was the first time.

A client on a bad network does not know whether a write whose answer it never got was done. With a key of its
own per write it sends it again: the first answer was kept in the write's own transaction, so there is either
both or neither. Refusals are not kept: they wrote nothing, and the same key may carry a better request.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from typing import Any

import orjson
from django.conf import settings
from starlette.requests import Request
from starlette.responses import Response

from projects.api.requests import header
from projects.api.responses import json_bytes
from projects.api.tagged import add_tag
from projects.errors import bad_request
from projects.records.answers import Answer, answer_key, first_answer, keep_answer
from projects.records.call import Call
from projects.schema.fields.file import NewFile

_LONGEST = 255


class Once:
    """One write with its ``Idempotency-Key``, if it has any. Raises ApiError 400 for a key that is none."""

    def __init__(self, request: Request) -> None:
        self._key = header(request, b"idempotency-key")
        if len(self._key) > _LONGEST or not self._key.isprintable() or not self._key.isascii():
            raise bad_request(f"An Idempotency-Key has 1 to {_LONGEST} visible ASCII characters.")
        self._request = request

    @property
    def has_key(self) -> bool:
        return bool(self._key)

    def do(self, call: Call, body: Any, work: Callable[[], Answer]) -> Answer:
        """What ``work()`` answers to the request with that body, or what it answered the first time.

        Raises 409, 422 and what ``work`` raises.
        """
        if not self._key:
            return work()
        key, requests = answer_key(call, self._key), list(self._hashes(call.session.project.uid, body))
        kept = first_answer(call, key, requests)
        if kept is not None:
            return kept
        answer = work()
        keep_answer(call, key, requests[0], answer)
        return answer

    def _hashes(self, uid: str, body: Any) -> Iterator[str]:
        """Hashes of what is asked, the newest secret's first. Keyed: a body may hold a password."""
        scope = self._request.scope
        asked = (scope["method"], scope["path"], scope["query_string"].decode("latin-1"), body)
        text = orjson.dumps(
            asked, default=_file, option=orjson.OPT_SORT_KEYS | orjson.OPT_PASSTHROUGH_SUBCLASS
        )
        for secret in settings.MBAAS_SECRET_KEYS:
            key = hashlib.sha256(f"mbaas idempotency:{uid}:{secret}".encode()).digest()
            yield hashlib.blake2b(text, key=key, digest_size=16).hexdigest()


def _file(value: Any) -> Any:
    """A file that came with the body, by what is in it: the name that it will have is another every time."""
    assert isinstance(value, NewFile)
    return value.upload.original, value.upload.size, value.upload.checksum


def answer_response(answer: Answer) -> Response:
    response = json_bytes(answer.body, answer.status) if answer.body else Response(status_code=answer.status)
    if answer.tag:
        add_tag(response, answer.tag)
    if answer.again:
        response.raw_headers.append((b"idempotency-replayed", b"true"))
    return response
