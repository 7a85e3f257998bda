"""Where the value of an operand comes from, and how it can be empty."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from projects.rules.ast import Identifier, Operand
from projects.rules.inputs import Input
from projects.rules.paths import (
    AnyOf,
    Back,
    Changed,
    Column,
    Element,
    Function,
    Given,
    Item,
    Known,
    Meaning,
    Own,
    Via,
    chain,
    reads_of,
)
from projects.rules.review.stored import StoredRule

# account: the signed-in record; sent: the request's query and headers; body: the record that is being written;
# fixed: a constant; around: the time, the method, the context; record: what is stored.
Source = Literal["account", "sent", "body", "fixed", "around", "record"]

# What every account has, in every collection.
NEVER_EMPTY = frozenset({"id", "collectionId", "collectionName"})


@dataclass(frozen=True, slots=True)
class Emptiness:
    """A value is empty where ``path`` (of ``alias``) leads to nothing; ``why`` says how that can be."""

    path: tuple[str, ...]
    alias: str
    why: str

    def covers(self, operand: Operand) -> bool:
        return (
            isinstance(operand, Identifier)
            and operand.alias == self.alias
            and operand.path[: len(self.path)] == self.path
        )


def source_of(meaning: Meaning) -> Source:
    if isinstance(meaning, Function):
        return "record"
    if isinstance(meaning, Changed):
        return "body"
    if isinstance(meaning, Column | Element) and not isinstance(chain(meaning.row)[0], Known | Given):
        return "record"
    areas = {_area(name) for name in reads_of(meaning)}
    if not areas:
        return "fixed" if isinstance(meaning, Input) else "record"
    if "sent" in areas:
        return "sent"
    if areas == {"account"}:
        return "account"
    return "body" if "body" in areas else "around"


def _area(name: str) -> Source:
    if name.startswith("@request.auth."):
        return "account"
    if name.startswith(("@request.query.", "@request.headers.")):
        return "sent"
    return "body" if name.startswith("@request.body.") else "around"


def account_fields(meaning: Meaning) -> frozenset[str]:
    """The fields of the signed-in record that a value is read from."""
    prefix = "@request.auth."
    return frozenset(name.removeprefix(prefix) for name in reads_of(meaning) if name.startswith(prefix))


def emptiness_of(rule: StoredRule, operand: Operand, meaning: Meaning) -> list[Emptiness]:
    """The ways in which a value of the record, or one that is sent, can be empty; none for what never is."""
    if not isinstance(operand, Identifier) or isinstance(meaning, Function | Changed):
        return []
    path, alias = operand.path, operand.alias
    if isinstance(meaning, Input):
        return _of_request(rule, path, source_of(meaning))
    found: list[Emptiness] = []
    first, *hops = chain(meaning.row)
    at = 0
    if isinstance(first, AnyOf):
        at = 2
        found.append(Emptiness(path[:2], alias, f"{first.collection.name} may have no records"))
    elif not isinstance(first, Own):
        at = 3
        found.append(Emptiness(path[:3], alias, f"{'.'.join(path[:3])} may be left out"))
    for hop in hops:
        at += 1
        name = ".".join(path[:at])
        if isinstance(hop, Back):
            found.append(Emptiness(path[:at], alias, f"{name} may be no record at all"))
        elif isinstance(hop, Via | Item) and not hop.field.required:
            found.append(Emptiness(path[:at], alias, f"{name} may be empty"))
    if isinstance(meaning, Column) and _can_be_empty(meaning):
        end = path[: at + 1 + len(meaning.json_path)]
        found.append(Emptiness(end, alias, f"{'.'.join(end)} may be empty"))
    return found


def _of_request(rule: StoredRule, path: tuple[str, ...], source: Source) -> list[Emptiness]:
    name = ".".join(path[:3])
    if source == "sent":
        return [Emptiness(path[:3], "", f"{name} may be left out")]
    if source == "body":
        field = rule.collection.field_by_name.get(path[2])
        if rule.operation == "create" and field is not None and field.required:
            return []
        return [Emptiness(path[:3], "", f"{name} may be left out")]
    return []


def _can_be_empty(column: Column) -> bool:
    """Whether a stored value can be null or the empty text, which equal one another."""
    field = column.field
    if column.modifier == "length" or field.type == "autodate" or getattr(field, "primary_key", False):
        return False
    if column.json_path or field.nullable:
        return True
    return field.kind in ("text", "date", "json") and not field.is_list and not field.required
