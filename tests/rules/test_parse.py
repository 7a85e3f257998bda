"""Text to tree: what the grammar takes, how it binds, and what it says of the rest."""

from __future__ import annotations

import time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.rules import RuleError, RuleSyntaxError, ast_json, parse_filter, parse_rule
from projects.rules.parse import MAX_FILTER_LENGTH


def tree(text: str) -> object:
    """A tree as nested lists: ``["or", ["a", "=", 1], …]``."""
    parsed = parse_rule(text)

    def operand(item: dict[str, object]) -> object:
        return item.get("value") if item["type"] == "constant" else item["name"]

    def short(node: dict[str, object]) -> object:
        if node["type"] == "comparison":
            return [operand(node["left"]), node["operator"], operand(node["right"])]  # type: ignore[arg-type]
        return [node["type"], *(short(item) for item in node["items"])]  # type: ignore[attr-defined]

    return short(ast_json(parsed))


A, B, C, D = (["a", "=", n] for n in range(1, 5))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("a=1 || a=2 && a=3", ["or", A, ["and", B, C]]),
        ("a=1 && a=2 || a=3 && a=4", ["or", ["and", A, B], ["and", C, D]]),
        ("(a=1 || a=2) && a=3", ["and", ["or", A, B], C]),
        ("a=1 && (a=2 || a=3)", ["and", A, ["or", B, C]]),
        ("a=1 || a=2 || a=3", ["or", A, B, C]),
        ("((a=1))", A),
        ("(a=1)(a=2)", ["and", A, B]),
        ("a=1 (a=2)", ["and", A, B]),
        ("a=1//c\n&&a=2 // d", ["and", A, B]),
    ],
)
def test_and_binds_tighter_than_or_and_parentheses_bind_first(text: str, expected: object) -> None:
    assert tree(text) == expected


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("5", 5),
        ("-5", -5),
        ("05", 5),
        ("5.50", 5.5),
        ("-.5", -0.5),
        ("99999999999999999999", 1e20),
        ("9" * 400, 1.7976931348623157e308),
        ("true", True),
        ("FALSE", False),
        ("Null", None),
        ("'x'", "x"),
        ('"x"', "x"),
        ("''", ""),
        (r"'it\'s'", "it's"),
        (r'"a\"b"', 'a"b'),
        (r"'a\"b'", 'a"b'),
        (r"'a\nb\tc\rd'", "a\nb\tc\rd"),
        (r"'\\'", "\\"),
        (r"'c\d \x41 é'", r"c\d \x41 é"),
        ("'// no comment'", "// no comment"),
        ("'a\nb'", "a\nb"),
    ],
)
def test_constants_have_the_values_that_they_say(text: str, value: object) -> None:
    for parsed in (parse_rule(f"a = {text}"), parse_filter(f"a = {text}")):
        assert parsed.constants == (value,)
        assert type(parsed.constants[0]) is type(value)


@pytest.mark.parametrize(
    "operator",
    ["=", "!=", ">", ">=", "<", "<=", "~", "!~", "?=", "?!=", "?>", "?>=", "?<", "?<=", "?~", "?!~"],
)
def test_every_operator_is_read(operator: str) -> None:
    assert tree(f"a{operator}1") == ["a", operator, 1]


@pytest.mark.parametrize(
    ("text", "path", "modifier", "alias"),
    [
        ("a.b.0.c", ("a", "b", "0", "c"), "", ""),
        ("a:each", ("a",), "each", ""),
        ("@request.body.a:isset", ("@request", "body", "a"), "isset", ""),
        ("@collection.posts.title", ("@collection", "posts", "title"), "", ""),
        ("@collection.posts:p.tags:length", ("@collection", "posts", "tags"), "length", "p"),
        ("posts_via_author.title", ("posts_via_author", "title"), "", ""),
        ("@now", ("@now",), "", ""),
        ("trueX", ("trueX",), "", ""),
    ],
)
def test_identifiers_are_taken_apart(text: str, path: tuple[str, ...], modifier: str, alias: str) -> None:
    left = parse_rule(f"{text} = 1").ast.left  # type: ignore[union-attr]
    assert (left.path, left.modifier, left.alias, left.position) == (path, modifier, alias, 0)


def test_functions_take_operands_and_functions() -> None:
    parsed = parse_rule("geoDistance(a.lon, 1, strftime('%Y', @now), b) < 5")
    call = ast_json(parsed)["left"]
    assert (call["name"], [argument["type"] for argument in call["arguments"]]) == (
        "geoDistance",
        ["identifier", "constant", "call", "identifier"],
    )


