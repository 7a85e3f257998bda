"""What an import took, what it changed on the way, and what it left: for people and for scripts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, Literal

# ``closed``: a rule that is not understood here, so that only superusers pass. ``changed``: taken in another form.
# ``left``: not taken. ``lost``: should have been taken and was not there, or was refused.
Kind = Literal["closed", "changed", "left", "lost"]

# So many notes of one kind about one thing are written out; the rest are counted.
_SHOWN: Final = 100


@dataclass(frozen=True, slots=True)
class Note:
    """``about`` names what it is about ("posts.listRule"), ``reason`` is a sentence."""

    kind: Kind
    about: str
    reason: str


@dataclass(slots=True)
class Taken:
    """One collection: its records and files that are in the project now, and how many the source has.

    In a dry run the first two stay 0. ``bytes`` is the size of the files that the source has.
    """

    name: str
    type: str
    records: int = 0
    files: int = 0
    source_records: int = 0
    source_files: int = 0
    bytes: int = 0


@dataclass(slots=True)
class Report:
    dry_run: bool = False
    resumed: bool = False
    collections: list[Taken] = field(default_factory=list)
    settings: list[str] = field(default_factory=list)
    notes: list[Note] = field(default_factory=list)
    _counts: dict[tuple[Kind, str], int] = field(default_factory=dict)

    def note(self, kind: Kind, about: str, reason: str) -> None:
        self.notes.append(Note(kind, about, reason))

    def note_one_of_many(self, kind: Kind, group: str, about: str, reason: str) -> None:
        """A note of which there may be a million: only the first of a ``group`` are kept."""
        count = self._counts[kind, group] = self._counts.get((kind, group), 0) + 1
        if count <= _SHOWN:
            self.note(kind, about, reason)

    def of_kind(self, kind: Kind) -> list[Note]:
        return [note for note in self.notes if note.kind == kind]

    @property
    def further(self) -> list[Note]:
        """How many notes of each group were counted only."""
        return [
            Note(kind, group, f"{count - _SHOWN} more.")
            for (kind, group), count in self._counts.items()
            if count > _SHOWN
        ]

    def as_json(self) -> dict[str, Any]:
        return {
            "dryRun": self.dry_run,
            "resumed": self.resumed,
            "collections": [
                {
                    "name": one.name,
                    "type": one.type,
                    "records": one.records,
                    "files": one.files,
                    "sourceRecords": one.source_records,
                    "sourceFiles": one.source_files,
                    "sourceBytes": one.bytes,
                }
                for one in self.collections
            ],
            "settings": list(self.settings),
            "notes": [
                {"kind": note.kind, "about": note.about, "reason": note.reason}
                for note in (*self.notes, *self.further)
            ],
        }

    def lines(self) -> Iterator[str]:
        """The report as text; what needs somebody's attention comes first."""
        for kind, title in _TITLES:
            notes = [*self.of_kind(kind), *(note for note in self.further if note.kind == kind)]
            if notes:
                yield title
                for note in notes:
                    yield f"  {note.about}: {note.reason}"
                yield ""
        yield "Collections that would be taken:" if self.dry_run else "Collections:"
        for one in self.collections:
            yield f"  {one.name} ({one.type}): {self._counted(one)}"
        if self.settings:
            yield f"Settings: {', '.join(self.settings)}"

    def _counted(self, one: Taken) -> str:
        if one.type == "view":
            return "its query"
        if self.dry_run:
            return f"{one.source_records} records, {one.source_files} files ({one.bytes} bytes)"
        return f"{one.records} of {one.source_records} records, {one.files} of {one.source_files} files"


_TITLES: Final[tuple[tuple[Kind, str], ...]] = (
    (
        "closed",
        "CLOSED, because the rule is not understood here (only superusers pass until you rewrite it):",
    ),
    ("lost", "NOT TAKEN, although it should have been:"),
    ("changed", "Taken in another form:"),
    ("left", "Left, because there is no counterpart:"),
)
