"""Changing, reading and deleting single records."""

from __future__ import annotations

from tests.oracle.scenarios.building import create, delete, field, make, records, update, view
from tests.oracle.table import Json, Request, Scenario

ID = "record000000001"

PATCHES: dict[str, Json] = {
    "one field": {"a": "changed"},
    "nothing": {},
    "null empties": {"a": None, "n": None, "j": None, "d": None},
    "an unknown key": {"unknown": 1},
    "its own id": {"id": ID, "a": "2"},
    "another id": {"id": "record000000002"},
    "an empty id": {"id": ""},
    "a wrong value": {"n": 101},
    "autodates are the server's": {"created": "2020-01-01", "updated": "2020-01-01"},
}

RAW_PATCHES: dict[str, bytes] = {
    "broken JSON": b"{",
    "an empty body": b"",
    "an array": b"[]",
    "null": b"null",
}

PATCHED = Scenario(
    "update_values",
    "A change touches the fields that it names.",
    (
        make(
            "notes",
            field("a", "text"),
            field("n", "number", max=100),
            field("j", "json"),
            field("d", "date"),
            field("created", "autodate", onCreate=True),
            field("updated", "autodate", onCreate=True, onUpdate=True),
            field("touched", "autodate", onUpdate=True),
        ),
        create("a record", "notes", {"id": ID, "a": "1", "n": 3, "j": {"x": 1}, "d": "2022-01-02"}),
        *(update(says, "notes", ID, body) for says, body in PATCHES.items()),
        *(
            Request(name=says, method="PATCH", path=f"{records('notes')}/{ID}", as_="superuser", raw=raw)
            for says, raw in RAW_PATCHES.items()
        ),
    ),
)

MODIFIED: dict[str, Json] = {
    "a number is raised": {"n+": 2},
    "a number is lowered": {"n-": 1},
    "a number is raised by text": {"n+": "2.5"},
    "a number is raised by nonsense": {"n+": "abc"},
    "a number is raised by null": {"n+": None},
    "a number is set and raised": {"n": 100, "n+": 1},
    "a number is raised and lowered": {"n+": 1, "n-": 10},
    "a value is appended": {"s+": "b"},
    "values are appended": {"s+": ["c", "a"]},
    "a value is taken away": {"s-": "a"},
    "a value is put in front": {"+s": "a"},
    "a value that is not there is taken away": {"s-": ["a", "zzz"]},
    "a wrong value is appended": {"s+": "zzz"},
    "a value is added to a single select": {"one+": "a"},
    "another value replaces it": {"one+": "b"},
    "it is taken away": {"one-": "b"},
    "a relation is added": {"r+": "target000000001"},
    "the relation is taken away": {"r-": "target000000001"},
    "a relation that is not there is added": {"r+": "missing"},
    "text has no plus": {"t+": "x"},
    "json has no plus": {"j+": 1},
    "an unknown field has no plus": {"nope+": 1},
    "text without a pattern has only the prefix": {"t:autogenerate": "AB-"},
}

MODIFIERS = Scenario(
    "update_modifiers",
    "Fields change by what they hold: f+, +f, f-, f:autogenerate.",
    (
        make("target"),
        create("a target", "target", {"id": "target000000001"}),
        make(
            "things",
            field("n", "number"),
            field("s", "select", values=["a", "b", "c"], maxSelect=3),
            field("one", "select", values=["a", "b"]),
            field("r", "relation", collectionId="$target_collection"),
            field("t", "text"),
            field("auto", "text", autogeneratePattern="[x]{6}"),
            field("j", "json"),
        ),
        create("text by a pattern", "things", {"id": ID, "n": 5, "s": ["a"]}),
        *(update(says, "things", ID, body) for says, body in MODIFIED.items()),
        update("text by a pattern with a prefix", "things", ID, {"auto:autogenerate": "AB-"}),
        create("a pattern gives way to a value", "things", {"auto": "mine"}),
        create("a pattern fills an empty value", "things", {"auto": ""}),
        create("a prefix on create", "things", {"auto:autogenerate": "P"}),
        create("a number raised on create", "things", {"n+": 2}),
        create("a value appended on create", "things", {"s+": "a"}),
    ),
)

ONE = Scenario(
    "single_records",
    "Reading and deleting one record, and what is not there.",
    (
        make("notes", field("a", "text"), field("secret", "text", hidden=True), viewRule=""),
        create("a record", "notes", {"id": ID, "a": "1", "secret": "s"}),
        view("a superuser sees hidden fields", "notes", ID, as_="superuser"),
        view("others do not", "notes", ID),
        view("chosen fields", "notes", ID, fields="id,a"),
        view("by the collection's id", "$notes_collection", ID),
        view("by the collection's name in capitals", "NOTES", ID),
        view("a record that is not there", "notes", "missing"),
        view("in a collection that is not there", "nope", ID),
        update("a change of a record that is not there", "notes", "missing", {}),
        delete("the deletion of a record that is not there", "notes", "missing"),
        create("a record in a collection that is not there", "nope", {}),
        delete("a deletion", "notes", ID),
        delete("a second deletion", "notes", ID),
        Request(name="the collection is no record", method="DELETE", path=records("notes"), as_="superuser"),
        Request(
            name="records are not put",
            method="PUT",
            path=f"{records('notes')}/{ID}",
            as_="superuser",
            body={},
        ),
        create(
            "fields of the answer to a creation",
            "notes",
            {"a": "long text"},
            query={"fields": "a:excerpt(4,true)"},
        ),
    ),
)

SCENARIOS = (PATCHED, MODIFIERS, ONE)
