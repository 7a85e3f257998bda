"""Views: what they hold, on both engines, and who may see it."""

from __future__ import annotations

from typing import Any

import pytest

from projects.databases import Session
from projects.errors import ApiError
from projects.records.dry_run_view import dry_run
from projects.records.list import list_records
from projects.records.view import view_record
from projects.rules import validate_rule
from projects.schema import (
    collection_to_json,
    create_collection,
    delete_collection,
    import_collections,
    load_schema,
    schema_version,
    update_collection,
)
from projects.schema.collection import CollectionSchema
from projects.schema.operations import truncate_collection
from tests.records.support import SUPERUSER, call, collection, create, guest, number, relation, text, user

READ = {"listRule": "", "viewRule": ""}
EMAIL = {"password": "correct horse", "passwordConfirm": "correct horse"}


def view(session: Session, name: str, query: str, **options: Any) -> CollectionSchema:
    data = {"name": name, "type": "view", "viewQuery": query, **READ, **options}
    return create_collection(session, data, validate_rule=validate_rule)


def change(session: Session, which: str, **data: Any) -> CollectionSchema:
    return update_collection(session, which, data, validate_rule=validate_rule)


def fault(session: Session, query: str, name: str = "bad") -> str:
    """Why the query is refused; the schema stays as it was."""
    version = schema_version(session)
    with pytest.raises(ApiError) as caught, session.savepoint():
        view(session, name, query)
    assert schema_version(session) == version and load_schema(session).get(name) is None
    error = caught.value.as_json()["data"]["viewQuery"]
    assert error["code"] == "validation_invalid_view_query"
    return str(error["message"]).removeprefix("Invalid query - ").removesuffix(".")


def rows(session: Session, name: str, *keys: str, asks: Any = None, **params: str) -> list[Any]:
    items = list_records(asks or guest(session), name, params)["items"]
    if not keys:
        return items
    return [item[keys[0]] if len(keys) == 1 else tuple(item[key] for key in keys) for item in items]


@pytest.fixture
def people(session: Session) -> CollectionSchema:
    return collection(session, "people", text("Name"), text("secretive", hidden=True))


@pytest.fixture
def items(session: Session, people: CollectionSchema) -> CollectionSchema:
    made = collection(
        session,
        "items",
        text("title", required=True, max=50),
        number("count"),
        {"name": "done", "type": "bool"},
        {"name": "due", "type": "date"},
        {"name": "extra", "type": "json"},
        {"name": "tags", "type": "select", "values": ["a", "b"], "maxSelect": 2},
        {"name": "place", "type": "geoPoint"},
        {"name": "created", "type": "autodate", "onCreate": True},
        relation("owner", people),
        relation("readers", people, maxSelect=5),
    )
    anna, ben = (create(session, people, Name=name, secretive="x")["id"] for name in ("Anna", "Ben"))
    rest = {"extra": {"a": {"b": 1}, "n": 5}, "tags": ["a", "b"], "readers": [anna, ben]}
    create(session, made, title="one", count=1, done=True, due="2026-01-05 10:00:00Z", owner=anna, **rest)
    create(session, made, title="two", count=2.5, owner=anna, due="2026-02-07 10:00:00Z")
    create(session, made, title="three", count=4, done=True, owner=ben)
    create(session, made, title="Four", count=8)
    return made


# --- what columns become -----------------------------------------------------------------------------


def test_columns_are_fields_of_the_type_that_they_come_from(
    session: Session, items: CollectionSchema
) -> None:
    names = "id, title as t, count, done, due, extra, tags, place, created, owner, readers"
    made = view(session, "v", f"SELECT {names} FROM items")
    types = {field.name: field.type for field in made.fields}
    assert types == {
        "id": "text", "t": "text", "count": "number", "done": "bool", "due": "date", "extra": "json",
        "tags": "select", "place": "geoPoint", "created": "autodate", "owner": "relation", "readers": "relation",
    }  # fmt: skip
    title = made.field_by_name["t"]
    assert title.required and title.max == 50 and title.id.startswith("_clone_")  # type: ignore[attr-defined]
    stored = rows(session, "items")
    shown = rows(session, "v")
    for before, after in zip(stored, shown, strict=True):
        expected = {**before, "t": before["title"], "collectionId": made.id, "collectionName": "v"}
        assert {**after, "title": after["t"]} == expected


