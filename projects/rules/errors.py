"""What can be wrong with a rule or a filter. The caller decides the answer; see the wire contract."""

from __future__ import annotations

from projects.errors import InvalidRuleError


class RuleError(InvalidRuleError):
    """A rule or filter that does not fit the schema.

    ``position`` is the index (from 0) of the character in the text where the wrong part starts.
    """

    def __init__(self, message: str, position: int = 0) -> None:
        super().__init__(message)
        self.message = message
        self.position = position


class RuleSyntaxError(RuleError):
    """A text that is not of the language. ``expected`` names what could have stood at ``position``."""

    def __init__(self, message: str, position: int = 0, expected: tuple[str, ...] = ()) -> None:
        super().__init__(message, position)
        self.expected = expected


class RuleForbidden(RuleError):
    """A client's filter or sort reads what only a rule, or a superuser, may read."""


class Undecidable(Exception):
    """A rule that one record alone does not decide: it reads another table, so ask SQL."""
