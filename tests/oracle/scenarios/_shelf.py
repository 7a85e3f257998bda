"""A small shelf of records that lists, filters and rules are tried on."""

from __future__ import annotations

from tests.oracle.scenarios.building import OPEN, create, field, given, make
from tests.oracle.table import Json, Request

APPLE, BANANA, ODD, EMPTY, LATE = (f"item0000000000{number}" for number in range(1, 6))
RED, GREEN = "colour000000red", "colour00000gren"

ITEMS: tuple[dict[str, Json], ...] = (
    {
        "id": APPLE,
        "title": "Apple",
        "n": 1,
        "b": True,
        "d": "2024-01-01 00:00:00.000Z",
        "s": "x",
        "j": {"a": {"b": 1}, "list": [1, 2, 3], "s": "str"},
        "g": {"lon": 10, "lat": 20},
        "r": RED,
        "secret": "one",
        "e": "a@b.co",
        "html": "<p>Hello <b>World</b></p>",
    },
    {
        "id": BANANA,
        "title": "banana",
        "n": 2.5,
        "d": "2024-06-15 12:30:45.123Z",
        "s": "y",
        "j": [{"k": "v"}, "two"],
        "g": {"lon": -10, "lat": 0.5},
        "r": GREEN,
        "secret": "two",
    },
    {"id": ODD, "title": "100% _under\\ 'quote'", "n": -3, "b": True, "j": "text"},
    {"id": EMPTY},
    {"id": LATE, "title": "zebra", "n": 10, "b": True, "j": 5, "d": "2030-01-01 00:00:00.000Z"},
)


def shelf(**options: Json) -> tuple[Request, ...]:
    """Two colours and five items that everybody may read; ``options`` go to the collection of items."""
    return given(
        make("colours", field("name", "text"), field("secret", "text", hidden=True), **OPEN),
        create("the colour red", "colours", {"id": RED, "name": "red", "secret": "rrr"}),
        create("the colour green", "colours", {"id": GREEN, "name": "green", "secret": "ggg"}),
        make(
            "items",
            field("title", "text"),
            field("n", "number"),
            field("b", "bool"),
            field("d", "date"),
            field("s", "select", values=["x", "y"]),
            field("j", "json"),
            field("g", "geoPoint"),
            field("r", "relation", collectionId="$colours_collection"),
            field("secret", "text", hidden=True),
            field("e", "email"),
            field("html", "editor"),
            **(OPEN | options),
        ),
        *(create(f"the item {item['id']}", "items", item) for item in ITEMS),
    )
