"""What a client's filter or sort may reach. The answers are those of a real PocketBase 0.39.11."""

from __future__ import annotations

from typing import Any

import pytest

from projects.principal import Principal, RequestInfo
from projects.rules import RuleError, RuleForbidden, compile_predicate, parse_filter
from tests.rules.world import GUEST, NOW, World, collection, field, make_world, relation

ALICE = RequestInfo(principal=Principal("user", "accounts", "accounts", {"id": "alice"}))
SUPERUSER = RequestInfo(principal=Principal("superuser", "_superusers", "_superusers", {"id": "root"}))
REFUSED, FORBIDDEN = "400", "403"


@pytest.fixture
def world(session: Any) -> World:
    users = collection("accounts", field("name", "text"), type_="auth")
    common = (
        field("name", "text"),
        field("h", "text", hidden=True),
        field("pub", "bool"),
        relation("owner", "accounts"),
    )
    rules = {
        "open": "",
        "nul": None,
        "rule": "pub = true",
        "auth": "owner = @request.auth.id && @request.auth.id != ''",
    }
    targets = [collection(name, *common, list_rule=rule) for name, rule in rules.items()]
    targets.append(collection("rel", *common, relation("o", "rule"), list_rule="o.name = 'x'"))
    posts = collection(
        "p",
        field("k", "text"),
        field("h", "text", hidden=True),
        *(relation(target.name, target.name) for target in targets),
        relation("u", "accounts"),
    )
    records: dict[str, Any] = {
        "accounts": [
            {
                "id": "alice",
                "name": "alice",
                "email": "alice@example.com",
                "emailVisibility": True,
                "tokenKey": "a",
            },
            {"id": "bob", "name": "bob", "email": "bob@example.com", "tokenKey": "b"},
        ],
        "p": [
            {"id": "0", "k": "0"},
            {"id": "1", "k": "1", "h": "a", "u": "alice", **{target.name: "x" for target in targets}},
            {"id": "2", "k": "2", "h": "b", "u": "bob", **{target.name: "y" for target in targets}},
        ],
    }
    for target in targets:
        records[target.name] = [
            {"id": "x", "name": "x", "h": "hx", "pub": True, "owner": "alice", "o": "x"},
            {"id": "y", "name": "y", "h": "hy", "pub": False, "owner": "bob", "o": "y"},
        ]
    return make_world(session, [users, *targets, posts], records)


def answer(world: World, text: str, who: RequestInfo, name: str = "p") -> str:
    try:
        return "".join(world.filtered(name, text, who, superuser=who is SUPERUSER))
    except RuleForbidden:
        return FORBIDDEN
    except RuleError:
        return REFUSED


# Each with what a superuser, a guest and ALICE find.
FILTERS = [
    ("h = 'a'", "1", REFUSED, REFUSED),
    ("h:isset = true", "", REFUSED, REFUSED),
    ("open.name = 'x'", "1", "1", "1"),
    ("open.h = 'hx'", "1", REFUSED, REFUSED),
    ("nul.name = 'x'", "1", REFUSED, REFUSED),
    ("nul.name != 'x'", "02", REFUSED, REFUSED),
    ("nul.name:lower = 'x'", "1", REFUSED, REFUSED),
    ("nul.id != ''", "12", "12", "12"),
    ("nul = 'x'", "1", "1", "1"),
    ("rule.name = 'x'", "1", "1", "1"),
    ("rule.name = 'y'", "2", "", ""),
    ("rule.name != 'x'", "02", "0", "0"),
    ("rule.name = ''", "0", "0", "0"),
    ("rule.name != 'zzz'", "012", "01", "01"),
    ("rule.id != 'x'", "02", "02", "02"),
    ("rule = '' || k = '2'", "02", "02", "02"),
    ("k = '0' || rule.name = 'x'", "01", "01", "01"),
    ("k = '2' || rule.name = 'x'", "12", "1", "1"),
    ("k = '2' && (k = '2' || rule.name = 'x')", "2", "", ""),
    ("auth.name = 'x'", "1", "", "1"),
    ("auth.name = 'y'", "2", "", ""),
    ("auth.name != ''", "12", "", "1"),
    ("rel.name = 'x'", "1", "1", "1"),
    ("rel.name = 'y'", "2", "", ""),
    ("rel.o.name = 'x'", "1", "1", "1"),
    ("rel.o.name = 'y'", "2", "", ""),
    ("u.email = 'bob@example.com'", "2", "", ""),
    ("u.email = 'alice@example.com'", "1", "1", "1"),
    ("u.email != 'x'", "012", "1", "1"),
    ("u.name = 'bob'", "2", "2", "2"),
    ("u.emailVisibility = true", "1", "1", "1"),
    ("u.tokenKey != ''", "12", REFUSED, REFUSED),
    ("@request.auth.id = ''", "", FORBIDDEN, FORBIDDEN),
    ("@request.method = 'GET'", "012", FORBIDDEN, FORBIDDEN),
    ("@request.nope = 1", REFUSED, FORBIDDEN, FORBIDDEN),
    ("nope = 1 && @request.auth.id = ''", REFUSED, FORBIDDEN, FORBIDDEN),
    ("@now > ''", "012", "012", "012"),
    ("nope = 1", REFUSED, REFUSED, REFUSED),
    ("open.nope = 1", REFUSED, REFUSED, REFUSED),
    ("h.x = 1", REFUSED, REFUSED, REFUSED),
    ("collectionName = 'p'", REFUSED, REFUSED, REFUSED),
    ("@rowid > 1", REFUSED, REFUSED, REFUSED),
    ("@random > 1", REFUSED, REFUSED, REFUSED),
]


