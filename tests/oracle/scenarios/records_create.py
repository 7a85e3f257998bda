"""Creating records: ids, unique values, relations, bodies."""

from __future__ import annotations

from tests.oracle.scenarios.building import OPEN, create, delete, field, listing, make, records, view
from tests.oracle.table import Json, Request, Scenario

FIRST, SECOND, THIRD = "first0000000001", "second000000002", "third0000000003"


def sent(says: str, raw: bytes, kind: str = "application/json") -> Request:
    return Request(
        name=says,
        method="POST",
        path=records("notes"),
        as_="superuser",
        raw=raw,
        headers={"Content-Type": kind},
    )


IDS: dict[str, Json] = {
    "an id of one's own": FIRST,
    "an id that is taken": FIRST,
    "an id that is too short": "short",
    "an id that is too long": "x" * 16,
    "an id in capitals": "X" * 15,
    "an id with other letters": "é" * 15,
    "an id that is an injection": "a'b--; drop/**/",
    "an empty id is made by the server": "",
    "an id that is null is made by the server": None,
    "an id that is a number": 123456789012345,
}

IDENTITY = Scenario(
    "create_ids",
    "A client may choose an id within the pattern of the id field.",
    (
        make("things", field("a", "text")),
        *(create(says, "things", {"id": value, "a": "1"}) for says, value in IDS.items()),
        create(
            "keys that are no fields are ignored",
            "things",
            {
                "collectionId": "x",
                "collectionName": "y",
                "expand": {"a": 1},
                "unknown": 5,
                "@x": 1,
                "a": "ok",
            },
        ),
        make(
            "strict",
            field("id", "text", primaryKey=True, pattern="^[A-Za-z0-9_-]+$", min=2, max=20),
        ),
        create("an id of another pattern", "strict", {"id": "Ab_-"}),
        create("an id that breaks the other pattern", "strict", {"id": "a b"}),
        create("no id where none is generated", "strict", {}),
        make(
            "generated", field("id", "text", primaryKey=True, pattern="^N[0-9]+$", autogeneratePattern="N1")
        ),
        create("an id by the pattern", "generated", {}),
    ),
)

UNIQUE = Scenario(
    "create_unique",
    "A unique index speaks through the fields that it covers.",
    (
        make(
            "unique_things",
            field("a", "text"),
            field("b", "text"),
            field("n", "number"),
            indexes=[
                "CREATE UNIQUE INDEX idx_unique_a ON unique_things (a)",
                "CREATE UNIQUE INDEX idx_unique_bn ON unique_things (b, n)",
            ],
        ),
        create("the first of its kind", "unique_things", {"a": "1", "b": "1"}),
        create("a value that is taken", "unique_things", {"a": "1", "b": "2"}),
        create("a pair that is taken", "unique_things", {"a": "2", "b": "1"}),
        create("an empty value", "unique_things", {"b": "3"}),
        create("an empty value is taken too", "unique_things", {"b": "4"}),
        create("case makes a difference", "unique_things", {"a": "A", "b": "5"}),
        create("other faults are told first", "unique_things", {"a": "1", "b": "2", "id": "bad"}),
        make(
            "partly_unique",
            field("a", "text"),
            indexes=["CREATE UNIQUE INDEX idx_partly ON partly_unique (a) WHERE a != ''"],
        ),
        create("one without the value", "partly_unique", {}),
        create("another without the value", "partly_unique", {}),
    ),
)

MANY_FAULTS = Scenario(
    "create_many_faults",
    "Every wrong field is named in one answer.",
    (
        make("strict", field("a", "text", required=True), field("n", "number", min=5), field("e", "email")),
        create("three faults", "strict", {"n": 1, "e": "x"}),
        create("three faults and a wrong id", "strict", {"n": 1, "e": "x", "id": "no"}),
        create("none", "strict", {"a": "x", "n": 6, "e": "a@b.co"}),
    ),
)

RELATED: dict[str, Json] = {
    "null": None,
    "an id": FIRST,
    "an id that is not there": "missing",
    "an id in a list": [FIRST],
    "two ids: the last one counts": [FIRST, SECOND],
    "an empty list": [],
    "a number": 12,
    "an object": {},
    "a list that is text": f'["{FIRST}"]',
}

