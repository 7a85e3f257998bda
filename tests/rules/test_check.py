"""Rules as a saved collection is checked for: what passes, and what each mistake is told."""

from __future__ import annotations

import contextlib

import pytest
import sqlalchemy as sa
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.rules import (
    RuleError,
    RuleSyntaxError,
    Scope,
    Undecidable,
    compile_predicate,
    parse_filter,
    parse_rule,
    validate_rule,
)
from projects.schema.collection import CollectionSchema, ProjectSchema
from tests.rules.world import GUEST, NOW, collection, field, relation

ORGS = collection("orgs", field("name", "text"))
USERS = collection("users", relation("org", "orgs"), relation("orgs", "orgs", 3), type_="auth")
STAFF = collection("staff", relation("boss", "users"), type_="auth")
CHAIN = collection("chain", relation("next", "chain"), field("k", "text"))
MAIN = collection(
    "main",
    field("a", "text"),
    field("h", "text", hidden=True),
    field("n", "number"),
    relation("u", "users"),
    relation("us", "users", 3),
    relation("lost", "nowhere"),
    field("j", "json"),
    field("ms", "select", values=["a", "b"], maxSelect=2),
    field("g", "geoPoint"),
)
SCHEMA = ProjectSchema(1, (ORGS, USERS, STAFF, CHAIN, MAIN))


@pytest.mark.parametrize(
    "rule",
    [
        "a = 1", " a = 1 ", "1 = 1", "'a' = 'b'", "@request.auth.id != ''", "@request.auth.nope = 1",
        "@request.body.a = 1", "@request.body.nope = 1", "@request.body.a:isset = true", "a:isset = true",
        "a:lower = 'x'", "n:lower = 'x'", "a:each = 'x'", "a:length = 1", "@request.query.x = 1",
        "@request.query.a.b = 1", "@request.headers.x_y = 1", "@request.method = 'GET'", "@request.context = 'default'",
        "u.email = 'x'", "u.tokenKey = 'x'", "h = 1", "j.a.b = 1", "@now > a", "a ?= 1", "a = null", "a = true",
        "a > 'x' || n < 1.5", "a = 1 // comment", "a = -5", "@request.auth.collectionName = 'users'",
        "@request.body.u.email = 'x'", "@request.body.a:changed = true", "u.org.name ~ 'x'", "u.id = @request.auth.id",
        "@request.auth.org.name = 'x'", "@request.auth.boss.email = 'x'", "g.lon > 5", "us:each = 'x'",
        "us ~ @request.auth.id", "@request.body.us:length < 3", "@request.auth.anything:length = 1",
        "@request.auth.name:nope = 1", "us.email = 'x'", "us.org.name ?= 'x'", "us.id ?= @request.auth.id",
        "@collection.orgs.id = a", "@collection.ORGS:b.name ?!= a", "u.main_via_u.a = 1", "u.staff_via_boss.email ?= 'x'",
        "u.main_via_us.ms:each ?= 'a'", "@request.auth.staff_via_boss.email ?= a", "@request.auth.nope_via_x.y = 1",
        "@request.auth.orgs.name ?= 'x'", "@request.body.us.org.name ?= 'x'", "@request.body.us:each ?= us:each",
        "geoDistance(g.lon, g.lat, 1, @request.query.x) < 5", "strftime('%Y', a, '+1 day') = '2024'", "j:each = 1",
        "ms:each = ms:each", "strftime('%Y') > '2020'",
    ],
)  # fmt: skip
def test_a_rule_in_order_passes(rule: str) -> None:
    validate_rule(rule, SCHEMA, MAIN)


