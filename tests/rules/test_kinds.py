"""Every kind of column under every operator: SQL and Python agree, and the class rules of values.py hold."""

from __future__ import annotations

import pytest

from projects.principal import Principal, RequestInfo
from tests.rules.flat import reference
from tests.rules.world import World, collection, field, make_world, relation

# Conditions in one query; SQLite takes 2000 columns, and 32,766 parameters.
CHUNK = 200
OPERATORS = ["=", "!=", "<", "<=", ">", ">=", "~", "!~"]
CONSTANTS = [
    "''", "null", "true", "false", "0", "1", "5", "-3", "0.25", "100000", "'5'", "'5.0'", "' 5'", "'1'", "'0'",
    "'-3'", "'abc'", "'ABC'", "'é'", "'%b%'", "'a_c'", "'a_c%'", "'b\\\\_'", "'%'", "'\\\\'", "'a%\\\\'",
    "'2022-01-01'", "'2022-01-01 10:00:00.000Z'", "'2022-01-01T10:00:00.000Z'", "'%01 10%'", "'[]'", "'[\"a\"]'",
    "'[\"a\", \"b\"]'", "'{\"a\":5}'", "'a'", "@now", "@day", "@todayStart",
]  # fmt: skip
REQUEST_VALUES = [
    "@request.auth.id", "@request.auth.none", "@request.auth.text", "@request.auth.five", "@request.auth.yes",
    "@request.auth.list", "@request.auth.json.a", "@request.body.text", "@request.body.five", "@request.body.nothing",
    "@request.body.empty", "@request.body.list", "@request.query.five", "@request.query.none",
    "@request.body.many:length", "@request.auth.text:lower", "@request.body.five:isset", "@request.query.none:isset",
    "@request.body.s:changed", "@request.body.n:changed", "@request.body.many:changed", "@request.body.many:each",
    "@request.auth.list:each", "@request.auth.list:length",
]  # fmt: skip
COLUMNS = [
    "s", "n", "b", "d", "j", "j.a", "j.0", "g.lon", "one", "many", "parent", "s:lower", "n:lower", "many:lower",
    "many:length", "one:length", "s:length", "many:each", "one:each", "parent.s", "parent.n", "parent.b", "parent.d",
    "parent.j", "parent.many", "parent.n:lower", "parent.many:length", "parent.many:each", "parent.id",
]  # fmt: skip
SIGNED_IN = RequestInfo(
    principal=Principal(
        "user",
        "users",
        "users",
        {"id": "u1", "text": "ABC", "five": 5, "yes": True, "list": ["a", "b"], "json": {"a": 5}},
    ),
    body={
        "text": "b",
        "five": 5,
        "nothing": None,
        "empty": "",
        "list": ["a"],
        "s": "abc",
        "n": 5,
        "many": ["a"],
    },
    query={"five": "5"},
)


@pytest.fixture
def world(session: object) -> World:
    own = [
        field("s", "text"),
        field("n", "number"),
        field("b", "bool"),
        field("d", "date"),
        field("j", "json"),
        field("g", "geoPoint"),
        field("one", "select", values=["a", "b"], maxSelect=1),
        field("many", "select", values=["a", "b", "5"], maxSelect=3),
    ]
    values = [
        {},
        {
            "s": "abc",
            "n": 5,
            "b": True,
            "d": "2022-01-01T10:00:00.000Z",
            "j": {"a": 5},
            "one": "a",
            "many": ["a"],
        },
        {"s": "ABC", "n": -3, "j": "abc", "many": ["a", "b"], "g": {"lon": 12.5, "lat": 1}},
        {"s": "5", "n": 5.5, "j": 5, "d": "2022-01-01T00:00:00.000Z", "many": ["5"], "one": "b"},
        {"s": "5.0", "n": 0.25, "j": [5, "abc", {"a": None}]},
        {"s": "a%b_c\\d", "n": 100000, "j": ""},
        {"s": "éÉ", "n": 1, "b": True, "j": True},
        {"s": "1", "n": 12.5, "j": {"a": "abc", "b": [1, 2]}},
        {"s": "0", "j": {"a": False}},
    ]
    parents = [{"id": f"p{i}", **v} for i, v in enumerate(values)]
    main = [{"id": f"r{i}", **v, "parent": f"p{(i * 5) % 10}"} for i, v in enumerate(values)]
    made = [collection("parents", *own), collection("main", *own, relation("parent", "parents"))]
    return make_world(session, made, {"parents": parents, "main": main})  # type: ignore[arg-type]


def differences(world: World, rules: list[str]) -> list[str]:
    """The rules that SQL and Python decide differently."""
    found = []
    for start in range(0, len(rules), CHUNK):
        chunk = rules[start : start + CHUNK]
        answers = world.by_sql_together("main", chunk, SIGNED_IN)
        for rule, answer in zip(chunk, answers, strict=True):
            expected = reference(world, "main", rule, SIGNED_IN)
            if answer != expected:
                found.append(f"{rule}: SQL {answer}, Python {expected}")
    return found


@pytest.mark.parametrize("sign", OPERATORS)
def test_a_column_and_a_constant_compare_alike_in_sql_and_in_python(world: World, sign: str) -> None:
    rules = [f"{column} {sign} {constant}" for column in COLUMNS for constant in CONSTANTS]
    assert differences(world, rules) == []


@pytest.mark.parametrize("sign", OPERATORS)
def test_a_column_and_a_request_value_compare_alike_in_sql_and_in_python(world: World, sign: str) -> None:
    rules = [f"{column} {sign} {value}" for column in COLUMNS for value in REQUEST_VALUES]
    flipped = ("s", "n", "j", "many:each", "parent.n")
    rules += [f"{value} {sign} {column}" for column in flipped for value in REQUEST_VALUES]
    rules = [rule for rule in rules if rule.count(":each") < 2 or "one:each" in rule]
    assert differences(world, rules) == []


@pytest.mark.parametrize("sign", OPERATORS)
def test_two_columns_compare_alike_in_sql_and_in_python(world: World, sign: str) -> None:
    rules = [
        f"{left} {sign} {right}"
        for left in COLUMNS
        for right in COLUMNS
        if not (left.endswith("many:each") and right.endswith("many:each"))
    ]
    assert differences(world, rules) == []
