"""Changing, listing, emptying, importing and deleting collections."""

from __future__ import annotations

from tests.oracle.scenarios.building import COLLECTIONS, change, create, field, listing, make, update
from tests.oracle.table import Json, Request, Scenario


def drop(says: str, collection: str, as_: str = "superuser") -> Request:
    return Request(name=says, method="DELETE", path=f"{COLLECTIONS}/{collection}", as_=as_)


def truncate(says: str, collection: str, as_: str = "superuser") -> Request:
    return Request(name=says, method="DELETE", path=f"{COLLECTIONS}/{collection}/truncate", as_=as_)


def collections(says: str, as_: str = "superuser", **query: str) -> Request:
    return Request(name=says, method="GET", path=COLLECTIONS, as_=as_, query=query)


def put(says: str, body: Json, as_: str = "superuser") -> Request:
    return Request(name=says, method="PUT", path=f"{COLLECTIONS}/import", as_=as_, body=body)


ID = field("id", "text", id="text3208210256", primaryKey=True, min=15, max=15, pattern="^[a-z0-9]+$")
ID |= {"autogeneratePattern": "[a-z0-9]{15}", "required": True, "system": True}
TITLE = field("title", "text", id="field_title")
COUNT = field("count", "number", id="field_count")
TAGS = field("tags", "select", id="field_tags", values=["x", "y"], maxSelect=2)

UPDATED = Scenario(
    "collections_update",
    "A change keeps the records: fields are matched by their ids.",
    (
        make("notes", ID, TITLE, COUNT, TAGS, indexes=["CREATE INDEX idx_notes ON notes (count)"]),
        create(
            "a record", "notes", {"id": "note00000000001", "title": "one", "count": 5, "tags": ["x", "y"]}
        ),
        change("an empty change", "notes"),
        change("a new name is carried into the indexes", "notes", name="papers"),
        listing("the records are there under the new name", "papers", as_="superuser"),
        Request(name="the old name is gone", method="GET", path=f"{COLLECTIONS}/notes", as_="superuser"),
        change("only the case of the name", "papers", name="Papers"),
        change("the old name again", "Papers", name="notes"),
        change("a name that is taken", "notes", name="users"),
        change("an empty name", "notes", name=""),
        change("the type cannot become nonsense", "notes", type="nope"),
        change("the system flag is fixed", "notes", system=True),
        change("a rule", "notes", listRule="title != ''", updateRule=""),
        change("a wrong rule", "notes", listRule="nope = 1"),
        change(
            "a field is renamed, its rule with it",
            "notes",
            fields=[ID, TITLE | {"name": "heading"}, COUNT, TAGS],
            listRule="heading != ''",
        ),
        listing("the value is under the new name", "notes"),
        change("a field in a rule cannot be renamed alone", "notes", fields=[ID, TITLE, COUNT, TAGS]),
        change("a field's type is fixed", "notes", fields=[ID, TITLE | {"type": "number"}, COUNT, TAGS]),
        change("without an id field it stays", "notes", fields=[TITLE, COUNT, TAGS], listRule=""),
        change("a field is added", "notes", fields=[ID, TITLE, COUNT, TAGS, field("more", "bool")]),
        listing("the records have the new field", "notes"),
        change("a select becomes single", "notes", fields=[ID, TITLE, COUNT, TAGS | {"maxSelect": 1}]),
        change(
            "a select becomes single, confirmed",
            "notes",
            fields=[ID, TITLE, COUNT, TAGS | {"maxSelect": 1}],
            confirm=True,
        ),
        listing("the last value stays", "notes"),
        change("a select becomes multiple", "notes", fields=[ID, TITLE, COUNT, TAGS]),
        listing("the value is a list again", "notes"),
        change(
            "a value that is in use is taken away",
            "notes",
            fields=[ID, TITLE, COUNT, TAGS | {"values": ["z", "w"]}],
        ),
        listing("the record keeps it", "notes"),
        change(
            "a field becomes required",
            "notes",
            fields=[ID, TITLE | {"required": True, "min": 9}, COUNT, TAGS],
        ),
        listing("the record keeps what is too short", "notes"),
        update("the record cannot be saved with it", "notes", "note00000000001", {"count": 6}),
        change("a field that holds values is taken away", "notes", fields=[ID, COUNT]),
        change("a field is taken away, confirmed", "notes", fields=[ID, COUNT], confirm=True),
        listing("the records after the field was taken away", "notes"),
        change("the id field cannot be renamed", "notes", fields=[ID | {"name": "pk"}, COUNT]),
        change("the id field cannot become a number", "notes", fields=[ID | {"type": "number"}, COUNT]),
        change("the id field keeps its own id", "notes", fields=[ID | {"id": "other"}, COUNT]),
        change("fields are no text", "notes", fields="x"),
        Request(
            name="a change in broken JSON",
            method="PATCH",
            path=f"{COLLECTIONS}/notes",
            as_="superuser",
            raw=b"{bad",
        ),
        Request(name="a guest changes nothing", method="PATCH", path=f"{COLLECTIONS}/notes", body={}),
        change("a collection that is not there", "nope"),
    ),
)

