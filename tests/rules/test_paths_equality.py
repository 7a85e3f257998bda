"""Rules over paths: SQL on each engine, in each of its forms, and the predicate say what the definition says.

Schemas have many-valued relations, back relations, other collections and functions; the definition is naive.py.
"""

from __future__ import annotations

import itertools
import os
from typing import Any

import sqlalchemy as sa
from hypothesis import HealthCheck, event, given, settings
from hypothesis import strategies as st

from projects.databases import Session
from projects.principal import Principal, RequestInfo
from projects.records.access import _literal
from projects.rules import RuleError, Scope, parse_rule
from projects.schema.collection import CollectionSchema
from tests.rules.naive import Naive
from tests.rules.world import NOW, World, collection, field, make_world, relation

EXAMPLES = int(os.environ.get("MBAAS_TEST_EXAMPLES", "40"))
RULES = 12

_numbers = itertools.count()

TEXTS = st.sampled_from(["", "a", "b", "A", "ab", "5", "2024-02-29T13:14:15.678Z"])
NUMBERS = st.sampled_from([0, 1, 5, -2.5])
JSON = st.sampled_from([None, 5, "a", True, {"a": 5}, {"a": None}, [1, "a"], {"a": [5, None]}])
VALUES: dict[str, st.SearchStrategy[Any]] = {
    "t": TEXTS,
    "n": NUMBERS,
    "b": st.booleans(),
    "d": st.sampled_from(["", "2024-02-29T13:14:15.678Z", "2020-01-01T00:00:00.000Z"]),
    "j": JSON,
    "ms": st.lists(st.sampled_from(["a", "b"]), unique=True, max_size=2),
}
PLAIN = ["t", "n", "b", "d", "j", "j.a", "ms", "id"]
# Of each collection: relation -> (target, how many it holds).
RELATIONS: dict[str, dict[str, tuple[str, int]]] = {
    "tops": {},
    "mids": {"top": ("tops", 1), "tops": ("tops", 3)},
    "main": {"mid": ("mids", 1), "mids": ("mids", 3), "own": ("main", 1)},
    "kids": {"main": ("main", 1), "mains": ("main", 3), "mid": ("mids", 1)},
    "cards": {"main": ("main", 1)},
    "users": {"mid": ("mids", 1), "mids": ("mids", 3)},
}
IDS = {name: [f"{name[0]}{number}" for number in (1, 2, 3)] for name in RELATIONS}


def schema(number: int, indexed: bool) -> list[CollectionSchema]:
    made = []
    for name, relations in RELATIONS.items():
        fields = [
            field("t", "text"),
            field("n", "number"),
            field("b", "bool"),
            field("d", "date"),
            field("j", "json"),
            field("ms", "select", values=["a", "b"], maxSelect=2),
            *(relation(own, f"{target}{number}", most) for own, (target, most) in relations.items()),
        ]
        indexes = [f"CREATE INDEX `i{name}{number}` ON `{name}{number}` (`t`)"] if indexed else []
        if name == "cards":
            indexes.append(f"CREATE UNIQUE INDEX `u{number}` ON `cards{number}` (`main`)")
        kind = "auth" if name == "users" else "base"
        made.append(collection(f"{name}{number}", *fields, type_=kind, indexes=tuple(indexes)))
    return made


@st.composite
def record(draw: st.DrawFn, name: str, id_: str) -> dict[str, Any]:
    values: dict[str, Any] = {"id": id_, **{field: draw(strategy) for field, strategy in VALUES.items()}}
    for own, (target, most) in RELATIONS[name].items():
        if most == 1:
            values[own] = draw(st.sampled_from(["", *IDS[target]]))
        else:
            values[own] = draw(st.lists(st.sampled_from(IDS[target]), unique=True, max_size=3))
    return values


@st.composite
def tables(draw: st.DrawFn) -> dict[str, list[dict[str, Any]]]:
    # A relation names only records that there are, so all of them are.
    found = {name: [draw(record(name, id_)) for id_ in IDS[name]] for name in RELATIONS}
    unused = list(IDS["main"])
    for card, main in zip(found["cards"], draw(st.permutations(unused)), strict=True):
        card["main"] = main
    # Of the collections that nothing names there may be none.
    for name in ("kids", "cards"):
        found[name] = found[name][: draw(st.integers(0, 3))]
    return found


@st.composite
def path(draw: st.DrawFn, start: str, number: int, hops: int) -> tuple[str, str]:
    """A dotted path from a record of ``start``: its relations, and the field it ends with."""
    here, parts = start, []
    for _ in range(hops):
        steps: list[tuple[str, str]] = [(own, target) for own, (target, _) in RELATIONS[here].items()]
        steps += [
            (f"{other}{number}_via_{own}", other)
            for other, relations in RELATIONS.items()
            for own, (target, _) in relations.items()
            if target == here
        ]
        if not steps:
            break
        step, here = draw(st.sampled_from(steps))
        parts.append(step)
    last = draw(st.sampled_from([*PLAIN, *RELATIONS[here]]))
    return ".".join([*parts, last]), last


MODIFIERS = ["", "", "", ":lower", ":length", ":each"]


