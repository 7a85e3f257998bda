"""SQL on each engine and the Python predicate give the same answers, for generated schemas, records, users and rules."""

from __future__ import annotations

import itertools
import os
from typing import Any

from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from projects.databases import Session
from projects.principal import Principal, RequestInfo
from projects.rules import RuleError
from projects.schema.fields.base import Field
from tests.rules.flat import reference
from tests.rules.world import World, collection, field, make_world, relation

EXAMPLES = int(os.environ.get("MBAAS_TEST_EXAMPLES", "40"))

# Few letters, so that texts meet; the odd ones are those that patterns, quotes and JSON treat specially.
TEXTS = st.text(st.sampled_from("abAB05.-%_\\'\" éÉ,:"), max_size=4) | st.sampled_from(
    ["5", "0.25", "-1", "true", "null", "1", "0", "2022-01-01", "2022-01-01 10:00", " 5 ", "5x", "a%b"]
)
NUMBERS = st.sampled_from([0, 1, -1, 5, 0.25, 100, 12.5, -3.75, 1000000])
DATES = st.sampled_from(
    ["", "2022-01-01T00:00:00.000Z", "2022-01-01T10:00:00.000Z", "2026-11-23T00:00:00.000Z"]
)
# Texts that look like JSON, and numbers such as 5.0 inside lists, are left out: see engines.py.
SCALARS = st.none() | st.booleans() | NUMBERS | TEXTS
JSON = SCALARS | st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=5,
)
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "text": TEXTS,
    "number": NUMBERS,
    "bool": st.booleans(),
    "date": DATES,
    "json": JSON,
    "one": st.sampled_from(["", "a", "b"]),
    "many": st.lists(st.sampled_from(["a", "b", "B%"]), max_size=3, unique=True),
    "relation": st.sampled_from(["", "p1", "p2", "gone"]),
    "relations": st.lists(st.sampled_from(["p1", "p2", "gone"]), max_size=2, unique=True),
}
KINDS = st.sampled_from([*sorted(VALUES), "relation"])


# Every example has tables of its own name: drivers keep statements prepared for the columns a table had.
_numbers = itertools.count()


def make_field(name: str, kind: str, parents: str = "") -> Field:
    if kind in ("one", "many"):
        return field(name, "select", values=["a", "b", "B%"], maxSelect=3 if kind == "many" else 1)
    if kind in ("relation", "relations"):
        return relation(name, parents, 1 if kind == "relation" else 5)
    return field(name, kind)


@st.composite
def values_of(draw: st.DrawFn, kinds: dict[str, str], id_: str) -> dict[str, Any]:
    return {"id": id_, **{name: draw(VALUES[kind]) for name, kind in kinds.items()}}


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


CONSTANTS = (
    TEXTS.map(quoted)
    | NUMBERS.map(str)
    | st.sampled_from(["null", "''"])
    | st.sampled_from(["true", "false", "null", "''", "@now", "@day", "@todayStart", "'2022-01-01 10:00'"])
)
REQUEST_NAMES = st.sampled_from(["x", "y", "f1", "f2", "f3"])
OPERATORS = st.sampled_from(["=", "!=", "<", "<=", ">", ">=", "~", "!~"]).flatmap(
    lambda sign: st.sampled_from([sign, f"?{sign}"])
)