def test_columns_that_are_worked_out_are_numbers_texts_flags_or_json(
    session: Session, items: CollectionSchema
) -> None:
    made = view(
        session,
        "v",
        "SELECT owner as id, count(*) as c, total(count) as t, sum(count) as s, avg(count) as a, max(title) as m,"
        " cast(sum(count) as int) as i, cast(count(*) as text) as ct, cast(max(done) as boolean) as b, null as z,"
        " (select count(*) from people) as p, 'it''s 100% :x' as quoted, min(due) as d, max(done) as md"
        " FROM items WHERE owner != '' GROUP BY owner ORDER BY c DESC",
    )
    types = {field.name: field.type for field in made.fields}
    assert types == {
        "id": "text", "c": "number", "t": "number", "s": "json", "a": "json", "m": "json", "i": "number", "ct": "text",
        "b": "bool", "z": "json", "p": "json", "quoted": "json", "d": "json", "md": "json",
    }  # fmt: skip
    first, second = rows(session, "v")
    assert (first["c"], first["t"], first["s"], first["a"], first["i"]) == (2, 3.5, 3.5, 1.75, 3)
    assert (first["m"], first["ct"], first["b"], first["z"], first["p"]) == ("two", "2", True, None, 2)
    assert first["quoted"] == "it's 100% :x" and first["d"] == "2026-01-05T10:00:00.000Z" and first["md"] == 1
    assert second["c"] == 1 and second["s"] == 4


def test_an_outer_join_gives_zero_values_where_there_is_no_record(
    session: Session, items: CollectionSchema
) -> None:
    made = view(
        session,
        "v",
        "SELECT i.id, i.title, p.name AS who, p.id AS whose, p2.done, p2.tags, p2.place, p2.count, p2.due, p2.extra"
        " FROM items i LEFT JOIN people p ON p.id = i.owner LEFT JOIN items p2 ON p2.id = p.id",
    )
    relation_field = made.field_by_name["whose"]
    assert relation_field.type == "relation"
    assert rows(session, "v", "title", "who") == [
        ("one", "Anna"), ("two", "Anna"), ("three", "Ben"), ("Four", ""),
    ]  # fmt: skip
    last = rows(session, "v")[-1]
    assert (last["whose"], last["done"], last["tags"], last["place"]) == ("", False, [], {"lon": 0, "lat": 0})
    assert (last["count"], last["due"], last["extra"]) == (0, "", None)
    assert rows(session, "v", "title", filter="who = ''") == ["Four"]


def test_ids_are_texts_however_they_are_made(session: Session, items: CollectionSchema) -> None:
    view(session, "v", "SELECT (row_number() over (order by title)) as id, title FROM items")
    assert sorted(rows(session, "v", "id", "title")) == [
        ("1", "Four"), ("2", "one"), ("3", "three"), ("4", "two"),
    ]  # fmt: skip
    assert view_record(guest(session), "v", "2", {})["title"] == "one"
    with pytest.raises(ApiError) as missing:
        view_record(guest(session), "v", "9", {})
    assert missing.value.status == 404


