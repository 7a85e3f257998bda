"""Views: what their columns become, who reads them, and what holds them in place."""

from __future__ import annotations

from tests.oracle.scenarios.building import (
    COLLECTIONS,
    OPEN,
    change,
    create,
    field,
    given,
    listing,
    make,
    update,
    view,
)
from tests.oracle.scenarios.files import PNG, fetch, upload
from tests.oracle.table import Json, Request, Scenario

READ = {"listRule": "", "viewRule": ""}
ANNA, BEN = "person0000000an", "person0000000be"
ONE, TWO, THREE = (f"item0000000000{number}" for number in range(1, 4))
# The ids of fields that are taken over are random.
CLONES = ("fields.*.id",)


def make_view(name: str, query: Json, **options: Json) -> Request:
    return Request(
        name=f"the view {name} is made",
        method="POST",
        path=COLLECTIONS,
        as_="superuser",
        body={"name": name, "type": "view", "viewQuery": query, **READ, **options},
        save={f"{name}_collection": "id"},
        mask=CLONES,
    )


def dry_run(says: str, query: Json, as_: str = "superuser") -> Request:
    return Request(
        name=says,
        method="POST",
        path=f"{COLLECTIONS}/meta/dry-run-view",
        as_=as_,
        body={"query": query},
        mask=(*CLONES, "sample.*.collectionId", "sample.*.collectionName"),
    )


def drop(says: str, collection: str) -> Request:
    return Request(name=says, method="DELETE", path=f"{COLLECTIONS}/{collection}", as_="superuser")


def shelf() -> tuple[Request, ...]:
    return given(
        make("people", field("name", "text"), field("secret", "text", hidden=True), **OPEN),
        create("Anna", "people", {"id": ANNA, "name": "Anna", "secret": "x"}),
        create("Ben", "people", {"id": BEN, "name": "Ben"}),
        make(
            "things",
            field("title", "text", required=True, max=20),
            field("n", "number", onlyInt=True),
            field("b", "bool"),
            field("d", "date"),
            field("j", "json"),
            field("s", "select", values=["x", "y"], maxSelect=2),
            field("g", "geoPoint"),
            field("who", "relation", collectionId="$people_collection", maxSelect=1),
            field("many", "relation", collectionId="$people_collection", maxSelect=3),
            **OPEN,
        ),
        create(
            "the first thing",
            "things",
            {
                "id": ONE, "title": "one", "n": 1, "b": True, "d": "2024-01-05 10:00:00.000Z", "j": {"a": [1, {"b": 2}]},
                "s": ["x", "y"], "g": {"lon": 1, "lat": 2}, "who": ANNA, "many": [ANNA, BEN],
            },
        ),
        create("the second thing", "things", {"id": TWO, "title": "two", "n": 2, "who": ANNA}),
        create("the third thing", "things", {"id": THREE, "title": "three", "n": 5, "who": BEN, "b": True}),
    )  # fmt: skip


