"""Names to meaning: what an operand of the tree stands for in one collection. Both evaluators start from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from projects.rules import inputs
from projects.rules.ast import Comparison, Constant, ConstantRef, Identifier, Node, Operand, operands
from projects.rules.errors import RuleError, RuleForbidden
from projects.rules.inputs import Input, Inputs, Read
from projects.rules.request_values import (
    attribute,
    auth_reader,
    is_set,
    names_read,
    principal_collection_id,
    principal_collection_name,
    request_value,
    with_modifier,
)
from projects.rules.values import plain
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.fields.base import Field

# Limits of the wire contract (relations) and of sense (keys inside one JSON value).
MAX_RELATION_DEPTH = 6
MAX_JSON_DEPTH = 50

Modifier = Literal["", "each", "length", "lower"]
ColumnKind = Literal["text", "date", "number", "bool", "json", "list"]
MODIFIERS = frozenset({"isset", "changed", "length", "each", "lower"})
FUNCTIONS = frozenset({"geoDistance", "strftime"})
# Fields that may hold many values; ``:each`` and ``:length`` are theirs.
MULTIPLE_TYPES = frozenset({"select", "relation", "file"})


@dataclass(frozen=True, slots=True)
class Hop:
    """One step through a single relation: ``field`` of the collection at hand leads to a record of ``target``."""

    field: Field
    target: CollectionSchema


@dataclass(frozen=True, slots=True)
class Start:
    """A path that begins not at the record but at another one, whose id the request knows (null: none)."""

    id: Input
    collection: CollectionSchema


@dataclass(frozen=True, slots=True)
class Column:
    """A stored value: from the record (or ``start``), through ``hops``, the ``field`` of ``collection`` there."""

    start: Start | None
    hops: tuple[Hop, ...]
    collection: CollectionSchema
    field: Field
    json_path: tuple[str, ...] = ()
    modifier: Modifier = ""

    @property
    def is_own(self) -> bool:
        """Whether the record itself holds it."""
        return self.start is None and not self.hops


@dataclass(frozen=True, slots=True)
class Changed:
    """``@request.body.f:changed``: whether the request gives ``column`` another value than it has."""

    column: Column
    is_set: Input
    value: Input


Meaning = Input | Column | Changed


@dataclass(frozen=True, slots=True)
class Resolver:
    """Resolves operands for one collection.

    ``constants``: those of a rule, which are fixed; None when they are given at each run. ``guarded``: the text is a
    client's, and the client is no superuser.
    """

    schema: ProjectSchema
    collection: CollectionSchema
    constants: Sequence[Constant] | None = None
    guarded: bool = False

    def check_names(self, ast: Node) -> None:
        """Raise RuleForbidden when a guarded text reads what only rules may."""
        if self.guarded:
            for operand in operands(ast):
                if isinstance(operand, Identifier):
                    self.check_name(operand)

    def check_name(self, identifier: Identifier) -> None:
        if self.guarded:
            for prefix in ("@request.", "@collection."):
                if identifier.text.startswith(prefix):
                    raise RuleForbidden(f"Only superusers can filter by {prefix}", identifier.position)

    def sides(self, comparison: Comparison) -> tuple[Meaning, Meaning]:
        """The meanings of both operands. Raises RuleError that says which of them is wrong."""
        return self.operand(comparison.left, "left operand"), self.operand(comparison.right, "right operand")

    def operand(self, operand: Operand, role: str) -> Meaning:
        if isinstance(operand, ConstantRef):
            if self.constants is None:
                return inputs.constant_at(operand.index, operand.kind)
            return inputs.fixed(self.constants[operand.index], operand.kind)
        try:
            if isinstance(operand, Identifier):
                return self._identifier(operand)
            if operand.name in FUNCTIONS:
                raise _Problem("functions are not supported yet")
            raise _Problem(f'unknown function "{operand.name}"')
        except _Problem as problem:
            name = operand.text if isinstance(operand, Identifier) else operand.name
            raise RuleError(f'invalid {role} "{name}" - {problem}', operand.position) from None

    def _identifier(self, identifier: Identifier) -> Meaning:
        path = identifier.path
        root = path[0]
        if root == "@request":
            return self._request(identifier)
        if root == "@collection":
            if len(path) < 3:
                raise _unresolved(identifier.text)
            if self.schema.get(path[1]) is None:
                raise _Problem(f'failed to load collection "{path[1]}" from field path "{identifier.text}"')
            raise _Problem("other collections (@collection) are not supported yet")
        if identifier.text in inputs.MACROS:
            return inputs.macro(identifier.text)
        if root[0] in "@#":
            raise _unresolved(identifier.text)
        return self._column(None, self.collection, path, _modifier(identifier))

    def _request(self, identifier: Identifier) -> Meaning:
        modifier = identifier.modifier
        area, *rest = identifier.path[1:] or ("",)
        names = tuple(rest)
        if area in ("method", "context") and not names and not modifier:
            return attribute(area)
        if not names or area not in ("auth", "body", "query", "headers"):
            raise _unresolved(identifier.text)
        if area == "auth":
            return self._auth(names, modifier)
        if modifier and modifier not in MODIFIERS:
            raise _Problem(f'unknown modifier in "{names[-1]}:{modifier}"')
        if modifier == "isset":
            return is_set(area, names)
        if area == "body":
            return self._body(names, modifier)
        if modifier not in ("", "lower"):
            raise _Problem(f"invalid modifier sequence {names[-1]}:{modifier}")
        return request_value(area, names, modifier)

    def _auth(self, names: tuple[str, ...], modifier: str) -> Meaning:
        if modifier == "isset" or (modifier and modifier not in MODIFIERS):
            return Input(lambda _inputs: None, reads=frozenset())
        if len(names) > 1:
            homes = [
                c
                for c in self.schema.collections
                if c.is_auth and _is_relation(c.field_by_name.get(names[0]))
            ]
            if homes:
                return self._through_auth(homes, names, modifier)
        read: Read
        if names == ("collectionId",):
            read = principal_collection_id
        elif names == ("collectionName",):
            read = principal_collection_name
        else:
            read = auth_reader(names)
        return with_modifier(read, modifier, names_read("auth", names), typed=len(names) == 1)

    def _through_auth(self, homes: list[CollectionSchema], names: tuple[str, ...], modifier: str) -> Meaning:
        fields = [home.field_by_name[names[0]] for home in homes]
        if any(field.is_list for field in fields):
            raise _Problem("paths through a relation to many records are not supported yet")
        if names[1:] == ("id",):
            return with_modifier(auth_reader(names[:1]), modifier, names_read("auth", names), typed=True)
        targets = {self._target(field).id: self._target(field) for field in fields}
        if len(targets) > 1:
            raise _Problem(f'"{names[0]}" leads to different collections for different users')
        ids = frozenset(home.id for home in homes)
        name = names[0]

        def read(given: Inputs) -> Any:
            principal = given.request.principal
            if principal.collection_id not in ids or principal.record is None:
                return None
            return plain(principal.record.get(name)) or None

        start = Start(Input(read, reads=names_read("auth", names)), next(iter(targets.values())))
        return self._column(start, start.collection, names[1:], _column_modifier(names[-1], modifier))

    def _body(self, names: tuple[str, ...], modifier: str) -> Meaning:
        field = self.collection.field_by_name.get(names[0])
        if modifier == "changed":
            if field is None or len(names) > 1:
                raise _Problem(f"invalid modifier sequence {names[-1]}:{modifier}")
            return Changed(
                Column(None, (), self.collection, field),
                is_set("body", names),
                request_value("body", names, ""),
            )
        if modifier in ("each", "length") and len(names) == 1:
            if field is None:
                raise _Problem(f"invalid modifier sequence {names[-1]}:{modifier}")
            if field.type not in MULTIPLE_TYPES:
                raise _Problem(f'field "{field.name}" doesn\'t support multivalue operations')
        if len(names) > 1 and field is not None and _is_relation(field):
            if field.is_list:
                raise _Problem("paths through a relation to many records are not supported yet")
            given = request_value("body", names[:1], "")
            if names[1:] == ("id",):
                return with_modifier(given.read, modifier, given.reads)
            start = Start(Input(lambda i: given.read(i) or None, reads=given.reads), self._target(field))
            return self._column(start, start.collection, names[1:], _column_modifier(names[-1], modifier))
        return request_value("body", names, modifier)

    def _column(
        self, start: Start | None, collection: CollectionSchema, path: tuple[str, ...], modifier: Modifier
    ) -> Column:
        hops: list[Hop] = []
        here = collection
        for depth, name in enumerate(path):
            rest = path[depth + 1 :]
            field = here.field_by_name.get(name)
            if field is None:
                if "_via_" in name:
                    raise _Problem("back relations are not supported yet")
                raise _Problem(f'unknown field "{name}"' if not rest else f'failed to resolve field "{name}"')
            if self.guarded and (field.hidden or field.read_rule):
                raise _Problem(f'field "{name}" is hidden and can be filtered by superusers only')
            if rest and field.kind in ("json", "geo") and not field.is_list:
                if len(rest) > MAX_JSON_DEPTH:
                    raise _Problem(f"more than {MAX_JSON_DEPTH} keys inside one value")
                return self._checked(Column(start, tuple(hops), here, field, rest, modifier))
            if not rest or (rest == ("id",) and _is_relation(field) and not field.is_list):
                return self._checked(Column(start, tuple(hops), here, field, (), modifier))
            if not _is_relation(field):
                raise _Problem(f'field "{name}" is not a valid relation')
            if field.is_list:
                raise _Problem("paths through a relation to many records are not supported yet")
            here = self._target(field)
            if self.guarded and here.list_rule is None:
                raise _Problem(f'only superusers can list "{here.name}"')
            hops.append(Hop(field, here))
            if len(hops) > MAX_RELATION_DEPTH:
                raise _Problem(f"more than {MAX_RELATION_DEPTH} relations in one path")
        raise AssertionError("a path has at least one part")

    def _checked(self, column: Column) -> Column:
        if column.modifier == "each" and column.field.kind in ("json", "geo"):
            raise _Problem(":each of a JSON value is not supported yet")
        return column

    def _target(self, field: Field) -> CollectionSchema:
        target = self.schema.get(relation_target(field))
        if target is None:
            raise _Problem(f'failed to load the collection of relation "{field.name}"')
        return target


def is_many(meaning: Meaning) -> bool:
    """Whether an operand stands for many values, each of which is compared."""
    if isinstance(meaning, Input):
        return meaning.many
    return isinstance(meaning, Column) and meaning.modifier == "each" and meaning.field.is_list


def kind_of(field: Field) -> ColumnKind:
    """How a column compares."""
    if field.is_list or field.kind == "list":
        return "list"
    return "json" if field.kind == "json" or field.kind == "geo" else field.kind


def is_email_of_account(column: Column) -> bool:
    return column.collection.is_auth and column.field.name == "email"


class _Problem(Exception):
    """What is wrong with the identifier at hand; the caller adds where."""


def relation_target(field: Field) -> str:
    """The id of the collection that a relation field leads to."""
    return str(getattr(field, "collection_id", ""))


def _is_relation(field: Field | None) -> bool:
    return field is not None and field.type == "relation"


def _unresolved(name: str) -> _Problem:
    return _Problem(f'failed to resolve field "{name}"')


def _modifier(identifier: Identifier) -> Modifier:
    return _column_modifier(identifier.path[-1], identifier.modifier)


def _column_modifier(name: str, modifier: str) -> Modifier:
    if modifier == "each":
        return "each"
    if modifier == "length":
        return "length"
    if modifier == "lower":
        return "lower"
    if modifier and modifier not in MODIFIERS:
        raise _Problem(f'unknown modifier in "{name}:{modifier}"')
    return ""  # :isset and :changed are about request values; on a field they change nothing