def test_json_and_dates_say_the_same_on_both_engines(session: Session, items: CollectionSchema) -> None:
    view(
        session,
        "v",
        "SELECT id, title, json_extract(extra, '$.a') AS a, json_extract(extra, '$.n') AS n,"
        " strftime('%Y-%m', due) AS month, date(due, '+1 month', 'start of month') AS later, lower(title) || '!' AS l,"
        " substr(title, 1, 2) AS s, length(title) AS len, round(count, 0) AS r, iif(done, 'yes', 'no') AS y,"
        " coalesce(nullif(title, 'one'), 'first') AS co, group_concat(title, '+') OVER (ORDER BY title) AS g"
        " FROM items WHERE json_array_length(tags) = 2 OR title LIKE 'T%'",
    )
    first, second, third = rows(session, "v")
    assert (first["a"], first["n"], first["month"], first["later"]) == ({"b": 1}, 5, "2026-01", "2026-02-01")
    assert (first["l"], first["s"], first["len"], first["r"], first["y"]) == ("one!", "on", 3, 1, "yes")
    assert (first["co"], second["co"], second["y"]) == ("first", "two", "no")
    # LIKE does not know letters' case.
    assert [first["title"], second["title"], third["title"]] == ["one", "two", "three"]
    assert (third["month"], third["a"], third["g"]) == (None, None, "one+three")


def test_queries_may_hold_queries(session: Session, items: CollectionSchema) -> None:
    view(
        session,
        "v",
        "WITH mine AS (SELECT owner, count(*) AS n FROM items WHERE owner != '' GROUP BY owner)"
        " SELECT p.id, p.name, m.n, (SELECT max(i.count) FROM items i WHERE i.owner = p.id) AS most"
        " FROM people p JOIN mine m ON m.owner = p.id"
        " WHERE EXISTS (SELECT 1 FROM items i WHERE i.owner = p.id AND i.done = 1)"
        " AND p.id IN (SELECT owner FROM items UNION SELECT owner FROM items)",
    )
    assert rows(session, "v", "name", "n", "most") == [("Anna", 2, 2.5), ("Ben", 1, 4)]


# --- lists -------------------------------------------------------------------------------------------


def test_filters_sorts_and_totals_work_as_on_tables(session: Session, items: CollectionSchema) -> None:
    view(session, "v", "SELECT id, title, count, count * 2 AS twice, done, owner, tags FROM items")
    assert rows(session, "v", "title", sort="-count") == ["Four", "three", "two", "one"]
    assert rows(session, "v", "title", filter="twice > 4 && done = true") == ["three"]
    assert rows(session, "v", "title", filter="owner.Name = 'Ben'") == ["three"]
    assert rows(session, "v", "title", filter="tags ~ 'a'") == ["one"]
    page = list_records(guest(session), "v", {"perPage": "1", "filter": "count > 1"})
    assert page["totalItems"] == 3
    create(session, items, title="five", count=16)
    assert list_records(guest(session), "v", {"perPage": "1", "filter": "count > 1"})["totalItems"] == 4
    for params in ({"filter": "nope = 1"}, {"sort": "nope"}, {"sort": "@rowid"}):
        with pytest.raises(ApiError) as refused:
            list_records(guest(session), "v", params)
        assert refused.value.status == 400


def test_without_a_sort_the_order_is_the_querys_else_that_of_the_table(
    session: Session, items: CollectionSchema
) -> None:
    view(session, "plain", "SELECT id, title FROM items")
    view(session, "sorted", "SELECT id, title AS t FROM items ORDER BY done DESC, t")
    view(session, "by_number", "SELECT id, title, count FROM items ORDER BY 3 DESC LIMIT 2")
    assert rows(session, "plain", "title") == ["one", "two", "three", "Four"]
    assert rows(session, "sorted", "t") == ["one", "three", "Four", "two"]
    assert rows(session, "by_number", "title") == ["Four", "three"]


def test_related_records_are_expanded_under_their_own_rule(session: Session, items: CollectionSchema) -> None:
    view(session, "v", "SELECT i.id, i.owner, i.readers FROM items i WHERE i.title = 'one'")
    (item,) = rows(session, "v", expand="owner,readers")
    assert item["expand"]["owner"]["Name"] == "Anna"
    assert [person["Name"] for person in item["expand"]["readers"]] == ["Anna", "Ben"]
    change(session, "people", viewRule=None)
    (item,) = rows(session, "v", expand="owner,readers")
    assert not item.get("expand")


