"""Rows become records that are ready to be stored, checked by the fields' own rules. No database is written here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from projects.errors import FieldError
from projects.importing.tables.cells import Cell, cell_reader
from projects.importing.tables.rows import Refused, Row
from projects.records.files import unknown_files
from projects.schema.collection import CollectionSchema
from projects.schema.dates import now_text
from projects.schema.fields.autodate import AutodateField
from projects.schema.fields.base import Field, Invalid
from projects.schema.fields.text import TextField

Values = dict[str, Any]
Errors = dict[str, FieldError]

INVALID: Final = "The row has values that its fields do not take."


@dataclass(frozen=True, slots=True)
class Given:
    """What one row says: values by field, in the fields' own form."""

    row: Row
    values: Values


@dataclass(frozen=True)
class Columns:
    """How a file's names become fields: ``renamed`` says which field one means ("" for none)."""

    renamed: Mapping[str, str] = field(default_factory=dict)

    def field_of(self, name: str) -> str:
        return self.renamed.get(name, name)


class RowReader:
    """Reads rows for one collection. ``unknown``: names that stand for no field, in the order in which they came."""

    def __init__(self, collection: CollectionSchema, columns: Columns, *, is_text: bool) -> None:
        self._columns = columns
        self._cells: dict[str, Cell] = {
            one.name: cell_reader(one, is_text=is_text) for one in collection.fields
        }
        # By the file's name; ("", None) for one that is left out.
        self._known: dict[str, tuple[str, Cell | None]] = {}
        self.unknown: dict[str, None] = {}

    def read(self, row: Row) -> Given | Refused:
        values: Values = {}
        errors: Errors = {}
        known = self._known
        for name, value in row.values.items():
            found = known.get(name)
            if found is None:
                found = known[name] = self._look_up(name)
            key, cell = found
            if cell is None:
                continue
            try:
                values[key] = cell(value)
            except Invalid as invalid:
                errors[key] = invalid.error
        return Refused(row.line, INVALID, errors, row.values) if errors else Given(row, values)

    def _look_up(self, name: str) -> tuple[str, Cell | None]:
        wanted = self._columns.field_of(name)
        if wanted and wanted not in self._cells:
            self.unknown[name] = None
        return wanted, self._cells.get(wanted)


class NewRecords:
    """Makes new records of what rows say, as ``prepare_create`` and ``validate_values`` do, for many at once.

    Unlike there, dates of creation and change may be given: a record keeps them when it moves.
    """

    def __init__(self, collection: CollectionSchema) -> None:
        self._collection = collection
        self._fields: Sequence[tuple[str, Field]] = [(one.name, one) for one in collection.fields]
        # Asked a hundred thousand times: those that refuse nothing are left out.
        self._checks = [
            _Check(name, one)
            for name, one in self._fields
            if one.required or type(one).check is not Field.check
        ]
        self._now = now_text()

    def values(self, given: Values) -> Values:
        values: Values = {}
        for name, one in self._fields:
            value = given[name] if name in given else one.empty()
            if not value:
                if isinstance(one, TextField) and one.autogenerate_pattern:
                    value = one.generated()
                elif isinstance(one, AutodateField) and one.on_create:
                    value = self._now
            values[name] = value
        return values

    def errors(self, values: Values) -> Errors:
        errors: Errors = {}
        for one in self._checks:
            value = values[one.name]
            try:
                if one.asks_first or value is None or value == one.blank:
                    one.validate(value)
                else:
                    one.check(value)
            except Invalid as invalid:
                errors[one.name] = invalid.error
        if self._collection.file_fields:
            errors.update(unknown_files(self._collection, values))
        return errors


class _Check:
    """``Field.validate`` taken apart: what is not blank goes straight to the field's ``check``.

    ``asks_first``: the field has its own idea of what is blank.
    """

    __slots__ = ("asks_first", "blank", "check", "name", "validate")

    def __init__(self, name: str, field: Field) -> None:
        self.name = name
        self.asks_first = type(field).is_blank is not Field.is_blank
        self.blank = field.zero()
        self.validate = field.validate
        self.check = field.check
