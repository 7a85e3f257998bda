"""Which names go on a path that is being written."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from projects.rules.completion.items import (
    CONSTANT_ITEMS,
    FUNCTION_ITEMS,
    MACRO_ITEMS,
    MODIFIER_HELP,
    REQUEST_ITEMS,
    ROOT_ITEMS,
    Item,
)
from projects.rules.errors import RuleError
from projects.rules.parse import identifier_at
from projects.rules.paths import MULTIPLE_TYPES, Column, Own, Row, is_relation, relation_target
from projects.rules.problems import Problem
from projects.rules.walking import Walker, relation_collection
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.fields.base import Field


@dataclass(frozen=True, slots=True)
class Names:
    """``guarded``: the text is a client's filter, which reaches less."""

    schema: ProjectSchema
    collection: CollectionSchema
    guarded: bool

    def going_on(self, word: str) -> Iterator[Item]:
        """What the word, of which the last part may be unfinished, can become."""
        dotted, colon, _ = word.rpartition(":")
        if colon and dotted.rpartition(".")[0] != "@collection":
            yield from self._modifiers(dotted)
            return
        head = word.rpartition(".")[0]
        if not head:
            yield from self._first()
            return
        parts = tuple(head.split("."))
        if parts[0] == "@request" and not self.guarded:
            yield from self._request(head, parts[1:])
        elif parts[0] == "@collection" and not self.guarded:
            yield from self._collections(head, parts[1:])
        elif not head.startswith("@"):
            yield from self._of(self._landing(self.collection, parts), f"{head}.")

    def field_of(self, word: str) -> Field | None:
        """The field whose value a finished path stands for, where it is one of this project."""
        name = word.partition(":")[0]
        head, _, last = name.rpartition(".")
        parts = tuple(head.split(".")) if head else ()
        if parts[:2] == ("@request", "body") and not self.guarded:
            home = self._landing(self.collection, parts[2:])
        elif parts[:1] == ("@request",) and parts[1:2] == ("auth",) and not self.guarded:
            homes = self._accounts(parts[2:])
            home = next((one for one in homes if last in one.field_by_name), None)
        else:
            home = self._landing(self.collection, parts) if not name.startswith("@") else None
        return home.field_by_name.get(last) if home is not None else None

    def _first(self) -> Iterator[Item]:
        yield from self._of(self.collection, "")
        if not self.guarded:
            yield from ROOT_ITEMS
        yield from MACRO_ITEMS
        yield from FUNCTION_ITEMS
        yield from CONSTANT_ITEMS

    def _request(self, head: str, parts: tuple[str, ...]) -> Iterator[Item]:
        if not parts:
            yield from REQUEST_ITEMS
        elif parts[0] == "body":
            yield from self._of(self._landing(self.collection, parts[1:]), f"{head}.")
        elif parts[0] == "auth":
            found: dict[str, Item] = {}
            for home in self._accounts(parts[1:]):
                found.update({item.text: item for item in self._of(home, f"{head}.")})
            yield from found.values()
            if len(parts) == 1:
                yield Item(f"{head}.collectionId", "field", "text", "The id of the account's collection.")
                yield Item(f"{head}.collectionName", "field", "text", "The name of the account's collection.")

    def _accounts(self, parts: tuple[str, ...]) -> list[CollectionSchema]:
        homes = [one for one in self.schema.collections if one.is_auth and not one.system]
        found = (self._landing(home, parts) for home in homes)
        return [one for one in found if one is not None]

    def _collections(self, head: str, parts: tuple[str, ...]) -> Iterator[Item]:
        if not parts:
            for one in self.schema.collections:
                if one.is_readable and not one.system:
                    yield Item(f"{head}.{one.name}.", "collection", one.type, f"Any record of {one.name}.")
            return
        home = self.schema.get(parts[0].partition(":")[0])
        yield from self._of(self._landing(home, parts[1:]), f"{head}.")

    def _landing(self, home: CollectionSchema | None, parts: tuple[str, ...]) -> CollectionSchema | None:
        """The collection of the records that a path leads to."""
        if home is None or not parts:
            return home
        try:
            found = Walker(self.schema, self.guarded).value(Own(home), (*parts, "id"), "")
            if isinstance(found, Column) and found.json_path:
                return None
            if isinstance(found, Column) and is_relation(found.field):
                target = relation_collection(self.schema, found.field)
                # Its id stands in the record itself; to go there is another matter.
                return None if self.guarded and target.list_rule is None else target
        except Problem:
            return None
        row: Row = found.row
        return row.collection

    def _of(self, home: CollectionSchema | None, prefix: str) -> Iterator[Item]:
        """The fields of a collection's records, and the records that point to them."""
        if home is None:
            return
        for field in home.fields:
            if not (self.guarded and field.hidden):
                yield Item(f"{prefix}{field.name}", "field", _type_of(field), self._help(field))
        for other in self.schema.collections:
            for field in other.fields:
                if is_relation(field) and relation_target(field) == home.id and self._may_list(other, field):
                    name = f"{other.name}_via_{field.name}"
                    text = f"Records of {other.name} whose {field.name} is this one."
                    yield Item(f"{prefix}{name}.", "back relation", other.name, text)

    def _may_list(self, other: CollectionSchema, field: Field) -> bool:
        return not self.guarded or (other.list_rule is not None and not (field.hidden or field.read_rule))

    def _help(self, field: Field) -> str:
        if field.help:
            return field.help
        target = self.schema.get(relation_target(field)) if is_relation(field) else None
        many = "Many values. " if field.is_list else ""
        if target is not None:
            return f"{many}Leads to {target.name}: go on with a dot."
        values = getattr(field, "values", ())
        if field.type == "select" and values:
            return f"{many}One of {', '.join(values)}."
        if field.type == "json":
            return "Go on with a dot for a key, or an index of a list."
        return f"{many}{'Always has a value.' if field.required else 'May be empty.'}"

    def _modifiers(self, head: str) -> Iterator[Item]:
        try:
            parts = identifier_at(head, 0).path
        except RuleError:
            return
        field = self.field_of(head)
        names = ["lower"]
        if field is None or field.type in MULTIPLE_TYPES or field.type == "json":
            names += ["each", "length"]
        if parts[0] == "@request":
            names.insert(0, "isset")
            if parts[1:2] == ("body",) and len(parts) == 3:
                names.insert(1, "changed")
        for name in names:
            kind, text = MODIFIER_HELP[name]
            yield Item(f"{head}:{name}", "modifier", kind, text)


def _type_of(field: Field) -> str:
    return f"{field.type}[]" if field.is_list else field.type
