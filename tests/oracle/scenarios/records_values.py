"""What each field type makes of each value: scalars are cast, and only then checked."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Final

from tests.oracle.scenarios.building import create, field, make
from tests.oracle.table import Json, Request, Scenario

Options = Mapping[str, Json]


class _Absent:
    def __repr__(self) -> str:
        return "ABSENT"


ABSENT: Final = _Absent()  # the key is not sent at all
JUNK: Final[Sequence[Json]] = (ABSENT, None, "", 0, 1, -1.5, True, False, [], ["a"], {}, {"a": 1})

# kind -> label -> (options, values to send)
TABLE: dict[str, dict[str, tuple[Options, Sequence[Json]]]] = {
    "text": {
        "plain": ({}, (*JUNK, " abc ", "é😀", "a\nb", "<b>&</b>", 1e30, "x" * 5000, "x" * 5001)),
        "required": ({"required": True}, (ABSENT, None, "", " ", 0, [])),
        "3 to 5 long": ({"min": 3, "max": 5}, ("", "ab", "abc", "abcdef", "éé", "😀😀😀")),
        "with a pattern": ({"pattern": "^[a-z]+$"}, ("", "abc", "aB1")),
        "with a loose pattern": ({"pattern": "[0-9]"}, ("a1b", "x")),
        "with everything": ({"required": True, "min": 3, "pattern": "^[a-z]+$"}, ("", "A", "ABC", "abc")),
        "longer than usual": ({"max": 6000}, ("x" * 5001,)),
    },
    "number": {
        "plain": (
            {},
            (
                *JUNK,
                "12",
                "12.5",
                " 12 ",
                "abc",
                "1e3",
                "-3",
                "+3",
                0.1,
                1e21,
                9007199254740993,
                "NaN",
                "1,5",
            ),
        ),
        "required": ({"required": True}, (ABSENT, None, "", 0, "0", 1, True)),
        "2 to 5": ({"min": 2, "max": 5}, (0, 1, 2, 5, 5.1, "1")),
        "integer": ({"onlyInt": True}, (1, 1.5, "1.5", "2")),
        "integer from 3": ({"onlyInt": True, "min": 3}, (1.5, 2)),
    },
    "bool": {
        "plain": ({}, (*JUNK, "true", "false", "TRUE", "t", "1", "yes", "on")),
        "required": ({"required": True}, (ABSENT, None, False, "false", True, 1)),
    },
    "email": {
        "plain": (
            {},
            (ABSENT, None, "", 12, [], "a@b.co", "A@B.CO", " a@b.co ", "a", "a@b", "a b@c.co", "a+b@c.co"),
        ),
        "required": ({"required": True}, (ABSENT, "", None)),
        "of one domain": ({"onlyDomains": ["a.com"]}, ("x@a.com", "x@b.com", "x@sub.a.com", "x@A.com")),
        "not of a domain": ({"exceptDomains": ["a.com"]}, ("x@a.com", "x@b.com")),
    },
    "url": {
        "plain": (
            {},
            (
                ABSENT,
                None,
                "",
                12,
                "http://a.co",
                "https://a.co/x?y=1#z",
                "ftp://a.co",
                "a.co",
                "http://localhost:8080",
                "http://",
                "javascript:alert(1)",
                "/relative",
                "http://a b.co",
            ),
        ),
        "required": ({"required": True}, (ABSENT, "")),
        "of one domain": ({"onlyDomains": ["a.com"]}, ("http://a.com", "http://b.com", "http://sub.a.com")),
        "not of a domain": ({"exceptDomains": ["a.com"]}, ("http://a.com", "http://b.com")),
    },
    "editor": {
        "plain": ({}, (ABSENT, None, "", 12, [], "<p>x</p>", "<script>alert(1)</script>")),
        "required": ({"required": True}, (ABSENT, "", "<p></p>")),
        "of 5 bytes": ({"maxSize": 5}, ("12345", "123456", "ééé")),
    },
    "date": {
        "plain": (
            {},
            (
                ABSENT,
                None,
                "",
                "2022-01-02",
                "2022-01-02 10:11:12",
                "2022-01-02 10:11:12Z",
                "2022-01-02 10:11:12.123Z",
                "2022-01-02 10:11:12.9999Z",
                "2022-01-02T10:11:12Z",
                "2022-01-02T10:11:12.5+02:00",
                "2022-01-02T10:11:12",
                "9999-12-31 23:59:59.999Z",
                "2022-13-01",
                "2022-02-30",
                "2022-01",
                "2022-01-02 10:11",
                "01/02/2022",
                "abc",
                " 2022-01-02 ",
                1641118272,
                True,
                [],
                {},
            ),
        ),
        "required": ({"required": True}, (ABSENT, "", "abc", "2022-01-02")),
        "between two days": (
            {"min": "2022-01-02", "max": "2022-01-04"},
            ("", "2022-01-01", "2022-01-02", "2022-01-04", "2022-01-04 00:00:01Z", "abc"),
        ),
    },
    "autodate": {
        "on create": ({"onCreate": True}, (ABSENT, "2020-01-01 00:00:00.000Z", "")),
        "on update": ({"onUpdate": True}, (ABSENT, "2020-01-01 00:00:00.000Z")),
    },
    "select": {
        "one": (
            {"values": ["a", "b", "1"], "maxSelect": 1},
            (*JUNK, "b", "c", "A", ["a", "b"], ["a", "c"], "a,b", '["a"]'),
        ),
        "required one": ({"values": ["a", "b"], "required": True}, (ABSENT, "", None, [], "c", "a")),
        "two": (
            {"values": ["a", "b", "c", "1"], "maxSelect": 2},
            (
                *JUNK,
                "b",
                "d",
                ["a", "a"],
                ["b", "a"],
                ["a", "b", "c"],
                ["a", "d"],
                [1],
                ["a", ""],
                '["a","b"]',
            ),
        ),
        "required two": ({"values": ["a", "b"], "maxSelect": 2, "required": True}, (ABSENT, [], "", ["a"])),
    },
    "json": {
        "plain": (
            {},
            (*JUNK, "abc", "12", "true", "null", '{"a":1}', "{bad", '"quoted"', {"b": 1, "a": [{"c": None}]}),
        ),
        "required": ({"required": True}, (ABSENT, None, "", 0, False, [], {}, "null", 1)),
        "of 5 bytes": ({"maxSize": 5}, ("12345", 12345, 123456, "abc", "abcd")),
    },
    "geoPoint": {
        "plain": (
            {},
            (
                *JUNK,
                {"lon": 1.5, "lat": -2},
                {"lon": 1},
                {"lon": "1.5", "lat": "2"},
                {"lon": 180, "lat": 90},
                {"lon": 181, "lat": 2},
                {"lon": 1, "lat": 91},
                {"lon": 1, "lat": 2, "x": 3},
                '{"lon":1,"lat":2}',
                [1, 2],
            ),
        ),
        "required": ({"required": True}, (ABSENT, None, {}, {"lon": 0, "lat": 0}, {"lon": 1, "lat": 0})),
    },
    "password": {
        "plain": ({}, (ABSENT, None, "", "abc", 12, "x" * 71, "x" * 72)),
        "4 to 6 long": ({"min": 4, "max": 6}, ("", "abc", "abcd", "abcdefg")),
        "required": ({"required": True}, (ABSENT, "", "abc")),
        "with a pattern": ({"pattern": "^[a-z]+$"}, ("ABC", "abc")),
    },
}


def given(label: str, collection: str, values: Sequence[Json]) -> list[Request]:
    """One record per value, named by what is sent."""
    requests: dict[str, Request] = {}
    for value in values:
        shown = "nothing" if value is ABSENT else json.dumps(value, ensure_ascii=False)
        shown = shown if len(shown) <= 60 else f"{shown[:20]}… of {len(shown)} characters"
        says = f"{label}, given {shown}"
        requests.setdefault(says, create(says, collection, {} if value is ABSENT else {"f": value}))
    return list(requests.values())


def scenario(kind: str) -> Scenario:
    steps: list[Request] = []
    for number, (label, (options, values)) in enumerate(TABLE[kind].items()):
        name = f"{kind}_{number}".lower()
        steps += [make(name, field("f", kind, **options)), *given(label, name, values)]
    return Scenario(f"values_{kind}", f"What a {kind} field makes of what it is given.", tuple(steps))


SCENARIOS = tuple(scenario(kind) for kind in TABLE)
