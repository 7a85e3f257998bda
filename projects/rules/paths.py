"""What an operand can stand for: rows that a path leads to, and the values that are read from them.

A path is a chain of rows, each found from the one before it. Where there may be several (a many-valued relation, a
back relation, ``@collection``), the row is a *variable*: within one rule all comparisons that name it mean the same
row, as in the wire contract: ``members.role ?= 'x' && members.active ?= true`` asks for one member who is both.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

from projects.rules.inputs import Input
from projects.schema.collection import CollectionSchema
from projects.schema.fields.base import Field

Modifier = Literal["", "length", "lower"]
ColumnKind = Literal["text", "date", "number", "bool", "json", "list"]
# Fields that may hold many values; ``:each`` and ``:length`` are theirs.
MULTIPLE_TYPES = frozenset({"select", "relation", "file"})

# What tells rows apart: equal keys in one rule are one row.
Key: TypeAlias = tuple[str, ...]


# slots are left out where cached_property needs the instance dict.
@dataclass(frozen=True, eq=False)
class Own:
    """The record that is asked about."""

    collection: CollectionSchema

    @property
    def key(self) -> Key:
        return ()


@dataclass(frozen=True, eq=False)
class Known:
    """The record whose id the request knows (null: none)."""

    id: Input
    collection: CollectionSchema
    name: str

    @property
    def key(self) -> Key:
        return (self.name,)


@dataclass(frozen=True, eq=False)
class Given:
    """Each of the values of a list in the request; with a ``collection``, the record of that id."""

    values: Input
    collection: CollectionSchema | None
    name: str

    @property
    def key(self) -> Key:
        return (self.name,)


@dataclass(frozen=True, eq=False)
class AnyOf:
    """Each record of a collection (``@collection.name:alias``)."""

    collection: CollectionSchema
    alias: str

    @property
    def key(self) -> Key:
        return ("@collection", self.collection.id, self.alias)


@dataclass(frozen=True, eq=False)
class Via:
    """The one record that a single relation of ``parent`` leads to."""

    parent: Row
    field: Field
    collection: CollectionSchema

    @cached_property
    def key(self) -> Key:
        return (*self.parent.key, self.field.name)


@dataclass(frozen=True, eq=False)
class Item:
    """Each value of a many-valued field of ``parent``; with a ``collection``, the record of that id."""

    parent: Row
    field: Field
    collection: CollectionSchema | None

    @cached_property
    def key(self) -> Key:
        return (*self.parent.key, self.field.name)


@dataclass(frozen=True, eq=False)
class Back:
    """Each record of ``collection`` whose relation ``field`` names ``parent``; ``single``: at most one."""

    parent: Row
    field: Field
    collection: CollectionSchema
    single: bool

    @cached_property
    def key(self) -> Key:
        return (*self.parent.key, f"{self.collection.id}_via_{self.field.name}")


Row: TypeAlias = Own | Known | Given | AnyOf | Via | Item | Back


@dataclass(frozen=True, eq=False)
class Column:
    """A stored value: the ``field`` of ``row``, or the value at ``json_path`` inside it."""

    row: Row
    field: Field
    json_path: tuple[str, ...] = ()
    modifier: Modifier = ""

    @property
    def is_own(self) -> bool:
        """Whether the record itself holds it."""
        return isinstance(self.row, Own)


@dataclass(frozen=True, eq=False)
class Element:
    """One of many values by itself: ``tags:each``, ``members.id``. Null where there is none."""

    row: Item | Given
    modifier: Modifier = ""


@dataclass(frozen=True, eq=False)
class Changed:
    """``@request.body.f:changed``: whether the request gives ``column`` another value than it has."""

    column: Column
    is_set: Input
    value: Input


@dataclass(frozen=True, eq=False)
class Function:
    """``strftime`` or ``geoDistance`` of what is not known before the record is."""

    name: str
    arguments: tuple[Meaning, ...]


Meaning: TypeAlias = Input | Column | Element | Changed | Function


def chain(row: Row) -> list[Row]:
    """The rows on the way to ``row``, itself included, from the first."""
    rows = [row]
    while isinstance(rows[-1], Via | Item | Back):
        rows.append(rows[-1].parent)
    return rows[::-1]


def is_variable(row: Row) -> bool:
    """Whether there may be several of it."""
    return isinstance(row, Given | AnyOf | Item) or (isinstance(row, Back) and not row.single)


def variables(meaning: Meaning) -> dict[Key, Row]:
    """The variables that a value depends on, by key, each after those it hangs on."""
    found: dict[Key, Row] = {}
    if isinstance(meaning, Function):
        for argument in meaning.arguments:
            found.update(variables(argument))
    elif isinstance(meaning, Column | Element):
        found = {row.key: row for row in chain(meaning.row) if is_variable(row)}
    return found


def rows_of(meaning: Meaning) -> list[Row]:
    """All rows on the ways to a value."""
    if isinstance(meaning, Function):
        return [row for argument in meaning.arguments for row in rows_of(argument)]
    return chain(meaning.row) if isinstance(meaning, Column | Element) else []


def reads_of(meaning: Meaning) -> frozenset[str]:
    """The names of the request values and macros that a value depends on."""
    if isinstance(meaning, Input):
        return meaning.reads
    if isinstance(meaning, Changed):
        return meaning.value.reads
    if isinstance(meaning, Function):
        return frozenset().union(*(reads_of(argument) for argument in meaning.arguments))
    first = chain(meaning.row)[0]
    if isinstance(first, Known):
        return first.id.reads
    return first.values.reads if isinstance(first, Given) else frozenset()


def is_emptied(meaning: Meaning, key: Key) -> bool:
    """Whether the value is null where the row with ``key`` is none."""
    return not isinstance(meaning, Input) and key in variables(meaning)


def kind_of(field: Field) -> ColumnKind:
    """How a column compares."""
    if field.is_list or field.kind == "list":
        return "list"
    return "json" if field.kind == "json" or field.kind == "geo" else field.kind


def compared_kind(meaning: Meaning) -> ColumnKind:
    """How a value that is not an input compares."""
    if isinstance(meaning, Function):
        return "text" if meaning.name == "strftime" else "number"
    if isinstance(meaning, Changed):
        return "number"
    assert isinstance(meaning, Column | Element)
    if meaning.modifier == "lower":
        return "text"
    if meaning.modifier == "length":
        return "number"
    return "text" if isinstance(meaning, Element) else kind_of(meaning.field)


def ruled_fields(meaning: Meaning) -> list[tuple[Row, Field]]:
    """The fields that have a rule of their own for who reads them, of which a value is made; each with the row that
    holds it: relations that are followed, and what is read in the end."""
    if isinstance(meaning, Function):
        return [found for argument in meaning.arguments for found in ruled_fields(argument)]
    if not isinstance(meaning, Column | Element):
        return []
    found = ruled_relations(meaning.row)
    if isinstance(meaning, Column) and meaning.field.read_rule:
        found.append((meaning.row, meaning.field))
    return found


def ruled_relations(row: Row) -> list[tuple[Row, Field]]:
    """Those that are followed on the way to ``row``."""
    return [
        (each.parent, each.field)
        for each in chain(row)
        if isinstance(each, Via | Item) and each.field.read_rule
    ]


def is_email_of_account(column: Column) -> bool:
    collection = column.row.collection
    return collection is not None and collection.is_auth and column.field.name == "email"


def relation_target(field: Field) -> str:
    """The id of the collection that a relation field leads to."""
    return str(getattr(field, "collection_id", ""))


def is_relation(field: Field | None) -> bool:
    return field is not None and field.type == "relation"
