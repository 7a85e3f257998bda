"""The index of words says what the records say, whatever happens to them."""

from __future__ import annotations

import asyncio
import random
import threading
import time
from typing import Any

import psycopg
import pytest

from projects.context import ProjectHandle
from projects.databases import Session, read_session, write_session
from projects.databases.deadline import Deadline
from projects.databases.lanes import Lanes
from projects.errors import ApiError
from projects.records.create import create_record
from projects.records.delete import delete_record
from projects.records.list import list_records
from projects.records.matching import delete_matching, update_matching
from projects.records.restore import Point, restore_record
from projects.records.restore_collection import Progress, restore_step
from projects.records.rows import insert_many
from projects.records.truncate import truncate_step
from projects.records.update import update_record
from projects.rules import validate_rule
from projects.schema.collection import CollectionSchema
from projects.schema.dates import now_text
from projects.schema.exporting import export_collections
from projects.schema.importing import import_collections
from projects.schema.operations import delete_collection, update_collection
from projects.schema.search import Words, index_table, numbers_table, searchable_fields
from projects.schema.serialize import collection_to_json
from tests.records.support import call, collection, create, guest, number, relation, text

VOCABULARY = ["red", "Grün", "blue", "日本", "naïve", "x", "2024", "🍕", "don't", "<b>bold</b>", "<p>", "ﬁn"]


def shelf(session: Session, **options: Any) -> CollectionSchema:
    return collection(
        session,
        "posts",
        text("title", searchable=True, nullable=True),
        {"name": "body", "type": "editor", "searchable": True},
        {"name": "link", "type": "url", "searchable": True},
        text("note"),
        number("n"),
        **options,
    )


def indexed(session: Session, posts: CollectionSchema) -> dict[str, Any]:
    table = f'"{index_table(posts)}"'
    if session.engine == "postgresql":
        return dict(session.rows(f"SELECT record, words::text FROM {table}"))
    numbers = f'"{numbers_table(posts)}"'
    # An FTS5 table's own check of its words against what it was given.
    session.execute(f"INSERT INTO {table}({table}) VALUES ('integrity-check')")
    counts = [session.row(f"SELECT count(*) FROM {name}") for name in (table, numbers)]
    assert counts[0] == counts[1]
    sql = f"SELECT n.record, f.head, f.body FROM {numbers} AS n LEFT JOIN {table} AS f ON f.rowid = n.number"
    return {row[0]: row[1:] for row in session.rows(sql)}


def meant(session: Session, posts: CollectionSchema) -> dict[str, Any]:
    fields = searchable_fields(posts)
    names = [field.name for field in fields]
    columns = ", ".join(f'"{name}"' for name in names)
    out: dict[str, Any] = {}
    for record_id, *values in session.rows(f'SELECT id, {columns} FROM "{posts.table}"'):
        words = Words.of(fields, dict(zip(names, values, strict=True)))
        if session.engine == "sqlite":
            out[record_id] = (" ".join(words.head), " ".join(words.body))
        else:
            out[record_id] = session.row("SELECT CAST(%s AS tsvector)::text", (words.vector(),))[0]  # type: ignore[index]
    return out


def assert_true(project: ProjectHandle, name: str = "posts") -> dict[str, Any]:
    with write_session(project) as session:
        posts = call(session).collection(name)
        found = indexed(session, posts)
        assert found == meant(session, posts)
    return found


def some_words(rnd: random.Random) -> str:
    return " ".join(rnd.choices(VOCABULARY, k=rnd.randrange(6)))


@pytest.mark.parametrize("seed", range(4))
def test_after_any_writes_the_index_holds_each_record_once_as_it_is(
    project: ProjectHandle, seed: int
) -> None:
    rnd = random.Random(seed)
    with write_session(project) as session:
        authors = collection(session, "authors", text("name"))
        posts = shelf(session)
        fields = [
            *collection_to_json(posts)["fields"],
            relation("author", authors, cascadeDelete=True),
            relation("editor", authors),
        ]
        update_collection(session, "posts", {"fields": fields}, validate_rule=validate_rule)
        people = [create(session, authors)["id"] for _ in range(4)]
    for turn in range(60):
        with write_session(project) as session:
            as_superuser = call(session)
            posts = as_superuser.collection("posts")
            ids = [row[0] for row in session.rows("SELECT id FROM posts")]
            what = rnd.randrange(9)
            body = {"title": some_words(rnd), "body": some_words(rnd), "n": turn}
            try:
                with session.savepoint():
                    if what < 3 or not ids:
                        body |= {"author": rnd.choice([*people, ""]), "editor": rnd.choice([*people, ""])}
                        create(session, posts, **body)
                    elif what == 3:
                        update_record(
                            as_superuser, posts, rnd.choice(ids), {"n": turn, "note": some_words(rnd)}
                        )
                    elif what == 4:
                        update_record(as_superuser, posts, rnd.choice(ids), body)
                    elif what == 5:
                        delete_record(as_superuser, posts, rnd.choice(ids))
                    elif what == 6:
                        update_matching(
                            as_superuser,
                            posts,
                            f"n < {turn // 2}",
                            {"title": some_words(rnd)},
                            99,
                            Deadline(9000),
                        )
                    elif what == 7:
                        delete_matching(as_superuser, posts, f"n < {turn // 4}", 99)
                    else:
                        insert_many(as_superuser, posts, _ready(posts, rnd, turn))
                    if rnd.random() < 0.2:
                        raise ZeroDivisionError
            except ZeroDivisionError:
                pass
        if turn % 20 == 19:
            with write_session(project) as session:
                delete_record(call(session), call(session).collection("authors"), people.pop())
            assert_true(project)
    assert assert_true(project)


