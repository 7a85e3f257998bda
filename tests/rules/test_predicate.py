"""The predicate's own face: what it decides, what it reads, and what it leaves to SQL."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from projects.principal import Principal, RequestInfo
from projects.rules import Undecidable, compile_predicate, parse_filter, parse_rule
from projects.rules.predicate import Predicate
from projects.schema.collection import ProjectSchema
from tests.rules.world import GUEST, NOW, collection, field, relation

ORGS = collection("orgs", field("name", "text"))
USERS = collection("users", relation("org", "orgs"), type_="auth")
POSTS = collection(
    "posts",
    field("title", "text"),
    field("n", "number"),
    field("public", "bool"),
    relation("author", "users"),
    field("j", "json"),
)
SCHEMA = ProjectSchema(1, (ORGS, USERS, POSTS))
RECORD = {"id": "p1", "title": "Hello", "n": 5, "public": False, "author": "u1", "j": None}
ALICE = RequestInfo(principal=Principal("user", "users", "users", {"id": "u1", "org": "o1", "roles": ["a"]}))


def compiled(rule: str) -> Predicate:
    return compile_predicate(parse_rule(rule), SCHEMA, POSTS)


def test_one_rule_decides_for_many_requests_and_records() -> None:
    predicate = compiled("public = true || author = @request.auth.id")
    assert predicate.test(RECORD, ALICE, NOW)
    assert not predicate.test(RECORD, GUEST, NOW)
    assert predicate.test({**RECORD, "public": True}, GUEST, NOW)
    bound = predicate.bind(GUEST, NOW)
    assert [bound(record) for record in (RECORD, {**RECORD, "public": True})] == [False, True]


def test_a_part_that_the_request_decides_is_not_asked_of_the_records() -> None:
    bound = compiled("@request.auth.id != '' && title = 'x'").bind(GUEST, NOW)
    assert bound({}) is False
    assert compiled("@request.auth.id = '' || title = 'x'").bind(GUEST, NOW)({}) is True


@pytest.mark.parametrize(
    "rule",
    [
        "author.email = 'x'",
        "public = true || author.org.name = 'x'",
        "@request.auth.org.name = 'x'",
        "@request.body.author.email = 'x'",
    ],
)
def test_a_rule_that_reads_other_records_is_left_to_sql(rule: str) -> None:
    with pytest.raises(Undecidable):
        compiled(rule)


def test_the_id_of_a_related_record_is_the_records_own() -> None:
    assert compiled("author.id = @request.auth.id && @request.auth.org.id = 'o1'").test(RECORD, ALICE, NOW)


def test_a_predicate_tells_what_it_reads() -> None:
    predicate = compiled(
        "author = @request.auth.id && (@request.query.x != '' || title = @request.body.title)"
    )
    assert predicate.reads == {"@request.auth.id", "@request.query.x", "@request.body.title"}
    assert not predicate.volatile
    assert compiled("@now > title").volatile


@pytest.mark.parametrize(
    ("rule", "one", "other", "same"),
    [
        ("author = @request.auth.id", {}, {"query": {"x": "1"}}, True),
        ("author = @request.auth.id", {}, {"principal": GUEST.principal}, False),
        ("@request.query.x = '1'", {"query": {"x": "1"}}, {"query": {"x": "1", "y": "2"}}, True),
        ("@request.query.x = '1'", {"query": {"x": "1"}}, {"query": {"x": "2"}}, False),
        ("@request.query.x:isset = true", {"query": {"x": ""}}, {"query": {}}, False),
        ("@request.body.x:isset = true", {"body": {"x": None}}, {"body": {}}, False),
        ("@request.body.x.y = 1", {"body": {"x": {"y": 1}}}, {"body": {"x": {"y": 1}}}, True),
        ("@request.body.x.y = 1", {"body": {"x": {"y": 1}}}, {"body": {"x": {"y": 2}}}, False),
        ("@request.auth.roles ~ 'a'", {}, {}, True),
        ("@request.auth.collectionName = 'users'", {}, {"principal": GUEST.principal}, False),
        ("@request.auth.collectionId = 'users'", {}, {"principal": GUEST.principal}, False),
        ("@request.method = 'GET'", {}, {"method": "POST"}, False),
        ("@request.headers.a = 'b'", {"headers": {"a": "b"}}, {"headers": {"a": "c"}}, False),
        ("public = true", {}, {"principal": GUEST.principal}, True),
    ],
)
def test_requests_that_a_rule_cannot_tell_apart_have_one_key(
    rule: str, one: dict[str, Any], other: dict[str, Any], same: bool
) -> None:
    predicate = compiled(rule)
    first, second = replace(ALICE, **one), replace(ALICE, **other)
    assert (predicate.request_key(first) == predicate.request_key(second)) is same
    assert hash(predicate.request_key(first)) is not None


def test_a_clients_filter_keeps_its_own_constants() -> None:
    tests = [
        compile_predicate(parse_filter(f"title = '{word}'"), SCHEMA, POSTS, client_filter=True)
        for word in ("Hello", "Other")
    ]
    assert [predicate.test(RECORD, GUEST, NOW) for predicate in tests] == [True, False]


def test_a_record_without_a_field_has_null_there() -> None:
    assert compiled("title = '' && n != 5 && public != true && j = null").test({"id": "x"}, GUEST, NOW)


def test_nesting_costs_no_stack() -> None:
    deep = "".join("(n=5 && (n=2 || " for _ in range(99)) + "n=5" + "))" * 99
    assert compiled(deep).test(RECORD, GUEST, NOW)