SYSTEM = Scenario(
    "collections_system",
    "System fields and system collections keep their shape.",
    (
        make("people", field("name", "text"), type="auth"),
        change("identity fields are unique", "people", passwordAuth={"identityFields": ["name"]}),
        change("identity fields are there", "people", passwordAuth={"identityFields": ["nope"]}),
        change("the system fields of an auth collection stay", "people", fields=[]),
        change("the system indexes of an auth collection stay", "people", indexes=[]),
        change("identity fields are needed", "people", passwordAuth={"identityFields": []}),
        change("a token that ends too soon", "people", authToken={"duration": 9}),
        change("a token that hardly ends", "people", authToken={"duration": 94670857}),
        change("a secret that is too short", "people", authToken={"duration": 100, "secret": "short"}),
        change("a second factor needs a second method", "people", mfa={"enabled": True}),
        change("mail templates need text", "people", verificationTemplate={"subject": "", "body": ""}),
        change("an empty manage rule", "people", manageRule=""),
        drop("a system collection is not deleted", "_mfas"),
        drop("nor are the superusers", "_superusers"),
        change("a system collection keeps its name", "_mfas", name="x"),
        change("and its rules", "_mfas", listRule=""),
        change("and its flag", "_mfas", system=False),
        change("superusers sign in as they do", "_superusers", authRule="id != ''"),
        truncate("a system collection is emptied", "_mfas"),
    ),
)

DELETED = Scenario(
    "collections_delete",
    "Emptying and deleting collections.",
    (
        make("target"),
        make("holder", field("r", "relation", collectionId="$target_collection", id="field_r")),
        make("other"),
        change(
            "a relation keeps its collection",
            "holder",
            fields=[field("r", "relation", id="field_r", collectionId="$other_collection")],
        ),
        change(
            "a relation to itself",
            "holder",
            fields=[
                field("r", "relation", id="field_r", collectionId="$target_collection"),
                field("self", "relation", collectionId="$holder_collection"),
            ],
        ),
        drop("a collection that others refer to stays", "target"),
        create("a record to be emptied out", "other", {}),
        truncate("a guest empties nothing", "other", as_="guest"),
        truncate("a collection is emptied", "other"),
        listing("nothing is left", "other", as_="superuser"),
        truncate("a collection that is not there is not emptied", "nope"),
        drop("a guest deletes nothing", "holder", as_="guest"),
        drop("the one that refers goes", "holder"),
        drop("then the one it referred to", "target"),
        drop("a second deletion", "target"),
        listing("its records are gone", "target", as_="superuser"),
    ),
)

LISTED = Scenario(
    "collections_list",
    "Collections are listed like records.",
    (
        make("apples"),
        make("pears", type="auth"),
        collections("a page", perPage="2", fields="name,type"),
        collections("a filter", filter="name = 'users'", fields="name"),
        collections("two conditions", filter="type = 'auth' && system = true", fields="name"),
        collections("an unknown field in the filter", filter="nope = 1"),
        collections("an order", sort="-name", perPage="3", fields="name"),
        collections("an unknown field in the order", sort="nope"),
        collections("without a count", skipTotal="1", perPage="1", fields="name"),
    ),
)

IMPORTED = Scenario(
    "collections_import",
    "Collections are made and changed in one go.",
    (
        put("none", {"collections": []}),
        put("nothing", {}),
        put("nonsense", {"collections": "x"}),
        put("a guest", {"collections": []}, as_="guest"),
        put("a new one", {"collections": [{"name": "imported", "fields": [field("a", "text")]}]}),
        put(
            "an old one gets a field", {"collections": [{"name": "imported", "fields": [field("b", "bool")]}]}
        ),
        Request(name="both fields", method="GET", path=f"{COLLECTIONS}/imported", as_="superuser"),
        put(
            "one of two is wrong",
            {"collections": [{"name": "fine"}, {"name": "x", "fields": [field("expand", "bool")]}]},
        ),
        Request(name="neither was made", method="GET", path=f"{COLLECTIONS}/fine", as_="superuser"),
        put(
            "two that refer to each other",
            {
                "collections": [
                    {
                        "id": "id_left",
                        "name": "left",
                        "fields": [field("r", "relation", collectionId="id_right")],
                    },
                    {
                        "id": "id_right",
                        "name": "right",
                        "fields": [field("r", "relation", collectionId="id_left")],
                    },
                ]
            },
        ),
        Request(name="the left one", method="GET", path=f"{COLLECTIONS}/left", as_="superuser"),
    ),
)

SCENARIOS = (UPDATED, SYSTEM, DELETED, LISTED, IMPORTED)
