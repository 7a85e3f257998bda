"""Lists: pages, order, chosen fields, expanded relations."""

from __future__ import annotations

from collections.abc import Mapping

from tests.oracle.scenarios._shelf import APPLE, EMPTY, shelf
from tests.oracle.scenarios.building import change, create, field, listing, make, view
from tests.oracle.table import Request, Scenario


def items(says: str, as_: str = "guest", **query: str) -> Request:
    return listing(says, "items", as_, **query)


PAGES: tuple[Mapping[str, str], ...] = (
    {"page": "0"},
    {"page": "-1"},
    {"page": "abc"},
    {"page": ""},
    {"page": "1.5"},
    {"page": "2", "perPage": "2"},
    {"page": "3", "perPage": "2"},
    {"page": "4", "perPage": "2"},
    {"page": "99999999999999999999"},
    {"perPage": "0"},
    {"perPage": "-1"},
    {"perPage": "1000"},
    {"perPage": "1001"},
    {"perPage": "abc"},
    {"skipTotal": "1"},
    {"skipTotal": "true"},
    {"skipTotal": "0"},
    {"skipTotal": "abc"},
    {"page": "2", "perPage": "2", "skipTotal": "1"},
    {"bogus": "1"},
)

PAGED = Scenario(
    "list_pages",
    "Pages, and what is made of page numbers that are none.",
    (
        *shelf(),
        items("a list with everything"),
        items("a list for a superuser", as_="superuser"),
        *(
            items(" and ".join(f"{key}={value}" for key, value in query.items()), fields="id", **query)
            for query in PAGES
        ),
        listing("an empty list", "items", filter="n = 77"),
        listing("a collection that is not there", "nope"),
        listing("a collection that is not there, for a superuser", "nope", as_="superuser"),
    ),
)

ORDERS = (
    "title",
    "-title",
    "+title",
    "-n",
    "b,-n",
    " title , -n ",
    "",
    "id",
    "-id",
    "@rowid",
    "-@rowid",
    "d",
    "r",
    "r.name",
    "-r.name,-n",
    "j.a.b",
    "title:lower",
    "n,n,n,n,n,n,n,n",
    "n,n,n,n,n,n,n,n,n",
    "nope",
    "r.nope",
    "secret",
    "r.secret",
    "title,",
    "title desc",
    "--title",
    "@nope",
    "@request.auth.id",
    "@collection.colours.name",
    "collectionName",
    "'x'",
)

ORDERED = Scenario(
    "list_order",
    "Order by fields, also through a relation; what cannot be sorted by is refused.",
    (
        *shelf(),
        *(items(f"sort={order}", sort=order, fields="id") for order in ORDERS),
        items("a superuser sorts by a hidden field", as_="superuser", sort="-secret", fields="id"),
        Request(
            name="a random order",
            method="GET",
            path="/api/collections/items/records",
            query={"sort": "@random", "fields": "id"},
            mask=("items.*.id",),
        ),
    ),
)

FIELDS = (
    "id",
    "id,title",
    "*",
    "nope",
    "id,nope",
    " id , title ",
    "id,",
    "title:excerpt(3)",
    "title:excerpt(3,true)",
    "html:excerpt(8,true)",
    "html:excerpt(100,true)",
    "n:excerpt(1)",
    "*:excerpt(2)",
    "title:excerpt()",
    "title:excerpt(0)",
    "title:nope",
    "j.a",
    "j.a.b",
    "j.list",
    "g.lon",
    "secret",
    "collectionId",
    "id.x",
    "items.id",
    "expand.r.name",
)

EXPANDED_FIELDS = (
    "id,expand.r.name",
    "id,expand.r",
    "expand",
    "id",
    "*",
    "expand.r.*",
    "expand.r.secret",
    "*,expand.r.name:excerpt(2)",
)

CHOSEN = Scenario(
    "list_fields",
    "The query parameter fields chooses and shortens.",
    (
        *shelf(),
        *(items(f"fields={fields}", fields=fields, perPage="1") for fields in FIELDS),
        *(
            items(f"fields={fields} of an expanded list", fields=fields, expand="r", perPage="1")
            for fields in EXPANDED_FIELDS
        ),
        items("a superuser chooses a hidden field", as_="superuser", fields="id,secret", perPage="1"),
        view("fields of one record", "items", APPLE, fields="id,title:excerpt(2,true)"),
    ),
)

EXPANDS = ("r", "r,r", " r ", "r,", "", "nope", "title", "r.nope", "r.name", "*", "r.r.r.r.r.r.r.r")

EXPANDED = Scenario(
    "list_expand",
    "A single relation is expanded under the view rule of its collection.",
    (
        *shelf(),
        *(view(f"expand={path}", "items", APPLE, expand=path, fields="id,expand") for path in EXPANDS),
        items("a list is expanded", expand="r", fields="id,expand"),
        items("a superuser sees hidden fields there too", as_="superuser", expand="r", fields="id,expand"),
        view("an empty relation", "items", EMPTY, expand="r"),
        change("colours are seen one by one", "colours", viewRule="name = 'red'"),
        items("what the view rule hides is not expanded", expand="r", fields="id,expand"),
        change("colours are for superusers", "colours", viewRule=None),
        items("what nobody may view is not expanded", expand="r", fields="id,expand"),
        items("a superuser still sees it", as_="superuser", expand="r", fields="id,expand"),
        change("colours can be seen, but not listed", "colours", viewRule="", listRule=None),
        items("to expand needs no list rule", expand="r", fields="id,expand"),
    ),
)

DEEP = Scenario(
    "list_expand_deep",
    "Relations of relations.",
    (
        make("countries", field("name", "text"), viewRule=""),
        make("cities", field("in", "relation", collectionId="$countries_collection"), viewRule=""),
        make("people_in", field("lives", "relation", collectionId="$cities_collection"), viewRule=""),
        create("a country", "countries", {"id": "country00000001", "name": "Peru"}),
        create("a city", "cities", {"id": "city00000000001", "in": "country00000001"}),
        create("a person", "people_in", {"id": "person000000001", "lives": "city00000000001"}),
        view("one step", "people_in", "person000000001", expand="lives"),
        view("two steps", "people_in", "person000000001", expand="lives.in"),
        view(
            "two steps and one field",
            "people_in",
            "person000000001",
            expand="lives.in",
            fields="expand.lives.id",
        ),
        view("a wrong second step", "people_in", "person000000001", expand="lives.nope"),
        change("nobody sees countries", "countries", viewRule=None),
        view("the second step is hidden", "people_in", "person000000001", expand="lives.in"),
        change("nobody sees cities", "cities", viewRule=None),
        view("the first step is hidden", "people_in", "person000000001", expand="lives.in"),
    ),
)

SCENARIOS = (PAGED, ORDERED, CHOSEN, EXPANDED, DEEP)
