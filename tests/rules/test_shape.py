"""Filters that differ in constants only share a tree, and no two others do."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from projects.rules import RuleError, RuleSyntaxError, parse_filter, parse_rule
from projects.rules.ast import ConstantRef, Identifier, comparisons
from projects.rules.parse import _filters
from projects.rules.shape import shape_of


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a = 'x'", "a = 'another'"),
        ("a = 'x'", 'a = "x"'),
        ("a = 5", "a = -0.25"),
        ("a ~ 'x'", "a ~ '%x'"),
        ("a = 'x' // one", "a = 'x' // 'two'"),
        ("a = true", "a = TRUE"),
        ("a = 'it\\'s' && b = 5", "a = 'x' && b = 7"),
    ],
)
def test_other_constants_of_the_same_kind_share_tree_and_key(one: str, other: str) -> None:
    first, second = parse_filter(one), parse_filter(other)
    assert first.ast is second.ast
    assert first.key == second.key


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("a = 'x'", "a = ''"),
        ("a = 'x'", "a = 5"),
        ("a = 'x'", "a = null"),
        ("a = true", "a = false"),
        ("a = null", "a = false"),
        ("a = 5", "a = '5'"),
        ("a = 'x'", "b = 'x'"),
        ("a = 'x'", "a != 'x'"),
        ("j.0 = 1", "j.1 = 1"),
        ("a1 = 1", "a2 = 1"),
    ],
)
def test_what_may_compile_differently_has_another_key(one: str, other: str) -> None:
    assert parse_filter(one).key != parse_filter(other).key


def test_a_filter_with_new_constants_is_not_parsed_again() -> None:
    parse_filter("hit = 'a' && n > 1")
    hits, misses = _filters.hits, _filters.misses
    for i in range(10):
        parse_filter(f"hit = 'a{i}' && n > {i}")
    assert (_filters.hits - hits, _filters.misses - misses) == (10, 0)


def test_a_mark_written_by_hand_is_not_taken_for_a_constant() -> None:
    parse_filter("a = 'x'")
    with pytest.raises(RuleSyntaxError, match="unexpected"):
        parse_filter("a = \x01")


def test_an_unclosed_quote_does_not_find_the_tree_of_a_closed_one() -> None:
    parse_filter("a = 'x'")
    for text in ("a = 'x", "a = 'x\\'", "a = '", "a = 'x\\\\\\'"):
        with pytest.raises(RuleSyntaxError, match="never closed"):
            parse_filter(text)


def test_a_function_named_like_a_constant_is_a_function() -> None:
    assert parse_filter("true(1) = 1").constants == (1, 1)


def test_a_letter_that_folds_to_an_ascii_one_makes_no_constant() -> None:
    assert shape_of("fal\u017fe = 1").constants == (1,)


def test_the_caches_are_bounded() -> None:
    for i in range(_filters.size + 50):
        parse_filter(f"field{i} = 1")
    assert len(_filters) <= _filters.size


OPERANDS = st.sampled_from(["a", "j.0.b", "b:lower", "@now", "'x'", "''", "'a\\'b'", '"5"', "5", "-.5", "-7", "1.25",
                            "true", "False", "null", "f(1, 'x')", "true(2)", "x1", "@request.auth.id"])  # fmt: skip
SPACES = st.sampled_from(["", " ", "\n", " // 'c' 5\n"])


@st.composite
def filters(draw: st.DrawFn) -> str:
    def comparison() -> str:
        sign = draw(st.sampled_from(["=", "?!=", "~", ">="]))
        return draw(OPERANDS) + draw(SPACES) + sign + draw(SPACES) + draw(OPERANDS)

    parts = [comparison() for _ in range(draw(st.integers(1, 4)))]
    return draw(st.sampled_from([" && ", "||", " || "])).join(parts)


def _essence(parsed: Any) -> list[Any]:
    def operand(item: Any) -> Any:
        if isinstance(item, ConstantRef):
            return item.kind, parsed.constants[item.index]
        return (
            item.text if isinstance(item, Identifier) else (item.name, [operand(a) for a in item.arguments])
        )

    return [(operand(c.left), c.operator, c.at_least_one, operand(c.right)) for c in comparisons(parsed.ast)]


@settings(max_examples=300, deadline=None)
@given(text=filters())
def test_a_tree_found_by_shape_is_the_tree_of_the_text(text: str) -> None:
    try:
        exact = parse_rule(text)
    except RuleError:
        assume(False)
    assert _essence(parse_filter(text)) == _essence(exact)
    assert _essence(parse_filter(text)) == _essence(exact)