RELATIONS = Scenario(
    "create_relations",
    "A relation holds the id of a record that is there.",
    (
        make("target", field("t", "text")),
        create("the first target", "target", {"id": FIRST}),
        create("the second target", "target", {"id": SECOND}),
        make("holder", field("r", "relation", collectionId="$target_collection")),
        *(create(f"a relation given {says}", "holder", {"r": value}) for says, value in RELATED.items()),
        make("needy", field("r", "relation", collectionId="$target_collection", required=True)),
        create("a required relation is missing", "needy", {}),
        create("a required relation is empty", "needy", {"r": ""}),
        create("a required relation is not there", "needy", {"r": "missing"}),
    ),
)

REFERENCES = Scenario(
    "delete_references",
    "What happens to the records that refer to a deleted one.",
    (
        make("target"),
        *(create(f"the target {name}", "target", {"id": name}) for name in (FIRST, SECOND, THIRD)),
        make("loose", field("r", "relation", collectionId="$target_collection")),
        create("a loose record", "loose", {"r": FIRST}, save={"loose": "id"}),
        delete("the target of a loose record goes", "target", FIRST),
        view("the loose record lets go", "loose", "$loose", as_="superuser"),
        make("needy", field("r", "relation", collectionId="$target_collection", required=True)),
        create("a needy record", "needy", {"r": SECOND}),
        delete("the target of a needy record stays", "target", SECOND),
        view("it is still there", "target", SECOND, as_="superuser"),
        make("follower", field("r", "relation", collectionId="$target_collection", cascadeDelete=True)),
        create("a following record", "follower", {"r": THIRD}),
        delete("the target of a following record goes", "target", THIRD),
        listing("the following record went with it", "follower", as_="superuser"),
    ),
)

BODIES: dict[str, bytes] = {
    "broken JSON": b'{"a":',
    "an empty body": b"",
    "a blank body": b" ",
    "an array": b'[{"a":"1"}]',
    "null": b"null",
    "a string": b'"x"',
    "a number": b"5",
    "the same key twice": b'{"a":"1","a":"2"}',
    "a raw NUL": b'{"a":"\x00"}',
    "single quotes": b"{'a':1}",
    "a trailing comma": b'{"a":1,}',
    "NaN": b'{"n":NaN}',
    "a number beyond double": b'{"n":1e999}',
    "a number with a leading zero": b'{"n":01}',
    "a byte order mark": b'\xef\xbb\xbf{"a":"bom"}',
    "a comment": b'{"a":"1"/*c*/}',
    "nested too deep": b'{"j":' + b"[" * 12000 + b"]" * 12000 + b"}",
}

# What PocketBase mends silently and we refuse. They come last: what they make would number the ids after them.
MENDED: dict[str, bytes] = {
    "two values after one another": b'{"a":"1"}{"a":"2"}',
    "invalid UTF-8": b'{"a":"\xff\xfe"}',
    "half a surrogate pair": b'{"a":"\\ud800"}',
}

FORM, PARTS = "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"


def multipart(**values: str) -> bytes:
    """A multipart body of plain values; ``json_payload`` stands for the part @jsonPayload."""
    parts = "".join(
        f'--x\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'
        for name, value in values.items()
    )
    return f"{parts}--x--\r\n".replace("json_payload", "@jsonPayload").encode()


CONTENT_TYPES: dict[str, tuple[str, bytes]] = {
    "JSON as plain text": ("text/plain", b'{"a":"1"}'),
    "JSON with a character set": ("application/json; charset=utf-8", b'{"a":"1"}'),
    "JSON of a vendor": ("application/vnd.api+json", b'{"a":"1"}'),
    "a form": (FORM, b'a=1&n=12&j={"x":1}'),
    "a form with a key twice": (FORM, b"j=1&j=x"),
    "broken multipart": (PARTS, b"--x\r\nbroken"),
    "multipart with plain values": (PARTS, multipart(a="7", n="12.5", j="true")),
    "multipart with @jsonPayload": (PARTS, multipart(json_payload='{"a":"x","n":5}', a="y")),
    "multipart with a broken @jsonPayload": (PARTS, multipart(json_payload="{bad")),
}

SENT = Scenario(
    "create_bodies",
    "Bodies of every kind, good and bad.",
    (
        make("notes", field("a", "text"), field("n", "number"), field("j", "json"), **OPEN),
        *(sent(says, raw) for says, raw in BODIES.items()),
        *(sent(says, raw, kind) for says, (kind, raw) in CONTENT_TYPES.items()),
        *(sent(says, raw) for says, raw in MENDED.items()),
    ),
)

SCENARIOS = (IDENTITY, UNIQUE, MANY_FAULTS, RELATIONS, REFERENCES, SENT)