COLUMNS = Scenario(
    "views_columns",
    "A column is a field of the type that it comes from; what is worked out is a number, a text or JSON.",
    (
        *shelf(),
        make_view("copies", "select id, title as t, n, b, d, j, s, g, who, many from things"),
        listing("every column as it is", "copies", sort="n"),
        view("one record", "copies", ONE),
        view("a record that is not there", "copies", "item0000000000x"),
        listing("related records", "copies", expand="who,many", fields="t,expand.*.name", sort="n"),
        make_view(
            "sums",
            "select who as id, count(id) as c, sum(n) as s, avg(n) as a, total(n) as t, max(title) as m, min(d) as d,"
            " max(b) as b, cast(sum(n) as int) as i, cast(count(id) as text) as ct, cast(max(n) as real) as r,"
            " (null) as z, (5) as five, (1.5) as half, ('text') as st, (select count(*) from people) as p"
            " from things group by who",
        ),
        listing("what is worked out", "sums", sort="c"),
        *(
            listing(f"filter {text}", "sums", filter=text, fields="id,s", sort="c")
            for text in (
                "s > 4",
                "m = 'two'",
                "m ~ 'THREE'",
                "c = 2",
                "z = null",
                "five = 5",
                "st = 'text'",
                "i >= 5",
            )
        ),
        listing("sorted by what is worked out", "sums", sort="-s", fields="id"),
        make_view("numbered", "select (row_number() over (order by title)) as id, title from things"),
        listing("numbers are ids", "numbered", sort="title"),
        view("a number as an id", "numbered", "2"),
        make_view(
            "joined",
            "select things.id, people.name as who, people.id as person, p2.name as nobody from things"
            " left join people on people.id = things.who left join people p2 on p2.id = 'x'",
        ),
        listing("an outer join", "joined", sort="id"),
        listing("nobody is empty", "joined", filter="nobody = ''", sort="id", fields="id"),
        make_view("over", "select id, t, n from copies where n > 1"),
        listing("a view over a view", "over", sort="n"),
        make_view("hiding", "select id, name, secret from people"),
        listing("a hidden field", "hiding", sort="name"),
        listing("a hidden field for superusers", "hiding", as_="superuser", sort="name"),
        listing("a filter by a hidden field", "hiding", filter="secret = 'x'"),
        listing("a filter through a relation", "copies", filter="who.name = 'Ben'", fields="id"),
        listing("each value", "copies", filter="s:each = 'x'", fields="id"),
        listing("any value", "copies", filter="s ?= 'y'", fields="id"),
        listing("the order of a table has no name", "copies", sort="@rowid"),
    ),
)

REFUSED = Scenario(
    "views_refused",
    "A query that cannot be a collection.",
    (
        *shelf(),
        *(
            dry_run(f"dry run: {query}", query)
            for query in (
                "select * from things", "select title from things", "select id, nope from things",
                "select id from nope", "select id from things; select id from people", "delete from things",
                "select id, title as expand from things", "select id, title as collectionId from things",
                "select max(id) as id from things where n > 100", "select null as id, title from things",
                "select id, title as x, n as x from things", "select 'x' as id, title from things",
            )
        ),
        dry_run("dry run: nothing", ""),
        dry_run("dry run: null", None),
        dry_run("dry run: a number", 5),
        dry_run("dry run by a guest", "select id from things", as_="guest"),
        dry_run("a dry run", "select id, title, n as number from things where n = 2"),
        make_view("empty", ""),
        make_view("nothing", None),
        make_view("number", 5),
        make_view("broken", "select nope from things"),
        make_view("ruled", "select id from things", createRule="", updateRule="", deleteRule=""),
        make_view("indexed", "select id from things", indexes=["create index x on indexed (id)"]),
        make_view("misruled", "select id from things", listRule="title = 'x'"),
        make_view("fine", "select id, title from things"),
        make("pointing", field("r", "relation", collectionId="$fine_collection", maxSelect=1)),
        create("a record of a view", "fine", {"title": "x"}),
        update("a record of a view is changed", "fine", ONE, {"title": "x"}),
        Request(
            name="a record of a view is deleted", method="DELETE", path=f"{COLLECTIONS}/fine/records/{ONE}", as_="superuser"
        ),
        Request(name="a view is emptied", method="DELETE", path=f"{COLLECTIONS}/fine/truncate", as_="superuser"),
        Request(
            name="nobody signs in to a view",
            method="POST",
            path=f"{COLLECTIONS}/fine/auth-with-password",
            body={"identity": "a", "password": "b"},
        ),
    ),
)  # fmt: skip