@pytest.mark.parametrize(
    ("rule", "message", "position"),
    [
        ("nope = 1", 'invalid left operand "nope" - unknown field "nope"', 0),
        ("a = x", 'invalid right operand "x" - unknown field "x"', 4),
        ("n = 1 && u.nope = 1", 'invalid left operand "u.nope" - unknown field "nope"', 9),
        ("nope.a = 1", 'invalid left operand "nope.a" - failed to resolve field "nope"', 0),
        ("u.nope.a = 1", 'invalid left operand "u.nope.a" - failed to resolve field "nope"', 0),
        ("a.b = 1", 'invalid left operand "a.b" - field "a" is not a valid relation', 0),
        ("n.x = 1", 'invalid left operand "n.x" - field "n" is not a valid relation', 0),
        ("ms.0 = 'a'", 'invalid left operand "ms.0" - field "ms" is not a valid relation', 0),
        ("u.email.x = 1", 'invalid left operand "u.email.x" - field "email" is not a valid relation', 0),
        (
            "@request.nope = 1",
            'invalid left operand "@request.nope" - failed to resolve field "@request.nope"',
            0,
        ),
        (
            "@request.auth = ''",
            'invalid left operand "@request.auth" - failed to resolve field "@request.auth"',
            0,
        ),
        ("@request.method.x = ''", '"@request.method.x" - failed to resolve field "@request.method.x"', 0),
        ("@request.method:lower = ''", 'failed to resolve field "@request.method:lower"', 0),
        ("@request.ip = ''", 'failed to resolve field "@request.ip"', 0),
        ("@nope = 1", 'invalid left operand "@nope" - failed to resolve field "@nope"', 0),
        ("#a = 1", 'failed to resolve field "#a"', 0),
        ("@now:lower = 1", 'failed to resolve field "@now:lower"', 0),
        ("@yearx = 1", 'failed to resolve field "@yearx"', 0),
        ("a:nope = 1", 'invalid left operand "a:nope" - unknown modifier in "a:nope"', 0),
        ("a::x = 1", 'invalid identifier "a::x"', 0),
        ("@request.body.a:nope = true", 'unknown modifier in "a:nope"', 0),
        ("@request.body.a:each = 'x'", 'field "a" doesn\'t support multivalue operations', 0),
        ("@request.body.j:length = 1", 'field "j" doesn\'t support multivalue operations', 0),
        ("@request.body.nope:changed = true", "invalid modifier sequence nope:changed", 0),
        ("@request.body.nope:length = 1", "invalid modifier sequence nope:length", 0),
        ("@request.query.x:each = 'a'", "invalid modifier sequence x:each", 0),
        (
            "@collection.nope.id = a",
            'failed to load collection "nope" from field path "@collection.nope.id"',
            0,
        ),
        ("@collection.orgs = 1", 'failed to resolve field "@collection.orgs"', 0),
        ("nofunc(1) = 1", 'invalid left operand "nofunc" - unknown function "nofunc"', 0),
        ("lost.a = 1", 'failed to load the collection of relation "lost"', 0),
        ("j.a" + ".b" * 60 + " = 1", "more than 50 keys inside one value", 0),
        ("u.main_via_u = 1", '"main_via_u" stands for records, not for a value; name a field of theirs', 0),
        ("nope_via_u.a = 1", 'failed to load back relation field "nope_via_u" collection', 0),
        ("orgs_via_u.a = 1", 'missing or invalid back relation field "u" in collection "orgs"', 0),
        ("main_via_a.a = 1", 'missing or invalid back relation field "a" in collection "main"', 0),
        ("staff_via_boss.id = 1", 'invalid collection reference of back relation field "boss"', 0),
        ("u.staff_via_boss.nope = 1", 'unknown field "nope"', 0),
        ("@collection.orgs.nope = 1", 'unknown field "nope"', 0),
        ("@collection.orgs:x = 1", 'failed to resolve field "@collection.orgs:x"', 0),
        ("@request.auth.main_via_u.nope = 1", 'unknown field "nope"', 0),
        ("@request.body.us.nope = 1", 'unknown field "nope"', 0),
        ("geoDistance(1,2,3) < 5", "geoDistance takes 4 arguments (lonA, latA, lonB, latB), not 3", 0),
        ("geoDistance(1,2,3,'4') < 5", "geoDistance takes numbers and fields, not texts", 0),
        ("geoDistance(geoDistance(1,2,3,4),2,3,4) < 5", "a function cannot be an argument", 0),
        ("geoDistance(1,2,3,nope) < 5", 'unknown field "nope"', 0),
        ("a = 1 && strftime() = 'x'", "strftime takes 1 to 10 arguments, not 0", 9),
        ("strftime(a, 'x') = 'x'", "the format and the modifiers of strftime are texts in quotes", 0),
        ("strftime('%Y', a, 1) = 'x'", "the format and the modifiers of strftime are texts in quotes", 0),
    ],
)
def test_a_mistake_is_told_with_its_place(rule: str, message: str, position: int) -> None:
    with pytest.raises(RuleError) as caught:
        validate_rule(rule, SCHEMA, MAIN)
    assert message in caught.value.message
    assert caught.value.position == position


