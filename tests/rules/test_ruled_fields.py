"""A client's filter and sort over fields that have a rule of their own for who reads them.

Nothing is true of a value that the client may not read. So no answer can depend on one: the same questions are asked
of twin worlds that differ in nothing but such values.
"""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import pytest

from projects.databases import Session
from projects.principal import Principal, RequestInfo
from projects.rules import RuleError, Undecidable, compile_predicate, parse_filter
from tests.rules.world import GUEST, NOW, World, collection, field, make_world, relation

ALICE = RequestInfo(principal=Principal("user", "accounts", "accounts", {"id": "alice"}))
BOB = RequestInfo(principal=Principal("user", "accounts", "accounts", {"id": "bob"}))

OPEN, OWN = "open = true", "owner = @request.auth.id && @request.auth.id != ''"
IDS = ["u", "v", "w", "x", "y", "z"]


def collections(twin: str) -> list[Any]:
    """A third of the fields can be read by everybody; what follows them, under a rule."""
    common = (field("t", "text"), field("open", "bool"), field("owner", "text"), field("listed", "bool"))
    tops, mids, main, kids = (f"{name}{twin}" for name in ("tops", "mids", "main", "kids"))
    return [
        collection(tops, *common, field("s", "text", readRule=OPEN), list_rule="listed = true"),
        collection(
            mids,
            *common,
            field("s", "text", readRule=OWN),
            replace(relation("top", tops), read_rule=OPEN),
            relation("tops", tops, 3),
            list_rule="listed = true",
        ),
        collection(
            main,
            *common,
            relation("mid", mids),
            relation("mids", mids, 3),
            field("st", "text", readRule=OPEN),
            field("sn", "number", readRule=OWN),
            field("sd", "date", readRule=OPEN),
            field("sj", "json", readRule=OWN),
            field("sm", "select", values=["a", "b"], maxSelect=2, readRule=OPEN),
            # Rules that only the database can decide.
            field("sf", "text", readRule="mid.open = true"),
            replace(relation("r", mids), read_rule=OPEN),
            replace(relation("rs", mids, 3), read_rule="mid.open = true"),
        ),
        collection(
            kids, *common, relation("main", main), field("s", "text", readRule=OWN), list_rule="listed = true"
        ),
    ]


TEXTS = ["", "a", "b", "A"]
DATES = ["", "2024-02-29T13:14:15.678Z", "2020-01-01T00:00:00.000Z"]


def records(dice: random.Random) -> dict[str, list[dict[str, Any]]]:
    def one(id_: str) -> dict[str, Any]:
        return {
            "id": id_,
            "t": dice.choice(TEXTS),
            "open": dice.random() < 0.5,
            "owner": dice.choice(["", "alice", "bob"]),
            "listed": dice.random() < 0.6,
            **secrets(dice),
            "mid": dice.choice(["", *IDS]),
            "mids": dice.sample(IDS, dice.randint(0, 2)),
            "main": dice.choice(["", *IDS]),
            "tops": dice.sample(IDS, dice.randint(0, 2)),
        }

    return {name: [one(id_) for id_ in IDS] for name in ("tops", "mids", "main", "kids")}


def secrets(dice: random.Random) -> dict[str, Any]:
    """Values for all fields that have a rule."""
    return {
        "s": dice.choice(TEXTS),
        "st": dice.choice(TEXTS),
        "sf": dice.choice(TEXTS),
        "sn": dice.choice([0, 1, 5]),
        "sd": dice.choice(DATES),
        "sj": dice.choice([None, 1, "a", {"a": 1}, ["a", 5]]),
        "sm": dice.sample(["a", "b"], dice.randint(0, 2)),
        "r": dice.choice(["", *IDS]),
        "rs": dice.sample(IDS, dice.randint(0, 3)),
        "top": dice.choice(["", *IDS]),
    }


def twins(session: Session, dice: random.Random, request: RequestInfo, name: str) -> Iterator[World]:
    """Two worlds that the reader cannot tell apart, whatever it reads."""
    plain, other = records(dice), records(dice)
    first = world(session, f"{name}0", plain)
    yield first
    changed: dict[str, list[dict[str, Any]]] = {}
    for made in first.schema.collections:
        short = made.name.removesuffix(f"{name}0")
        changed[short] = [dict(record) for record in plain[short]]
        for one in made.fields:
            if one.read_rule:
                seen = first.by_sql(made.name, one.read_rule, request)
                for record, secret in zip(changed[short], other[short], strict=True):
                    if record["id"] not in seen:
                        record[one.name] = secret[one.name]
    yield world(session, f"{name}1", changed)


