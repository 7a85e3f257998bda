"""The values that a rule's comparisons compare. Hashes of passwords and token keys are nobody's to see."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from projects.records.access import literal_columns, literal_values, now
from projects.records.explain.question import Question
from projects.rules.ast import ConstantRef, Operand
from projects.rules.inputs import Input, Inputs
from projects.rules.parts import domain, value_reader
from projects.rules.paths import Changed, Column, Element, Function, Given, Item, Meaning, Own, reads_of
from projects.rules.related import related_values
from projects.schema.collection import CollectionSchema

# Values shown of one path through many records.
MOST_VALUES: Final = 20
HIDDEN: Final = "(hidden)"
_SECRETS: Final = ("@request.auth.password", "@request.auth.tokenKey")


def operand_values(question: Question) -> Callable[[Operand], dict[str, Any]]:
    """``value``, or ``values`` (and ``more``) of several, of an operand; nothing where they are not known."""
    rule = question.rule
    meanings: dict[int, Meaning] = {}
    for leaf in rule.leaves:
        meanings[id(leaf.comparison.left)] = leaf.left
        meanings[id(leaf.comparison.right)] = leaf.right

    def values(operand: Operand) -> dict[str, Any]:
        meaning = meanings.get(id(operand))
        # Arguments of functions are shown as they are written.
        if meaning is None or isinstance(operand, ConstantRef):
            return {}
        if _is_secret(meaning):
            return {"value": HIDDEN}
        return _values(question, meaning)

    return values


def is_secret_field(collection: CollectionSchema | None, name: str) -> bool:
    field = collection.field_by_name.get(name) if collection else None
    return field is not None and (
        field.type == "password" or (collection is not None and collection.is_auth and name == "tokenKey")
    )


def _is_secret(meaning: Meaning) -> bool:
    if any(name in _SECRETS for name in reads_of(meaning)) and isinstance(meaning, Input):
        return True
    if isinstance(meaning, Function):
        return any(_is_secret(argument) for argument in meaning.arguments)
    if isinstance(meaning, Changed):
        return False
    return isinstance(meaning, Column) and is_secret_field(meaning.row.collection, meaning.field.name)


def _values(question: Question, meaning: Meaning) -> dict[str, Any]:
    given = Inputs((), question.call.request, now())
    if isinstance(meaning, Input):
        return {"value": meaning.read(given)}
    record = question.record
    if record is None:
        return {}
    if isinstance(meaning, Element) and (isinstance(meaning.row, Given) or _is_own_list(meaning)):
        return _several(domain(meaning.row, given)(record))
    if isinstance(meaning, Column) and not meaning.is_own:
        return _related(question, meaning)
    if isinstance(meaning, Element):
        return _related(question, meaning)
    if isinstance(meaning, Function) and not all(map(_is_at_hand, meaning.arguments)):
        return {}
    return {"value": value_reader(meaning, given)(record)}


def _related(question: Question, meaning: Column | Element) -> dict[str, Any]:
    call, collection = question.call, question.rule.collection
    engine = call.session.engine
    statement = related_values(
        call.schema, engine, meaning, literal_columns(collection, engine), MOST_VALUES + 1
    )
    assert question.record is not None
    params = statement.params((), call.request, now(), **literal_values(collection, question.record, engine))
    return _several([row[0] for row in call.session.rows(statement.sql, params)])


def _several(found: list[Any]) -> dict[str, Any]:
    return {"values": found[:MOST_VALUES], "more": len(found) > MOST_VALUES}


def _is_own_list(meaning: Element) -> bool:
    return isinstance(meaning.row, Item) and isinstance(meaning.row.parent, Own)


def _is_at_hand(meaning: Meaning) -> bool:
    return isinstance(meaning, Input) or (isinstance(meaning, Column) and meaning.is_own)
