"""Pages by key: what comes after the last record of the page before, however many there are.

An OFFSET reads all that it skips and slips when records come and go; a key costs the same on every page and
neither repeats nor passes over a record that was there all the time. A cursor holds the last record's sort values,
which its reader may not see (a hidden e-mail can be sorted by): it is encrypted, and refused if it was not made here,
so that its values need no further check. The same place has the same cursor, so answers keep their entity tags.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any, Final

import orjson
import sqlalchemy as sa
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESSIV
from django.conf import settings

from projects.errors import ApiError, FieldError, invalid_fields
from projects.records.access import class_of_caller, now
from projects.records.call import Call
from projects.records.queries import (
    Query,
    as_client_error,
    columns_of,
    conditions,
    constants_of,
    order_of,
    rendered,
    source_for,
    tables_of,
)
from projects.records.ranked import is_ranked
from projects.records.rows import Values, reader
from projects.rules import Parsed, RuleError, Scope, Statement, parse_filter
from projects.rules.sql import Fragment, Order, conjunction, disjunction

# Longer ones do not fit into an address: the records are sorted by whole texts.
LONGEST: Final = 2000
_PURPOSE: Final = [b"cursor"]


@dataclass(frozen=True, slots=True)
class _Plan:
    """``keys`` last columns of the statement are the sort values; ``mark`` names what they are values of."""

    statement: Statement
    keys: int
    mark: str


def fetch_after(call: Call, query: Query, cursor: str, limit: int) -> tuple[list[Values], str | None]:
    """``limit`` records after those that ``cursor`` stands for ("": from the first), and the cursor for more.

    None where there are no more. Raises 400, 403 for filter and sort, 400 for a cursor that is none, or that was
    given for another sort or before its collection changed.
    """
    mark, values = _read(call, cursor) if cursor else ("", None)
    parsed, plan = _prepare(call, query, values)
    if values is not None and (mark != plan.mark or len(values) != plan.keys):
        raise _bad_cursor()
    given = {f"after{at}": value for at, value in enumerate(values or ())}
    params = plan.statement.params(
        constants_of(parsed), call.request, now(), limit=limit + 1, search=query.search, **given
    )
    rows = call.session.rows(plan.statement.sql, params, plan.statement.anew)
    read = reader(call, query.collection)
    records = [read.values(row[: -plan.keys]) for row in rows[:limit]]
    more = _write(call, plan.mark, rows[limit - 1][-plan.keys :]) if len(rows) > limit else None
    return records, more


def _bad_cursor() -> ApiError:
    error = FieldError("validation_invalid_cursor", "The cursor is not valid here: begin with an empty one.")
    return invalid_fields("The cursor is invalid.", {"cursor": error})


def _prepare(call: Call, query: Query, values: Sequence[Any] | None) -> tuple[Parsed | None, _Plan]:
    nulls = None if values is None else tuple(value is None for value in values)
    try:
        parsed = parse_filter(query.filter) if query.filter else None
        key = (
            "keyset",
            query.collection.id,
            query.rule,
            parsed and parsed.key,
            query.sort,
            class_of_caller(call),
            nulls,
            bool(query.search),
        )
        return parsed, call.schema.derived.get(key, lambda: _compile(call, query, parsed, nulls))
    except RuleError as error:
        raise as_client_error(error) from error


def _compile(call: Call, query: Query, parsed: Parsed | None, nulls: Sequence[bool] | None) -> _Plan:
    scope, where = conditions(call, query, parsed)
    order = _unique(scope, query, order_of(call, query, scope))
    if nulls is not None:
        if len(nulls) != len(order):
            raise _bad_cursor()
        where.append(_after(order, nulls))
    keys = [one.value.label(f"key{at}") for at, one in enumerate(order)]
    page = (
        sa.select(*columns_of(scope, query.collection), *keys)
        .select_from(source_for(call, query, scope))
        .where(*where)
        .order_by(*order)
        .limit(sa.bindparam("limit", type_=sa.BigInteger()))
    )
    return _Plan(rendered(query, scope, page), len(keys), _mark(call, query, scope))


def _unique(scope: Scope, query: Query, order: Sequence[sa.ColumnElement[Any]]) -> list[Order]:
    """The order with a last key that no two records share, going the way of the one before it."""
    if query.search and is_ranked(order):
        message = "What is found best first has pages by number: sort by something else for a cursor."
        raise invalid_fields(
            "The cursor is invalid.", {"sort": FieldError("validation_invalid_sort", message)}
        )
    keys = [one for one in order if isinstance(one, Order)]
    if len(keys) < len(order):
        error = FieldError("validation_invalid_sort", "Records in random order have no pages by key.")
        raise invalid_fields("The cursor is invalid.", {"sort": error})
    if query.collection.is_view:
        (own_id,) = scope.columns("id")
        return [*keys, Order(own_id, keys[-1].descending if keys else False, nullable=False)]
    if not query.sort:
        return keys
    (rowid,) = scope.default_order()
    assert isinstance(rowid, Order)
    return [*keys, Order(rowid.value, keys[-1].descending, nullable=False)]


def _after(order: Sequence[Order], nulls: Sequence[bool]) -> sa.ColumnElement[bool]:
    """What comes after the record with the values ``after0``, ``after1`` …; ``nulls`` says which of them are null.

    Of each key first "not before", which an index on it can begin at, then "after, or equal and …".
    """
    last = len(order) - 1
    condition = _beyond(order[last], last, nulls[last], strictly=True)
    for at in range(last - 1, -1, -1):
        one, is_null = order[at], nulls[at]
        strictly = _beyond(one, at, is_null, strictly=True)
        condition = conjunction(
            [_beyond(one, at, is_null, strictly=False), disjunction([strictly, condition])]
        )
    return condition


def _beyond(one: Order, at: int, is_null: bool, *, strictly: bool) -> sa.ColumnElement[bool]:
    key = one.value
    if is_null:
        # Null is the least: nothing else comes before it, or, descending, after it.
        if one.descending:
            return Fragment("1 = 0") if strictly else Fragment(key, " IS NULL")
        return Fragment(key, " IS NOT NULL") if strictly else Fragment("1 = 1")
    sign = ("<" if one.descending else ">") + ("" if strictly else "=")
    compared = Fragment(key, f" {sign} ", sa.bindparam(f"after{at}", type_=sa.types.NullType()))
    if one.descending and one.nullable:
        return disjunction([compared, Fragment(key, " IS NULL")])
    return compared


def _mark(call: Call, query: Query, scope: Scope) -> str:
    """What a cursor's values belong to: the sort, and its collections as they are."""
    tables = [(one.id, one.updated) for id_ in tables_of(call.schema, scope) if (one := call.schema.get(id_))]
    text = orjson.dumps((query.collection.id, query.sort, bool(query.search), tables))
    return hashlib.blake2b(text, digest_size=6).hexdigest()