def test_a_filter_reaches_what_the_list_rules_show(world: World) -> None:
    answers = [
        (text, *(answer(world, text, who) for who in (SUPERUSER, GUEST, ALICE))) for text, *_ in FILTERS
    ]
    assert answers == FILTERS


def test_a_client_may_not_name_other_collections_and_a_superuser_may(world: World) -> None:
    for text in ("@collection.p.k = '1'", "@collection.p.k ?= '1'"):
        assert answer(world, text, GUEST) == FORBIDDEN
    assert answer(world, "@collection.p.k = '1'", SUPERUSER) == ""
    assert answer(world, "@collection.p.k ?= '1'", SUPERUSER) == "012"


def test_a_constant_that_only_looks_like_a_request_value_is_one(world: World) -> None:
    """PocketBase searches the text and refuses; the name in quotes reads nothing, so ours does not."""
    assert answer(world, "k != '@request.auth.id'", GUEST) == "012"


# Each with the accounts that a superuser, and anybody else, finds.
BY_EMAIL = [
    ("email = 'bob@example.com'", ["bob"], []),
    ("email ~ 'example'", ["alice", "bob"], ["alice"]),
    ("email != 'x'", ["alice", "bob"], ["alice"]),
    ("email:lower = 'bob@example.com'", ["bob"], []),
    ("'xbob@example.comx' ~ email", ["bob"], []),
    ("name = 'bob' || email = 'bob@example.com'", ["bob"], ["bob"]),
]


def test_an_account_is_found_by_its_email_only_if_it_shows_it(world: World) -> None:
    accounts = world.collection("accounts")
    for text, superuser, client in BY_EMAIL:
        assert world.filtered("accounts", text, SUPERUSER, superuser=True) == superuser
        assert world.filtered("accounts", text, GUEST) == client
        predicate = compile_predicate(parse_filter(text), world.schema, accounts, client_filter=True)
        assert [r["id"] for r in world.records["accounts"] if predicate.test(r, GUEST, NOW)] == client


def test_a_predicate_refuses_a_client_the_same(world: World) -> None:
    for text, error in [
        ("h = 'a'", RuleError),
        ("@request.auth.id = ''", RuleForbidden),
        ("nope = 1", RuleError),
    ]:
        with pytest.raises(error):
            compile_predicate(parse_filter(text), world.schema, world.collection("p"), client_filter=True)


SORTS = [
    ("h", "012", REFUSED, REFUSED),
    ("open.h", "012", REFUSED, REFUSED),
    ("open.name", "012", "012", "012"),
    ("nul.name,k", "012", REFUSED, REFUSED),
    ("rule.name,k", "012", "01", "01"),
    ("-rule.name,k", "210", "10", "10"),
    ("auth.name,-k", "012", "0", "01"),
    ("rel.o.name,k", "012", "01", "01"),
    ("-u.email,k", "210", "210", "210"),
    ("u.tokenKey", "012", REFUSED, REFUSED),
    ("@request.auth.id", REFUSED, FORBIDDEN, FORBIDDEN),
    ("@collection.p.k", "012", FORBIDDEN, FORBIDDEN),
]


def test_a_sort_reaches_no_more_than_a_filter(world: World) -> None:
    def order(sort: str, who: RequestInfo) -> str:
        try:
            return "".join(world.sorted_by("p", sort, who, superuser=who is SUPERUSER))
        except RuleForbidden:
            return FORBIDDEN
        except RuleError:
            return REFUSED

    answers = [(sort, *(order(sort, who) for who in (SUPERUSER, GUEST, ALICE))) for sort, *_ in SORTS]
    assert answers == SORTS


def test_a_list_rule_is_asked_once_for_each_related_record(world: World) -> None:
    scope = world.scope("p")
    scope.filter(parse_filter("rule.name = 'x' || rule.pub = true"), superuser=False)
    scope.sort("rule.name", superuser=False)
    assert len(scope._guards) == 1


def test_an_error_in_a_filter_of_a_known_shape_has_its_own_position(world: World) -> None:
    for text, position in [("k = 'a' && nope = 1", 11), ("k = 'aaaaaa' && nope = 1", 16)]:
        with pytest.raises(RuleError) as caught:
            world.filtered("p", text)
        assert caught.value.position == position
