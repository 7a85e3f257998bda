"""How well a text answers a search: what SQLite ranks by.

It is BM25 (Robertson, Zaragoza: The Probabilistic Relevance Framework, 2009) without its weight for rare words: how
rare a word is would tell those who watch their ranks of records that the rules hide from them.
"""

from __future__ import annotations

import re
from functools import lru_cache
from typing import Final

# How much a word in the head counts beside one in the body.
HEAD_WEIGHT: Final = 5
# BM25's k1 and b, and the usual length of a text in characters, which is not measured: it would tell as well.
_SATURATION: Final = 1.2
_LENGTH_WEIGHT: Final = 0.75
_USUAL_LENGTH: Final = 600
_TERM: Final = re.compile(r'"([^"]*)"(\*?)')


def search_rank(query: str, head: str, body: str) -> float:
    """Of what ``query`` finds, the best has the least. All are folded words with a space between, ``query`` in the
    form of FTS5: ``"one" "two three"*``."""
    head, body = _spread(head), _spread(body)
    length = (len(head) + len(body)) / _USUAL_LENGTH
    most = _SATURATION * (1 - _LENGTH_WEIGHT + _LENGTH_WEIGHT * length)
    score = 0.0
    for needle in _needles(query):
        count = HEAD_WEIGHT * head.count(needle) + body.count(needle)
        score += count / (count + most)
    return -score


def _spread(text: str) -> str:
    # Two spaces between words: one of its own on each side, so that neighbours that are the same count twice.
    return f" {text} ".replace(" ", "  ")


@lru_cache(maxsize=512)
def _needles(query: str) -> tuple[str, ...]:
    return tuple(
        f" {words.replace(' ', '  ')}{'' if goes_on else ' '}" for words, goes_on in _TERM.findall(query)
    )
