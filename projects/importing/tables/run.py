"""The import of a table: what comes is read, checked and stored in steps, each a transaction of its own.

A step is whole or not there, with its entries in the change log, and those who listen are told of it. What ends the
import in between (kill -9 too) leaves whole steps; with ``upsert`` and ids in the file the same import may simply be
made again.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, Literal

from django.conf import settings

from projects.accounts.passwords import hash_password
from projects.errors import bad_request
from projects.importing.tables.csv_table import CsvTable
from projects.importing.tables.gently import gently
from projects.importing.tables.json_lines import JsonLines
from projects.importing.tables.preparing import INVALID, Columns, Given, RowReader
from projects.importing.tables.rows import Refused, Row, TableReader
from projects.importing.tables.storing import New, Outcome, prepare_new, store_new, store_or_update
from projects.records.call import Call
from projects.schema.collection import CollectionSchema
from projects.schema.fields.base import Invalid

Format = Literal["csv", "jsonl"]

# A step ends after so many bytes, whatever the number of its rows.
_STEP_BYTES: Final = 8 * 1024 * 1024
# Of the refused rows so many are named in the answer.
NAMED: Final = 100


@dataclass(frozen=True)
class TableOptions:
    """``upsert``: a row whose id there is changes that record. ``dry_run``: everything is undone."""

    format: Format
    delimiter: str = ""
    columns: Columns = field(default_factory=Columns)
    upsert: bool = False
    dry_run: bool = False


@dataclass(slots=True)
class Totals:
    created: int = 0
    updated: int = 0
    unchanged: int = 0
    refused: int = 0
    first_refused: list[Refused] = field(default_factory=list)
    unknown: list[str] = field(default_factory=list)

    def as_json(self) -> dict[str, Any]:
        return {
            "created": self.created,
            "updated": self.updated,
            "unchanged": self.unchanged,
            "refused": self.refused,
            "unknownColumns": list(self.unknown),
            "errors": [one.as_json() for one in self.first_refused],
        }


@dataclass(frozen=True)
class Prepared:
    """A step that is ready to be stored under the schema of ``version``."""

    version: int
    rows: Sequence[Row]
    given: Sequence[Given]
    new: Sequence[New]
    refused: Sequence[Refused]


class _Undone(Exception):
    """Takes a dry run's step back."""

    def __init__(self, outcome: Outcome) -> None:
        super().__init__("a dry run is undone")
        self.outcome = outcome


class TableImport:
    """One import. Its caller feeds it bytes, and takes the steps that come of them through ``prepare``, ``hash``,
    ``store`` and ``count``, each on the session or thread that suits it."""

    def __init__(self, collection: str, options: TableOptions) -> None:
        self._name = collection
        self._options = options
        self._reader: TableReader = CsvTable(options.delimiter) if options.format == "csv" else JsonLines()
        self._waiting: list[Row | Refused] = []
        self._bytes = 0
        self._unknown: dict[str, None] = {}
        self.totals = Totals()

    def feed(self, data: bytes) -> Iterator[list[Row | Refused]]:
        """The steps that are full. Raises ApiError 400."""
        self._waiting += self._reader.feed(data)
        self._bytes += len(data)
        size = settings.MBAAS_IMPORT_STEP
        while len(self._waiting) >= size or (self._waiting and self._bytes >= _STEP_BYTES):
            step, self._waiting = self._waiting[:size], self._waiting[size:]
            self._bytes = 0
            yield step

    def end(self) -> Iterator[list[Row | Refused]]:
        """The last steps. Raises ApiError 400."""
        self._waiting += self._reader.end()
        yield from self.feed(b"")
        if self._waiting:
            step, self._waiting = self._waiting, []
            yield step

    def collection(self, call: Call) -> CollectionSchema:
        """The collection that is imported into. Raises 404, 400."""
        found = call.collection(self._name)
        if not found.has_table:
            raise bad_request("Records can only be imported into a collection of records.")
        return found

    def prepare(self, call: Call, step: Sequence[Row | Refused]) -> Prepared:
        """Read and check a step; only reads."""
        collection = self.collection(call)
        reader = RowReader(collection, self._options.columns, is_text=self._options.format == "csv")
        rows = [one for one in step if isinstance(one, Row)]
        refused = [one for one in step if isinstance(one, Refused)]
        given: list[Given] = []
        for row in gently(rows):
            read = reader.read(row)
            if isinstance(read, Given):
                given.append(read)
            else:
                refused.append(read)
        self._unknown.update(reader.unknown)
        if self._options.upsert:
            right: list[Given] = []
            for one in given:
                if errors := _wrong_passwords(collection, one):
                    refused.append(Refused(one.row.line, INVALID, errors, one.row.values))
                else:
                    right.append(one)
            return Prepared(call.schema.version, rows, right, (), refused)
        new, not_taken = prepare_new(collection, given)
        return Prepared(call.schema.version, rows, given, new, (*refused, *not_taken))

    def passwords(self, call: Call, prepared: Prepared) -> list[tuple[dict[str, Any], str]]:
        """Where a plain password stands that is to be hashed: (values, the field's name)."""
        names = [one.name for one in self.collection(call).password_fields]
        values = [one.values for one in prepared.new] or [one.values for one in prepared.given]
        return [(some, name) for some in values for name in names if some.get(name)]

    def store(self, call: Call, prepared: Prepared) -> Outcome:
        """Store a step in the transaction of ``call``. It may be done again after it was undone."""
        collection = self.collection(call)
        if call.schema.version != prepared.version:
            raise SchemaChangedError
        if self._options.dry_run:
            try:
                with call.session.savepoint():
                    raise _Undone(self._store(call, collection, prepared))
            except _Undone as undone:
                return undone.outcome
        return self._store(call, collection, prepared)

    def _store(self, call: Call, collection: CollectionSchema, prepared: Prepared) -> Outcome:
        if self._options.upsert:
            return store_or_update(call, collection, prepared.given)
        return store_new(call, collection, prepared.new)

    def count(self, prepared: Prepared, outcome: Outcome) -> list[Refused]:
        """Add a step to the totals; its refused rows in the order of the file."""
        totals = self.totals
        refused = sorted((*prepared.refused, *outcome.refused), key=lambda one: one.line)
        totals.created += outcome.created
        totals.updated += outcome.updated
        totals.unchanged += outcome.unchanged
        totals.refused += len(refused)
        totals.first_refused += refused[: NAMED - len(totals.first_refused)]
        totals.unknown = list(self._unknown)
        return refused


class SchemaChangedError(Exception):
    """The collections are not as they were when the step was prepared: prepare it again."""


def hash_all(plain: Sequence[tuple[dict[str, Any], str]]) -> None:
    """Put hashes where plain passwords stand. Slow: 20 ms of a core for each."""
    for values, name in plain:
        values[name] = hash_password(values[name])


def _wrong_passwords(collection: CollectionSchema, given: Given) -> dict[str, Any]:
    """What is wrong with plain passwords, of which only the hash is checked later."""
    errors: dict[str, Any] = {}
    for one in collection.password_fields:
        if given.values.get(one.name):
            try:
                one.validate(given.values[one.name])
            except Invalid as invalid:
                errors[one.name] = invalid.error
    return errors
