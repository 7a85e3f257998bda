"""What a client subscribes to: all records of a collection, or one, with options of its own."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any
from urllib.parse import parse_qs

import orjson

from projects.records.present import Shape


@dataclass(frozen=True, slots=True, eq=False)
class Topic:
    """A subscription as the client wrote it (``text``, echoed with every event) and what it means.

    ``base`` is what stands before the options: ``posts``, ``posts/*``, ``posts/<record id>``, each also with
    the collection's id. ``query`` and ``headers`` are the options, as rules read them. Any other text is a
    topic too; no change of a record ever reaches it.
    """

    text: str
    base: str
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def filter(self) -> str:
        return self.query.get("filter", "")

    @property
    def shape(self) -> Shape:
        return Shape.of(self.query)


@lru_cache(maxsize=4_000)
def parse_topic(text: str) -> Topic:
    """Never raises: options that cannot be read count as none."""
    if "\n" in text or "\r" in text:
        # It could not be echoed on one line of the stream.
        return Topic(text, "")
    base, _, query = text.partition("?")
    options = _options(query)
    headers = {
        name.lower().replace("-", "_"): value for name, value in _texts(options.get("headers")).items()
    }
    return Topic(text, base, _texts(options.get("query")), headers)


def _options(query: str) -> dict[str, Any]:
    given = parse_qs(query, keep_blank_values=True).get("options") if query else None
    if not given:
        return {}
    try:
        value = orjson.loads(given[0])
    except orjson.JSONDecodeError:
        return {}
    return {key.lower(): item for key, item in value.items()} if isinstance(value, dict) else {}


def _texts(value: Any) -> dict[str, str]:
    return {key: _as_text(item) for key, item in value.items()} if isinstance(value, dict) else {}


def _as_text(value: Any) -> str:
    """A JSON value as a query parameter: lists, objects and null are empty."""
    if isinstance(value, str):
        return value
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, float) and value.is_integer():
        return str(int(value))
    return str(value) if isinstance(value, int | float) else ""


def bases(
    collection_id: str, collection_name: str, record_id: str
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """The bases of topics that a change of that record belongs to: (of the collection, of the record).

    Names are compared as they are written: ``Posts/*`` is not ``posts/*``.
    """
    whole: list[str] = []
    single: list[str] = []
    for key in (collection_name, collection_id):
        whole += (key, f"{key}/*")
        single.append(f"{key}/{record_id}")
    return tuple(whole), tuple(single)


def split_base(base: str) -> tuple[str, str]:
    """(collection, record id) that a base names; no record id for all of its records."""
    collection, _, record_id = base.partition("/")
    return collection, "" if record_id == "*" else record_id