CHANGED = Scenario(
    "views_changed",
    "What a view reads stays as long as it is read.",
    (
        *shelf(),
        make_view("lower", "select id, title from things"),
        make_view("upper", "select id, title as t from lower"),
        drop("a table that is read", "things"),
        drop("a view that is read", "lower"),
        change("the type of a view", "lower", type="base"),
        change("no query", "lower", viewQuery=""),
        Request(
            name="fields of a view cannot be set", method="PATCH", path=f"{COLLECTIONS}/lower", as_="superuser",
            body={"fields": [{"name": "other", "type": "text"}]}, mask=CLONES,
        ),
        change("a rule that does not fit", "lower", listRule="nope = 1"),
        Request(
            name="a rule that fits", method="PATCH", path=f"{COLLECTIONS}/lower", as_="superuser",
            body={"listRule": "title = 'one'"}, mask=CLONES,
        ),
        listing("under the rule", "lower", fields="id"),
        Request(
            name="superusers only", method="PATCH", path=f"{COLLECTIONS}/upper", as_="superuser",
            body={"listRule": None, "viewRule": None}, mask=CLONES,
        ),
        listing("for superusers", "upper"),
        drop("the view above", "upper"),
        drop("then the view below", "lower"),
    ),
)  # fmt: skip

PICTURES = Scenario(
    "views_files",
    "Files are served under the addresses of views that show them.",
    (
        make("people", field("name", "text"), **OPEN),
        create("Anna", "people", {"id": ANNA, "name": "Anna"}),
        make(
            "docs",
            field("title", "text"),
            field("one", "file", thumbs=["20x20"]),
            field("many", "file", maxSelect=3),
            field("secret", "file", protected=True),
            field("who", "relation", collectionId="$people_collection"),
            **(OPEN | {"viewRule": None}),
        ),
        upload("a document", "docs", ("one", "upload_a.png", PNG), ("many", "upload_b.txt", b"b"),
               ("secret", "upload_c.txt", b"c"), values={"title": "first", "who": ANNA},
               save={"doc": "id", "one": "one", "many": "many.0", "secret": "secret"}),
        upload("another", "docs", ("one", "upload_d.txt", b"d"), values={"title": "second"},
               save={"doc2": "id", "one2": "one"}),
        make_view("plain", "select id, one, many, secret from docs"),
        make_view("renamed", "select id, one as picture from plain"),
        make_view("firsts", "select id, title, one, secret from docs where title = 'first'", viewRule="title = 'second'"),
        make_view("closed", "select id, one, secret from docs", viewRule=None),
        make_view("joined", "select p.id as id, d.one from people p left join docs d on d.who = p.id and d.title = 'first'"),
        make_view("numbered", "select (row_number() over()) as id, one from docs"),
        make_view("worked_out", "select id, coalesce(one, '') as one from docs"),
        *(
            fetch(says, path)
            for says, path in {
                "a file": "plain/$doc/$one",
                "one of many": "plain/$doc/$many",
                "of a view over a view": "renamed/$doc/$one",
                "that is no column of the view": "renamed/$doc/$many",
                "of a record that the view leaves out": "firsts/$doc2/$one2",
                "of another record": "plain/$doc2/$one",
                "under a rule that refuses": "firsts/$doc/$one",
                "of a view for superusers": "closed/$doc/$one",
                "of another record than the view's": "joined/" + ANNA + "/$one",
                "that the joined record has not": "joined/" + ANNA + "/$one2",
                "of a numbered record": "numbered/1/$one",
                "of a column that is worked out": "worked_out/$doc/$one",
                "a protected one of an open view": "plain/$doc/$secret",
                "a protected one under a rule that refuses": "firsts/$doc/$secret",
                "a protected one of a view for superusers": "closed/$doc/$secret",
            }.items()
        ),
        fetch("a thumb", "renamed/$doc/$one", thumb="20x20"),
        fetch("a thumb of another size", "renamed/$doc/$one", thumb="30x30"),
    ),
)  # fmt: skip

SCENARIOS = (COLUMNS, REFUSED, CHANGED, PICTURES)
