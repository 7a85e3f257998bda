"""Regular expressions that app teams write: RE2, which matches in time linear in the text.

Python's own ``re`` backtracks, so one pattern such as ``(a+)+$`` could hold a worker for hours.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Any, Final, Protocol

import re2

from projects.schema.ids import DEFAULT_ID_PATTERN

_MAX_MEMORY: Final = 1 << 20  # bytes per compiled pattern

# RE2's wording to the one that the wire contract's clients know.
_WORDING: Final = (
    ("missing ]", "missing closing ]"),
    ("missing )", "missing closing )"),
    ("invalid perl operator", "invalid or unsupported Perl syntax"),
    ("invalid repetition size", "invalid repeat count"),
    ("bad repetition operator", "invalid nested repetition operator"),
    ("no argument for repetition operator", "missing argument to repetition operator"),
    ("invalid named capture group", "invalid named capture"),
    ("trailing \\", "trailing backslash at end of expression"),
)


# Every new record is held against it; RE2's binding takes ten times as long as Python's own.
_DEFAULT_ID: Final = re.compile("[a-z0-9]+")


class Regex(Protocol):
    def search(self, text: str) -> Any: ...


class RegexError(ValueError):
    """A pattern that RE2 refuses; the message says why."""


@lru_cache(maxsize=512)
def compile_regex(pattern: str) -> Regex:
    """The compiled pattern. Raises RegexError."""
    options = re2.Options()
    options.log_errors = False
    options.max_mem = _MAX_MEMORY
    try:
        compiled: Regex = re2.compile(pattern, options=options)
    except re2.error as error:
        raise RegexError(_explain(error)) from None
    except (UnicodeError, ValueError):
        raise RegexError("invalid UTF-8: ``") from None
    return compiled


def matches(pattern: str, text: str) -> bool:
    """Whether the pattern occurs anywhere in ``text``. Raises RegexError."""
    if pattern == DEFAULT_ID_PATTERN:
        return _DEFAULT_ID.fullmatch(text) is not None
    return bool(compile_regex(pattern).search(text))


def _explain(error: Exception) -> str:
    detail = error.args[0] if error.args else ""
    text = detail.decode(errors="replace") if isinstance(detail, bytes) else str(detail)
    for ours, theirs in _WORDING:
        if text == ours or text.startswith(f"{ours}: "):
            text = theirs + text[len(ours) :]
            break
    reason, _, what = text.partition(": ")
    return f"{reason}: `{what}`"
