"""The query parameters that shape an answer, in every place that takes them."""

from __future__ import annotations

from tests.oracle.scenarios.building import (
    COLLECTIONS,
    OPEN,
    PASSWORD,
    change,
    create,
    delete,
    field,
    given,
    listing,
    make,
    people,
    records,
    sign_in,
    sign_up,
    update,
    view,
)
from tests.oracle.table import Request, Scenario

ONE, TWO = "text00000000001", "text00000000002"
LONG = "Lorem ipsum dolor sit amet, consectetur adipiscing elit."

TEXTS = given(
    make("tags", field("name", "text"), **OPEN),
    create("a tag", "tags", {"id": "tag000000000001", "name": "red and green"}),
    create("another tag", "tags", {"id": "tag000000000002", "name": "blue"}),
    make(
        "texts",
        field("t", "text"),
        field("html", "editor"),
        field("j", "json"),
        field("s", "select", values=["one", "two", "three"], maxSelect=3),
        field("tags", "relation", collectionId="$tags_collection", maxSelect=5),
        field("g", "geoPoint"),
        **OPEN,
    ),
    create(
        "a text",
        "texts",
        {
            "id": ONE,
            "t": LONG,
            "html": "<h1>Title</h1>\n<p>First &amp; <b>second</b>&nbsp;one</p><script>alert(1)</script><!-- c --><style>p{}</style>"
            "<ul><li>a</li><li>b</li></ul>",
            "j": {
                "a": {"b": [1, {"c": "Lorem ipsum"}], "d": "x"},
                "list": [{"k": "one two"}, {"k": "three"}],
                "*": 1,
                "x.y": 2,
            },
            "s": ["one", "three"],
            "tags": ["tag000000000002", "tag000000000001"],
            "g": {"lon": 1, "lat": 2},
        },
    ),
    create(
        "another text",
        "texts",
        {"id": TWO, "t": "äöü 漢字かな 😀😀 end", "html": "a<br>b<br/>c <i></i> d", "j": "text of json"},
    ),
)

FIELDS = (
    "t:excerpt(10)",
    "t:excerpt(10,true)",
    "t:excerpt(10,false)",
    "t:excerpt(10, true)",
    "t:excerpt( 10 , true )",
    "t:excerpt(11,true)",
    "t:excerpt(12,true)",
    "t:excerpt(56,true)",
    "t:excerpt(57,true)",
    "t:excerpt(1,true)",
    "t:excerpt(5,true)",
    "t:excerpt(6,true)",
    "t:excerpt(5,abc)",
    "t:excerpt(5,1)",
    "html:excerpt(5)",
    "html:excerpt(5,true)",
    "html:excerpt(12,true)",
    "html:excerpt(20,true)",
    "html:excerpt(200,true)",
    "j:excerpt(3)",
    "j.a.d",
    "j.a.b.c",
    "j.a.b.1.c",
    "j.a.b.c:excerpt(3)",
    "j.list.k",
    "j.list.k:excerpt(4,true)",
    "j.list",
    "j.*",
    "j.a.*",
    "j.nope",
    "s:excerpt(2)",
    "s",
    "s.0",
    "g",
    "g.*",
    "tags",
    "tags.0",
    "id,id",
    "id,-t",
    "-t",
    "id t",
    "id;t",
    "ID",
    "Id",
    "*,t:excerpt(3)",
    "t:excerpt(3),*",
    "t,t:excerpt(3)",
    "t:excerpt(3),t",
    "*:excerpt(4,true)",
    "*,id",
    "**",
    "*.*",
    "*.id",
    "collectionName",
    "collectionId,id",
    ",",
    ",,id",
    " ",
    "id, ,t",
    "expand",
    "expand.tags",
    "expand.tags.name",
    "()",
    ":excerpt(3)",
    "%",
)
MISSHAPEN = (
    "t:excerpt(-1)",
    "t:excerpt(abc)",
    "t:excerpt(5,true,1)",
    "t:excerpt",
    "t:excerpt(5",
    "t:Excerpt(5)",
    "t:excerpt(5):excerpt(3)",
    "t:a:b",
)
EXPANDED = (
    "*",
    "id",
    "id,expand",
    "expand",
    "expand.*",
    "expand.tags",
    "expand.tags.*",
    "expand.tags.name",
    "id,expand.tags.name:excerpt(3,true)",
    "*,expand.tags.name",
    "expand.tags.*:excerpt(2)",
    "expand.*.name",
    "expand.nope",
    "*,expand.*",
    "expand.tags.0.name",
    "*:excerpt(2),expand.tags.name",
    "expand:excerpt(2)",
)