def test_rules_of_a_view_hold(session: Session, items: CollectionSchema) -> None:
    view(
        session, "v", "SELECT id, title, owner FROM items", listRule="owner = @request.auth.id", viewRule=None
    )
    anna = rows(session, "people", "id", filter="Name = 'Anna'")[0]
    assert rows(session, "v", "title", asks=call(session, user(anna))) == ["one", "two"]
    assert rows(session, "v", "title", asks=call(session, user())) == []
    assert len(rows(session, "v", asks=call(session))) == 4
    some = rows(session, "items", "id")[0]
    with pytest.raises(ApiError) as closed:
        view_record(guest(session), "v", some, {})
    assert closed.value.status == 403


def test_a_hidden_field_stays_hidden(session: Session, items: CollectionSchema) -> None:
    view(session, "v", "SELECT id, secretive FROM people")
    assert "secretive" not in rows(session, "v")[0]
    assert rows(session, "v", "secretive", asks=call(session)) == ["x", "x"]
    with pytest.raises(ApiError):
        rows(session, "v", filter="secretive = 'x'")


def test_views_may_read_views(session: Session, items: CollectionSchema) -> None:
    view(session, "base", "SELECT id, title, count AS n, extra FROM items WHERE count > 1")
    made = view(
        session,
        "upper",
        "SELECT b.id, b.N, c.title AS other, b.extra FROM base b JOIN base c ON c.id = b.id ORDER BY b.n",
    )
    assert [field.type for field in made.fields] == ["text", "number", "text", "json"]
    assert rows(session, "upper", "N", "other") == [(2.5, "two"), (4, "three"), (8, "Four")]
    create(session, items, title="six", count=3)
    assert list_records(guest(session), "upper", {"perPage": "1"})["totalItems"] == 4


# --- what is refused -----------------------------------------------------------------------------------

