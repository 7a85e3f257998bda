"""List: one page of the records a caller may see."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from math import ceil
from typing import Any

from projects.databases.lanes import Length
from projects.errors import FieldError, bad_request, invalid_fields
from projects.records.access import condition_for
from projects.records.call import Call
from projects.records.keyset import fetch_after
from projects.records.present import Shape, present
from projects.records.queries import Query, count, fetch_counted
from projects.records.search import refuse_unless_searched, search_query
from projects.schema.collection import CollectionSchema

DEFAULT_PER_PAGE = 30
MAX_PER_PAGE = 1000
# What an SQL OFFSET can hold.
_MAX_OFFSET = 2**62
_TRUE, _FALSE = {"1", "t", "T", "true", "TRUE", "True"}, {"", "0", "f", "F", "false", "FALSE", "False"}


@dataclass(frozen=True, slots=True)
class Page:
    """Which page is wanted; values below 1 mean the default, above the maximum the maximum."""

    number: int = 1
    size: int = DEFAULT_PER_PAGE
    skip_total: bool = False

    @classmethod
    def of(cls, query: Mapping[str, str]) -> Page:
        """Read ``page``, ``perPage`` and ``skipTotal``. Raises 400 for what is no number or flag."""
        number, size = _integer(query.get("page", "")), _integer(query.get("perPage", ""))
        return cls(
            number=max(number, 1),
            size=min(size, MAX_PER_PAGE) if size > 0 else DEFAULT_PER_PAGE,
            skip_total=_flag(query.get("skipTotal", "")),
        )

    @property
    def offset(self) -> int:
        return min((self.number - 1) * self.size, _MAX_OFFSET)

    def answer(self, total: int, items: list[Any]) -> dict[str, Any]:
        """The list's JSON. ``total`` is -1 when it was not asked for."""
        return {
            "items": items,
            "page": self.number,
            "perPage": self.size,
            "totalItems": total,
            "totalPages": total if total < 0 else ceil(total / self.size),
        }


def _integer(text: str) -> int:
    if not text:
        return 0
    digits = text[1:] if text[0] in "+-" else text
    # Digits of other scripts are numbers to int() and to nobody else.
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 19:
        raise bad_request()
    return int(text)


def _flag(text: str) -> bool:
    if text not in _TRUE | _FALSE:
        raise bad_request()
    return text in _TRUE


def length_of(params: Mapping[str, str]) -> Length:
    """What to expect of a list: a search may go through much, a page of a hundred or more or with related records
    is large."""
    if params.get("search"):
        return "long"
    return "large" if len(params.get("perPage", "")) > 2 or "expand" in params else "short"


def list_records(call: Call, collection_name: str, params: Mapping[str, str]) -> dict[str, Any]:
    """The page that ``params`` ask for: page, perPage, skipTotal, cursor, filter, search, sort, expand, fields.

    Raises 404 for an unknown collection, 403 where only superusers may list, 400 for what cannot be read.
    """
    collection = call.collection(collection_name)
    rule = condition_for(call, collection.list_rule)
    page = Page.of(params)
    search = searched(call, collection, params)
    query = Query(collection, rule, params.get("filter", ""), params.get("sort", ""), search)
    if "cursor" in params:
        return _by_key(call, query, page, params)
    records, total = fetch_counted(call, query, limit=page.size, offset=page.offset)
    if page.skip_total:
        total = -1
    elif total is None:
        total = _total(call, query, page, len(records))
    return page.answer(total, present(call, collection, records, Shape.of(params)))


def searched(call: Call, collection: CollectionSchema, params: Mapping[str, str]) -> str:
    """What ``search`` looks for, in the engine's form; "" for nothing. Raises 400 where nothing can be searched."""
    text = params.get("search", "")
    if not text:
        return ""
    refuse_unless_searched(collection)
    return search_query(text, call.session.engine)


def _by_key(call: Call, query: Query, page: Page, params: Mapping[str, str]) -> dict[str, Any]:
    if page.number > 1:
        error = FieldError("validation_invalid_cursor", "Pages have a number or a cursor, not both.")
        raise invalid_fields("The cursor is invalid.", {"cursor": error})
    records, more = fetch_after(call, query, params["cursor"], page.size)
    shown = present(call, query.collection, records, Shape.of(params))
    return {**page.answer(-1, shown), "nextCursor": more}


def _total(call: Call, query: Query, page: Page, found: int) -> int:
    # A page that is not full says itself where the end is.
    if 0 < found < page.size or (found == 0 and page.number == 1):
        return page.offset + found
    return count(call, query)
