"""``search``: a person's words as a query of the index, which no sign in them can break."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from projects.context import Engine
from projects.errors import FieldError, invalid_fields
from projects.schema.collection import CollectionSchema
from projects.schema.search import searchable_fields
from projects.schema.search_text import may_begin, words_of

# More are not looked for: nobody types them, and each costs a look into the index.
MAX_WORDS: Final = 20
# Of a longer text the rest is not read.
_LONGEST: Final = 2000
_PARTS: Final = re.compile(r'"([^"]*)("?)|[^\s"]+')


@dataclass(frozen=True, slots=True)
class _Term:
    """Words that follow each other; ``begins``: the last of them may go on."""

    words: tuple[str, ...]
    begins: bool = False


def search_query(text: str, engine: Engine) -> str:
    """The query in the engine's own form; "" when there is no word in ``text``.

    All words must occur, those between quotes one after the other. The last may be the beginning of one: it is
    still being typed.
    """
    terms = _terms(text[:_LONGEST])
    write = _sqlite if engine == "sqlite" else _postgresql
    return write(terms)


def _terms(text: str) -> list[_Term]:
    terms: list[_Term] = []
    left = MAX_WORDS
    for match in _PARTS.finditer(text):
        is_quoted, is_closed = match[1] is not None, bool(match[2])
        words = tuple(words_of(match[1] if is_quoted else match[0])[:left])
        left -= len(words)
        if words:
            terms.append(_Term(words, begins=not (is_quoted and is_closed) and may_begin(words[-1])))
        if not left:
            break
    return [_Term(term.words, term.begins and term is terms[-1]) for term in terms]


# Words hold letters and digits alone, so nothing in them needs an escape.
def _sqlite(terms: list[_Term]) -> str:
    return " ".join(f'"{" ".join(term.words)}"{"*" if term.begins else ""}' for term in terms)


def _postgresql(terms: list[_Term]) -> str:
    return " & ".join(_sequence(term) for term in terms)


def _sequence(term: _Term) -> str:
    words = [f"'{word}'" for word in term.words]
    if term.begins:
        words[-1] += ":*"
    return f"({' <-> '.join(words)})"


def refuse_unless_searched(collection: CollectionSchema) -> None:
    """Raises 400 for a collection without searchable fields."""
    if collection.is_view:
        message = "Views cannot be searched: search the collections that they read."
    elif not searchable_fields(collection):
        message = "The collection has no searchable fields."
    else:
        return
    error = FieldError("validation_not_searchable", message)
    raise invalid_fields("The search is invalid.", {"search": error})
