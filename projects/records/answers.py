"""Answers that are kept with the write they answer, so that a repeated request gets the same one (idempotency).

The draft standard: https://datatracker.ietf.org/doc/draft-ietf-httpapi-idempotency-key-header/.
"""

from __future__ import annotations

import hashlib
import time
from collections.abc import Iterable
from dataclasses import dataclass

from django.conf import settings

from projects.errors import ApiError
from projects.records.call import Call

BUSY = "A request with this Idempotency-Key is still at work. Please try again shortly."
OTHER = "This Idempotency-Key was used for another request. Every request needs a key of its own."
# How many answers whose time is over a write takes along: more than it adds.
_SWEPT = 20


@dataclass(frozen=True, slots=True)
class Answer:
    """A success as it is sent: ``body`` is JSON, or empty; ``tag`` the entity tag of a record, or "".

    ``again``: it was given before.
    """

    status: int
    body: bytes = b""
    tag: str = ""
    again: bool = False


def answer_key(call: Call, key: str) -> str:
    """What stands for the client's ``key`` in the project's database: keys of different callers never meet."""
    principal = call.principal
    text = f"{principal.kind}/{principal.collection_id}/{principal.id}/{key}"
    return hashlib.sha256(text.encode()).hexdigest()


def first_answer(call: Call, key: str, requests: Iterable[str]) -> Answer | None:
    """The answer kept under ``key``; None when there is none, which nobody else then gives meanwhile.

    ``requests`` are the hashes that this request may be known by. Raises 422 when the key's request was another
    one, 409 when it is at work in another transaction.
    """
    session = call.session
    if session.engine == "postgresql":
        # A SQLite project has one writer: who comes later finds the answer.
        lock = session.row(
            "SELECT pg_try_advisory_xact_lock(hashtextextended(%s, 0))", (session.project.uid + key,)
        )
        if lock is None or not lock[0]:
            raise ApiError(409, BUSY, headers={"Retry-After": "1"})
    sql = session.sql("SELECT request, status, body, tag FROM _answers WHERE key = ? AND created > ?")
    row = session.row(sql, (key, _oldest()))
    if row is None:
        return None
    if row[0] not in requests:
        raise ApiError(422, OTHER)
    return Answer(row[1], row[2].encode(), row[3], again=True)


def keep_answer(call: Call, key: str, request: str, answer: Answer) -> None:
    """Keep the answer for MBAAS_IDEMPOTENCY_HOURS, from this transaction's commit on."""
    session = call.session
    session.execute(
        session.sql(
            "DELETE FROM _answers WHERE key = ? OR key IN"
            f" (SELECT key FROM _answers WHERE created <= ? ORDER BY created LIMIT {_SWEPT})"
        ),
        (key, _oldest()),
    )
    session.execute(
        session.sql(
            "INSERT INTO _answers (key, request, status, body, tag, created) VALUES (?, ?, ?, ?, ?, ?)"
        ),
        (key, request, answer.status, answer.body.decode(), answer.tag, int(time.time())),
    )


def _oldest() -> int:
    return int(time.time()) - settings.MBAAS_IDEMPOTENCY_HOURS * 3600
