"""How CSV and JSON lines are read, however they are cut into pieces on their way."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.errors import ApiError
from projects.importing.tables.csv_table import CsvTable
from projects.importing.tables.gently import gently
from projects.importing.tables.json_lines import JsonLines
from projects.importing.tables.rows import Refused, Row, TableReader


def read(reader: TableReader, data: bytes, piece: int = 0) -> list[Row | Refused]:
    found: list[Row | Refused] = []
    for at in range(0, len(data), piece or len(data) or 1):
        found += reader.feed(data[at : at + piece] if piece else data)
    return found + reader.end()


def seen(rows: list[Row | Refused]) -> list[tuple[int, Any]]:
    return [(one.line, dict(one.values) if isinstance(one, Row) else "refused") for one in rows]


CSV: list[tuple[str, bytes, list[tuple[int, Any]]]] = [
    ("plain", b"a,b\n1,2\n3,4\n", [(2, {"a": "1", "b": "2"}), (3, {"a": "3", "b": "4"})]),
    ("no end of the last line", b"a,b\n1,2", [(2, {"a": "1", "b": "2"})]),
    ("a byte order mark and CRLF", b"\xef\xbb\xbfa,b\r\n1,2\r\n", [(2, {"a": "1", "b": "2"})]),
    ("empty lines", b"a,b\n\n1,2\n\n", [(3, {"a": "1", "b": "2"})]),
    ("empty cells", b"a,b\n,\n", [(2, {"a": "", "b": ""})]),
    ("quotes, commas, line ends in quotes", b'a,b\n"x,""y""","1\n2\r\n3"\n4,5\n',
     [(2, {"a": 'x,"y"', "b": "1\n2\n3"}), (5, {"a": "4", "b": "5"})]),
    ("a quote in the middle of a cell", b'a,b\n5" pipe,1\n2,3\n', [(2, {"a": '5" pipe', "b": "1"}), (3, {"a": "2", "b": "3"})]),
    ("semicolons", b"a;b\n1,5;2\n", [(2, {"a": "1,5", "b": "2"})]),
    ("tabs", b"a\tb\n1\t2\n", [(2, {"a": "1", "b": "2"})]),
    ("a row that is too short or long", b"a,b\n1\n1,2,3\n4,5\n", [(2, "refused"), (3, "refused"), (4, {"a": "4", "b": "5"})]),
    ("a row that is no UTF-8", b"a,b\n\xff,2\n3,4\n", [(2, "refused"), (3, {"a": "3", "b": "4"})]),
    ("NUL", b"a,b\n\0,2\n3,4\n", [(2, "refused"), (3, {"a": "3", "b": "4"})]),
    ("a carriage return within a line", b"a,b\n1\r2,2\n3,4\n", [(2, "refused"), (3, {"a": "3", "b": "4"})]),
    ("a quote that stays open", b'a,b\n1,2\n"3,4\n5,6\n', [(2, {"a": "1", "b": "2"}), (3, "refused")]),
]  # fmt: skip


@pytest.mark.parametrize("piece", [0, 1, 3, 7])
@pytest.mark.parametrize(("name", "data", "expected"), CSV, ids=[name for name, *_ in CSV])
def test_csv_is_read_the_same_in_any_pieces(
    name: str, data: bytes, expected: list[tuple[int, Any]], piece: int
) -> None:
    assert seen(read(CsvTable(), data, piece)) == expected


@pytest.mark.parametrize(
    ("data", "says"),
    [
        (b"", "must name the columns"),
        (b"\n", "must name the columns"),
        (b"a,b,a\n1,2,3\n", "twice"),
        (b"\xff\xfea\x00,\x00b\x00", "UTF-16"),
        (b"\xff\xfe\xfd,b\n", "UTF-16|UTF-8"),
    ],
)
def test_what_is_no_csv_is_refused_whole(data: bytes, says: str) -> None:
    with pytest.raises(ApiError, match=says):
        read(CsvTable(), data)


@pytest.mark.parametrize("delimiter", ["ab", '"', "\n", "é"])
def test_a_delimiter_is_one_plain_character(delimiter: str) -> None:
    with pytest.raises(ApiError, match="delimiter"):
        CsvTable(delimiter)


CELL = st.text(st.characters(blacklist_categories=("Cs",), blacklist_characters="\0\r"), max_size=6)


@settings(max_examples=60, deadline=None)
@given(st.lists(st.lists(CELL, min_size=2, max_size=2), min_size=1, max_size=8), st.integers(1, 9))
def test_what_the_csv_module_writes_is_read_back(rows: list[list[str]], piece: int) -> None:
    import csv
    import io

    out = io.StringIO()
    csv.writer(out, quoting=csv.QUOTE_ALL, lineterminator="\r\n").writerows([["a", "b"], *rows])
    found = read(CsvTable(","), out.getvalue().encode(), piece)
    assert [list(one.values.values()) for one in found] == rows


@pytest.mark.parametrize("piece", [0, 1, 5])
def test_json_lines_are_read_the_same_in_any_pieces(piece: int) -> None:
    data = b'\xef\xbb\xbf{"a":1}\r\n\n[1]\n{"a":1e999}\n{"a":"\xff"}\n{"a"\n{"a":{"b":[null]}}'
    assert seen(read(JsonLines(), data, piece)) == [
        (1, {"a": 1}), (3, "refused"), (4, "refused"), (5, "refused"), (6, "refused"), (7, {"a": {"b": [None]}}),
    ]  # fmt: skip


@pytest.mark.parametrize("make", [CsvTable, JsonLines])
def test_a_line_that_is_too_long_costs_its_row_and_no_memory(make: Any, settings: Any) -> None:
    settings.MBAAS_IMPORT_MAX_ROW_BYTES = 100
    reader = make()
    start, good = (b"a\n", b"x\n") if make is CsvTable else (b"", b"{}\n")
    found = reader.feed(start + good + b"y" * 60)
    for _ in range(50):
        found += reader.feed(b"y" * 60)
        assert len(reader._lines._left) <= 160
    found += reader.feed(b"\n" + good) + reader.end()
    first = 2 if make is CsvTable else 1
    assert [(one.line, isinstance(one, Row)) for one in found] == [
        (first, True), (first + 1, False), (first + 2, True),
    ]  # fmt: skip


def test_a_quote_that_never_ends_does_not_fill_the_memory(settings: Any) -> None:
    settings.MBAAS_IMPORT_MAX_ROW_BYTES = 1000
    reader = CsvTable()
    reader.feed(b'a,b\n"')
    with pytest.raises(ApiError, match="line 2 does not end"):
        for _ in range(100):
            reader.feed(b"line\n" * 20)


def test_rows_are_worked_on_in_order_and_other_threads_get_their_turn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rests: list[float] = []
    monkeypatch.setattr("projects.importing.tables.gently.time.sleep", rests.append)
    assert list(gently(range(100))) == list(range(100))
    assert len(rests) == 4 and max(rests) < 0.001
