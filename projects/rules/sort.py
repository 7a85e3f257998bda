"""A client's ``sort``: ``-created,+title,author.name,@random``."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

from projects.rules.ast import Identifier
from projects.rules.errors import RuleError, RuleSyntaxError

# A limit of the wire contract.
MAX_SORT_KEYS = 8
SPECIAL = frozenset({"@random", "@rowid"})


@dataclass(frozen=True, slots=True)
class SortKey:
    """``identifier``, or one of the special keys: ``@random``, ``@rowid`` (the order of creation)."""

    descending: bool
    identifier: Identifier | None
    special: str = ""


@lru_cache(maxsize=1000)
def parse_sort(text: str) -> tuple[SortKey, ...]:
    """The keys in order. Raises RuleError, RuleSyntaxError."""
    from projects.rules.parse import identifier_at

    items = text.split(",")
    if len(items) > MAX_SORT_KEYS:
        raise RuleError(f"more than {MAX_SORT_KEYS} sort fields")
    keys = []
    position = 0
    for item in items:
        name = item.strip()
        start = position + item.index(name)
        position += len(item) + 1
        descending = name.startswith("-")
        if name[:1] in ("-", "+"):
            name, start = name[1:], start + 1
        if not name:
            raise RuleSyntaxError("empty sort field", start, ("a field",))
        if name in SPECIAL:
            keys.append(SortKey(descending, None, name))
        else:
            keys.append(SortKey(descending, identifier_at(name, start)))
    return tuple(keys)