REFUSED = {
    "SELECT * FROM items": "wildcard columns",
    "SELECT items.* FROM items": "wildcard columns",
    "SELECT title FROM items": "missing required id column",
    "SELECT id, nope FROM items": "no such column: nope",
    "SELECT id FROM nope": "no such collection: nope",
    "SELECT x.id FROM items": "no such column: x.id",
    "SELECT id FROM items, people": "ambiguous column name: id",
    "SELECT id, upper(title) FROM items": "needs a name",
    "SELECT id, title AS \"a b\" FROM items": 'invalid field "a b"',
    "SELECT id, title AS expand FROM items": 'invalid field "expand"',
    "SELECT id, title AS x, count AS X FROM items": "duplicated column name",
    "SELECT id FROM items UNION SELECT id FROM people": "single SELECT",
    "SELECT id FROM items; SELECT id FROM people": "multiple statements",
    "SELECT id FROM items WHERE": "",
    "DELETE FROM items": "single SELECT",
    "DROP TABLE items": "single SELECT",
    "PRAGMA table_info(items)": "single SELECT",
    "ATTACH DATABASE 'x' AS y": "single SELECT",
    "EXPLAIN SELECT id FROM items": "single SELECT",
    "VALUES (1)": "single SELECT",
    "WITH gone AS (DELETE FROM items RETURNING id) SELECT id FROM gone": "",
    "WITH RECURSIVE r AS (SELECT 'a' AS id UNION ALL SELECT id FROM r) SELECT id FROM r": "recursive",
    "SELECT id FROM _changes": "no such collection: _changes",
    "SELECT id FROM _superusers": "no such collection: _superusers",
    "SELECT id FROM _externalAuths": "no such collection",
    "SELECT name AS id FROM sqlite_master": "no such collection",
    "SELECT relname AS id FROM pg_class": "no such collection",
    "SELECT id FROM main.items": "other schemas",
    "SELECT id FROM public.items": "other schemas",
    "SELECT id FROM pg_catalog.pg_class": "other schemas",
    "SELECT id FROM items WHERE title = ?": "parameters",
    "SELECT id FROM items WHERE title = :x": "parameters",
    "SELECT id FROM items WHERE title = $1": "no such column",
    "SELECT id, load_extension('x') AS x FROM items": "function load_extension",
    "SELECT id, pg_sleep(1) AS x FROM items": "function pg_sleep",
    "SELECT id, pg_read_file('x') AS x FROM items": "function pg_read_file",
    "SELECT id, set_config('role', 'x', false) AS x FROM items": "function set_config",
    "SELECT id, current_user AS x FROM items": "",
    "SELECT id, randomblob(9) AS x FROM items": "function",
    "SELECT id, password FROM users": "no such column: password",
    "SELECT id, tokenKey FROM users": "no such column: tokenkey",
    "SELECT id, CASE WHEN \"tokenKey\" LIKE 'a%' THEN 1 END AS x FROM users": "no such column: tokenkey",
    "SELECT id FROM users ORDER BY password": "no such column: password",
    "SELECT u.id FROM users u JOIN users v ON v.tokenKey = u.tokenKey": "no such column",
    "SELECT id, (SELECT password FROM users LIMIT 1) AS x FROM items": "no such column: password",
    "SELECT x.id FROM (SELECT id, password FROM users) x": "no such column: password",
    "SELECT id FROM items NATURAL JOIN people": "joins need a condition",
    "SELECT items.id FROM items JOIN people USING (id)": "joins need a condition",
    "SELECT NULL AS id, title FROM items": "empty or invalid ids",
    "SELECT '' AS id, title FROM items": "empty or invalid ids",
    "SELECT 'x' AS id, title FROM items": "several records with the same id",
    "SELECT people.id, items.title FROM items LEFT JOIN people ON people.name = 'nobody'": "empty or invalid ids",
    "SELECT id FROM bad": "would read itself",
    "SELECT id, cast(title AS blob) AS x FROM items": "cannot be made",
    "SELECT id, title COLLATE nocase AS x FROM items": "not available",
}  # fmt: skip


@pytest.mark.parametrize("query", REFUSED)
def test_a_query_is_refused(session: Session, items: CollectionSchema, query: str) -> None:
    assert REFUSED[query] in fault(session, query)


def test_a_query_that_is_too_much_is_refused(session: Session, items: CollectionSchema) -> None:
    deep = "(" * 3000 + "1" + ")" * 3000
    assert fault(session, f"SELECT id, {deep} AS x FROM items")
    assert "too long" in fault(session, "SELECT id, " + "1 + " * 4000 + "1 AS x FROM items")
    assert "characters" in fault(session, "SELECT id FROM items WHERE title = '" + "x" * 20_000 + "'")


def test_views_that_multiply_are_refused(session: Session, items: CollectionSchema) -> None:
    def joined(name: str, times: int) -> str:
        joins = " ".join(f"JOIN {name} j{at} ON j{at}.id = {name}.id" for at in range(times - 1))
        return f"SELECT {name}.id FROM {name} {joins}"

    view(session, "v0", "SELECT id FROM items")
    view(session, "v1", joined("v0", 7))
    view(session, "v2", joined("v1", 7))
    assert "more than 50 tables" in fault(session, joined("v2", 2))


def test_text_in_a_query_cannot_become_part_of_a_statement(session: Session, items: CollectionSchema) -> None:
    hostile = "'; DROP TABLE items; --\" \\ %s :x $1 /* {0}"
    quoted = hostile.replace("'", "''")
    view(
        session,
        "v",
        f"SELECT id, '{quoted}' AS x, '{quoted}' || title AS y FROM items WHERE title != '{quoted}'",
    )
    view(session, "w", f"SELECT id, x, '{quoted}' AS z FROM v WHERE x = '{quoted}'")
    assert rows(session, "w", "x", "z") == [(hostile, hostile)] * 4
    assert rows(session, "v", "y")[0] == f"{hostile}one"


