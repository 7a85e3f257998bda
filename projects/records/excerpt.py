"""The text of HTML as a reader sees it, on one line: what excerpts are cut from."""

from __future__ import annotations

import html
import re
from typing import Final

_MARKUP: Final = re.compile(
    r"<!--.*?(?:-->|\Z)|<(?P<end>/?)(?P<name>[a-z][^\s/>]*)[^>]*(?:>|\Z)|<[!?/][^>]*(?:>|\Z)",
    re.DOTALL | re.IGNORECASE,
)
# Other spaces than these are meant as they stand.
_SPACES: Final = re.compile(r"[ \t\n\r\f\v]+")
# Within a line: no space where they begin or end.
_INLINE: Final = frozenset(
    {"a", "abbr", "b", "br", "cite", "code", "em", "i", "img", "input", "label", "q", "small", "span", "strong",
     "sub", "sup"}
)  # fmt: skip
# What they hold is no text.
_SILENT: Final = frozenset(
    {"button", "form", "iframe", "object", "script", "select", "style", "svg", "template", "textarea"}
)


def plain_text(text: str) -> str:
    """``text`` without markup, entities resolved, spaces made one. In one pass, whatever the text."""
    parts: list[str] = []
    at = 0
    while found := _MARKUP.search(text, at):
        parts.append(text[at : found.start()])
        at = found.end()
        name = (found["name"] or "").lower()
        if name in _SILENT and not found["end"]:
            close = re.compile(rf"</{name}\b[^>]*(?:>|\Z)", re.IGNORECASE).search(text, at)
            at = close.end() if close else len(text)
        elif name and name not in _INLINE and name not in _SILENT:
            parts.append(" ")
    parts.append(text[at:])
    return _SPACES.sub(" ", html.unescape("".join(parts))).strip(" ")
