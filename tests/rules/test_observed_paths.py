"""What a real PocketBase 0.39.11 found for paths through many records, back relations, ``@collection`` and functions.

observed_paths.json has its answers over these records: filters and sorts of a superuser; filters of a superuser, a guest
and alice under list rules of the related collections; list rules as a guest, alice, bob and carl met them. An answer is
ids in order, or the status of a refusal. Where ours differs, DIFFERENCES says how and why.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from projects.principal import GUEST, Principal, RequestInfo
from projects.rules import RuleError
from tests.rules.world import World, collection, field, make_world, relation

OBSERVED = json.loads((Path(__file__).parent / "observed_paths.json").read_text())

ORGS: list[dict[str, Any]] = [
    {"id": "o1", "name": "acme", "active": True, "n": 5, "j": {"a": 1}, "h": "h1"},
    {"id": "o2", "name": "beta", "active": False, "n": 0, "j": {"a": None}, "h": "h2"},
    {"id": "o3", "name": "", "active": True, "n": 7, "h": "h3"},
]
PEOPLE: list[dict[str, Any]] = [
    {
        "id": "alice", "name": "alice", "org": "o1", "email": "alice@example.com", "emailVisibility": True,
        "tags": ["a", "b"], "friends": ["bob", "carl"], "nick": "Al", "motto": "acme", "pj": [1, 2],
    },
    {"id": "bob", "name": "bob", "org": "o2", "email": "bob@example.com"},
    {"id": "carl", "name": "carl", "email": "carl@example.com"},
]  # fmt: skip
POSTS: list[dict[str, Any]] = [
    {"id": "p1"},
    {"id": "p2", "t": "acme", "n": 5, "author": "alice", "members": ["alice"], "orgs": ["o1"], "tags": ["a"],
     "j": [1, 2], "one": "a"},
    {"id": "p3", "t": "beta", "n": 0, "author": "bob", "members": ["alice", "bob"], "orgs": ["o1", "o2"],
     "tags": ["a", "b"], "j": ["x", "y"], "one": "b"},
    {"id": "p4", "t": "", "n": 7, "author": "carl", "members": ["bob", "carl"], "orgs": ["o2", "o3"],
     "tags": ["b", "c"], "j": 5},
    {"id": "p5", "t": "x", "n": 1, "members": ["alice", "bob", "carl"], "orgs": ["o1", "o2", "o3"],
     "tags": ["a", "b", "c"], "j": {"a": [1, 2]}},
    {"id": "p6", "t": "q", "n": 5, "author": "alice", "orgs": ["o1", "o3"], "j": []},
    {"id": "p7", "t": "z", "members": ["alice", "carl"], "orgs": ["o1"], "g": {"lon": 10, "lat": 20},
     "d": "2024-02-29 13:14:15.678Z", "self": "p2", "selves": ["p2", "p3"]},
    {"id": "p8", "t": "y", "members": ["carl"], "g": {"lon": 23.32, "lat": 42.69}, "d": "2020-01-01 00:00:00.000Z",
     "self": "p7"},
]  # fmt: skip
COMMENTS: list[dict[str, Any]] = [
    {"id": "c1", "post": "p2", "author": "alice", "n": 1, "t": "one", "posts": ["p2", "p3"], "h": "z"},
    {"id": "c2", "post": "p2", "author": "bob", "n": 2, "t": "two", "posts": ["p3"], "h": "z"},
    {"id": "c3", "post": "p3", "author": "alice", "n": 3, "h": "z"},
    {"id": "c4", "post": "p4", "n": 4, "t": "four", "posts": ["p5"], "h": "z"},
    {"id": "c5", "author": "bob", "n": 5, "t": "five", "posts": ["p2"], "h": "z"},
]
PROFILES: list[dict[str, Any]] = [{"id": "f1", "user": "alice", "bio": "A"}, {"id": "f2", "user": "bob"}]
ROLES: list[dict[str, Any]] = [
    {"id": "r1", "user": "alice", "post": "p2", "role": "admin"},
    {"id": "r2", "user": "alice", "post": "p3", "role": "member"},
    {"id": "r3", "user": "bob", "post": "p3", "role": "admin"},
    {"id": "r4", "user": "bob", "post": "p4", "role": "member"},
]

NO_LEAK = (
    "what a client may not see decides nothing; PocketBase counts it among all, so that it can be guessed"
)
ARC = "distances are reckoned so that a point is 0 km from itself"
TIMES = "times go from the year 1 to 9999, without 24 o'clock; beyond there is none"
ONE_NAME = "a collection is the same whatever the case of its name"
EACH_JSON = "each of a list is gone through wherever it stands"
ALL = "p1 p2 p3 p4 p5 p6 p7 p8"
# With one answer, everybody's; with more, as in the file.
DIFFERENCES: dict[str, tuple[list[str], str]] = {
    "geoDistance(n,n,n,n) = 0": ([ALL], ARC),
    "strftime('%Y', n) = ''": ([ALL], TIMES),
    "strftime('%Y', 0) = ''": ([ALL], TIMES),
    "strftime('%Y', 0) = '-4713'": ([""], TIMES),
    "strftime('%Y', 5) = '-4713'": ([""], TIMES),
    "strftime('%Y', '2024') = ''": ([ALL], TIMES),
    "strftime('%Y', '2024') = '-4707'": ([""], TIMES),
    "strftime('%H', '2024-02-03 24:00') = '00'": ([ALL], TIMES),
    "Comments_via_post.n ?= 1 && comments_via_post.n ?= 2": ([""], ONE_NAME),
    "@request.auth.pj:each ?= 1": (["", ALL, "", ""], EACH_JSON),
    "{'orgs': 'active = true'}: orgs.name = 'acme'": (["p2 p7", "p2 p3 p7", "p2 p3 p7"], NO_LEAK),
    "{'orgs': 'active = true'}: orgs.name = ''": (["p1 p8", "p1 p4 p8", "p1 p4 p8"], NO_LEAK),
    "{'orgs': 'active = true'}: orgs.n > 0": (
        ["p2 p6 p7", "p2 p3 p4 p5 p6 p7", "p2 p3 p4 p5 p6 p7"], NO_LEAK,
    ),
    "{'orgs': 'active = true'}: members.org.name != 'beta'": (["p1 p2 p6 p7 p8", ALL, ALL], NO_LEAK),
    "{'people': \"name = 'alice'\"}: members.email != 'bob@example.com'": (
        ["p1 p2 p6 p7 p8", "p2 p3 p5 p7", "p2 p3 p5 p7"], NO_LEAK,
    ),
    "{'people': ''}: members.email != 'bob@example.com'": (
        ["p1 p2 p6 p7 p8", "p2 p3 p5 p7", "p2 p3 p5 p7"], NO_LEAK,
    ),
    "{'people': ''}: members.email = 'alice@example.com'": (["p2", "p2 p3 p5 p7", "p2 p3 p5 p7"], NO_LEAK),
    "{'comments': 'n > 1'}: comments_via_posts.n != 1": (["p1 p4 p5 p6 p7 p8", ALL, ALL], NO_LEAK),
    "{'comments': \"posts.t = 'acme'\"}: comments_via_posts.n != 1": (
        ["p1 p4 p5 p6 p7 p8", "p1 p2 p4 p6 p7 p8", "p1 p2 p4 p6 p7 p8"], NO_LEAK,
    ),
}  # fmt: skip


@pytest.fixture(params=[False, True], ids=["one by one", "searching"])
def world(request: pytest.FixtureRequest, session: Any) -> World:
    orgs = collection(
        "orgs", field("name", "text"), field("active", "bool"), field("n", "number"), field("j", "json"),
        field("h", "text", hidden=True),
    )  # fmt: skip
    people = collection(
        "people", field("name", "text"), relation("org", "orgs"), field("tags", "select", values=["a", "b"], maxSelect=2),
        relation("friends", "people", 5), field("nick", "text"), field("motto", "text"), field("pj", "json"), type_="auth",
    )  # fmt: skip
    posts = collection(
        "posts", field("t", "text"), field("n", "number"), relation("author", "people"), relation("members", "people", 5),
        relation("orgs", "orgs", 5), field("tags", "select", values=["a", "b", "c"], maxSelect=3), field("j", "json"),
        field("one", "select", values=["a", "b"], maxSelect=1), field("g", "geoPoint"), field("d", "date"),
        relation("self", "posts"), relation("selves", "posts", 3),
    )  # fmt: skip
    comments = collection(
        "comments", relation("post", "posts"), relation("author", "people"), field("n", "number"), field("t", "text"),
        relation("posts", "posts", 5), field("h", "text", hidden=True),
    )  # fmt: skip
    profiles = collection(
        "profiles", relation("user", "people"), field("bio", "text"),
        indexes=("CREATE UNIQUE INDEX `u1` ON `profiles` (`user`)",),
    )  # fmt: skip
    roles = collection("roles", field("user", "text"), field("post", "text"), field("role", "text"))
    empty = collection(
        "empty",
        field("x", "text"),
        field("n", "number"),
        relation("post", "posts"),
        relation("posts", "posts", 3),
    )
    records = {
        "orgs": ORGS, "people": PEOPLE, "posts": POSTS, "comments": COMMENTS, "profiles": PROFILES, "roles": ROLES,
    }  # fmt: skip
    made = make_world(session, [orgs, people, posts, comments, profiles, roles, empty], records)
    return replace(made, searching=request.param)


def person(name: str) -> RequestInfo:
    if name == "guest":
        return RequestInfo(GUEST)
    found = next(record for record in PEOPLE if record["id"] == name)
    zero: dict[str, Any] = {
        "org": "",
        "tags": [],
        "friends": [],
        "nick": "",
        "motto": "",
        "pj": None,
        "emailVisibility": False,
    }
    return RequestInfo(Principal("user", "people", "people", {**zero, **found}))


def short(text: Any) -> Any:
    """Ids are padded to fifteen characters in what was sent to PocketBase."""
    return text if text is None else re.sub(r"\b([a-z]+[1-9]?)0{8,}\b", r"\1", text)


def answered(ask: Callable[[], list[str]]) -> str:
    try:
        return " ".join(ask())
    except RuleError:
        return "400"


def wrong(rows: list[tuple[str, list[str], list[str]]]) -> list[str]:
    out = []
    for name, theirs, ours in rows:
        expected = DIFFERENCES[name][0] if name in DIFFERENCES else theirs
        if ours != expected:
            out.append(f"{name}: {ours} instead of {expected}")
    return out


def test_filters_find_what_pocketbase_finds(world: World) -> None:
    rows = [
        (text, [theirs], [answered(lambda text=text: world.filtered("posts", short(text), superuser=True))])
        for text, theirs in OBSERVED["filters"]
    ]
    assert wrong(rows) == []


def test_sorts_are_pocketbases(world: World) -> None:
    rows = [
        (sort, [theirs], [answered(lambda sort=sort: world.sorted_by("posts", sort, superuser=True))])
        for sort, theirs in OBSERVED["sorts"]
    ]
    assert wrong(rows) == []


def test_list_rules_guard_what_a_filter_goes_through(world: World) -> None:
    rows = []
    for rules, filters in OBSERVED["guarded"]:
        ruled = world
        for name, rule in rules.items():
            ruled = ruled.with_list_rule(name, rule)
        for text, *theirs in filters:
            ours = [
                answered(
                    lambda who=who, text=text, ruled=ruled: ruled.filtered(
                        "posts", short(text), person("guest" if who == "su" else who), superuser=who == "su"
                    )
                )
                for who in ("su", "guest", "alice")
            ]
            rows.append((f"{rules}: {text}", theirs, ours))
    assert wrong(rows) == []


def test_rules_let_through_what_pocketbase_does(world: World) -> None:
    rows = []
    for rule, *theirs in OBSERVED["rules"]:
        ours = [
            answered(lambda who=who, rule=rule: world.answer("posts", short(rule), person(who)))
            for who in ("guest", "alice", "bob", "carl")
        ]
        rows.append((rule, ["400" if answer is None else answer for answer in theirs], ours))
    assert wrong(rows) == []