@pytest.mark.parametrize("rule", ["", "  ", "// only", "a", "a =", "(a = 1", "a == 1", "!a", "a IN (1)"])
def test_a_text_that_is_no_rule_is_a_syntax_error(rule: str) -> None:
    with pytest.raises(RuleSyntaxError):
        validate_rule(rule, SCHEMA, MAIN)


def test_a_path_goes_through_six_relations_and_not_through_seven() -> None:
    validate_rule("next." * 6 + "k = 'x'", SCHEMA, CHAIN)
    validate_rule("next." * 6 + "id = 'x'", SCHEMA, CHAIN)
    validate_rule("chain_via_next." * 6 + "id = 'x'", SCHEMA, CHAIN)
    for path in ("next." * 7 + "k", "next." * 7 + "id", "chain_via_next." * 7 + "k"):
        with pytest.raises(RuleError, match="more than 6 relations"):
            validate_rule(f"{path} = 'x'", SCHEMA, CHAIN)


def test_a_relation_of_accounts_that_leads_to_two_collections_is_refused() -> None:
    clients = collection("clients", relation("org", "users"), type_="auth")
    schema = ProjectSchema(1, (ORGS, USERS, clients, MAIN))
    with pytest.raises(RuleError, match="leads to different collections"):
        validate_rule("@request.auth.org.id:lower = 'x' || @request.auth.org.email = 'x'", schema, MAIN)


NAMES = st.lists(
    st.sampled_from(
        ["@request", "@collection", "auth", "body", "query", "headers", "method", "a", "h", "n", "u", "us", "j", "ms",
         "g", "id", "org", "boss", "email", "orgs", "users", "0", "main_via_u", "@now", "lost", "nope", "true"]
    ),
    min_size=1,
    max_size=5,
).map(".".join)  # fmt: skip
OPERANDS = st.tuples(
    NAMES,
    st.sampled_from(["", "", ":each", ":length", ":lower", ":isset", ":changed", ":nope", ":a.b", "(a, 1)"]),
).map("".join) | st.sampled_from(["1", "'x'", "null", "''", "false"])


@settings(max_examples=400, deadline=None)
@given(left=OPERANDS, sign=st.sampled_from(["=", "?!=", "~", "<"]), right=OPERANDS)
def test_any_name_is_understood_or_refused(left: str, sign: str, right: str) -> None:
    rule = f"{left} {sign} {right}"
    for decide in (validate_rule, as_predicate, as_filter):
        with contextlib.suppress(RuleError, Undecidable):
            decide(rule, SCHEMA, MAIN)


def as_predicate(rule: str, schema: ProjectSchema, main: CollectionSchema) -> None:
    compile_predicate(parse_rule(rule), schema, main).test({"id": "x"}, GUEST, NOW)


def as_filter(rule: str, schema: ProjectSchema, main: CollectionSchema) -> None:
    scope = Scope(schema, main, "postgresql")
    parsed = parse_filter(rule)
    condition = scope.filter(parsed, superuser=False)
    query = sa.select(*scope.columns("id")).select_from(scope.from_clause()).where(condition)
    scope.render(query).params(parsed.constants, GUEST, NOW)
