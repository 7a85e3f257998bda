"""Search: finds by words whatever people type, ranked, in step with the records, and nothing that rules hide."""

from __future__ import annotations

import sqlite3
from typing import Any

import pytest

from projects.databases import Session, close_thread, write_session
from projects.databases.aliases import sqlite_path
from projects.errors import ApiError
from projects.records.aggregate import aggregate_records
from projects.records.create import create_record
from projects.records.delete import delete_record
from projects.records.list import list_records
from projects.records.update import update_record
from projects.rules import validate_rule
from projects.schema.collection import CollectionSchema
from projects.schema.operations import delete_collection, update_collection
from projects.schema.search import index_table
from projects.schema.search_text import words_of
from projects.schema.serialize import collection_to_json
from tests.records.support import call, collection, create, guest, number, relation, text, user

TEXTS = {
    "Cafe au lait": "<p>Coffee with <strong>hot</strong> milk &amp; foam</p>",
    "Crème brûlée": "<p>Cream, sugar; caramel</p>",
    "Straße nach New York": "<p>A road in the city</p>",
    "York new": "<p>Two words the other way round. Café!</p>",
    "Kaffee": "<div class='strong'>foo-bar baz@example.com v2.5</div>",
    "हिन्दी भाषा": "<p>日本語 текст</p>",
}


def shelf(session: Session, **options: Any) -> CollectionSchema:
    made = collection(
        session,
        "posts",
        text("title", searchable=True),
        {"name": "body", "type": "editor", "searchable": True},
        text("note"),
        number("n"),
        **options,
    )
    for at, (title, body) in enumerate(TEXTS.items()):
        create(session, made, title=title, body=body, note="unsearched", n=at)
    return made


def found(session: Session, search: str, caller: Any = None, **params: str) -> list[str]:
    answer = list_records(caller or guest(session), "posts", {"search": search, **params})
    assert answer["totalItems"] in (-1, len(answer["items"])) or "perPage" in params
    return [item["title"] for item in answer["items"]]


@pytest.mark.parametrize(
    ("search", "titles"),
    [
        ("coffee", ["Cafe au lait"]),
        ("COFFEE milk", ["Cafe au lait"]),
        ("milk lait", ["Cafe au lait"]),
        ("coffee caramel", []),
        ("café", ["Cafe au lait", "York new"]),
        ("cafe", ["Cafe au lait", "York new"]),
        ("creme BRULEE", ["Crème brûlée"]),
        ("strasse", ["Straße nach New York"]),
        ("STRASSE", ["Straße nach New York"]),
        # The last word is still being typed, the others are whole.
        ("cof", ["Cafe au lait"]),
        ("mil cof", []),
        ("milk cof", ["Cafe au lait"]),
        ("k", []),
        ("ka", ["Kaffee"]),
        ("new york", ["Straße nach New York", "York new"]),
        ('"new york"', ["Straße nach New York"]),
        ('"new yor"', []),
        ('"new yor', ["Straße nach New York"]),
        ('"york new" cafe', ["York new"]),
        ("foo-bar", ["Kaffee"]),
        ("bar-foo", []),
        ("baz@example.com", ["Kaffee"]),
        ("example", ["Kaffee"]),
        ("2.5", []),
        ("v2.5", ["Kaffee"]),
        ("हिन्दी", ["हिन्दी भाषा"]),
        ("日本", ["हिन्दी भाषा"]),
        ("ТЕКСТ", ["हिन्दी भाषा"]),
        # What nobody reads is not found: markup, fields that are not searchable.
        ("strong", []),
        ("div", []),
        ("amp", []),
        ("unsearched", []),
    ],
)
def test_what_is_found(session: Session, search: str, titles: list[str]) -> None:
    shelf(session)
    assert sorted(found(session, search)) == sorted(titles)


