"""CSV (RFC 4180): a header, then a row per record; fields in quotes may have commas, quotes and line ends in them."""

from __future__ import annotations

import csv
from collections.abc import Sequence
from typing import Final

from django.conf import settings

from projects.errors import ApiError, bad_request
from projects.importing.tables.lines import Lines
from projects.importing.tables.rows import Refused, Row
from projects.schema.fields.coerce import is_storable

_DELIMITERS: Final = (",", ";", "\t", "|")
_UNENDED: Final = "unexpected end of data"
# Of the module: for all readers of the process. Rows are bounded before they get there.
csv.field_size_limit(2**31 - 1)


class CsvTable:
    """``delimiter``: empty to find it out from the header."""

    def __init__(self, delimiter: str = "") -> None:
        if delimiter and (len(delimiter) != 1 or not delimiter.isascii() or delimiter in '"\r\n'):
            raise bad_request("The delimiter is one ASCII character, and no quote.")
        self._delimiter = delimiter
        self._lines = Lines()
        self._header: list[str] | None = None
        # Lines whose row may go on in the next one.
        self._open: list[tuple[int, str | None]] = []

    def feed(self, data: bytes) -> list[Row | Refused]:
        self._open += [(number, _text(line)) for number, line in self._lines.feed(data)]
        return self._take(is_end=False)

    def end(self) -> list[Row | Refused]:
        self._open += [(number, _text(line)) for number, line in self._lines.end()]
        found = self._take(is_end=True)
        if self._header is None:
            raise bad_request("The file is empty: its first line must name the columns.")
        return found

    def _take(self, *, is_end: bool) -> list[Row | Refused]:
        """The whole rows at the beginning of the open lines."""
        found: list[Row | Refused] = []
        lines, self._open = self._open, []
        if self._header is None and lines and not self._delimiter:
            self._delimiter = _guess(lines[0][1] or "")
        at = 0
        while at < len(lines):
            number, text = lines[at]
            if text is None:
                found.append(Refused(number, "The row is too long."))
                at += 1
                continue
            stop = next((i for i in range(at, len(lines)) if lines[i][1] is None), len(lines))
            texts = [line or "" for _, line in lines[at:stop]]
            taken = self._read(number, texts, found, is_end=is_end or stop < len(lines))
            at += taken
            if at < stop:
                # The last row may go on.
                self._open = lines[at:]
                if sum(len(line or "") for _, line in self._open) > settings.MBAAS_IMPORT_MAX_ROW_BYTES:
                    raise bad_request(
                        f"The row that begins in line {lines[at][0]} does not end: a quote is open."
                    )
                break
        return found

    def _read(self, first: int, texts: Sequence[str], found: list[Row | Refused], *, is_end: bool) -> int:
        """Add the rows of ``texts`` to ``found``; how many of the lines they take."""
        at = 0
        while at < len(texts):
            reader = csv.reader((f"{text}\n" for text in texts[at:]), delimiter=self._delimiter)
            done = 0
            try:
                for cells in reader:
                    begin, done = at + done, reader.line_num
                    if at + done == len(texts) and self._is_unended(texts[begin:]):
                        if not is_end:
                            return begin
                        found.append(Refused(first + begin, "The row does not end: a quote is open."))
                        return len(texts)
                    self._add(first + begin, cells, found)
                return len(texts)
            except csv.Error as error:
                found.append(Refused(first + at + done, f"The row cannot be read: {error}."))
                # What the reader had begun goes with it.
                at += max(reader.line_num, done + 1)
        return len(texts)

    def _is_unended(self, texts: Sequence[str]) -> bool:
        """Whether the row is still within quotes at its end; only looked at for the last one of a piece."""
        try:
            list(csv.reader((f"{text}\n" for text in texts), delimiter=self._delimiter, strict=True))
        except csv.Error as error:
            return str(error) == _UNENDED
        return False

    def _add(self, number: int, cells: list[str], found: list[Row | Refused]) -> None:
        if self._header is None:
            self._header = _header(cells)
        elif not cells or (len(cells) == 1 and not cells[0].strip() and len(self._header) > 1):
            return  # an empty line
        elif len(cells) != len(self._header):
            message = f"The row has {len(cells)} columns, the header {len(self._header)}."
            found.append(Refused(number, message))
        elif not all(map(is_storable, cells)):
            found.append(Refused(number, "The row is no UTF-8, or has the character NUL in it."))
        else:
            found.append(Row(number, dict(zip(self._header, cells, strict=True))))


def _text(line: bytes | None) -> str | None:
    # What is no UTF-8 becomes what is_storable refuses: only its own row is lost.
    return None if line is None else line.decode("utf-8", "surrogateescape")


def _header(cells: Sequence[str]) -> list[str]:
    names = [cell.strip() for cell in cells]
    if not any(names) or not all(map(is_storable, names)):
        raise bad_request("The first line must name the columns, in UTF-8.")
    twice = sorted({name for name in names if name and names.count(name) > 1})
    if twice:
        raise _twice(twice[0])
    return names


def _twice(name: str) -> ApiError:
    return bad_request(f"The header names the column {name} twice.")


def _guess(header: str) -> str:
    """The delimiter that the header has most of, outside of quotes."""
    plain = "".join(header.split('"')[::2])
    return max(_DELIMITERS, key=plain.count)
