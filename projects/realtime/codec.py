"""Changes as messages between processes."""

from __future__ import annotations

from typing import Any

import orjson

from projects.context import ProjectHandle
from projects.records.events import ChangeEvent
from projects.schema.fields.password import PasswordHash

# A larger change goes without its images; who needs them reads them from the project's database.
MAX_BYTES = 256 * 1024


def encode_change(origin: str, number: int, event: ChangeEvent) -> bytes:
    """``number`` counts what ``origin`` (a process) has told of this project, so that a gap is noticed."""
    head = [
        origin, number, event.seq, event.schema_version, event.collection_id, event.record_id, event.action,
    ]  # fmt: skip
    message = _dump([*head, event.before, event.after])
    return message if len(message) <= MAX_BYTES else _dump([*head, None, None])


def encode_gap(origin: str, number: int) -> bytes:
    """Stands for everything up to ``number`` that could not be told."""
    return _dump([origin, number])


def decode(message: bytes, project: ProjectHandle) -> tuple[str, int, ChangeEvent | None]:
    """(origin, number, change); no change for a gap."""
    origin, number, *rest = orjson.loads(message)
    return origin, number, ChangeEvent(project, *rest) if rest else None


def _dump(value: Any) -> bytes:
    return orjson.dumps(value, default=_plain, option=orjson.OPT_PASSTHROUGH_SUBCLASS)


def _plain(value: Any) -> Any:
    if isinstance(value, PasswordHash):
        # No rule reads it and nobody sees it: it stays in this process.
        return ""
    if isinstance(value, dict):
        return dict(value)
    return list(value) if isinstance(value, list | tuple) else str(value)