@pytest.mark.parametrize(
    "search",
    [
        '"', '""', "'", "''", "*", "**", "a*", "*a", "(", ")", "(a", "a)", "()", "-", "-a", "a -b", "+", "^a", "a^2",
        "AND", "OR", "NOT", "a AND", "AND a", "a OR b", "NOT a", "NEAR(a b)", "a NEAR b", "a:b", "title:a", "a:*",
        "a & b", "a | b", "!a", "a <-> b", "a <2> b", "\\", "a\\", "a\\b", "%", "_", "a%b", "?", "$1", ":x", "{a}",
        "[a]", "a;b", "--", "/* */", "'; DROP TABLE posts; --", "\0", "a\0b", "\ud800", "\u200b", "🍕", "½", "ﬁ", "İ",
        "a" * 5000, "a " * 5000, '"a' * 500, '"' * 999, "é" * 60, "ａ", "1e400", "0x10", "null", "\t\n", "٣", "²",
    ],
)  # fmt: skip
def test_no_text_is_an_error(session: Session, search: str) -> None:
    made = shelf(session)
    create(session, made, title=search.encode("utf-8", "replace").decode().replace("\0", "")[:5000])
    for params in ({}, {"sort": "@rank"}, {"sort": "-@rank,title", "filter": "n >= 0"}):
        assert list_records(guest(session), "posts", {"search": search, **params})["page"] == 1


def test_without_a_word_everything_is_listed(session: Session) -> None:
    shelf(session)
    for search in ("", " ", "!?", '""', "..."):
        for sort in ("", "@rank", "-@rank", "@rank,n"):
            assert found(session, search, sort=sort) == list(TEXTS), (search, sort)


def test_the_best_come_first(session: Session) -> None:
    posts = collection(
        session, "posts", text("title", searchable=True), text("body", searchable=True), number("n")
    )
    filler = "nothing of interest in here at all " * 10
    create(session, posts, title="in the body", body=f"{filler} pizza {filler}", n=1)
    create(session, posts, title="pizza", body=filler, n=2)
    create(session, posts, title="twice in the body", body=f"pizza pizza {filler}", n=3)
    create(session, posts, title="none", body=filler, n=4)
    best = ["pizza", "twice in the body", "in the body"]
    assert found(session, "pizza") == best
    assert found(session, "pizza", sort="@rank") == best
    assert found(session, "pizza", sort="+@rank,n") == best
    assert found(session, "pizza", sort="-@rank") == best[::-1]
    assert found(session, "pizza", sort="n") == ["in the body", "pizza", "twice in the body"]
    assert found(session, "pizza", sort="n", filter="n > 1") == ["pizza", "twice in the body"]
    assert found(session, "pizza", perPage="1", page="2") == best[1:2]
    answer = list_records(guest(session), "posts", {"search": "pizza", "perPage": "1"})
    assert (answer["totalItems"], answer["totalPages"]) == (3, 3)


def test_of_many_the_latest_are_ranked_and_the_pages_are_of_those(session: Session, settings: Any) -> None:
    posts = collection(session, "posts", text("title", searchable=True), number("n"), listRule="n != 5")
    for n in range(8):
        create(session, posts, title="pizza " * (10 - n), n=n)
    settings.MBAAS_SEARCH_RANKED = 3
    answer = list_records(guest(session), "posts", {"search": "pizza", "sort": "@rank,n"})
    # What the rule hides takes no place among them.
    assert sorted(item["n"] for item in answer["items"]) == [4, 6, 7]
    assert answer["totalItems"] == 3
    page = list_records(guest(session), "posts", {"search": "pizza", "page": "2", "perPage": "2"})
    assert (len(page["items"]), page["totalItems"], page["totalPages"]) == (1, 3, 2)
    beyond = list_records(guest(session), "posts", {"search": "pizza", "page": "3", "perPage": "2"})
    assert (beyond["items"], beyond["totalItems"]) == ([], 3)
    by_number = list_records(guest(session), "posts", {"search": "pizza", "sort": "n"})
    assert [item["n"] for item in by_number["items"]] == [0, 1, 2, 3, 4, 6, 7]
    assert by_number["totalItems"] == 7


def test_a_search_shows_nothing_that_the_rule_hides(session: Session) -> None:
    shelf(session, listRule="n > 2 && @request.auth.id != ''")
    assert found(session, "cafe") == []
    assert found(session, "cafe", call(session, user())) == ["York new"]
    assert len(found(session, "cafe", call(session))) == 2