def world(session: Session, twin: str, given: dict[str, list[dict[str, Any]]]) -> World:
    return make_world(session, collections(twin), {f"{name}{twin}": rows for name, rows in given.items()})


OWN_PATHS = [
    "st",
    "st:lower",
    "sn",
    "sd",
    "sj",
    "sj.a",
    "sm",
    "sm:each",
    "sm:length",
    "sf",
    "r",
    "rs",
    "rs:length",
]
PATHS = [
    *OWN_PATHS, "t", "open", "r.t", "r.id", "r.s", "r.top.s", "r.top.t", "r.tops.t", "rs.t", "rs.id", "rs.s", "rs:each",
    "rs.top.t", "rs.tops.s", "mid.s", "mid.top.t", "mid.top", "mid.tops.s", "mids.s", "mids.top.t", "mids.top",
    "KIDS_via_main.s", "KIDS_via_main.t", "mid.MAIN_via_mid.st", "mid.MAIN_via_mid.r.t",
]  # fmt: skip
VALUES = ["'a'", "'b'", "''", "null", "1", "5", "0", "'2024'", "'x'", "'y'", "true", "false"]
SIGNS = ["=", "!=", ">", ">=", "<", "<=", "~", "!~"]


def comparison(dice: random.Random) -> str:
    left = dice.choice(PATHS) if dice.random() < 0.9 else "strftime('%Y', sd)"
    right = dice.choice(VALUES) if dice.random() < 0.7 else dice.choice(PATHS)
    return f"{left} {dice.choice(['', '?'])}{dice.choice(SIGNS)} {right}"


def question(dice: random.Random, depth: int = 2) -> str:
    if depth == 0 or dice.random() < 0.4:
        return comparison(dice)
    joined = dice.choice([" && ", " || "]).join(question(dice, depth - 1) for _ in range(dice.randint(2, 3)))
    return f"({joined})"


def named(text: str, twin: str) -> str:
    return text.replace("KIDS", f"kids{twin}").replace("MAIN", f"main{twin}")


def answer(asked: World, twin: str, text: str, request: RequestInfo, of: str = "main") -> Any:
    """What SQL in both of its forms and, where it can, Python find."""
    name, text = f"{of}{twin}", named(text, twin)
    try:
        found = asked.filtered(name, text, request)
        assert replace(asked, searching=True).filtered(name, text, request) == found, text
        parsed = parse_filter(text)
    except RuleError as error:
        return error.message.replace(twin, "") if twin else error
    try:
        predicate = compile_predicate(parsed, asked.schema, asked.collection(name), client_filter=True)
    except Undecidable:
        return found
    test = predicate.bind(request, NOW)
    assert sorted(record["id"] for record in asked.records[name] if test(record)) == found, text
    return found


@pytest.mark.parametrize("seed", range(3))
def test_no_filter_and_no_sort_tells_anything_of_what_may_not_be_read(session: Session, seed: int) -> None:
    dice = random.Random(seed)
    telling = 0
    for request, name in ((GUEST, "g"), (ALICE, "a")):
        worlds = {f"{name}{n}": one for n, one in enumerate(twins(session, dice, request, name))}
        for _ in range(60):
            text = question(dice)
            first, second = (answer(one, twin, text, request) for twin, one in worlds.items())
            assert first == second, text
            telling += first not in ([], IDS)
        for path in PATHS:
            for sign in "+-":
                first, second = (
                    one.sorted_by(f"main{twin}", named(f"{sign}{path},id", twin), request)
                    for twin, one in worlds.items()
                )
                assert first == second, path
    # Answers are not all alike.
    assert telling > 25


@pytest.fixture
def notes(session: Session) -> World:
    """Three notes: two of ALICE's, one of BOB's; each with a word and a link that its owner alone reads."""
    made = [
        collection(
            "places",
            field("name", "text"),
            field("code", "text", readRule=OPEN),
            field("open", "bool"),
            field("tip", "text", readRule="open != true"),
        ),
        collection(
            "notes",
            field("owner", "text"),
            field("word", "text", readRule=OWN),
            field("tags", "select", values=["a", "b"], maxSelect=2, readRule=OWN),
            replace(relation("place", "places"), read_rule=OWN),
            relation("seen", "places", 3),
            replace(relation("parent", "notes"), read_rule=OWN),
        ),
    ]
    rows = {
        "places": [
            {"id": "p", "name": "P", "code": "one", "open": True},
            {"id": "q", "name": "Q", "code": "two"},
        ],
        "notes": [
            {"id": "1", "owner": "alice", "word": "x", "tags": ["a"], "place": "p", "seen": ["p", "q"]},
            {
                "id": "2",
                "owner": "bob",
                "word": "x",
                "tags": ["a"],
                "place": "p",
                "seen": ["q"],
                "parent": "1",
            },
            {"id": "3", "owner": "alice", "seen": ["p"]},
        ],
    }
    return make_world(session, made, rows)


