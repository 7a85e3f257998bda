"""The table of uploads that come before their record: resumable ones, and those straight to a bucket.

Each has a row in the table of stored files, pending until a record gets it: that one counts for the quota, and when
it is due, the sweeper removes what there is of the file.
"""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Final, Literal

from projects.databases.stored_files import FileRow

if TYPE_CHECKING:
    from projects.databases import Session

Kind = Literal["tus", "direct"]

# Stored names have a "_" and other keys are shorter: an id cannot be taken for anything else.
UPLOAD_ID: Final = re.compile(r"[0-9a-f]{40}")
# What a guest uploads belongs to whoever knows its id.
GUEST_OWNER: Final = "guest"

_FILE: Final = (
    "key", "storage", "state", "collection", "record", "field", "name", "variant_of", "original", "size",
    "type", "checksum", "created",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class UploadRow:
    """An upload that no record has yet. ``owner`` says who may go on with it, ``metadata`` is the client's own text.

    ``stored``: the whole file is in its storage, and ``file`` says what it is. ``due``: when it is removed.
    """

    id: str
    owner: str
    kind: Kind
    metadata: str
    stored: bool
    due: datetime
    file: FileRow

    @property
    def is_due(self) -> bool:
        return self.due <= datetime.now(UTC)


def new_upload_id() -> str:
    """An id that nobody guesses: for guests it is the only key to their upload."""
    return secrets.token_hex(20)


def note_upload(session: Session, upload_id: str, *, key: str, owner: str, kind: Kind, metadata: str) -> None:
    """Note an upload of the file ``key``, which is reserved in the same transaction."""
    session.execute(
        session.sql(
            "INSERT INTO _uploads (id, key, owner, kind, metadata, stored) VALUES (?, ?, ?, ?, ?, 0)"
        ),
        (upload_id, key, owner, kind, metadata),
    )


def find_upload(session: Session, upload_id: str) -> UploadRow | None:
    """The upload of that id which no record has yet and that is not being removed."""
    columns = ", ".join(f"f.{name}" for name in _FILE)
    statement = session.sql(
        f"SELECT u.id, u.owner, u.kind, u.metadata, u.stored, f.due, {columns} FROM _uploads AS u"
        " JOIN _files AS f ON f.key = u.key WHERE u.id = ? AND f.state = 'pending'"
    )
    row = session.row(statement, (upload_id,))
    if row is None:
        return None
    found_id, owner, kind, metadata, stored, due, *file = row
    return UploadRow(
        found_id, owner, kind, metadata, bool(stored), datetime.fromisoformat(due), FileRow(*file)
    )


def note_stored(
    session: Session, upload_id: str, *, key: str, name: str, kind: str, checksum: str, seconds: int
) -> bool:
    """The upload is whole, and in its storage as ``key``: it may be attached for ``seconds``.

    False when somebody was quicker, or it was removed in the meantime.
    """
    noted = session.execute(
        session.sql("UPDATE _uploads SET stored = 1, key = ? WHERE id = ? AND stored = 0"), (key, upload_id)
    )
    if not noted:
        return False
    due = datetime.now(UTC) + timedelta(seconds=seconds)
    session.execute(
        session.sql(
            "UPDATE _files SET name = ?, type = ?, checksum = ?, due = ? WHERE key = ? AND state = 'pending'"
        ),
        (name, kind, checksum, due.strftime("%Y-%m-%dT%H:%M:%S.000Z"), key),
    )
    return True


def forget_upload(session: Session, upload_id: str) -> None:
    """A record has the file now: its id is worth nothing any more."""
    session.execute(session.sql("DELETE FROM _uploads WHERE id = ?"), (upload_id,))
