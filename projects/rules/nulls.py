"""What is known of a part of a formula before any row is looked at: its answer where a row is missing, what it reads,
and whether an index leads from it to few rows. All of it only chooses among forms of SQL that mean the same."""

from __future__ import annotations

from collections.abc import Sequence

from projects.rules.formula import Compare, Formula, Joined, Listed, NoneFalse, Readable, Shown, Some
from projects.rules.gates import Gate
from projects.rules.inputs import NO_INPUTS, Input
from projects.rules.paths import (
    Changed,
    Column,
    Element,
    Function,
    Key,
    Meaning,
    Own,
    Row,
    chain,
    compared_kind,
    is_emptied,
    is_relation,
    variables,
)
from projects.rules.value_tests import value_test
from projects.rules.values import Plain
from projects.schema.indexes import parse_index

# Any constant of a kind: for a null beside it, all of one kind are alike.
_SAMPLES: dict[str, Plain] = {"text": "x", "empty": "", "number": 1, "true": 1, "false": 0, "null": None}


def answer_without(parts: Sequence[Formula], key: Key) -> bool | Gate | None:
    """What the parts of an "and" come to where there is no row with ``key``: False, or (a single part's) what the
    request decides; None: who knows."""
    answers = [_answer(part, key) for part in parts]
    if any(answer is False for answer in answers):
        return False
    return answers[0] if len(answers) == 1 else None


def _answer(part: Formula, key: Key) -> bool | Gate | None:
    if key not in part.free:
        return None
    if isinstance(part, Compare):
        return _answer_of_comparison(part, key)
    if isinstance(part, Shown | Readable):
        return False
    if isinstance(part, Joined):
        answers = [_answer(item, key) is False for item in part.items]
        return False if (all(answers) if part.operator == "or" else any(answers)) else None
    return None


def _answer_of_comparison(part: Compare, key: Key) -> bool | Gate | None:
    sign = part.comparison.operator
    if sign not in ("=", "!="):
        return False
    emptied = [is_emptied(part.left, key), is_emptied(part.right, key)]
    if all(emptied):
        return None
    value, other = (part.left, part.right) if emptied[0] else (part.right, part.left)
    make = value_test(compared_kind(value), sign)
    if not isinstance(other, Input):
        is_id = isinstance(other, Column) and other.is_own and other.field.name == "id" and not other.modifier
        return False if is_id and sign == "=" else None
    read = other.read

    def holds(given: Plain) -> bool:
        test = make(given)
        return test is not None and test(None)

    if other.is_filled:
        return holds(_SAMPLES["text"])
    if other.constant is None:
        return Gate(lambda inputs: holds(read(inputs)))
    return holds(read(NO_INPUTS) if other.is_fixed else _SAMPLES[other.constant])


def reads_no_record(part: Formula, keys: set[Key]) -> bool:
    """Whether a part reads nothing of rows other than those with ``keys``, and what hangs on them."""
    if isinstance(part, Joined):
        return all(reads_no_record(item, keys) for item in part.items)
    if isinstance(part, Some):
        return reads_no_record(part.item, keys | {row.key for row in part.rows})
    if isinstance(part, Listed | Readable):
        return _hangs_on(part.row, keys)
    if isinstance(part, Shown):
        return _hangs_on(part.column.row, keys)
    inside = (
        keys | variables(part.left).keys() | variables(part.right).keys()
        if isinstance(part, NoneFalse)
        else keys
    )
    return all(_reads_no_record(meaning, set(inside)) for meaning in (part.left, part.right))


def _reads_no_record(meaning: Meaning, keys: set[Key]) -> bool:
    if isinstance(meaning, Input):
        return True
    if isinstance(meaning, Changed):
        return False
    if isinstance(meaning, Function):
        return all(_reads_no_record(argument, keys) for argument in meaning.arguments)
    return _hangs_on(meaning.row, keys)


def _hangs_on(row: Row, keys: set[Key]) -> bool:
    rows = chain(row)
    return any(each.key in keys for each in rows) or not isinstance(rows[0], Own)


def leads_to_few(part: Formula) -> bool:
    """Whether the part is an equality that an index answers."""
    if not isinstance(part, Compare) or part.comparison.operator != "=":
        return False
    sides = (part.left, part.right)
    return any(isinstance(meaning, Column | Element) and _is_indexed(meaning) for meaning in sides) and any(
        isinstance(meaning, Input) or _is_own(meaning) for meaning in sides
    )


def link_of(parts: Sequence[Formula], keys: set[Key]) -> Compare | None:
    """The part that says which rows, of those with ``keys``, belong to the record asked about:
    ``@collection.c.f ?= id``."""
    for part in parts:
        if isinstance(part, Compare) and part.comparison.operator == "=":
            for mine, own in ((part.left, part.right), (part.right, part.left)):
                if _is_text(mine) and _is_text(own) and _is_own(own) and variables(mine).keys() & keys:
                    return part
    return None


def _is_own(meaning: Meaning) -> bool:
    return isinstance(meaning, Column) and meaning.is_own


def _is_text(meaning: Meaning) -> bool:
    return isinstance(meaning, Column | Element) and not meaning.modifier and compared_kind(meaning) == "text"


def _is_indexed(meaning: Column | Element) -> bool:
    if meaning.modifier:
        return False
    if isinstance(meaning, Element):
        return is_relation(getattr(meaning.row, "field", None))
    field, collection = meaning.field, meaning.row.collection
    if meaning.json_path or field.is_list or collection is None:
        return False
    if field.name == "id" or is_relation(field):
        return True
    firsts = (index.columns[0] for index in map(parse_index, collection.indexes) if not index.where)
    return any(
        first.name.lower() == field.name.lower() and not first.function and first.collation in ("", "BINARY")
        for first in firsts
    )