SHAPED = Scenario(
    "shape_fields",
    "What fields makes of a record.",
    (
        *TEXTS,
        *(view(f"fields={fields}", "texts", ONE, fields=fields) for fields in (*FIELDS, *MISSHAPEN)),
        *(
            view(f"fields={fields} of the other", "texts", TWO, fields=fields)
            for fields in FIELDS
            if "excerpt" in fields
        ),
        *(
            view(f"fields={fields} expanded", "texts", ONE, fields=fields, expand="tags")
            for fields in EXPANDED
        ),
        listing(
            "a list with parts of what is expanded",
            "texts",
            expand="tags",
            fields="id,expand.tags.name:excerpt(3)",
        ),
        listing("fields that name the list's own", "texts", fields="items,page,totalItems"),
        listing("fields of items", "texts", fields="items.id"),
    ),
)

EVERYWHERE = Scenario(
    "shape_everywhere",
    "Other answers than records take fields too.",
    (
        people(),
        sign_up("alice"),
        *TEXTS,
        create("a creation", "texts", {"t": "x"}, as_="guest", query={"fields": "t,html"}),
        update(
            "an update",
            "texts",
            ONE,
            {"t": "x y z"},
            as_="guest",
            query={"fields": "t:excerpt(1)", "expand": "tags"},
        ),
        Request(
            name="a sign-in",
            method="POST",
            path=f"{COLLECTIONS}/people/auth-with-password",
            body={"identity": "alice@example.com", "password": PASSWORD},
            query={"fields": "record.name,record.email"},
        ),
        Request(
            name="a sign-in with everything",
            method="POST",
            path=f"{COLLECTIONS}/people/auth-with-password",
            body={"identity": "alice@example.com", "password": PASSWORD},
            query={"fields": "record"},
            mask=("record.id",),
        ),
        sign_in("alice"),
        Request(
            name="a refresh",
            method="POST",
            path=f"{COLLECTIONS}/people/auth-refresh",
            as_="alice",
            query={"fields": "record.name"},
        ),
        Request(
            name="collections",
            method="GET",
            path=COLLECTIONS,
            as_="superuser",
            query={
                "fields": "name,type",
                "perPage": "2",
                "sort": "name",
                "filter": "name = 'texts' || name = 'tags'",
            },
        ),
        Request(
            name="one collection",
            method="GET",
            path=f"{COLLECTIONS}/texts",
            as_="superuser",
            query={"fields": "name,fields.name"},
        ),
        Request(
            name="a change of a collection",
            method="PATCH",
            path=f"{COLLECTIONS}/texts",
            as_="superuser",
            body={"listRule": ""},
            query={"fields": "name"},
        ),
        Request(name="health", method="GET", path="/api/health", query={"fields": "code"}),
        Request(
            name="auth methods",
            method="GET",
            path=f"{COLLECTIONS}/people/auth-methods",
            query={"fields": "password"},
        ),
        Request(
            name="a batch",
            method="POST",
            path="/api/batch",
            query={"fields": "status"},
            body={
                "requests": [{"method": "POST", "url": f"{records('texts')}?fields=t", "body": {"t": "b"}}]
            },
        ),
        Request(name="an error", method="GET", path=f"{records('texts')}/nope", query={"fields": "message"}),
        delete("a deletion", "texts", TWO),
        change("to superusers", "texts", listRule=None),
        listing("an error in a list", "texts", fields="status"),
    ),
)

SORTS = (
    "@random,t",
    "t,@random",
    "-@random",
    "+@random",
    "@random,@random",
    "id,@rowid",
    "t:length",
    "s:each",
    "s",
    "-s",
    "tags",
    "tags.name",
    "-tags.name",
    "tags:length",
    "g",
    "g.lon",
    "-g.lat",
    "j",
    "j.a.d",
    "html",
    "t, -id",
    "t,,id",
    ",",
    "-",
    "+",
    "- t",
    "t.x",
    "1",
    "null",
    "true",
    "t ASC",
    "t;id",
    "texts.t",
    "expand.tags.name",
    "@request.query.x",
    "texts_via_tags.t",
    "id:lower",
    "-id:lower",
)

SORTED = Scenario(
    "shape_sort",
    "What can be sorted by.",
    (
        *TEXTS,
        *(
            listing(f"sort={sort}", "texts", sort=sort, fields="id")
            for sort in SORTS
            if "@random" not in sort
        ),
        *(
            Request(
                name=f"sort={sort}",
                method="GET",
                path=records("texts"),
                query={"sort": sort, "fields": "id"},
                mask=("items.*.id",),
            )
            for sort in SORTS
            if "@random" in sort
        ),
        *(
            listing(f"sort={sort} of tags", "tags", sort=sort, fields="id")
            for sort in ("texts_via_tags.t", "-texts_via_tags.t", "texts_via_tags.id")
        ),
    ),
)

SCENARIOS = (SHAPED, EVERYWHERE, SORTED)