@st.composite
def expressions(draw: st.DrawFn, main: dict[str, str], parents: dict[str, str]) -> str:
    def own() -> str:
        name = draw(st.sampled_from([*main, "id"]))
        kind = main.get(name, "text")
        if kind == "json":
            return name + draw(st.sampled_from(["", ".a", ".b", ".0", ".1", ".a.0", ".a.b", ":lower"]))
        if kind == "relation" and draw(st.integers(0, 3)):
            inner = draw(st.sampled_from([*parents, "id"]))
            return f"{name}.{inner}" + draw(st.sampled_from(["", "", ":lower", ":length"]))
        return name + draw(st.sampled_from(["", "", "", ":lower", ":length", ":each"]))

    def request() -> str:
        name = draw(REQUEST_NAMES)
        kind = main.get(name, "")
        area = draw(st.sampled_from(["auth", "auth", "body", "query", "headers"]))
        text = f"@request.{area}.{name}"
        choices = ["", "", ":lower", ":isset"]
        if area == "auth" or (area == "body" and kind in ("one", "many", "relation", "relations")):
            choices += [":each", ":length"]
        if area == "body" and kind:
            choices.append(":changed")
        if area in ("auth", "body") and kind not in ("relation", "relations"):
            choices.append(".a")
        return text + draw(st.sampled_from(choices))

    def operand() -> str:
        choice = draw(st.integers(0, 9))
        return own() if choice < 5 else request() if choice < 7 else draw(CONSTANTS)

    def build(depth: int) -> str:
        if depth == 0 or draw(st.integers(0, 2)) == 0:
            return f"{operand()} {draw(OPERATORS)} {operand()}"
        joined = draw(st.sampled_from([" && ", " || "])).join(
            build(depth - 1) for _ in range(draw(st.integers(2, 3)))
        )
        return f"({joined})" if draw(st.booleans()) else joined

    return build(2)


@st.composite
def cases(draw: st.DrawFn) -> tuple[Any, ...]:
    main = {f"f{i}": draw(KINDS) for i in range(1, draw(st.integers(3, 6)))}
    parents = {
        f"g{i}": draw(st.sampled_from(["text", "number", "bool", "date", "json", "many"]))
        for i in range(1, 4)
    }
    records = [draw(values_of(main, f"r{i}")) for i in range(draw(st.integers(1, 5)))]
    parent_records = [draw(values_of(parents, f"p{i}")) for i in (1, 2)]
    request = RequestInfo(
        principal=draw(
            st.just(Principal("guest"))
            | st.fixed_dictionaries({"x": SCALARS, "f1": JSON, "f2": VALUES["many"], "f3": NUMBERS}).map(
                lambda record: Principal("user", "users", "users", {"id": "u1", **record})
            )
        ),
        method="PATCH",
        query=draw(st.dictionaries(REQUEST_NAMES, TEXTS, max_size=2)),
        headers=draw(st.dictionaries(REQUEST_NAMES, TEXTS, max_size=2)),
        body={
            name: draw(VALUES[main[name]] if name in main else JSON)
            for name in sorted(draw(st.sets(REQUEST_NAMES, max_size=3)))
        },
    )
    rules = draw(st.lists(expressions(main, parents), min_size=4, max_size=12))
    return main, parents, records, parent_records, request, rules


class _Undo(Exception):
    """Rolls the example's tables back."""


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(case=cases())
def test_sql_and_predicate_agree(session: Session, case: tuple[Any, ...]) -> None:
    main, parents, records, parent_records, request, rules = case
    number = next(_numbers)
    target, name = f"parents{number}", f"main{number}"
    collections = [
        collection(target, *(make_field(field, kind) for field, kind in parents.items())),
        collection(name, *(make_field(field, kind, target) for field, kind in main.items())),
    ]
    try:
        with session.savepoint():
            world = make_world(session, collections, {target: parent_records, name: records})
            for rule in rules:
                check(world, name, rule, request)
            raise _Undo
    except _Undo:
        pass


def check(world: World, name: str, rule: str, request: RequestInfo) -> None:
    """Refused rules are refused by both ways."""
    try:
        expected = reference(world, name, rule, request)
    except RuleError as refusal:
        event(f"refused: {refusal.message.rpartition(' - ')[2]}")
        return
    found = world.by_sql(name, rule, request)
    assert found == expected, f"{world.session.engine} says {found}, Python {expected}: {rule}"
    assert world.by_predicate(name, rule, request) in (None, expected)
    event(f"{'some' if found else 'none'} of the records")
