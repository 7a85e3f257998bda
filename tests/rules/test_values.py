"""Patterns, numbers and texts as values.py sees them, held against what SQLite itself does."""

from __future__ import annotations

import sqlite3
import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.rules.patterns import MAX_PATTERN_BYTES, ascii_lower, pattern_matcher, sql_pattern
from projects.rules.values import as_number_operand, as_text_operand, clean, compare, number_text

LETTERS = st.text(st.sampled_from("abAB%_\\é\n"), max_size=8)


@pytest.fixture(scope="module")
def sqlite() -> sqlite3.Connection:
    return sqlite3.connect(":memory:")


@pytest.mark.parametrize(
    ("text", "pattern", "fits"),
    [
        ("abc", "b", True),
        ("abc", "B", True),
        ("aéc", "É", False),
        ("abc", "a_c", False),
        ("a_c", "a_c", True),
        ("abc", "a_c%", True),
        ("abc", "b%", False),
        ("abc", "%c", True),
        ("abc", "", True),
        ("", "a", False),
        ("100%", r"100\%", True),
        ("1000", r"100\%", False),
        ("a_b", r"\_", True),
        ("ab", r"\_", False),
        (r"c\d", r"c\d", True),
        (r"c\d", r"%c\d%", False),
        ("cd", r"%c\d%", True),
        (r"x\zz", r"x\\%", True),
        ("x%", r"x\\%", False),
        ("a%b%c", r"a\%b%", True),
        ("aXb%c", r"a\%b%", False),
        ("ends\\", "%\\", True),
        ("a\nb", "a_b%", True),
    ],
)
def test_a_pattern_is_searched_anywhere_unless_it_has_a_percent_sign(
    text: str, pattern: str, fits: bool
) -> None:
    assert compare(text, "~", pattern) is fits
    assert compare(text, "!~", pattern) is not fits


@settings(max_examples=500, deadline=None)
@given(text=LETTERS, pattern=LETTERS)
def test_the_matcher_and_like_agree(text: str, pattern: str) -> None:
    like = sqlite3.connect(":memory:").execute("SELECT ? LIKE ? ESCAPE '\\'", (text, sql_pattern(pattern)))
    assert pattern_matcher(pattern)(text) == bool(like.fetchone()[0])


def test_many_wildcards_cost_no_more_than_the_text() -> None:
    matches = pattern_matcher("%a" * 1000 + "%b")
    started = time.process_time()
    assert not matches("a" * 20_000)
    assert time.process_time() - started < 1


def test_a_pattern_that_sqlite_would_refuse_fits_nothing(sqlite: sqlite3.Connection) -> None:
    huge = "x" * (MAX_PATTERN_BYTES + 1)
    assert not compare(huge, "~", huge)
    assert sqlite.execute("SELECT ? LIKE ? ESCAPE '\\'", (huge, sql_pattern(huge))).fetchone() == (0,)
    assert compare(huge, "!~", huge)


@pytest.mark.parametrize(
    ("left", "sign", "right", "holds"),
    [
        (None, "=", "", True),
        ("", "!=", None, False),
        (None, "=", 0, False),
        (0, "=", "", False),
        (5, "=", "5", False),
        (5, "=", 5.0, True),
        (5, "<", "4", True),
        ("5", ">", 4, True),
        ("10", ">", "9", False),
        (None, "<", 1, False),
        (1, ">=", None, False),
        (None, "!~", "a", False),
        ("a", "~", None, False),
        (12, "~", 2, True),
        (0.5, "~", 5, True),
        ("2026-11-23T00:00:00.000Z", ">", "2026-11-22 10:00", True),
        ("2026-11-23T00:00:00.000Z", "=", "2026-11-23 00:00:00.000Z", True),
    ],
)
def test_values_of_two_classes_are_never_equal_and_null_is_the_empty_text(
    left: object, sign: str, right: object, holds: bool
) -> None:
    assert compare(left, sign, right) is holds  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("number", "text"),
    [
        (5, "5"),
        (5.0, "5"),
        (0.1, "0.1"),
        (-2.5, "-2.5"),
        (1e20, "100000000000000000000"),
        (1.5e-7, "0.00000015"),
    ],
)
def test_a_number_is_written_without_exponent(number: float, text: str) -> None:
    assert number_text(number) == text


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5", 5),
        (" 5.50 ", 5.5),
        ("-1e2", -100),
        ("1_000", float("inf")),
        ("inf", float("inf")),
        ("", float("inf")),
    ],
)
def test_a_text_of_digits_is_a_number_beside_a_number_column(text: str, number: float) -> None:
    assert as_number_operand(text) == number


def test_a_number_beside_a_text_column_is_written_as_a_real() -> None:
    assert [as_text_operand(value) for value in (5, 5.5, None, "x")] == ["5.0", "5.5", None, "x"]


def test_only_ascii_letters_change_case() -> None:
    assert ascii_lower("AÉK\u212a") == "aÉk\u212a"


def test_what_no_database_holds_is_replaced() -> None:
    assert clean("a\0b\ud800c") == "a\ufffdb\ufffdc"
    assert clean("é😀") == "é😀"
