"""What a project remembers of an import: from where it comes, and whether it is done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import orjson

from projects.databases import Session
from projects.schema.dates import now_text

_KEY: Final = "pocketbase_import"


@dataclass(frozen=True, slots=True)
class Mark:
    """``source`` is the identity of the PocketBase; ``done`` is when the import ended, empty while it has not."""

    source: str
    begun: str
    done: str = ""


def read_mark(session: Session) -> Mark | None:
    row = session.row(session.sql("SELECT value FROM _params WHERE key = ?"), (_KEY,))
    return Mark(**orjson.loads(row[0])) if row else None


def begin_mark(session: Session, source: str) -> None:
    statement = session.sql("INSERT INTO _params (key, value) VALUES (?, ?)")
    session.execute(statement, (_KEY, _text(Mark(source, now_text()))))


def end_mark(session: Session, mark: Mark) -> None:
    statement = session.sql("UPDATE _params SET value = ? WHERE key = ?")
    session.execute(statement, (_text(Mark(mark.source, mark.begun, now_text())), _KEY))


def _text(mark: Mark) -> str:
    return orjson.dumps({"source": mark.source, "begun": mark.begun, "done": mark.done}).decode()
