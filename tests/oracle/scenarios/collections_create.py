"""Collections as they are at first, and as they are made."""

from __future__ import annotations

from tests.oracle.scenarios.building import COLLECTIONS, field, make
from tests.oracle.table import Json, Request, Scenario


def get(says: str, path: str, as_: str = "superuser", **query: str) -> Request:
    return Request(name=says, method="GET", path=f"{COLLECTIONS}{path}", as_=as_, query=query)


def refused(says: str, body: Json) -> Request:
    return Request(name=says, method="POST", path=COLLECTIONS, as_="superuser", body=body)


def sent(says: str, raw: bytes) -> Request:
    return Request(name=says, method="POST", path=COLLECTIONS, as_="superuser", raw=raw)


RANDOM_INDEX_NAMES = ("auth.indexes",)

DEFAULTS = Scenario(
    "collections_defaults",
    "What a new project has before anybody made a collection.",
    (
        get("the collections of a new project, in their order", "", fields="id,name,type,system"),
        get("the collection users", "/users"),
        get("the collection _superusers", "/_superusers"),
        get("the collection _externalAuths", "/_externalAuths"),
        get("the collection _authOrigins", "/_authOrigins"),
        get("the collection _mfas", "/_mfas"),
        get("the collection _otps", "/_otps"),
        get("a collection by its id", "/_pb_users_auth_", fields="id,name"),
        get("a collection by its name in capitals", "/USERS", fields="id,name"),
        get("a collection that is not there", "/nope"),
        Request(
            name="the scaffolds",
            method="GET",
            path=f"{COLLECTIONS}/meta/scaffolds",
            as_="superuser",
            query={"fields": "base,auth,view"},
            mask=RANDOM_INDEX_NAMES,
        ),
        get("a guest may not list collections", "", as_="guest"),
        get("a guest may not see a collection", "/users", as_="guest"),
        get("a guest may not see a collection that is not there", "/nope", as_="guest"),
        get("a guest may not see the scaffolds", "/meta/scaffolds", as_="guest"),
    ),
)

MADE = Scenario(
    "collections_made",
    "Every option that is left out is filled in.",
    (
        make("bare"),
        make("people", type="auth"),
        make(
            "every",
            field("f_text", "text"),
            field("f_number", "number"),
            field("f_bool", "bool"),
            field("f_email", "email"),
            field("f_url", "url"),
            field("f_editor", "editor"),
            field("f_date", "date"),
            field("f_autodate", "autodate", onCreate=True),
            field("f_select", "select", values=["a", "b"]),
            field("f_json", "json"),
            field("f_relation", "relation", collectionId="$bare_collection"),
            field("f_point", "geoPoint"),
            field("f_password", "password"),
        ),
        make("own_id", id="my_own_id"),
        make("own_field_id", field("a", "text", id="my_field")),
        make("flagged", field("a", "text", hidden=True, presentable=True, required=True, system=True)),
        make("id_last", field("a", "text"), field("id", "text", primaryKey=True, pattern="^[a-z0-9]+$")),
        make(
            "other_ids",
            field("id", "text", primaryKey=True, min=2, pattern="^[A-Z]+$", autogeneratePattern="[A-Z]{10}"),
        ),
        make("unknown_keys", {"name": "a", "type": "text", "bogus": 1}, bogus=1),
        make("reused_id", field("a", "text", id="x1"), field("b", "text", id="x1")),
        make("twice_the_same", field("a", "text"), field("a", "number")),
        make("people_with_own_email", field("email", "email", required=False), type="auth"),
        make("a_name_with_1"),
        make("_underscore"),
        make("select"),
        refused("a collection without a type is a base collection", {"name": "no_type"}),
        refused("fields may be null", {"name": "no_fields", "fields": None}),
        refused("creation and change dates are the server's", {"name": "dated", "created": "2020-01-01"}),
    ),
)

BAD_NAMES: dict[str, Json] = {
    "a name with a space": "a b",
    "a name with a dash": "a-b",
    "a name with an umlaut": "mädchen",
    "an empty name": "",
    "a name that is taken": "taken",
    "a name that is taken, in capitals": "TAKEN",
    "the name of a system collection": "_superusers",
    "the name of an internal table": "_collections",
    "a name with _via_": "a_via_b",
    "a name that is too long": "a" * 256,
    "a name that is a number": 12,
}

BAD_IDS: dict[str, Json] = {
    "an id that is taken": "taken_id",
    "an id with a space": "bad id",
    "an id that is too long": "x" * 101,
}

BAD_BODIES: dict[str, bytes] = {
    "broken JSON": b'{"name":',
    "an empty body": b"",
    "an array for a body": b"[]",
    "null for a body": b"null",
}

BAD_PARTS: dict[str, Json] = {
    "a type that is not there": {"name": "x", "type": "nope"},
    "no name at all": {"type": "base"},
    "fields that are a string": {"name": "x", "fields": "abc"},
    "fields that are an object": {"name": "x", "fields": {}},
    "a field that is a number": {"name": "x", "fields": [1]},
    "indexes that are a string": {"name": "x", "indexes": "abc"},
    "a rule that is a number": {"name": "x", "listRule": 5},
}

REFUSED = Scenario(
    "collections_refused",
    "Collections that cannot be made.",
    (
        make("taken", id="taken_id"),
        *(refused(says, {"name": name}) for says, name in BAD_NAMES.items()),
        *(refused(says, {"name": "other", "id": value}) for says, value in BAD_IDS.items()),
        *(sent(says, raw) for says, raw in BAD_BODIES.items()),
        *(refused(says, body) for says, body in BAD_PARTS.items()),
        refused(
            "several faults are told at once",
            {
                "name": "a b",
                "listRule": "nope = 1",
                "fields": [field("a", "number", min=5, max=2), field("expand", "bool")],
                "indexes": ["nope"],
            },
        ),
        Request(name="a guest makes none", method="POST", path=COLLECTIONS, body={"name": "by_guest"}),
    ),
)

BAD_FIELDS: dict[str, list[dict[str, Json]]] = {
    "a field without a name": [{"type": "text"}],
    "a field with an empty name": [field("", "text")],
    "a field name with a space": [field("a b", "text")],
    "a field name with a dash": [field("a-b", "text")],
    "a field name that is too long": [field("a" * 101, "text")],
    "two fields whose names differ in case only": [field("a", "text"), field("A", "number")],
    "a second id field of another type": [field("id", "number")],
    "a primary key of another name": [
        field("pk", "text", primaryKey=True),
    ],
    "a field id that is too long": [field("a", "text", id="y" * 101)],
    "a field of no type": [{"name": "a"}],
    "a field of a type that is not there": [field("a", "nope")],
    **{
        f"the reserved field name {name}": [field(name, "bool")]
        for name in (
            "collectionId",
            "collectionName",
            "expand",
            "null",
            "true",
            "false",
            "_rowid_",
            "a_via_b",
        )
    },
}

BAD_AUTH_FIELDS: dict[str, Json] = {
    f"the reserved field name {name} of an auth collection": field(name, "text")
    for name in ("passwordConfirm", "oldPassword")
}

FIELDS_REFUSED = Scenario(
    "collections_fields_refused",
    "Fields that no collection can have.",
    (
        *(refused(says, {"name": "x", "fields": fields}) for says, fields in BAD_FIELDS.items()),
        *(
            refused(says, {"name": "x", "type": "auth", "fields": [one]})
            for says, one in BAD_AUTH_FIELDS.items()
        ),
    ),
)

SCENARIOS = (DEFAULTS, MADE, REFUSED, FIELDS_REFUSED)
