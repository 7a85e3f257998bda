from __future__ import annotations

import time

import pytest

from projects.schema.regex import RegexError, compile_regex, matches


@pytest.mark.parametrize(
    ("pattern", "message"),
    [
        ("[", "missing closing ]: `[`"),
        ("(", "missing closing ): `(`"),
        (")", "unexpected ): `)`"),
        ("(?=a)", "invalid or unsupported Perl syntax: `(?=`"),
        ("a{1001}", "invalid repeat count: `{1001}`"),
        ("a**", "invalid nested repetition operator: `**`"),
        ("*", "missing argument to repetition operator: `*`"),
        ("[z-a]", "invalid character class range: `z-a`"),
        ("\\8", "invalid escape sequence: `\\8`"),
        ("\\", "trailing backslash at end of expression: ``"),
        ("(?P<n", "invalid named capture: `(?P<n`"),
        ("\ud800", "invalid UTF-8: ``"),
    ],
)
def test_a_bad_pattern_is_refused_in_the_words_of_the_wire_contract(pattern: str, message: str) -> None:
    with pytest.raises(RegexError) as caught:
        compile_regex(pattern)
    assert str(caught.value) == message


@pytest.mark.parametrize(
    ("pattern", "text", "found"),
    [
        ("^[a-z]+$", "abc", True),
        ("^[a-z]+$", "abc\n", False),
        ("[0-9]", "a1b", True),
        ("(?i)ABC", "xabc", True),
        ("^\\p{L}+$", "éß", True),
        ("^.$", "😀", True),
    ],
)
def test_a_pattern_matches_anywhere_unless_anchored(pattern: str, text: str, found: bool) -> None:
    assert matches(pattern, text) is found


@pytest.mark.parametrize("pattern", ["(a+)+$", "(a|aa)+$", "(.*a){20}$", "^(([a-z])+.)+[A-Z]([a-z])+$"])
def test_no_pattern_takes_more_than_linear_time(pattern: str) -> None:
    started = time.perf_counter()
    matches(pattern, "a" * 100_000 + "!")
    assert time.perf_counter() - started < 1


def test_a_pattern_that_needs_much_memory_is_refused() -> None:
    with pytest.raises(RegexError):
        compile_regex("((a{100}){100}){100}")