def _ready(posts: CollectionSchema, rnd: random.Random, turn: int) -> list[dict[str, Any]]:
    return [
        {
            **{field.name: field.zero() for field in posts.fields},
            "id": f"many{turn:05d}{at:06d}",
            "title": some_words(rnd),
            "n": turn,
        }
        for at in range(3)
    ]


def test_a_truncated_collection_finds_nothing(project: ProjectHandle) -> None:
    with write_session(project) as session:
        posts = shelf(session)
        for n in range(20):
            create(session, posts, title=f"red {n}")
    last = None
    while True:
        with write_session(project) as session:
            last = truncate_step(call(session), "posts", last)
        if last is None:
            break
    assert assert_true(project) == {}


def set_fields(session: Session, **changes: dict[str, Any]) -> CollectionSchema:
    shown = collection_to_json(call(session).collection("posts"))
    fields = [{**field, **changes.get(field["name"], {})} for field in shown["fields"]]
    return update_collection(session, "posts", {"fields": fields}, validate_rule=validate_rule, confirm=True)


def test_changes_of_the_fields_keep_the_index_true(project: ProjectHandle) -> None:
    with write_session(project) as session:
        posts = shelf(session)
        for n in range(5):
            create(session, posts, title=f"red {n}" if n else None, body="blue", note=f"note {n}")
    off, on = {"searchable": False}, {"searchable": True}
    for changes in (
        {"title": {"nullable": False}},
        {"title": {"nullable": True}},
        {"title": off},
        {"note": on, "body": off},
        {"note": {"name": "title2"}, "body": on, "title": on},
        {"link": off, "n": {"name": "m"}},
    ):
        with write_session(project) as session:
            set_fields(session, **changes)
        before = assert_true(project)
        with write_session(project) as session:
            create(session, call(session).collection("posts"), title="after", body="<b>it</b>")
        assert len(assert_true(project)) == len(before) + 1


def test_an_import_builds_the_index_of_what_it_changes(project: ProjectHandle) -> None:
    with write_session(project) as session:
        posts = collection(session, "posts", text("title"))
        for n in range(3):
            create(session, posts, title=f"red {n}")
    with read_session(project) as session:
        exported = export_collections(session)
    for one in exported["collections"]:
        if one["name"] == "posts":
            for field in one["fields"]:
                assert field.get("searchable", False) is False
                if field["name"] == "title":
                    field["searchable"] = True
    with write_session(project) as session:
        import_collections(session, exported, validate_rule=validate_rule)
    assert len(assert_true(project)) == 3
    with read_session(project) as session:
        assert export_collections(session)["collections"] == exported["collections"]


def test_what_is_brought_back_is_found_as_it_was(project: ProjectHandle) -> None:
    with write_session(project) as session:
        posts = shelf(session)
        kept, gone = create(session, posts, title="red"), create(session, posts, title="red, too")
    at = _moment()
    with write_session(project) as session:
        update_record(call(session), posts, kept["id"], {"title": "blue"})
        delete_record(call(session), posts, gone["id"])
        create(session, posts, title="new")
    assert len(assert_true(project)) == 2
    with write_session(project) as session:
        restore_record(call(session), "posts", gone["id"], Point())
    assert len(assert_true(project)) == 3
    progress = Progress(at)
    while not progress.finished:
        with write_session(project) as session:
            progress = restore_step(call(session), "posts", progress)
    assert assert_true(project).keys() == {kept["id"], gone["id"]}
    with read_session(project) as session:
        assert list_records(guest(session), "posts", {"search": "red"})["totalItems"] == 2


def _moment() -> str:
    time.sleep(0.003)
    now = now_text()
    time.sleep(0.003)
    return now


