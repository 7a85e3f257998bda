"""``@request.*`` and macros in rules: as a real PocketBase 0.39.11 answered, or with the reason why not."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from projects.principal import Principal, RequestInfo
from projects.rules import compile_predicate, parse_rule
from tests.rules.world import GUEST, NOW, World, collection, field, make_world, relation

ALICE = RequestInfo(
    principal=Principal(
        "user",
        "accounts",
        "accounts",
        {
            "id": "alice", "name": "alice", "email": "alice@example.com", "emailVisibility": True, "verified": True,
            "tokenKey": "key", "num": 5, "flag": True, "roles": ["a", "b"], "when": "2022-01-01T00:00:00.000Z",
            "meta": {"x": 5, "s": "q", "arr": [1, 2]}, "org": "o1", "orgs": ["o1", "o2"], "hid": "hh",
        },
    ),
    headers={"x_foo": "bar"},
)  # fmt: skip
RECORDS: list[dict[str, Any]] = [
    {"id": "0"},
    {"id": "1", "s": "5", "n": 5, "b": True, "d": "2022-01-01T00:00:00.000Z", "j": {"x": 5, "s": "5", "t": True},
     "o": "o1", "ms": ["a"]},
    {"id": "2", "s": "5.0", "j": "q", "o": "o2", "ms": ["a", "b"]},
    {"id": "3", "s": "true", "j": 5},
    {"id": "4", "s": "alice", "ms": ["b"]},
]  # fmt: skip
ALL = "01234"


@pytest.fixture
def world(session: Any) -> World:
    orgs = collection("orgs", field("name", "text"), field("active", "bool"), field("n", "number"))
    users = collection("accounts", relation("org", "orgs"), relation("orgs", "orgs", 3), type_="auth")
    main = collection(
        "main",
        field("s", "text"),
        field("n", "number"),
        field("b", "bool"),
        field("d", "date"),
        field("j", "json"),
        relation("o", "orgs"),
        field("ms", "select", values=["a", "b", "c"], maxSelect=3),
    )
    return make_world(
        session,
        [orgs, users, main],
        {"orgs": [{"id": "o1", "name": "Acme", "active": True, "n": 5}, {"id": "o2"}], "main": RECORDS},
    )


def found(world: World, rule: str, request: RequestInfo) -> str:
    return "".join(world.answer("main", rule, request))


# Each with the records it lets through for a guest, and for ALICE.
OF_AUTH = [
    ("@request.auth.id = ''", ALL, ""),
    ("@request.auth.id != ''", "", ALL),
    ("@request.auth.id = null", ALL, ""),
    ("s = @request.auth.name", "0", "4"),
    ("s ~ @request.auth.name", "", "4"),
    ("s !~ @request.auth.name", "", "0123"),
    ("'xalicex' ~ @request.auth.name", "", ALL),
    ("n = @request.auth.num", "", "1"),
    ("n != @request.auth.num", ALL, "0234"),
    ("n > @request.auth.num", "", ""),
    ("b = @request.auth.flag", "", "1"),
    ("b != @request.auth.flag", ALL, "0234"),
    ("@request.auth.flag = true", "", ALL),
    ("@request.auth.flag = 1", "", ALL),
    ("@request.auth.flag = 'true'", "", ""),
    ("@request.auth.num = '5'", "", ALL),
    ("@request.auth.num > 4", "", ALL),
    ("@request.auth.nope = ''", ALL, ALL),
    ("@request.auth.roles = 'a'", "", ""),
    ("@request.auth.roles ?= 'a'", "", ""),
    ("@request.auth.roles ~ 'a'", "", ALL),
    ("@request.auth.roles:each = 'a'", "", ""),
    ("@request.auth.roles:each ?= 'a'", "", ALL),
    ("@request.auth.roles:length = 2", "", ALL),
    ("ms = @request.auth.roles", "", "2"),
    ("ms ~ @request.auth.roles", "", "2"),
    ("@request.auth.meta.x = 5", "", ALL),
    ("@request.auth.meta.arr.1 = 2", "", ALL),
    ("@request.auth.meta ~ 'q'", "", ALL),
    ("j = @request.auth.meta.s", "04", "2"),
    ("j.x = @request.auth.num", "0234", "1"),
    ("j.t = @request.auth.flag", "0234", "1"),
    ("d = @request.auth.when", "0234", "1"),
    ("@request.auth.when > '2021'", "", ALL),
    ("o = @request.auth.org", "034", "1"),
    ("@request.auth.org.id = o", "034", "1"),
    ("@request.auth.org.id = ''", ALL, ""),
    ("@request.auth.hid = 'hh'", "", ALL),
    ("@request.auth.tokenKey != ''", "", ALL),
    ("@request.auth.collectionName = 'accounts'", "", ALL),
    ("@request.auth.collectionId = 'accounts'", "", ALL),
    ("@request.auth.name:lower = 'alice'", "", ALL),
    ("@request.auth.name:isset = true", "", ""),
    ("@request.auth.name ~ 'LI'", "", ALL),
    ("@request.auth.org.name = 'Acme'", "", ALL),
    ("@request.auth.org.active = true", "", ALL),
    ("@request.auth.org.n = n", "", "1"),
    ("@request.auth.org.name = o.name", "0234", "1"),
]


def test_values_of_the_signed_in_record(world: World) -> None:
    answers = [(rule, found(world, rule, GUEST), found(world, rule, ALICE)) for rule, _, _ in OF_AUTH]
    assert answers == OF_AUTH


def test_a_relation_of_a_record_of_another_auth_collection_leads_nowhere(world: World) -> None:
    stranger = replace(ALICE.principal, collection_id="_superusers", collection_name="_superusers")
    assert found(world, "@request.auth.org.name = 'Acme'", replace(ALICE, principal=stranger)) == ""


OF_REQUEST: list[tuple[str, dict[str, str], str]] = [
    ("@request.query.x = ''", {}, ALL),
    ("@request.query.x = '5'", {"x": "5"}, ALL),
    ("@request.query.x = 5", {"x": "5"}, ""),
    ("@request.query.x > 4", {"x": "5"}, ALL),
    ("n = @request.query.x", {"x": "5"}, "1"),
    ("n = @request.query.x", {"x": "5.0"}, "1"),
    ("n = @request.query.x", {"x": ""}, ""),
    ("n != @request.query.x", {"x": "a"}, ALL),
    ("n > @request.query.x", {"x": "4"}, "1"),
    ("b = @request.query.x", {"x": "true"}, ""),
    ("b = @request.query.x", {"x": "1"}, "1"),
    ("j.x = @request.query.x", {"x": "5"}, ""),
    ("j.s = @request.query.x", {"x": "5"}, "1"),
    ("j = @request.query.x", {"x": "q"}, "2"),
    ("s ~ @request.query.x", {"x": "5"}, "12"),
    ("s ~ @request.query.x", {"x": "%5"}, "1"),
    ("s ~ @request.query.x", {"x": "_"}, ""),
    ("s ~ @request.query.x", {"x": ""}, ALL),
    ("s ~ @request.query.x", {}, ""),
    ("s !~ @request.query.x", {}, ""),
    ("@request.query.x ~ s", {"x": "x5x"}, "01"),
    ("d > @request.query.x", {"x": "2021-01-01"}, "1"),
    ("@request.query.x:isset = true", {"x": ""}, ALL),
    ("@request.query.x:isset = true", {}, ""),
    ("@request.query.x:isset = false", {}, ALL),
    ("@request.query.x:lower = 'a'", {"x": "A"}, ALL),
    ("@request.query.x:lower = 'é'", {"x": "É"}, ""),
    ("@request.query.a.b = 1", {"a": "x"}, ""),
    ("@request.query.0 = 'x'", {"0": "x"}, ALL),
    ("@request.headers.x_foo = 'bar'", {}, ALL),
    ("@request.headers.X_FOO = 'bar'", {}, ""),
    ("@request.headers.x_foo:isset = true", {}, ALL),
    ("@request.method = 'GET'", {}, ALL),
    ("@request.method = 'get'", {}, ""),
    ("@request.context = 'default'", {}, ALL),
]


def test_values_of_query_headers_and_the_request_itself(world: World) -> None:
    answers = [
        (rule, query, found(world, rule, replace(ALICE, query=query))) for rule, query, _ in OF_REQUEST
    ]
    assert answers == OF_REQUEST


# Whether the rule lets record 1 be updated with the body.
OF_BODY: list[tuple[str, dict[str, Any], bool]] = [
    ("@request.body.s = 'x'", {"s": "x"}, True),
    ("@request.body.s = 'x'", {"s": "y"}, False),
    ("@request.body.s = ''", {}, True),
    ("@request.body.s:isset = true", {"s": ""}, True),
    ("@request.body.s:isset = false", {}, True),
    ("@request.body.s:changed = true", {"s": "5"}, False),
    ("@request.body.s:changed = true", {"s": "6"}, True),
    ("@request.body.s:changed = false", {"s": "5"}, True),
    ("@request.body.s:changed = false", {}, True),
    ("@request.body.n:changed = false", {"n": 5}, True),
    ("@request.body.n:changed = true", {"n": 6}, True),
    ("@request.body.b:changed = false", {"b": True}, True),
    ("@request.body.d:changed = false", {"d": "2022-01-01T00:00:00.000Z"}, True),
    ("@request.body.j:changed = false", {"j": {"x": 5, "s": "5", "t": True}}, True),
    ("@request.body.j:changed = true", {"j": {"x": 5}}, True),
    ("@request.body.ms:changed = false", {"ms": ["a"]}, True),
    ("@request.body.ms:changed = true", {"ms": ["b"]}, True),
    ("@request.body.n = '5'", {"n": 5}, False),
    ("@request.body.n > 4", {"n": 5}, True),
    ("@request.body.n = n", {"n": 5}, True),
    ("@request.body.b = true", {"b": True}, True),
    ("@request.body.j.x = 5", {"j": {"x": 5}}, True),
    ("@request.body.j.x.0 = 1", {"j": {"x": [1]}}, True),
    ("@request.body.j ~ 'x'", {"j": {"x": 5}}, True),
    ("@request.body.o = o", {"o": "o1"}, True),
    ("@request.body.o.id = o", {"o": "o1"}, True),
    ("@request.body.o.name = 'Acme'", {"o": "o1"}, True),
    ("@request.body.o.name = 'Acme'", {"o": "o2"}, False),
    ("@request.body.o.name = ''", {}, True),
    ("@request.body.o.name != ''", {}, False),
    ("@request.body.ms = 'a'", {"ms": ["a"]}, False),
    ("@request.body.ms ~ 'a'", {"ms": ["a"]}, True),
    ("@request.body.ms:length = 2", {"ms": ["a", "b"]}, True),
    ("@request.body.ms:length = 0", {}, True),
    ("@request.body.ms:each = 'a'", {"ms": ["a", "b"]}, False),
    ("@request.body.ms:each ?= 'b'", {"ms": ["a", "b"]}, True),
    ("@request.body.ms:each != 'a'", {}, True),
    ("@request.body.s:lower = 'x'", {"s": "X"}, True),
    ("@request.body.nope = true", {"nope": True}, True),
    ("@request.body.nope = null", {"nope": None}, True),
    ("@request.body.nope.x = 1", {"nope": {"x": 1}}, True),
    ("s = @request.body.nope", {"nope": 5}, False),
    ("s = @request.body.nope", {"nope": "5"}, True),
    ("n = @request.body.nope", {"nope": "5"}, True),
    ("b = @request.body.nope", {"nope": "true"}, False),
    ("j.x = @request.body.nope", {"nope": 5}, True),
    ("d = @request.body.nope", {"nope": "2022-01-01"}, False),
    ("s:isset = '5'", {}, True),
]


def test_values_of_the_body_beside_the_record_being_updated(world: World) -> None:
    answers = [
        (rule, body, "1" in found(world, rule, replace(ALICE, method="PATCH", body=body)))
        for rule, body, _ in OF_BODY
    ]
    assert answers == OF_BODY


def test_no_value_of_a_request_is_too_much(world: World) -> None:
    deep: Any = 1
    for _ in range(900):
        deep = [deep]
    for value in (
        2**63,
        -(2**70),
        10**400,
        1e308,
        [2**70],
        deep,
        "a\0\ud800",
        {"\ud800": "\0"},
        "x" * 60_000,
    ):
        request = replace(ALICE, body={"x": value, "n": value}, query={"x": "\0"})
        for column in ("s", "n", "b", "d", "j", "j.x", "ms", "ms:each", "o.name"):
            for sign in ("=", "!=", "<", "~"):
                assert found(world, f"{column} {sign} @request.body.x", request) is not None
        assert found(world, "@request.body.x:lower = 'x' || s = @request.query.x", request) == ""


def test_of_an_empty_list_each_stands_for_one_empty_value(world: World) -> None:
    """PocketBase says so of columns too, but of an empty list in the body it says no here."""
    assert found(world, "ms:each = ''", GUEST) == "03"
    assert found(world, "@request.body.ms:each = ''", GUEST) == ALL


OF_MACROS = [
    ("@now = '2026-11-23T15:15:08.206Z'", True),
    ("@now > '2026-11-23 15:15'", True),
    ("@now > d", True),
    ("@yesterday ~ '2026-11-22T15'", True),
    ("@tomorrow ~ '2026-11-24T15'", True),
    ("@second = 8 && @minute = 15 && @hour = 15", True),
    ("@day = 23 && @weekday = 1 && @month = 11 && @year = 2026", True),
    ("@day = '23'", False),
    ("@todayStart = '2026-11-23 00:00:00.000Z' && @todayEnd = '2026-11-23 23:59:59.999Z'", True),
    ("@monthStart = '2026-11-01 00:00:00.000Z' && @monthEnd = '2026-11-30 23:59:59.999Z'", True),
    ("@yearStart = '2026-01-01 00:00:00.000Z' && @yearEnd = '2026-12-31 23:59:59.999Z'", True),
]


def test_macros_are_utc_and_in_the_stored_form(world: World) -> None:
    assert [(rule, found(world, rule, GUEST) == ALL) for rule, _ in OF_MACROS] == OF_MACROS


def test_the_month_ends_right_in_december_and_in_a_leap_year(world: World) -> None:
    main = world.collection("main")
    for moment, end in [
        ("2027-12-05", "2027-12-31"),
        ("2028-02-10", "2028-02-29"),
        ("2027-01-31", "2027-01-31"),
    ]:
        year, month, day = map(int, moment.split("-"))
        predicate = compile_predicate(parse_rule(f"@monthEnd ~ '{end}'"), world.schema, main)
        assert predicate.test({"id": "x"}, GUEST, NOW.replace(year=year, month=month, day=day))