@st.composite
def operand(draw: st.DrawFn, number: int) -> str:
    choice = draw(st.integers(0, 19))
    if choice < 10:
        text, _ = draw(path("main", number, draw(st.sampled_from([0, 1, 1, 1, 2, 2, 3]))))
        return text + draw(st.sampled_from(MODIFIERS))
    if choice < 12:
        other = draw(st.sampled_from(["kids", "mids", "main"]))
        text, _ = draw(path(other, number, draw(st.sampled_from([0, 0, 1]))))
        return f"@collection.{other}{number}{draw(st.sampled_from(['', '', ':x']))}.{text}" + draw(
            st.sampled_from(MODIFIERS)
        )
    if choice < 15:
        text, _ = draw(path("users", number, draw(st.sampled_from([0, 0, 1, 1, 2]))))
        return f"@request.auth.{text}" + draw(st.sampled_from(MODIFIERS))
    if choice < 16:
        own = draw(st.sampled_from(["mid", "mids"]))
        text, _ = draw(path("mids", number, draw(st.sampled_from([0, 0, 1]))))
        return draw(
            st.sampled_from(
                [
                    f"@request.body.{own}.{text}",
                    "@request.body.mids:each",
                    "@request.body.t",
                    "@request.body.ms:each",
                ]
            )
        )
    if choice < 17:
        text, _ = draw(path("main", number, draw(st.sampled_from([0, 1, 2]))))
        modifiers = draw(
            st.sampled_from(["", ", '+1 day'", ", 'start of month', '-1 day'", ", '+1 month', 'floor'"])
        )
        return draw(
            st.sampled_from([f"strftime('%Y-%m-%d', {text}{modifiers})", f"geoDistance({text}, 1, 2, 0.5)"])
        )
    return draw(
        st.sampled_from(
            [
                "'a'",
                "'b'",
                "''",
                "null",
                "5",
                "0",
                "true",
                "false",
                "'5'",
                "'t1'",
                "'m1'",
                "'2024-02-29'",
                "@now",
            ]
        )
    )


@st.composite
def rules(draw: st.DrawFn, number: int) -> str:
    pool = [draw(operand(number)) for _ in range(5)]

    def leaf() -> str:
        # Often the same operand again, so that comparisons share their rows.
        left, right = (draw(st.sampled_from(pool)) for _ in range(2))
        if draw(st.booleans()):
            right = draw(st.sampled_from(["'a'", "''", "5", "'5'", "null", "true", "id", "'m1'", "'t2'"]))
        sign = draw(st.sampled_from(["=", "=", "!=", ">", "<=", "~", "!~"]))
        return f"{left} {draw(st.sampled_from(['', '?', '?']))}{sign} {right}"

    def build(depth: int) -> str:
        if depth == 0 or draw(st.integers(0, 2)) == 0:
            return leaf()
        joined = draw(st.sampled_from([" && ", " || "])).join(
            build(depth - 1) for _ in range(draw(st.integers(2, 3)))
        )
        return f"({joined})"

    return build(2)


class _Undo(Exception):
    """Rolls the example's tables back."""


@settings(
    max_examples=EXAMPLES,
    deadline=None,
    suppress_health_check=[
        HealthCheck.function_scoped_fixture,
        HealthCheck.too_slow,
        HealthCheck.data_too_large,
    ],
)
@given(data=st.data(), records=tables(), indexed=st.booleans(), signed_in=st.booleans())
def test_sql_and_predicate_say_what_the_definition_says(
    session: Session,
    data: st.DataObject,
    records: dict[str, list[dict[str, Any]]],
    indexed: bool,
    signed_in: bool,
) -> None:
    number = next(_numbers)
    user = {**records["users"][0], "email": "", "emailVisibility": False, "tokenKey": ""}
    request = RequestInfo(
        principal=Principal("user", f"users{number}", f"users{number}", user)
        if signed_in
        else Principal("guest"),
        method="PATCH",
        body=data.draw(record("main", "m1")) if data.draw(st.booleans()) else {},
    )
    try:
        with session.savepoint():
            named = {f"{name}{number}": rows for name, rows in records.items()}
            world = make_world(session, schema(number, indexed), named)
            for rule in data.draw(st.lists(rules(number), min_size=RULES, max_size=RULES)):
                check(world, f"main{number}", rule, request)
            raise _Undo
    except _Undo:
        pass


def check(world: World, name: str, rule: str, request: RequestInfo) -> None:
    try:
        expected = Naive(world, name, request).answer(rule)
    except RuleError as refusal:
        event(f"refused: {refusal.message.rpartition(' - ')[2]}")
        return
    for searching in (False, True):
        found = by_sql(world, name, rule, request, searching)
        assert found == expected, f"{world.session.engine}, {searching=} says {found}, not {expected}: {rule}"
    literal = [r["id"] for r in world.records[name] if by_literals(world, name, rule, request, r)]
    assert sorted(literal) == expected, (
        f"{world.session.engine}, literals say {literal}, not {expected}: {rule}"
    )
    decided = world.by_predicate(name, rule, request)
    assert decided in (None, expected), f"the predicate says {decided}, not {expected}: {rule}"
    event(
        f"{'SQL' if decided is None else 'the predicate'} decides, {'some' if found else 'none'} of the records"
    )


def by_sql(world: World, name: str, rule: str, request: RequestInfo, searching: bool) -> list[str]:
    scope = Scope(world.schema, world.collection(name), world.session.engine, searching=searching)
    return world._ids(scope, scope.rule(parse_rule(rule)), (), request)


def by_literals(world: World, name: str, rule: str, request: RequestInfo, record: Any) -> bool:
    """As a create rule is asked: the record as a row of literals."""
    collection_, engine = world.collection(name), world.session.engine
    scope = Scope(world.schema, collection_, engine, stored=False)
    condition = scope.rule(parse_rule(rule))
    columns = [
        _literal(f"v{i}", own.column_type(engine), engine).label(own.name)
        for i, own in enumerate(collection_.fields)
    ]
    row = sa.select(*columns).subquery("r")
    statement = scope.render(
        sa.select(sa.literal_column("1")).select_from(scope.from_clause(row)).where(condition)
    )
    literals = {f"v{i}": own.to_db(record[own.name], engine) for i, own in enumerate(collection_.fields)}
    return world.session.row(statement.sql, statement.params((), request, NOW, **literals)) is not None
