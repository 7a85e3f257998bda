"""What both engines share: the columns, a record as JSON, a new record from a body."""

from __future__ import annotations

import secrets
import time
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from benchmarks.limit.tokens import RefusedError

COLUMNS = ("id", "title", "body", "author", "public", "rank", "created", "updated")
SELECTED = ", ".join(f'"{name}"' for name in COLUMNS)
TEXT_LIMIT = 5000
TITLE_LIMIT = 200


@dataclass(frozen=True, slots=True)
class Get:
    token: str
    collection: str
    id: str


@dataclass(frozen=True, slots=True)
class Page:
    """``rank_above`` is the one filter that it knows."""

    token: str
    collection: str
    size: int
    total: bool
    rank_above: float | None = None


@dataclass(frozen=True, slots=True)
class Create:
    token: str
    collection: str
    body: dict[str, Any]


def as_record(row: Sequence[Any], collection: str) -> dict[str, Any]:
    record = dict(zip(COLUMNS, row, strict=True))
    record["public"] = bool(record["public"])
    record["collectionId"] = record["collectionName"] = collection
    return record


def as_page(rows: Sequence[Sequence[Any]], collection: str, size: int, total: int) -> dict[str, Any]:
    return {
        "items": [as_record(row, collection) for row in rows],
        "page": 1,
        "perPage": size,
        "totalItems": total,
        "totalPages": total if total < 0 else -(-total // size),
    }


def new_row(job: Create, user: str) -> tuple[Any, ...]:
    """The columns' values of a new record. Raises RefusedError for a wrong field or another's author."""
    body = job.body
    title, text, author, rank = (
        body.get("title"),
        body.get("body", ""),
        body.get("author"),
        body.get("rank", 0),
    )
    fits = isinstance(title, str) and 0 < len(title) <= TITLE_LIMIT
    if not fits or not isinstance(text, str) or len(text) > TEXT_LIMIT or not isinstance(rank, (int, float)):
        raise RefusedError(400)
    if author != user:
        raise RefusedError(400)
    now = datetime.now(UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + "Z"
    return (new_id(), title, text, author, bool(body.get("public")), rank, now, now)


def new_id() -> str:
    """15 signs of which the first nine tell the time."""
    return f"{int(time.time() * 1000):x}"[-9:].zfill(9) + secrets.token_hex(3)