def test_the_index_follows_every_write(session: Session) -> None:
    posts = shelf(session)
    record = create(session, posts, title="first words", body="<p>of it</p>")
    assert found(session, "first words of it") == ["first words"]
    update_record(call(session), posts, record["id"], {"title": "second words"})
    assert found(session, "first") == [] and found(session, "second of") == ["second words"]
    update_record(call(session), posts, record["id"], {"n": 5, "note": "x"})
    assert found(session, "second of") == ["second words"]
    update_record(call(session), posts, record["id"], {"body": ""})
    assert found(session, "of it") == [] and found(session, "second") == ["second words"]
    delete_record(call(session), posts, record["id"])
    assert found(session, "second") == []
    again = create(session, posts, id=record["id"], title="third words")
    assert found(session, "third") == [again["title"]]


def test_what_is_undone_is_not_found(session: Session) -> None:
    posts = shelf(session)
    with pytest.raises(ZeroDivisionError), session.savepoint():
        create(session, posts, title="never")
        delete_record(call(session), posts, list_records(call(session), "posts", {})["items"][0]["id"])
        raise ZeroDivisionError
    assert found(session, "never") == []
    assert found(session, "coffee") == ["Cafe au lait"]


def test_what_goes_with_another_is_found_no_more(session: Session) -> None:
    authors = collection(session, "authors", text("name"))
    posts = collection(
        session, "posts", text("title", searchable=True), relation("author", authors, cascadeDelete=True)
    )
    author = create(session, authors)
    for n in range(5):
        create(session, posts, title=f"pizza {n}", author=author["id"])
    create(session, posts, title="pizza")
    delete_record(call(session), authors, author["id"])
    assert found(session, "pizza") == ["pizza"]


def set_searchable(session: Session, *names: str, **more: Any) -> CollectionSchema:
    shown = collection_to_json(call(session).collection("posts"))
    fields = [{**field, "searchable": field["name"] in names} for field in shown["fields"]]
    return update_collection(session, "posts", {"fields": fields, **more}, validate_rule=validate_rule)


def tables(session: Session) -> list[str]:
    sql = (
        "SELECT name FROM sqlite_master WHERE name LIKE '\\_fts%' ESCAPE '\\'"
        if session.engine == "sqlite"
        else "SELECT relname FROM pg_class WHERE relnamespace = current_schema()::regnamespace AND relname LIKE '\\_fts%%'"
    )
    return [row[0] for row in session.rows(sql)]


def test_fields_become_searchable_and_stop_being_it(session: Session) -> None:
    posts = shelf(session)
    set_searchable(session, "title")
    assert found(session, "coffee") == [] and found(session, "lait") == ["Cafe au lait"]
    set_searchable(session, "title", "note")
    assert len(found(session, "unsearched")) == len(TEXTS)
    set_searchable(session)
    assert tables(session) == []
    with pytest.raises(ApiError) as error:
        found(session, "lait")
    assert error.value.data["search"].code == "validation_not_searchable"  # type: ignore[union-attr]
    assert len(found(session, "")) == len(TEXTS)
    posts = set_searchable(session, "body")
    assert found(session, "coffee") == ["Cafe au lait"]
    create(session, posts, title="new", body="coffee")
    assert sorted(found(session, "coffee")) == ["Cafe au lait", "new"]


def test_renaming_moves_no_index_and_dropping_a_field_drops_its_words(session: Session) -> None:
    shelf(session)
    shown = collection_to_json(call(session).collection("posts"))
    fields = [
        {**field, "name": "headline" if field["name"] == "title" else field["name"]}
        for field in shown["fields"]
    ]
    changed = update_collection(
        session, "posts", {"name": "items", "fields": fields}, validate_rule=validate_rule
    )
    assert [item["n"] for item in list_records(guest(session), "items", {"search": "coffee"})["items"]] == [0]
    create_record(call(session), changed, {"headline": "tea"})
    assert list_records(guest(session), "items", {"search": "tea"})["totalItems"] == 1
    fields = [field for field in fields if field["name"] != "headline"]
    update_collection(session, "items", {"fields": fields}, validate_rule=validate_rule, confirm=True)
    assert list_records(guest(session), "items", {"search": "lait"})["totalItems"] == 0
    assert list_records(guest(session), "items", {"search": "coffee"})["totalItems"] == 1
    delete_collection(session, "items", confirm=True)
    assert tables(session) == []