def test_what_a_view_has_not_is_refused(session: Session, items: CollectionSchema) -> None:
    with pytest.raises(ApiError) as caught:
        view(
            session, "v", "SELECT id FROM items", createRule="", updateRule="", deleteRule="",
            indexes=["CREATE INDEX x ON v (id)"],
        )  # fmt: skip
    codes = {key: error["code"] for key, error in caught.value.as_json()["data"].items()}
    assert codes == {
        **dict.fromkeys(("createRule", "updateRule", "deleteRule"), "validation_nil"),
        "indexes": "validation_indexes_not_supported",
    }
    with pytest.raises(ApiError) as caught:
        view(session, "v", "")
    assert {key: error["code"] for key, error in caught.value.as_json()["data"].items()} == dict.fromkeys(
        ("fields", "viewQuery"), "validation_required"
    )
    with pytest.raises(ApiError) as caught:
        view(session, "v", "SELECT id FROM items", listRule="title = 'x'")
    assert set(caught.value.data) == {"listRule"}


def test_a_table_cannot_point_to_a_view(session: Session, items: CollectionSchema) -> None:
    made = view(session, "v", "SELECT id FROM items")
    with pytest.raises(ApiError) as caught:
        collection(session, "pointing", relation("r", made))
    error = caught.value.as_json()["data"]["fields"]["1"]["collectionId"]
    assert error["code"] == "validation_relation_field_non_view_base_collection"


# --- what they read changes ----------------------------------------------------------------------------


def test_fields_of_a_view_cannot_be_set_and_follow_what_it_reads(
    session: Session, items: CollectionSchema
) -> None:
    view(session, "v", "SELECT id, title FROM items")
    view(session, "w", "SELECT id, title FROM v")
    before = collection_to_json(change(session, "v", fields=[{"name": "other", "type": "text"}]))
    assert [field["name"] for field in before["fields"]] == ["id", "title"]
    fields = collection_to_json(items)["fields"]
    wider = [{**field, "max": 99} if field["name"] == "title" else field for field in fields]
    change(session, "items", fields=wider)
    for name in ("v", "w"):
        made = load_schema(session).get(name)
        assert made is not None and made.field_by_name["title"].max == 99  # type: ignore[attr-defined]


def test_what_a_view_reads_cannot_be_taken_away_or_renamed(session: Session, items: CollectionSchema) -> None:
    view(session, "v", "SELECT id, title FROM items")
    view(session, "w", "SELECT id, title AS t FROM v")
    fields = collection_to_json(items)["fields"]
    renamed = [{**field, "name": "heading"} if field["name"] == "title" else field for field in fields]
    attempts: list[Any] = [
        lambda: change(session, "items", fields=renamed),
        lambda: change(session, "items", fields=[field for field in fields if field["name"] != "title"]),
        lambda: change(session, "items", name="things"),
        lambda: change(session, "v", name="vv"),
        lambda: change(session, "v", viewQuery="SELECT id, count FROM items"),
        lambda: change(session, "v", viewQuery="SELECT id FROM v"),
        lambda: change(session, "v", viewQuery="SELECT id, t AS title FROM w"),
        lambda: delete_collection(session, "items", confirm=True),
        lambda: delete_collection(session, "v"),
        lambda: import_collections(
            session,
            {"collections": [{"name": "items", "fields": []}, {"name": "v"}, {"name": "w"}], "deleteMissing": True},
            validate_rule=validate_rule,
            confirm=True,
        ),
    ]  # fmt: skip
    before = (schema_version(session), load_schema(session).collections)
    for attempt in attempts:
        with pytest.raises(ApiError) as caught, session.savepoint():
            attempt()
        assert caught.value.status == 400
        assert "v" in str(caught.value.message + str(caught.value.as_json()))
        assert (schema_version(session), load_schema(session).collections) == before
    assert rows(session, "w", "t") == ["one", "two", "three", "Four"]
    change(session, "items", fields=[field for field in fields if field["name"] != "place"])
    delete_collection(session, "w")
    delete_collection(session, "v")
    change(session, "items", name="things", fields=renamed)


