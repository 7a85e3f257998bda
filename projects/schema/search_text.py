"""Texts as words to search by: the same for what is stored and for what is asked, on both engines."""

from __future__ import annotations

import html
import re
import unicodedata
from typing import Final

# Longer ones are cut: no word, but a key or an encoded file, found by its beginning.
MAX_WORD: Final = 50
_MARKUP: Final = re.compile(
    r"<(?:script|style)\b.*?</(?:script|style)\s*>|<!--.*?-->|<[^>]*>", re.DOTALL | re.IGNORECASE
)

# Marks that many readers leave out: Latin, Greek and Cyrillic accents, Hebrew and Arabic vowels.
_LEFT_OUT: Final = re.compile(
    r"[\u0300-\u036f\u0483-\u0487\u0591-\u05c7\u0610-\u061a\u0640\u064b-\u065f\u0670\u06d6-\u06dc\u06df-\u06e8\u06ea-\u06ed]+"
)
# Letters that Unicode does not take apart.
_PLAIN: Final = {
    "ø": "o",
    "ł": "l",
    "đ": "d",
    "ð": "d",
    "þ": "th",
    "æ": "ae",
    "œ": "oe",
    "ı": "i",
    "ħ": "h",
    "ŧ": "t",
}
# Scripts that put no spaces between words: Thai, Lao, Burmese, Khmer, Japanese, Chinese. Each sign is a word.
_UNSPACED: Final = re.compile(
    "[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3005-\u3007\u3040-\u30ff\u31f0-\u31ff\u3400-\u4dbf\u4e00-\u9fff\uf900-\ufaff"
    "\U00020000-\U0003ffff]"
)


class _Characters(dict[int, str | None]):
    """What becomes of a character: letters, digits and the signs of letters stay, accents go, all else parts words.

    Filled as characters are met: there are 1,114,112.
    """

    def __missing__(self, code: int) -> str | None:
        apart = _LEFT_OUT.sub("", unicodedata.normalize("NFD", chr(code)))
        kept = unicodedata.normalize("NFC", apart)
        kept = _PLAIN.get(kept, kept)
        if kept and not all(one.isalnum() or unicodedata.category(one)[0] == "M" for one in kept):
            kept = " "
        elif _UNSPACED.match(kept):
            kept = f" {kept} "
        self[code] = kept or None
        return self[code]


_characters = _Characters()


def words_of(text: str) -> list[str]:
    """The words, folded: without case (``Straße`` is ``strasse``) and accents (``café`` is ``cafe``)."""
    if not text.isascii():
        text = unicodedata.normalize("NFKC", text)
    return [word[:MAX_WORD] for word in text.casefold().translate(_characters).split()]


def may_begin(word: str) -> bool:
    """Whether it makes sense to look for words that begin so. One letter of an alphabet begins too many, to find and
    to read; a Hangul syllable does not."""
    return len(word) > 1 or "\uac00" <= word <= "\ud7a3"


def plain_text(markup: str) -> str:
    """What a reader sees of HTML."""
    return html.unescape(_MARKUP.sub(" ", markup))