@pytest.mark.parametrize(
    "field",
    [
        number("a", searchable=True),
        text("a", searchable=True, hidden=True),
        text("a", searchable=True, readRule="@request.auth.id != ''"),
        {"name": "a", "type": "json", "searchable": True},
        {"name": "a", "type": "password", "searchable": True},
        {"name": "a", "type": "select", "values": ["x"], "searchable": True},
    ],
)
def test_only_text_that_everybody_sees_is_searchable(session: Session, field: dict[str, Any]) -> None:
    with pytest.raises(ApiError) as error:
        collection(session, "posts", field)
    assert error.value.data["fields"]["1"]["searchable"].code == "validation_invalid_searchable"  # type: ignore[index,call-overload]


def test_addresses_of_accounts_are_never_searchable(session: Session) -> None:
    shown = collection_to_json(call(session).collection("users"))
    fields = [{**field, "searchable": field["name"] in ("email", "name")} for field in shown["fields"]]
    changed = update_collection(session, "users", {"fields": fields}, validate_rule=validate_rule)
    assert [field.name for field in changed.fields if field.searchable] == ["name"]


def test_long_texts_are_found_by_their_beginning(session: Session, settings: Any) -> None:
    settings.MBAAS_SEARCH_MAX_CHARACTERS = 1000
    posts = collection(
        session, "posts", text("title", searchable=True, max=200_000), text("b", searchable=True)
    )
    create(session, posts, title="begin " + "filler " * 1000 + "end", b="other")
    assert len(found(session, "begin")) == 1
    assert found(session, "end") == [] and found(session, "other") == []
    settings.MBAAS_SEARCH_MAX_CHARACTERS = 200_000
    create(session, posts, title=" ".join(f"word{n}" for n in range(18_000)) + " " + "x" * 3000)
    assert len(found(session, "word17999")) == 1
    assert len(found(session, "x" * 60)) == 1


def test_counts_by_groups_and_pages_by_key_can_be_of_what_is_found(session: Session) -> None:
    shelf(session)
    assert aggregate_records(guest(session), "posts", {"search": "cafe", "select": "count,sum(n)"})[
        "items"
    ] == [{"count": 2, "sum(n)": 3}]
    params = {"search": "cafe", "sort": "-n", "perPage": "1", "cursor": ""}
    first = list_records(guest(session), "posts", params)
    second = list_records(guest(session), "posts", {**params, "cursor": first["nextCursor"]})
    assert [item["n"] for item in first["items"] + second["items"]] == [3, 0]
    assert second["nextCursor"] is None
    for sort in ("", "@rank", "n,@rank"):
        with pytest.raises(ApiError) as error:
            list_records(guest(session), "posts", {**params, "sort": sort})
        assert set(error.value.data) == {"sort"}
    for sort in ("@random,@rank", ",".join(["@rank"] * 9)):
        with pytest.raises(ApiError) as error:
            found(session, "cafe", sort=sort)
        assert error.value.status == 400


def test_a_vacuum_leaves_every_word_at_its_record(project: Any) -> None:
    if project.engine != "sqlite":
        pytest.skip("rows of SQLite's tables get other numbers by VACUUM")
    with write_session(project) as session:
        posts = shelf(session)
        for at in (0, 2):
            delete_record(call(session), posts, list_records(call(session), "posts", {})["items"][at]["id"])
        assert index_table(posts) in tables(session)
    close_thread()
    connection = sqlite3.connect(sqlite_path(project.uid))
    connection.execute("VACUUM")
    connection.close()
    with write_session(project) as session:
        assert found(session, "caramel") == ["Crème brûlée"]
        assert found(session, "kaffee") == ["Kaffee"]


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ("", []),
        ("Ünïcode, Straße!", ["unicode", "strasse"]),
        ("a_b a-b a.b", ["a", "b", "a", "b", "a", "b"]),
        ("ﬁne ½ ²", ["fine", "1", "2", "2"]),
        ("x" * 80, ["x" * 50]),
        ("don't", ["don", "t"]),
    ],
)
def test_words_are_folded(given: str, words: list[str]) -> None:
    assert words_of(given) == words
