"""What a real PocketBase 0.39.11 found for each filter in observed.json, sent by a superuser over these records.

An answer is the ids in order, null where it refused the filter. Where ours differs, DIFFERENCES says how and why.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from projects.rules import RuleError
from tests.rules.world import World, collection, field, make_world, relation

ORGS: list[dict[str, Any]] = [
    {"id": "o1", "name": "Acme", "active": True, "n": 5},
    {"id": "o2", "name": "", "active": False, "n": 0},
]
RECORDS: list[dict[str, Any]] = [
    {"id": "1"},
    {"id": "2", "s": "abc", "n": 5, "b": True, "d": "2022-01-01T10:00:00.000Z", "sel": "a", "ms": ["a"], "org": "o1",
     "orgs": ["o1"], "g": {"lon": 12.5, "lat": 42},
     "j": {"a": 5, "f": True, "s": "5", "arr": [1, "x"], "z": None, "o": {"q": 1}}},
    {"id": "3", "s": "5", "n": 5.5, "b": True, "d": "2022-01-01T00:00:00.000Z", "j": 5, "sel": "b", "ms": ["a", "b"],
     "org": "o2", "orgs": ["o1", "o2"]},
    {"id": "4", "s": "ABC", "n": -3, "j": "abc", "d": "2023-06-01T10:00:00.123Z"},
    {"id": "5", "s": "éÉ", "n": 100000, "j": True, "ms": ["c"]},
    {"id": "6", "s": "a%b_c\\d'e\"f", "n": 0.1, "j": "", "ms": ["a", "b", "c"]},
    {"id": "7", "s": "true", "n": 1, "b": True, "j": [1, 2]},
    {"id": "8", "s": "null", "n": 25, "j": {"a": "abc", "f": False, "n": None}},
    {"id": "9", "s": "0", "n": 12.5, "j": '"5"'},
    {"id": "A", "s": "5", "n": 5},
    {"id": "B", "s": "5.0", "n": 5},
    {"id": "C", "s": "1", "n": 1, "b": True, "j": {"s": "5", "n": 5, "t": True, "x": "abc"}},
    {"id": "D", "s": "x\\y", "n": 0.25, "j": {"x": "abc"}},
    {"id": "E", "s": "éclair", "n": 0.3},
    {"id": "F", "s": "line\nb", "n": 123456},
]  # fmt: skip
ALL = "".join(record["id"] for record in RECORDS)
OBSERVED: list[tuple[str, str | None]] = [
    (text, answer) for text, answer in json.loads((Path(__file__).parent / "observed.json").read_text())
]

STORED_WITH_T = "dates are stored with a T, as they leave the API; a space in a constant is read as one"
TWO_CLASSES = "a text is never equal to a number or boolean, and greater, also between two columns"
CARRIAGE_RETURN = "a carriage return is white space: rules are pasted from Windows too"
DIFFERENCES: dict[str, tuple[str | None, str]] = {
    "d = '2022-01-01T00:00:00.000Z'": ("3", STORED_WITH_T),
    "d > '2022-01-01T00:00:00.000Z'": ("24", STORED_WITH_T),
    "d ~ ' '": ("", STORED_WITH_T),
    "s = true": ("", TWO_CLASSES),
    "s=false": ("", TWO_CLASSES),
    "s > n": (ALL, TWO_CLASSES),
    "s >= n": (ALL, TWO_CLASSES),
    "s < n": ("", TWO_CLASSES),
    "n < s": (ALL, TWO_CLASSES),
    "s = j": ("", TWO_CLASSES),
    "j = s": ("", TWO_CLASSES),
    "n = j.s": ("", TWO_CLASSES),
    "j.s = n": ("", TWO_CLASSES),
    "s = j.t": ("", TWO_CLASSES),
    "s > j.n": ("C", TWO_CLASSES),
    "s ~ s": (ALL, "a column on the right of ~ is searched as it is, its % and _ are no wildcards"),
    "n=1\t&&\nn=1\r\n|| n=5": ("27ABC", CARRIAGE_RETURN),
    "n=1\r\n&&n=1": ("7C", CARRIAGE_RETURN),
    "n=1\r&&n=1": ("7C", CARRIAGE_RETURN),
    "g.lon:lower = '12.5'": ("2", ":lower of a value inside JSON is its text in lower case"),
    "j.a:lower = 'abc'": ("8", ":lower of a value inside JSON is its text in lower case"),
    "ms:length = '1'": ("25", ":length is a number as a column is, beside which a text of digits is one too"),
    "n:length = null": (ALL, "only select, relation and file fields have a length; others have none"),
    "s:length = null": (ALL, "only select, relation and file fields have a length; others have none"),
    "j:length = null": (ALL, "only select, relation and file fields have a length; others have none"),
    "org.n:length=null": (ALL, "only select, relation and file fields have a length; others have none"),
}


@pytest.fixture
def world(session: Any) -> World:
    orgs = collection("d_orgs", field("name", "text"), field("active", "bool"), field("n", "number"))
    main = collection(
        "d_main",
        field("s", "text"),
        field("n", "number"),
        field("b", "bool"),
        field("d", "date"),
        field("j", "json"),
        field("sel", "select", values=["a", "b", "c"], maxSelect=1),
        field("ms", "select", values=["a", "b", "c"], maxSelect=3),
        relation("org", "d_orgs"),
        relation("orgs", "d_orgs", 5),
        field("g", "geoPoint"),
    )
    return make_world(session, [orgs, main], {"d_orgs": ORGS, "d_main": RECORDS})


def ours(world: World, text: str) -> str | None:
    try:
        found = world.answer("d_main", text)
    except RuleError:
        return None
    assert world.filtered("d_main", text) == found
    return "".join(found)


def test_filters_find_what_pocketbase_finds_or_the_difference_has_a_reason(world: World) -> None:
    wrong = []
    for text, theirs in OBSERVED:
        expected = DIFFERENCES[text][0] if text in DIFFERENCES else theirs
        answer = ours(world, text)
        if answer != expected:
            wrong.append(f"{text!r}: {answer} instead of {expected}")
    assert wrong == []


def test_every_listed_difference_is_one() -> None:
    observed = dict(OBSERVED)
    assert [text for text, (answer, _) in DIFFERENCES.items() if observed[text] == answer] == []
