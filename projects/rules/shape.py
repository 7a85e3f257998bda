r"""A filter's shape: its text with every constant replaced by its kind.

Apps send the same few filters with other constants all day. One pass of one regular expression splits a text into
its shape and its constants, so that tree and compiled plan are looked up instead of built. The kinds that a plan
may depend on (empty or not, true, false, null) are part of the shape; the values of texts and numbers are not.
"""

from __future__ import annotations

import re
from typing import NamedTuple

from projects.rules.ast import Constant, ConstantKind

# An unclosed quote runs to the end of the text: were it left unmatched, every later quote would be tried anew,
# in quadratic time. Words and digits inside an identifier are not constants, hence the look-arounds.
_CONSTANT = re.compile(
    r"""("[^"\\]*+(?:\\.[^"\\]*+)*+(?:"|\\?\Z)"""
    r"""|'[^'\\]*+(?:\\.[^'\\]*+)*+(?:'|\\?\Z)"""
    r"""|//[^\n]*+"""
    r"""|(?<![A-Za-z0-9_.:@\#])(?:-?[0-9]++(?:\.[0-9]++)?|-\.[0-9]++)(?![A-Za-z0-9_.])"""
    r"""|(?<![A-Za-z0-9_.:@\#])(?:true|false|null)(?![A-Za-z0-9_.:]))""",
    re.A | re.I | re.S,
)

# Somebody may write such a character himself: parse.py compares the number of marks with that of constants.
_MARKS: dict[ConstantKind, str] = {
    "text": "\x01",
    "empty": "\x02",
    "number": "\x03",
    "true": "\x04",
    "false": "\x05",
    "null": "\x06",
}
_MARK_TEXT, _MARK_EMPTY, _MARK_NUMBER = _MARKS["text"], _MARKS["empty"], _MARKS["number"]
_WORDS: dict[str, tuple[str, Constant]] = {
    "true": (_MARKS["true"], True),
    "false": (_MARKS["false"], False),
    "null": (_MARKS["null"], None),
}

_ESCAPE = re.compile(r"\\([ntr'\"\\])")
_ESCAPED = {"n": "\n", "t": "\t", "r": "\r", "'": "'", '"': '"', "\\": "\\"}

# Integers beyond it are floats, as numbers are in the wire contract (and as a number column holds them).
_EXACT = 2**53
_LARGEST = 1.7976931348623157e308


class Shape(NamedTuple):
    """``constants`` in the order of the text, one for each mark in ``key``."""

    key: str
    constants: tuple[Constant, ...]


def text_constant(quoted: str) -> str:
    r"""The value of a quoted text. ``\n \t \r \' \" \\`` are escapes; any other backslash is itself."""
    inner = quoted[1:-1]
    return _ESCAPE.sub(lambda m: _ESCAPED[m.group(1)], inner) if "\\" in inner else inner


def number_constant(digits: str) -> int | float:
    if "." not in digits and len(digits) < 16:
        return int(digits)
    value = min(max(float(digits), -_LARGEST), _LARGEST)
    return int(value) if value.is_integer() and abs(value) < _EXACT else value


def constant_kind(value: Constant) -> ConstantKind:
    if isinstance(value, str):
        return "text" if value else "empty"
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    return "number"


def shape_of(text: str) -> Shape:
    """The shape of ``text`` and its constants in order. Any text has one; only the grammar says if it is valid."""
    parts = _CONSTANT.split(text)
    if len(parts) == 1:
        return Shape(text, ())
    constants: list[Constant] = []
    for i in range(1, len(parts), 2):
        part = parts[i]
        first = part[0]
        if first == '"' or first == "'":
            if len(part) == 1 or part[-1] != first:
                continue
            value = part[1:-1]
            if "\\" in value:
                if (len(value) - len(value.rstrip("\\"))) % 2:
                    continue  # the last quote is an escaped one: the text is not closed
                value = text_constant(part)
            constants.append(value)
            parts[i] = _MARK_TEXT if value else _MARK_EMPTY
        elif first == "/":
            parts[i] = " "
        elif first in "-0123456789":
            constants.append(number_constant(part))
            parts[i] = _MARK_NUMBER
        else:
            mark, word = _WORDS[part.lower()]
            constants.append(word)
            parts[i] = mark
    return Shape("".join(parts), tuple(constants))
