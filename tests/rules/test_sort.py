"""ORDER BY from a client's ``sort``. Orders are those of a real PocketBase 0.39.11 over the same records."""

from __future__ import annotations

from typing import Any

import pytest

from projects.rules import RuleError, RuleSyntaxError
from projects.rules.sort import parse_sort
from tests.rules.world import World, collection, field, make_world, relation

RECORDS: list[dict[str, Any]] = [
    {"id": "1"},
    {"id": "2", "s": "abc", "n": 5, "b": True, "j": {"a": 5}, "ms": ["a"], "org": "o1", "orgs": ["o1"]},
    {"id": "3", "s": "5", "n": 5.5, "b": True, "j": 5, "ms": ["a", "b"], "org": "o2", "orgs": ["o1", "o2"]},
    {"id": "4", "s": "ABC", "n": -3, "j": "abc"},
    {"id": "5", "s": "éÉ", "n": 100000, "j": True, "ms": ["c"]},
    {"id": "6", "s": "a%b_c", "n": 0.1, "j": "", "ms": ["a", "b", "c"]},
]


@pytest.fixture
def world(session: Any) -> World:
    orgs = collection("orgs", field("name", "text"), field("active", "bool"))
    main = collection(
        "main",
        field("s", "text"),
        field("n", "number"),
        field("b", "bool"),
        field("j", "json"),
        field("ms", "select", values=["a", "b", "c"], maxSelect=3),
        relation("org", "orgs"),
        relation("orgs", "orgs", 5),
        field("h", "text", hidden=True),
    )
    names = [{"id": "o1", "name": "Acme", "active": True}, {"id": "o2"}]
    return make_world(session, [orgs, main], {"orgs": names, "main": RECORDS})


ORDERS = [
    ("id", "123456"),
    ("-id", "654321"),
    ("+id", "123456"),
    (" id ", "123456"),
    ("-s,id", "526431"),
    ("s, id", "134625"),
    ("n,-id", "416235"),
    ("b,id", "145623"),
    ("s:lower,id", "136245"),
    ("org.name,id", "145632"),
    ("-org.name,-id", "236541"),
    ("org.active,id", "145632"),
    ("org,id", "145623"),
    ("j.a,id", "134562"),
    ("-j.a,id", "213456"),
    ("j,id", "153642"),
    ("-j,id", "246351"),
    ("ms,id", "632514"),
    ("ms:length,id", "142536"),
    ("orgs:length,id", "145623"),
    ("@rowid", "123456"),
    ("-@rowid", "654321"),
    ("id,id,id,id,id,id,id,id", "123456"),
]


def test_records_come_in_the_order_asked_for_and_nulls_are_the_least(world: World) -> None:
    assert [(sort, "".join(world.sorted_by("main", sort))) for sort, _ in ORDERS] == ORDERS


def test_random_order_differs_from_time_to_time(world: World) -> None:
    orders = {tuple(world.sorted_by("main", "@random")) for _ in range(40)}
    assert len(orders) > 1
    assert all(sorted(order) == ["1", "2", "3", "4", "5", "6"] for order in orders)


def test_what_is_no_order_is_refused(world: World) -> None:
    wrong = [
        "nope", "org.nope", "", "id,", ",id", "id,,s", "-", "--id", "- id", "(id)", "id;", "id desc", "1", "'a'", "ID",
        "@nope", "@now", "@random(1)", "geoDistance(1,2,3,4)", "id:excerpt", ",".join(["id"] * 9), "main_via_org.id",
        "orgs.nope", "main_via_org", "id\0", "s)--",
    ]  # fmt: skip
    for sort in wrong:
        with pytest.raises(RuleError):
            world.sorted_by("main", sort)


def test_an_error_says_where() -> None:
    with pytest.raises(RuleSyntaxError) as caught:
        parse_sort("id, -a..b")
    assert caught.value.position == 5