def test_a_rule_of_a_view_that_a_change_would_break_refuses_the_change(
    session: Session, items: CollectionSchema
) -> None:
    view(session, "v", "SELECT id, owner AS x FROM items")
    view(session, "w", "SELECT id, x FROM v", listRule="x.Name = 'Anna'")
    with pytest.raises(ApiError, match="a rule of the view w would break"):
        change(session, "v", viewQuery="SELECT id, title AS x FROM items")


def test_views_come_in_by_import_in_any_order(session: Session, items: CollectionSchema) -> None:
    data = {
        "collections": [
            {"name": "second", "type": "view", "viewQuery": "SELECT id, t FROM first", **READ},
            {"name": "first", "type": "view", "viewQuery": "SELECT id, title AS t FROM fresh", **READ},
            {"name": "fresh", "fields": [text("title")], "listRule": ""},
        ]
    }
    import_collections(session, data, validate_rule=validate_rule)
    create(session, call(session).collection("fresh"), title="x")
    assert rows(session, "second", "t") == ["x"]
    before = load_schema(session).get("second")
    import_collections(session, data, validate_rule=validate_rule)
    after = load_schema(session).get("second")
    assert before is not None and after is not None and after.fields == before.fields


def test_a_view_is_not_truncated(session: Session, items: CollectionSchema) -> None:
    view(session, "v", "SELECT id FROM items")
    with pytest.raises(ApiError, match="cannot be truncated"):
        truncate_collection(session, "v", delete_records=lambda *_: pytest.fail("it deletes"))


# --- the dry run ---------------------------------------------------------------------------------------


def test_a_dry_run_says_the_fields_and_shows_records(session: Session, items: CollectionSchema) -> None:
    answer = dry_run(call(session), {"query": "SELECT id, title, count(*) OVER () AS c FROM items"})
    assert [(field["name"], field["type"]) for field in answer["fields"]] == [
        ("id", "text"), ("title", "text"), ("c", "json"),
    ]  # fmt: skip
    assert (answer["sample"][0]["title"], answer["sample"][0]["c"]) == ("one", 4)
    answer = dry_run(call(session), {"query": "SELECT id, secretive FROM people"})
    assert "secretive" not in answer["sample"][0]


@pytest.mark.parametrize("query", [None, "", " ", 5, "SELECT * FROM items", "SELECT id, 'x' + FROM items"])
def test_a_dry_run_refuses_what_cannot_be_saved(
    session: Session, items: CollectionSchema, query: Any
) -> None:
    with pytest.raises(ApiError) as caught:
        dry_run(call(session, SUPERUSER), {"query": query})
    assert caught.value.status == 400


# --- the language over views --------------------------------------------------------------------------


def test_paths_lead_into_views_and_out_of_them(session: Session, items: CollectionSchema) -> None:
    view(session, "v", "SELECT id, title, count, owner, readers, tags FROM items")
    assert rows(session, "v", "title", filter="readers.Name ?= 'Ben'") == ["one"]
    assert rows(session, "v", "title", filter="tags:each ?= 'b'") == ["one"]
    assert rows(session, "v", "title", filter="tags:length = 2") == ["one"]
    assert rows(session, "people", "Name", filter="v_via_owner.count ?> 3") == ["Ben"]
    assert rows(session, "people", "Name", filter="v_via_readers.title ?= 'one'") == ["Anna", "Ben"]
    change(session, "people", listRule="@collection.v.title ?= 'Four' && @collection.v.owner ?= id")
    assert rows(session, "people", "Name") == []
    change(session, "people", listRule="@collection.v.title ?= 'three' && @collection.v.owner ?= id")
    assert rows(session, "people", "Name") == ["Ben"]
