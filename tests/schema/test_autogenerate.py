from __future__ import annotations

import pytest

from projects.schema.autogenerate import MAX_LENGTH, PatternError, generate
from projects.schema.regex import RegexError, matches


@pytest.mark.parametrize(
    "pattern",
    [
        "[a-z0-9]{15}", "[a-zA-Z0-9]{50}", "abc", "abc.*", "a?b*c+", "x{2,4}", "x{3,}", "(ab|cd){2}", "(?:x)y",
        "\\d\\w\\s", "[^a]{3}", "[a\\-z]{5}", "[]a]{5}", "a|b", "\\.\\+", "x{,3}", "a{b}", "[a-]{9}", "",
        "a+?", "[\\d]{4}",
    ],
)  # fmt: skip
def test_what_is_generated_matches_the_pattern(pattern: str) -> None:
    for _ in range(50):
        assert matches(f"^(?:{pattern})$", generate(pattern))


def test_two_generated_texts_differ() -> None:
    assert len({generate("[a-z0-9]{15}") for _ in range(1000)}) == 1000


@pytest.mark.parametrize("pattern", ["^abc$", "\\bword", "[[:alpha:]]{3}", "\\p{L}", "(?i)abc", "[^ -~]"])
def test_what_lies_outside_the_subset_is_refused(pattern: str) -> None:
    with pytest.raises(PatternError):
        generate(pattern)


def test_what_is_no_pattern_at_all_is_refused() -> None:
    with pytest.raises(RegexError):
        generate("[")


def test_the_length_is_bounded() -> None:
    assert len(generate("a{1000}" * 5)) == MAX_LENGTH
    with pytest.raises(PatternError):
        generate("a{1000}" * 5 + "a")


def test_deep_nesting_is_refused() -> None:
    with pytest.raises(PatternError):
        generate("(" * 200 + "a" + ")" * 200)
