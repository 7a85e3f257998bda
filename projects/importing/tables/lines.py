"""A file's lines as its bytes come."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Final

from django.conf import settings

from projects.errors import bad_request

_UTF16: Final = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


class Lines:
    """Gives (number from 1, line without its end) for each; None for a line above MBAAS_IMPORT_MAX_ROW_BYTES.

    A byte order mark is taken off. Raises ApiError 400 for UTF-16.
    """

    def __init__(self) -> None:
        self._left = b""
        self._number = 0
        self._is_new = True
        self._most: int = settings.MBAAS_IMPORT_MAX_ROW_BYTES
        # A line that is too long is passed over until its end.
        self._passing = False

    def feed(self, data: bytes) -> Iterator[tuple[int, bytes | None]]:
        data = self._left + data
        if self._is_new:
            if len(data) < len(codecs.BOM_UTF8):
                self._left = data
                return
            self._is_new = False
            data = _without_mark(data)
        *lines, self._left = data.split(b"\n")
        for line in lines:
            self._number += 1
            yield self._number, self._checked(line.removesuffix(b"\r"))
            self._passing = False
        if len(self._left) > self._most:
            self._left, self._passing = b"", True

    def end(self) -> Iterator[tuple[int, bytes | None]]:
        """A last line that has no end."""
        line = _without_mark(self._left) if self._is_new else self._left
        self._left = b""
        if line or self._passing:
            yield self._number + 1, self._checked(line.removesuffix(b"\r"))

    def _checked(self, line: bytes) -> bytes | None:
        return None if self._passing or len(line) > self._most else line


def _without_mark(data: bytes) -> bytes:
    if data.startswith(_UTF16):
        raise bad_request("The file is UTF-16. Save it as UTF-8.")
    return data.removeprefix(codecs.BOM_UTF8)
