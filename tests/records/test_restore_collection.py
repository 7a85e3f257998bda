"""A whole collection becomes what it was at a moment: in steps, asked for again where it was cut short."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.databases import Session, close_thread, write_session
from projects.errors import ApiError
from projects.records import events
from projects.records.delete import delete_record
from projects.records.list import list_records
from projects.records.restore_collection import Progress, restore_step, restore_tried
from projects.records.retention import LogStart, _keep_start
from projects.records.update import update_record
from projects.schema.collection import CollectionSchema
from projects.schema.dates import now_text
from projects.schema.operations import delete_collection
from tests.accounts.helpers import enter, sign_up
from tests.records.support import call, changes, collection, create, number, relation, text


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    close_thread()


def moment() -> str:
    """Now, with nothing else in the same millisecond."""
    time.sleep(0.003)
    now = now_text()
    time.sleep(0.003)
    return now


def restored(project: ProjectHandle, name: str, at: str, steps: int = 10_000) -> Progress:
    """Restore as the API does; ``steps``: no more transactions than that."""
    progress = Progress(at)
    while not progress.finished and steps:
        with write_session(project) as session:
            progress = restore_step(call(session), name, progress)
        steps -= 1
    return progress


def tried(project: ProjectHandle, name: str, at: str) -> Progress:
    with write_session(project) as session:
        return restore_tried(call(session), name, at)


def content(session: Session, name: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = list_records(call(session), name, {"perPage": "1000", "sort": "id"})[
        "items"
    ]
    return items


def change(session: Session, into: CollectionSchema, record: dict[str, Any], **body: Any) -> None:
    update_record(call(session), into, record["id"], body)


def counts(progress: Progress) -> tuple[int, int, int]:
    return progress.created, progress.updated, progress.deleted


Busy = Callable[[], tuple[str, list[dict[str, Any]]]]


@pytest.fixture
def busy(project: ProjectHandle) -> Busy:
    """Makes ``notes`` of 12 records, notes the moment, and then changes, deletes and makes some."""

    def make() -> tuple[str, list[dict[str, Any]]]:
        with write_session(project) as session:
            notes = collection(session, "notes", text("title"), number("n"))
            made = [create(session, notes, title=f"t{n}", n=n) for n in range(12)]
            before = content(session, "notes")
        at = moment()
        with write_session(project) as session:
            for record in made[:4]:
                change(session, notes, record, title="changed")
                change(session, notes, record, n=99)
            for record in made[4:7]:
                delete_record(call(session), notes, record["id"])
            new = [create(session, notes, title="new") for _ in range(5)]
            delete_record(call(session), notes, new[0]["id"])
            create(session, notes, id=made[4]["id"], title="another one of that id")
        return at, before

    return make


def test_it_becomes_what_it_was(project: ProjectHandle, busy: Busy) -> None:
    at, before = busy()
    progress = restored(project, "notes", at)
    assert counts(progress) == (2, 5, 4)
    with write_session(project) as session:
        assert content(session, "notes") == before
    assert progress.as_json() == {
        "at": at,
        "created": 2,
        "updated": 5,
        "deleted": 4,
        "others": {},
        "problems": {"count": 0, "items": []},
    }
    # Asked again there is nothing to do.
    assert counts(restored(project, "notes", at)) == (0, 0, 0)


def test_it_goes_in_steps_each_logged_and_announced(
    project: ProjectHandle, busy: Busy, settings: Any
) -> None:
    settings.MBAAS_RESTORE_STEP = 3
    at, before = busy()
    heard: list[events.ChangeEvent] = []
    events.listen(heard.append)
    with write_session(project) as session:
        logged = len(changes(session))
    try:
        assert restored(project, "notes", at, steps=2).finished is False
        progress = restored(project, "notes", at)
    finally:
        events.unlisten(heard.append)
    assert progress.finished
    with write_session(project) as session:
        assert content(session, "notes") == before
        assert len(changes(session)) - logged == len(heard) == 2 + 5 + 4
    assert [event.action for event in heard] == ["delete"] * 4 + ["create"] * 2 + ["update"] * 5


@pytest.mark.parametrize("steps", [1, 4, 6, 8])
def test_cut_short_anywhere_it_is_asked_for_again(
    project: ProjectHandle, busy: Busy, settings: Any, steps: int
) -> None:
    settings.MBAAS_RESTORE_STEP = 2
    at, before = busy()
    assert not restored(project, "notes", at, steps=steps).finished
    assert restored(project, "notes", at).finished
    with write_session(project) as session:
        assert content(session, "notes") == before


def test_a_dry_run_tells_the_same_and_leaves_no_trace(project: ProjectHandle, busy: Busy) -> None:
    at, _ = busy()
    heard: list[events.ChangeEvent] = []
    with write_session(project) as session:
        before, logged = content(session, "notes"), changes(session)
    events.listen(heard.append)
    try:
        told = tried(project, "notes", at).as_json()
    finally:
        events.unlisten(heard.append)
    assert heard == []
    with write_session(project) as session:
        assert (content(session, "notes"), changes(session)) == (before, logged)
    assert told == restored(project, "notes", at).as_json()


def test_a_dry_run_that_takes_too_long_is_stopped(project: ProjectHandle, busy: Busy, settings: Any) -> None:
    at, _ = busy()
    settings.MBAAS_RESTORE_DRY_RUN_MS = 0
    with write_session(project) as session:
        before = content(session, "notes"), changes(session)
    with pytest.raises(ApiError) as refused:
        tried(project, "notes", at)
    assert (refused.value.status, "in steps" in refused.value.message) == (503, True)
    with write_session(project) as session:
        assert (content(session, "notes"), changes(session)) == before


def test_what_others_write_meanwhile_stays(project: ProjectHandle, busy: Busy, settings: Any) -> None:
    settings.MBAAS_RESTORE_STEP = 2
    at, before = busy()
    progress = restored(project, "notes", at, steps=1)
    with write_session(project) as session:
        late = create(session, call(session).collection("notes"), id="zzzzzzzzzzzzzzz", title="late")
        untouched = next(record for record in before if record["n"] == 11)
        change(session, call(session).collection("notes"), untouched, title="also late")
    while not progress.finished:
        with write_session(project) as session:
            progress = restore_step(call(session), "notes", progress)
    with write_session(project) as session:
        now = {record["id"]: record["title"] for record in content(session, "notes")}
    assert (now[late["id"]], now[untouched["id"]]) == ("late", "also late")
    assert len(now) == len(before) + 1


def test_records_that_need_each_other_come_back_together(project: ProjectHandle, settings: Any) -> None:
    settings.MBAAS_RESTORE_STEP = 2
    with write_session(project) as session:
        tree = collection(session, "tree", text("title"))
        from projects.rules import validate_rule
        from projects.schema import collection_to_json, update_collection

        more = [relation("parent", tree), relation("near", tree, maxSelect=9)]
        fields = [*collection_to_json(tree)["fields"], *more]
        tree = update_collection(session, "tree", {"fields": fields}, validate_rule=validate_rule)
        made = [create(session, tree, title=str(n)) for n in range(5)]
        ids = [record["id"] for record in made]
        # In rings, both ways: no order of creation could do it.
        for at, record in enumerate(made):
            change(session, tree, record, parent=ids[at - 1], near=[ids[at - 2], ids[at - 3]])
        before = content(session, "tree")
    at_ = moment()
    with write_session(project) as session:
        for record in made:
            delete_record(call(session), tree, record["id"])
    progress = restored(project, "tree", at_)
    assert progress.as_json()["problems"] == {"count": 0, "items": []}
    with write_session(project) as session:
        assert content(session, "tree") == before


def test_a_chain_of_required_relations_comes_back_link_by_link(project: ProjectHandle) -> None:
    with write_session(project) as session:
        tree = collection(session, "tree", text("title"))
        from projects.rules import validate_rule
        from projects.schema import collection_to_json, update_collection

        fields = [
            *collection_to_json(tree)["fields"],
            relation("parent", tree, required=True, cascadeDelete=True),
        ]
        tree = update_collection(session, "tree", {"fields": fields}, validate_rule=validate_rule)
        root = "root00000000001"
        session.execute(session.sql("INSERT INTO tree (id, parent) VALUES (?, ?)"), (root, root))
        parent = root
        for n in range(4):
            # Falling ids: each child is met before its parent.
            parent = create(session, tree, id=f"child000000000{9 - n}", parent=parent)["id"]
        before = content(session, "tree")
    at = moment()
    with write_session(project) as session:
        delete_record(call(session), tree, f"child000000000{9}")
        assert len(content(session, "tree")) == 1
    assert restored(project, "tree", at).created == 4
    with write_session(project) as session:
        assert content(session, "tree") == before


def test_values_that_must_be_unique_move_back_along_a_chain(project: ProjectHandle) -> None:
    index = "CREATE UNIQUE INDEX `idx_slug` ON `notes` (`slug`)"
    with write_session(project) as session:
        notes = collection(session, "notes", text("slug"), indexes=[index])
        made = [create(session, notes, id=f"note0000000000{n}", slug=f"s{n}") for n in range(4)]
        before = content(session, "notes")
    at = moment()
    with write_session(project) as session:
        # Each takes the value of the one before, so all but the last are met before theirs is free; that a new one has.
        change(session, notes, made[0], slug="free")
        for n in range(1, 4):
            change(session, notes, made[n], slug=f"s{n - 1}")
        create(session, notes, slug="s3")
    assert restored(project, "notes", at).as_json()["problems"]["count"] == 0
    with write_session(project) as session:
        assert content(session, "notes") == before


def test_what_cannot_be_as_it_was_is_named_and_the_rest_is(project: ProjectHandle) -> None:
    index = "CREATE UNIQUE INDEX `idx_slug` ON `notes` (`slug`)"
    with write_session(project) as session:
        notes = collection(session, "notes", text("slug"), text("title"), indexes=[index])
        one, two = create(session, notes, slug="1", title="a"), create(session, notes, slug="2", title="b")
    at = moment()
    with write_session(project) as session:
        change(session, notes, one, slug="0")
        change(session, notes, two, slug="1", title="x")
        change(session, notes, one, slug="2", title="y")
    progress = restored(project, "notes", at)
    problems = progress.as_json()["problems"]
    assert problems["count"] == 2
    assert {entry["id"] for entry in problems["items"]} == {one["id"], two["id"]}
    assert all(entry["data"]["slug"]["code"] == "validation_not_unique" for entry in problems["items"])
    with write_session(project) as session:
        assert sorted(record["title"] for record in content(session, "notes")) == ["a", "b"]


def test_what_depends_on_records_that_go_is_told_and_what_refuses_is_named(project: ProjectHandle) -> None:
    with write_session(project) as session:
        notes = collection(session, "notes", text("title"))
        parts = collection(session, "parts", relation("note", notes, cascadeDelete=True))
        links = collection(session, "links", relation("note", notes))
        holders = collection(session, "holders", relation("note", notes, required=True))
    at = moment()
    with write_session(project) as session:
        free, held = create(session, notes), create(session, notes)
        create(session, parts, note=free["id"])
        create(session, parts, note=free["id"])
        create(session, links, note=free["id"])
        create(session, holders, note=held["id"])
    expected = tried(project, "notes", at).as_json()
    told = restored(project, "notes", at).as_json()
    assert told == expected
    assert told["deleted"] == 1
    assert told["others"] == {"links": {"updated": 1}, "parts": {"deleted": 2}}
    assert [(e["id"], e["action"]) for e in told["problems"]["items"]] == [(held["id"], "delete")]


def test_a_new_record_that_an_old_one_requires_goes_once_that_is_as_it_was(project: ProjectHandle) -> None:
    with write_session(project) as session:
        tree = collection(session, "tree", text("title"))
        from projects.rules import validate_rule
        from projects.schema import collection_to_json, update_collection

        fields = [*collection_to_json(tree)["fields"], relation("parent", tree, required=True)]
        tree = update_collection(session, "tree", {"fields": fields}, validate_rule=validate_rule)
        root = "root00000000001"
        session.execute(session.sql("INSERT INTO tree (id, parent) VALUES (?, ?)"), (root, root))
        child = create(session, tree, parent=root)
        before = content(session, "tree")
    at = moment()
    with write_session(project) as session:
        new = create(session, tree, parent=root)
        change(session, tree, child, parent=new["id"])
    progress = restored(project, "tree", at)
    assert (counts(progress), progress.as_json()["problems"]["count"]) == ((0, 1, 1), 0)
    with write_session(project) as session:
        assert content(session, "tree") == before


def test_users_come_back_without_their_passwords(project: ProjectHandle) -> None:
    with write_session(project) as session:
        alice = sign_up(session, "alice@example.com", name="A")
        bob = sign_up(session, "bob@example.com", name="B")
    at = moment()
    with write_session(project) as session:
        users = call(session).collection("users")
        delete_record(call(session), users, alice["id"])
        change(session, users, bob, name="Bobby")
    assert counts(restored(project, "users", at)) == (1, 1, 0)
    with write_session(project) as session:
        assert {record["name"] for record in content(session, "users")} == {"A", "B"}
        assert "token" not in enter(session, "alice@example.com")
        assert "token" in enter(session, "bob@example.com")


def test_the_moment_must_be_past_known_and_the_collections_own(project: ProjectHandle) -> None:
    early = moment()
    with write_session(project) as session:
        collection(session, "notes", text("title"))
        collection(session, "old", text("title"))
    at = moment()
    for wrong in (early, "2999-01-01T00:00:00.000Z"):
        with pytest.raises(ApiError) as refused:
            restored(project, "notes", wrong)
        assert refused.value.status == 400 and "at" in refused.value.data
    with write_session(project) as session:
        _keep_start(session, LogStart(1, now_text()))
    with pytest.raises(ApiError) as refused:
        restored(project, "notes", at)
    assert refused.value.status == 410
    with pytest.raises(ApiError) as refused:
        restored(project, "nothing", at)
    assert refused.value.status == 404


def test_records_of_a_deleted_collection_with_that_id_do_not_come_back(project: ProjectHandle) -> None:
    with write_session(project) as session:
        notes = collection(session, "notes", text("title"))
        for _ in range(3):
            create(session, notes, title="old")
        delete_collection(session, "notes", confirm=True)
        again = collection(session, "notes", text("title"))
        assert again.id == notes.id
    at = moment()
    with write_session(project) as session:
        create(session, again, title="new")
    progress = restored(project, "notes", at)
    assert counts(progress) == (0, 0, 1)


def test_it_goes_through_the_records_a_bounded_number_of_times(project: ProjectHandle, busy: Busy) -> None:
    at, _ = busy()
    progress = restored(project, "notes", at, steps=2)
    from projects.records import restore_collection as module

    stuck = replace(
        progress, phase="update", written=1, passes=module._PASSES, partial=module.Problems(1), last=""
    )
    assert module._next_pass(stuck).finished
