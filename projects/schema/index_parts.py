"""The parts of an index as app teams write it, and their spelling.

``CREATE [UNIQUE] INDEX name ON table (columns) [WHERE condition]``: the text is parsed (see ``indexes``) by a
strict grammar of our own and never executed; what runs is built anew from the parts.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Final, Literal

# Functions of one column that mean the same on both engines and never change their answer.
FUNCTIONS: Final = frozenset({"lower", "upper", "length", "trim", "abs"})
COLLATIONS: Final = frozenset({"BINARY", "NOCASE", "RTRIM"})

LITERAL_WORDS: Final = ("NULL", "TRUE", "FALSE")

TokenKind = Literal["word", "quoted", "string", "number", "symbol"]


class IndexSyntaxError(ValueError):
    """The text is not an index of the grammar; the message says what is wrong."""


class UnsupportedIndexError(IndexSyntaxError):
    """A valid index elsewhere, with a function or collation that both engines do not share."""


@dataclass(frozen=True, slots=True)
class Token:
    kind: TokenKind
    text: str  # as written
    value: str  # a quoted name or string without its quotes

    @property
    def is_name(self) -> bool:
        return self.kind in ("word", "quoted")

    def is_word(self, *words: str) -> bool:
        return self.kind == "word" and self.value.upper() in words


@dataclass(frozen=True, slots=True)
class IndexColumn:
    """A column, or a function of it."""

    name: str
    function: str = ""
    collation: str = ""
    order: str = ""


@dataclass(frozen=True, slots=True)
class Index:
    """An index in parts. ``where`` is its condition's tokens, checked to be harmless."""

    name: str
    table: str
    columns: tuple[IndexColumn, ...]
    unique: bool = False
    if_not_exists: bool = False
    where: tuple[Token, ...] = ()

    @property
    def definition(self) -> tuple[object, ...]:
        """Equal for indexes that do the same, whatever their names."""
        where = tuple((token.kind, token.value) for token in self.where)
        return (self.unique, self.columns, where)

    def column_names(self) -> set[str]:
        """All columns that the index reads, its condition included."""
        return {column.name for column in self.columns} | {
            self.where[at].value for at in condition_columns(self.where)
        }

    def text(self) -> str:
        """The index in the wire contract's own spelling."""
        columns = [self._column_text(column) for column in self.columns]
        listed = columns[0] if len(columns) == 1 else "\n  " + ",\n  ".join(columns) + "\n"
        unique = "UNIQUE " if self.unique else ""
        guard = "IF NOT EXISTS " if self.if_not_exists else ""
        where = f" WHERE {spell(self.where)}" if self.where else ""
        return f"CREATE {unique}INDEX {guard}`{self.name}` ON `{self.table}` ({listed}){where}"

    @staticmethod
    def _column_text(column: IndexColumn) -> str:
        name = f"{column.function}({column.name})" if column.function else f"`{column.name}`"
        collation = f" COLLATE {column.collation}" if column.collation else ""
        return name + collation + (f" {column.order}" if column.order else "")

    def renamed(self, table: str, columns: Mapping[str, str]) -> Index:
        """The same index after its table and columns (old name to new) got other names."""
        lowered = {old.lower(): new for old, new in columns.items()}
        positions = condition_columns(self.where)
        where = tuple(
            Token("quoted", f"`{lowered[token.value.lower()]}`", lowered[token.value.lower()])
            if at in positions and token.value.lower() in lowered
            else token
            for at, token in enumerate(self.where)
        )
        listed = tuple(
            replace(column, name=lowered.get(column.name.lower(), column.name)) for column in self.columns
        )
        return replace(self, table=table, columns=listed, where=where)


def condition_columns(where: tuple[Token, ...]) -> set[int]:
    """Positions of the tokens of a condition that name columns."""
    return {
        at
        for at, token in enumerate(where)
        if token.is_name
        and not token.is_word("AND", "OR", "NOT", "IS", "IN", *LITERAL_WORDS)
        and not (at + 1 < len(where) and where[at + 1].text == "(" and token.value.lower() in FUNCTIONS)
    }


def spell(where: tuple[Token, ...]) -> str:
    """A condition's tokens as text."""
    return render_condition(where, lambda token: token.text)


def render_condition(where: tuple[Token, ...], word: Callable[[Token], str]) -> str:
    """The condition with each token written by ``word``, spaced as people do."""
    out = ""
    for at, token in enumerate(where):
        before = where[at - 1] if at else None
        glued = (
            before is None
            or token.text in (",", ")")
            or before.text in ("(", "-")
            or (token.text == "(" and before.value.lower() in FUNCTIONS)
        )
        out += ("" if glued else " ") + word(token)
    return out