def _write(call: Call, mark: str, values: Sequence[Any]) -> str:
    text = orjson.dumps([mark, *values], default=_exact)
    cipher = _cipher(call.session.project.uid, settings.MBAAS_SECRET_KEYS[0])
    token = base64.urlsafe_b64encode(cipher.encrypt(text, _PURPOSE))
    if len(token) > LONGEST:
        error = FieldError("validation_invalid_sort", "The values to sort by are too long for pages by key.")
        raise invalid_fields("The cursor is invalid.", {"sort": error})
    return token.rstrip(b"=").decode()


def _exact(value: Any) -> Any:
    if isinstance(value, Decimal):
        return [str(value)]
    raise TypeError(f"{type(value).__name__} is no sort value")


def _read(call: Call, cursor: str) -> tuple[str, list[Any]]:
    """The mark and the values. Raises 400 for what was not made here."""
    if len(cursor) > LONGEST or not cursor.isascii():
        raise _bad_cursor()
    try:
        raw = base64.b64decode(cursor + "=" * (-len(cursor) % 4), b"-_", validate=True)
    except binascii.Error:
        raise _bad_cursor() from None
    for secret in settings.MBAAS_SECRET_KEYS:
        try:
            mark, *values = orjson.loads(_cipher(call.session.project.uid, secret).decrypt(raw, _PURPOSE))
        except (InvalidTag, ValueError):
            continue
        return mark, [Decimal(value[0]) if isinstance(value, list) else value for value in values]
    raise _bad_cursor()


@lru_cache(maxsize=1024)
def _cipher(uid: str, secret: str) -> AESSIV:
    """A project's cipher; SIV (RFC 5297) needs no random number, so equal texts become equal cursors."""
    return AESSIV(hashlib.sha256(f"mbaas cursor:{uid}:{secret}".encode()).digest())