@pytest.mark.parametrize(
    ("text", "position", "message", "expected"),
    [
        ("", 0, "empty filter expression", ()),
        ("  \n", 0, "empty filter expression", ()),
        ("// a comment", 0, "empty filter expression", ()),
        ("a", 1, "incomplete", ("an operator",)),
        ("a = ", 4, "incomplete", ("a field", "a text", "a number")),
        ("a = 1 &&", 8, "incomplete", ("a field", '"("')),
        ("(a = 1", 6, "incomplete", ('")"',)),
        ("a = 1)", 5, 'unexpected ")"', ("the end",)),
        ("= 1", 0, 'unexpected "="', ("a field",)),
        ("a = 1 b = 2", 6, 'unexpected "b"', ('"&&"', '"||"')),
        ("a = 1 and b = 2", 6, 'unexpected "and"', ('"&&"',)),
        ("a == 1", 2, '"==" is not an operator', ("=", "?=")),
        ("a <> 1", 2, '"<>" is not an operator', ("!=",)),
        ("a ?? 1", 2, '"??" is not an operator', ()),
        ("a = 1 & b = 2", 6, 'unexpected "&"', ('"&&"',)),
        ("a = 1 &&& b = 2", 8, 'unexpected "&"', ("a field",)),
        ("a = 'x", 4, "the quote ' at position 4 is never closed", ("'",)),
        ("a = 'x\\'", 4, "the quote ' at position 4 is never closed", ("'",)),
        ("a = .5", 4, 'unexpected "."', ("a number",)),
        ("a = 5.", 5, 'unexpected "."', ()),
        ("a = 5e5", 5, 'unexpected "e5"', ()),
        ("a = +5", 4, 'unexpected "+"', ()),
        ("a = (5)", 4, 'unexpected "("', ("a field",)),
        ("a..b = 1", 0, 'invalid identifier "a..b"', ()),
        ("x = 1 && a. = 1", 9, 'invalid identifier "a."', ()),
        ("a = @", 4, 'invalid identifier "@"', ()),
        ("é = 1", 0, 'unexpected "é"', ()),
        ("f(1 2) = 1", 4, 'unexpected "2"', ('","',)),
        ("f(1,) = 1", 4, 'unexpected ")"', ("a number",)),
        ("a = 1; b = 2", 5, 'unexpected ";"', ()),
        ("a = 1 /* c */", 6, 'unexpected "/"', ()),
        ("a = 'x\0'", 6, "unexpected NUL character", ()),
        ("a = '\ud800'", 5, "not valid Unicode", ()),
    ],
)
def test_an_error_says_where_and_what_was_expected(
    text: str, position: int, message: str, expected: tuple[str, ...]
) -> None:
    for parse in (parse_rule, parse_filter):
        with pytest.raises(RuleSyntaxError) as caught:
            parse(text)
        assert caught.value.position == position
        assert caught.value.message.startswith(message)
        assert set(expected) <= set(caught.value.expected)


def test_an_error_quotes_no_more_than_a_few_characters() -> None:
    with pytest.raises(RuleSyntaxError) as caught:
        parse_filter("a = " + "=" * 3000)
    assert len(caught.value.message) < 200


def test_200_expressions_are_allowed_and_201_refused() -> None:
    assert parse_filter(" || ".join(["a=1"] * 200))
    with pytest.raises(RuleSyntaxError, match="more than 200 expressions"):
        parse_rule(" || ".join(["a=1"] * 201))


def test_a_filter_has_at_most_3500_characters_and_a_rule_may_have_more() -> None:
    text = "a = '" + "é" * (MAX_FILTER_LENGTH - 6) + "'"
    assert parse_filter(text)
    with pytest.raises(RuleSyntaxError, match="longer than 3500 characters"):
        parse_filter(text + " ")
    assert parse_rule(text + " " * 2000)


def test_a_filter_may_nest_as_deep_as_its_length_allows() -> None:
    assert tree("(" * 1700 + "a=1" + ")" * 1700) == A
    deep = "".join("(a=1 && (a=1 || " for _ in range(99)) + "a=1" + "))" * 99
    assert parse_filter(deep)
    assert ast_json(parse_filter(deep))


@pytest.mark.parametrize(
    "text",
    [
        "(" * 3500,
        "'\"" * 1750,
        '\\"' * 1750,
        "a='\\'" * 500,
        "a." * 1750,
        "=" * 3500,
        "-" * 3500,
        "1" * 3500,
        "/" * 3500,
        "//\n" * 1166,
        "true" * 875,
        "a=1||" * 700,
        "f(" * 1750,
        "@collection." * 290,
        "a:b:" * 875,
    ],
)
def test_no_text_takes_long(text: str) -> None:
    parse_filter("a = 1")  # the grammar is loaded
    started = time.process_time()
    with pytest.raises(RuleSyntaxError):
        parse_filter(text)
    assert time.process_time() - started < 0.5


PIECES = st.sampled_from(
    ["a", "b.c", "=", "!=", "?~", "&&", "||", "(", ")", "'x'", '"', "'", "\\", "5", "-", ".", ":each", "@request.",
     "@collection.x:y.z", "true", "null", "//", "\n", " ", ",", "f(", "é", "\x01", "1.5", "_via_", "%"]
)  # fmt: skip


@settings(max_examples=300, deadline=2000)
@given(text=st.text(max_size=300) | st.lists(PIECES, max_size=60).map("".join))
def test_any_text_is_a_tree_or_an_error_with_a_position(text: str) -> None:
    try:
        parsed = parse_filter(text)
    except RuleError as refusal:
        error = refusal
    else:
        assert ast_json(parsed)
        return
    assert 0 <= error.position <= len(text)
    assert error.message
