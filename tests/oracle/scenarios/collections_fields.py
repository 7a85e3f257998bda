"""The options of each field type: what is kept, what is refused."""

from __future__ import annotations

from tests.oracle.scenarios.building import COLLECTIONS, field, make
from tests.oracle.table import Json, Request, Scenario

Options = dict[str, Json]

TEXT: dict[str, Options] = {
    "a negative min": {"min": -1},
    "a negative max": {"max": -1},
    "a max below the min": {"min": 5, "max": 3},
    "a min that is no integer": {"min": 1.5},
    "a min that is a string": {"min": "x"},
    "a pattern that does not close": {"pattern": "["},
    "a pattern with look-ahead": {"pattern": "(?=a)"},
    "an autogenerate pattern that does not close": {"autogeneratePattern": "["},
    "required that is a string": {"required": "yes"},
    "a help text": {"help": "what to write here"},
    "a help text that is too long": {"help": "x" * 301},
    "a max beyond what JSON can count": {"max": 2**53 + 2},
}

NUMBER: dict[str, Options] = {
    "a max below the min": {"min": 5, "max": 3},
    "equal min and max": {"min": 3, "max": 3},
    "zero as min and max": {"min": 0, "max": 0},
    "a fraction as min of integers": {"min": 1.5, "onlyInt": True},
    "a min that is a string": {"min": "a"},
}

EMAIL: dict[str, Options] = {
    "both kinds of domain lists": {"onlyDomains": ["a.com"], "exceptDomains": ["b.com"]},
    "a domain that is none": {"onlyDomains": ["a b"]},
    "allowed domains": {"onlyDomains": ["a.com"]},
    "an empty domain list": {"onlyDomains": []},
    "a domain list that is a string": {"onlyDomains": "a.com"},
}

URL: dict[str, Options] = {
    "a domain with a scheme": {"onlyDomains": ["http://a"]},
    "forbidden domains": {"exceptDomains": ["a.com", "b.com"]},
}

EDITOR: dict[str, Options] = {
    "a negative size": {"maxSize": -1},
    "a size and converted links": {"maxSize": 100, "convertURLs": True},
}

DATE: dict[str, Options] = {
    "limits in several notations": {"min": "2022-01-02 10:00:00Z", "max": "2022-01-03T10:00:00.123+02:00"},
    "a min that is no date": {"min": "abc"},
}

AUTODATE: dict[str, Options] = {
    "neither on create nor on update": {},
    "both switched off": {"onCreate": False, "onUpdate": False},
    "on update only": {"onUpdate": True},
}

SELECT: dict[str, Options] = {
    "no values": {},
    "an empty list of values": {"values": []},
    "the same value twice": {"values": ["a", "a"]},
    "more to choose than there are values": {"values": ["a"], "maxSelect": 2},
    "a negative number to choose": {"values": ["a", "b"], "maxSelect": -1},
    "two to choose": {"values": ["a", "b"], "maxSelect": 2},
    "values that are numbers": {"values": [1, 2]},
}

JSON: dict[str, Options] = {"a negative size": {"maxSize": -1}, "a size": {"maxSize": 10}}

RELATION: dict[str, Options] = {
    "no collection": {},
    "an empty collection id": {"collectionId": ""},
    "a collection that is not there": {"collectionId": "nope"},
    "a collection's name for its id": {"collectionId": "target"},
    "more at least than at most": {"collectionId": "$target_collection", "minSelect": 3, "maxSelect": 2},
    "a negative minimum": {"collectionId": "$target_collection", "minSelect": -1},
    "a minimum of two without a maximum": {"collectionId": "$target_collection", "minSelect": 2},
    "cascade delete": {"collectionId": "$target_collection", "maxSelect": 1, "cascadeDelete": True},
}

PASSWORD: dict[str, Options] = {
    "a negative min": {"min": -1},
    "a max below the min": {"min": 5, "max": 3},
    "a max that bcrypt cannot take": {"max": 72},
    "the longest max": {"max": 71},
    "a cost that is too low": {"cost": 3},
    "a cost that is too high": {"cost": 32},
    "a cost": {"cost": 10},
    "a pattern that does not close": {"pattern": "["},
}

TYPES = {
    "text": TEXT,
    "number": NUMBER,
    "email": EMAIL,
    "url": URL,
    "editor": EDITOR,
    "date": DATE,
    "autodate": AUTODATE,
    "select": SELECT,
    "json": JSON,
    "relation": RELATION,
    "password": PASSWORD,
    "bool": {"required": {"required": True}},
    "geoPoint": {"required": {"required": True}},
}


def tried(kind: str, number: int, says: str, options: Options) -> Request:
    return Request(
        name=f"{kind}: {says}",
        method="POST",
        path=COLLECTIONS,
        as_="superuser",
        body={"name": f"{kind}_{number}".lower(), "fields": [field("a", kind, **options)]},
    )


SCENARIOS = (
    Scenario(
        "collections_field_options",
        "What each field type takes and refuses as its options.",
        (
            make("target"),
            *(
                tried(kind, number, says, options)
                for kind, table in TYPES.items()
                for number, (says, options) in enumerate(table.items())
            ),
            Request(
                name="text: an autogenerate pattern that makes what the pattern refuses",
                method="POST",
                path=COLLECTIONS,
                as_="superuser",
                body={"name": "x", "fields": [field("a", "text", autogeneratePattern="[a]{3}", min=5)]},
            ),
            Request(
                name="text: an autogenerate pattern that fits",
                method="POST",
                path=COLLECTIONS,
                as_="superuser",
                body={"name": "x", "fields": [field("a", "text", autogeneratePattern="[a-z]{5}", min=5)]},
            ),
        ),
    ),
)