def test_an_index_that_fails_to_be_built_changes_nothing(
    project: ProjectHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    with write_session(project) as session:
        create(
            session, collection(session, "posts", text("title"), text("note", searchable=True)), note="red"
        )

    def fail(*_: Any) -> Words:
        raise ZeroDivisionError

    monkeypatch.setattr(Words, "of", fail)
    with pytest.raises(ZeroDivisionError), write_session(project) as session:
        set_fields(session, title={"searchable": True})
    monkeypatch.undo()
    assert len(assert_true(project)) == 1
    with read_session(project) as session:
        assert list_records(guest(session), "posts", {"search": "red"})["totalItems"] == 1


def test_a_view_and_a_system_collection_are_not_searched(project: ProjectHandle) -> None:
    with write_session(project) as session:
        create(session, shelf(session), title="red")
        collection(session, "seen", type="view", viewQuery="SELECT id, title FROM posts", **_only_list())
        with pytest.raises(ApiError) as error:
            list_records(guest(session), "seen", {"search": "red"})
        assert error.value.status == 400
        assert "collections that they read" in error.value.data["search"].message  # type: ignore[union-attr]
        shown = collection_to_json(call(session).collection("seen"))
        assert not any(field.get("searchable") for field in shown["fields"])
        shown = collection_to_json(call(session).collection("_externalAuths"))
        fields = [{**field, "searchable": field["name"] == "provider"} for field in shown["fields"]]
        with pytest.raises(ApiError) as error:
            update_collection(session, "_externalAuths", {"fields": fields}, validate_rule=validate_rule)


def _only_list() -> dict[str, Any]:
    return {"createRule": None, "updateRule": None, "deleteRule": None}


def test_a_write_that_began_before_its_collection_was_searched_is_done_again(project: ProjectHandle) -> None:
    """PostgreSQL: it waits until the index is built, and knows nothing of it."""
    lanes = Lanes()
    has_begun, may_go_on = threading.Event(), threading.Event()
    turns: list[int] = []

    def make(session: Session) -> None:
        posts = collection(session, "posts", text("title"), text("note"))
        create(session, posts, id="recordtokeep000", title="red old")
        create(session, posts, id="recordtoleave00", title="red old")

    def write_late(session: Session) -> None:
        posts = call(session).collection("posts")
        turns.append(len(searchable_fields(posts)))
        has_begun.set()
        if session.engine == "postgresql":
            assert may_go_on.wait(10)
        create_record(call(session), posts, {"title": "green"})
        update_record(call(session), posts, "recordtokeep000", {"title": "green too"})
        delete_record(call(session), posts, "recordtoleave00")

    async def meanwhile() -> None:
        late = asyncio.create_task(lanes.write(project, write_late))
        await asyncio.to_thread(has_begun.wait, 10)
        await lanes.write(project, lambda session: set_fields(session, title={"searchable": True}))
        may_go_on.set()
        await late

    try:
        asyncio.run(lanes.write(project, make))
        asyncio.run(meanwhile())
    finally:
        lanes.stop(5)
    assert turns == ([0, 1] if project.engine == "postgresql" else [0])
    assert len(assert_true(project)) == 2
    with read_session(project) as session:
        assert list_records(guest(session), "posts", {"search": "green"})["totalItems"] == 2
        assert list_records(guest(session), "posts", {"search": "red"})["totalItems"] == 0


def test_readers_go_on_while_an_index_is_built(project: ProjectHandle) -> None:
    with write_session(project) as session:
        create(
            session, collection(session, "posts", text("title", searchable=True), text("note")), title="red"
        )
    seen: list[int] = []

    def read() -> None:
        with read_session(project) as session:
            seen.append(list_records(guest(session), "posts", {"search": "red"})["totalItems"])

    original = Words.of

    def of(*given: Any) -> Words:
        if not seen:
            reader = threading.Thread(target=read)
            reader.start()
            reader.join(5)
            assert seen == [1]
        return original(*given)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Words, "of", of)
        with write_session(project) as session:
            set_fields(session, note={"searchable": True})
    assert seen == [1]


def test_postgresql_refuses_what_would_leave_the_index_behind(project: ProjectHandle) -> None:
    if project.engine != "postgresql":
        pytest.skip("SQLite has one writer at a time")
    with write_session(project) as session:
        create(session, shelf(session), id="recordnumber001", title="red")
    for sql in (
        "UPDATE posts SET title = 'green'",
        "DELETE FROM posts",
        "INSERT INTO posts (id) VALUES ('recordnumber002')",
    ):
        with pytest.raises(psycopg.errors.UndefinedTable), write_session(project) as session:
            session.execute(sql)
    with write_session(project) as session:
        session.execute("UPDATE posts SET n = 1")
    with write_session(project) as session:
        delete_collection(session, "posts", confirm=True)
        left = "SELECT count(*) FROM pg_proc WHERE pronamespace = current_schema()::regnamespace"
        assert session.row(left) == (0,)