# Each with what a superuser, ALICE, BOB and a guest find.
FOUND = [
    ("word = 'x'", "12", "1", "2", ""),
    ("word != 'x'", "3", "3", "", ""),
    ("word = ''", "3", "3", "", ""),
    ("word != 'y'", "123", "13", "2", ""),
    ("word ~ 'x' || owner = 'bob'", "12", "12", "2", "2"),
    ("word:lower = 'x'", "12", "1", "2", ""),
    ("'xyz' ~ word && word != ''", "12", "1", "2", ""),
    ("word = owner || owner = 'alice'", "13", "13", "13", "13"),
    ("tags = '[\"a\"]'", "12", "1", "2", ""),
    ("tags:each = 'a'", "12", "1", "2", ""),
    ("tags:each ?= 'a'", "12", "1", "2", ""),
    ("tags:length = 0", "3", "3", "", ""),
    ("place = 'p'", "12", "1", "2", ""),
    ("place.id = 'p'", "12", "1", "2", ""),
    ("place.name = 'P'", "12", "1", "2", ""),
    ("place.name != 'Z'", "123", "13", "2", ""),
    ("place.code = 'one'", "12", "1", "2", ""),
    # Where there is no record there is nothing to read, though the rule is true of none.
    ("place.tip = ''", "123", "", "", ""),
    ("seen.tip ?= ''", "123", "12", "12", "12"),
    # Of many records those count whose field can be read: all of them, and one at least.
    ("seen.code = 'one'", "3", "13", "13", "13"),
    ("seen.code != 'two'", "3", "13", "13", "13"),
    ("seen.code ?= 'two'", "12", "", "", ""),
    ("seen.code ?!= 'zzz'", "123", "13", "13", "13"),
    ("strftime('%Y', word) = null", "123", "13", "2", ""),
]  # fmt: skip


def test_a_comparison_holds_for_records_whose_value_the_client_may_read(notes: World) -> None:
    def ids(text: str, request: RequestInfo, *, superuser: bool = False) -> str:
        found = notes.filtered("notes", text, request, superuser=superuser)
        if not superuser:
            assert answer(notes, "", text, request, "notes") == found
        return "".join(found)

    answers = [
        (text, ids(text, GUEST, superuser=True), *(ids(text, who) for who in (ALICE, BOB, GUEST)))
        for text, *_ in FOUND
    ]
    assert answers == FOUND


def test_by_a_value_that_the_client_may_not_read_records_are_sorted_as_by_none(notes: World) -> None:
    for sort in ("word,id", "place.name,id"):
        assert notes.sorted_by("notes", sort, GUEST) == ["1", "2", "3"]
        assert notes.sorted_by("notes", f"-{sort}", GUEST) == ["1", "2", "3"]
        assert notes.sorted_by("notes", f"-{sort}", BOB)[0] == "2"
        assert notes.sorted_by("notes", f"-{sort}", ALICE)[0] == "1"


def test_no_path_leads_back_through_a_relation_with_a_rule(notes: World) -> None:
    """How many records there are would tell of those that keep their relation to themselves."""
    for text in ("notes_via_parent.owner ?= 'bob'", "seen.notes_via_place.owner = 'bob'"):
        for who in (GUEST, BOB):
            with pytest.raises(RuleError, match="superusers only"):
                notes.filtered("notes", text, who)
    assert notes.filtered("notes", "notes_via_parent.owner ?= 'bob'", GUEST, superuser=True) == ["1"]


def test_a_predicate_tells_apart_whom_the_rule_of_a_field_does(notes: World) -> None:
    """Subscribers whom a filter cannot tell apart are answered once."""
    parsed = parse_filter("word = 'x'")
    predicate = compile_predicate(parsed, notes.schema, notes.collection("notes"), client_filter=True)
    assert "@request.auth.id" in predicate.reads
    assert predicate.request_key(ALICE) != predicate.request_key(BOB)
    with pytest.raises(Undecidable):
        compile_predicate(
            parse_filter("place.code = 'one'"), notes.schema, notes.collection("notes"), client_filter=True
        )
