"""``fields``: which parts of an answer a client wants, dotted and with ``:excerpt(max,withEllipsis?)``."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Any

from projects.errors import bad_request
from projects.records.excerpt import plain_text

_PATH = re.compile(r"([^:]*)(?::(\w+)(?:\((.*)\))?)?")


@dataclass(frozen=True, slots=True)
class Excerpt:
    """The first ``limit`` characters of a text without markup, with ``...`` when something was cut."""

    limit: int
    ellipsis: bool

    def __call__(self, value: Any) -> Any:
        if not isinstance(value, str):
            return value
        plain = plain_text(value)
        if len(plain) <= self.limit:
            return plain
        return plain[: self.limit].rstrip() + ("..." if self.ellipsis else "")


@dataclass(slots=True)
class Pick:
    """A tree of wanted names; ``all`` is ``*``. A leaf (no names, not all) takes the value whole."""

    all: bool = False
    all_excerpt: Excerpt | None = None
    excerpt: Excerpt | None = None
    names: dict[str, Pick] = field(default_factory=dict)

    def __call__(self, value: Any) -> Any:
        if not (self.names or self.all):
            return self.excerpt(value) if self.excerpt else value
        if isinstance(value, list):
            # A list of other things than objects has no parts: it is taken whole.
            return [self._of(item) for item in value] if all(type(item) is dict for item in value) else value
        return self._of(value) if isinstance(value, dict) else value

    def _of(self, value: dict[str, Any]) -> dict[str, Any]:
        out: dict[str, Any] = {}
        for name, item in value.items():
            wanted = self.names.get(name)
            if wanted is not None:
                out[name] = wanted(item)
            elif self.all:
                out[name] = self.all_excerpt(item) if self.all_excerpt else item
        return out


def parse_pick(text: str) -> Pick | None:
    """The tree that ``fields=text`` asks for; None when it asks for everything. Raises 400."""
    paths = [path.strip() for path in _split(text)]
    if not any(paths):
        return None
    root = Pick()
    for path in paths:
        match = _PATH.fullmatch(path)
        if match is None:
            raise bad_request()
        dotted, modifier, arguments = match.groups()
        excerpt = _excerpt(modifier, arguments) if modifier else None
        node = root
        *parents, last = dotted.split(".")
        for name in parents:
            node = node.names.setdefault(name, Pick())
        if last == "*":
            node.all, node.all_excerpt = True, excerpt
        else:
            node.names.setdefault(last, Pick()).excerpt = excerpt
    return root


def _split(text: str) -> list[str]:
    """At the commas outside parentheses."""
    return re.split(r",(?![^(]*\))", text)


def _excerpt(modifier: str, arguments: str | None) -> Excerpt:
    parts = [part.strip() for part in (arguments or "").split(",")]
    if modifier != "excerpt" or not parts[0].isdigit() or int(parts[0]) < 1 or len(parts) > 2:
        raise bad_request()
    return Excerpt(int(parts[0]), len(parts) > 1 and parts[1].lower() in ("true", "1"))
