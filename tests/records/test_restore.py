"""Restoring a record: as it was, as far as that can be, by the caller's rules, and never somebody's password."""

from __future__ import annotations

import threading
import time
from itertools import pairwise
from typing import Any

import orjson
import pytest

from projects.context import ProjectHandle
from projects.databases import Session, close_thread, write_session
from projects.errors import ApiError
from projects.records import events
from projects.records.bring_back import BroughtBack
from projects.records.delete import delete_record
from projects.records.history import record_history
from projects.records.restore import Point, restore_record
from projects.records.retention import LogStart, _keep_start
from projects.records.rows import find
from projects.records.update import update_record
from projects.rules import validate_rule
from projects.schema import collection_to_json, update_collection
from projects.schema.collection import CollectionSchema
from projects.schema.dates import now_text
from tests.accounts.helpers import PASSWORD, enter, sign_up, who
from tests.accounts.helpers import change as change_user
from tests.accounts.helpers import create as create_user
from tests.records.support import call, changes, collection, create, guest, number, relation, text, user

ALICE, BOB = user("useralice000001"), user("userbob00000001")
MINE = "owner = @request.auth.id"


def change(session: Session, into: CollectionSchema, record_id: str, **body: Any) -> dict[str, Any]:
    asked = call(session)
    return update_record(asked, asked.collection(into.id), record_id, body)


def restore(asked: Any, name: str, record_id: str, if_match: str = "", **point: Any) -> BroughtBack:
    return restore_record(asked, name, record_id, Point.of(point), if_match)[1]


def seqs(session: Session, name: str, record_id: str) -> list[int]:
    """The numbers of the record's changes, the oldest first."""
    return [item["seq"] for item in record_history(call(session), name, record_id, {})["items"]][::-1]


def refused(asked: Any, name: str, record_id: str, **point: Any) -> ApiError:
    with pytest.raises(ApiError) as error:
        restore(asked, name, record_id, **point)
    return error.value


def alter(session: Session, name: str, **changed: Any) -> CollectionSchema:
    return update_collection(session, name, changed, validate_rule=validate_rule, confirm=True)


def test_a_record_becomes_what_a_change_made_of_it(session: Session) -> None:
    posts = collection(session, "posts", text("title"), number("likes"))
    record = create(session, posts, title="one", likes=1)
    change(session, posts, record["id"], title="two")
    change(session, posts, record["id"], title="three", likes=3)
    _, second, third = seqs(session, "posts", record["id"])
    back = restore(call(session), "posts", record["id"], seq=second)
    assert (back.record["title"], back.record["likes"], back.skipped) == ("two", 1, {})
    assert find(call(session), posts, record["id"]) == back.record
    assert restore(call(session), "posts", record["id"], before=second).record["title"] == "one"
    assert restore(call(session), "posts", record["id"], seq=third).record["likes"] == 3
    assert [action for action, _ in changes(session)] == ["create"] + ["update"] * 5


def test_a_record_becomes_what_it_was_at_a_moment(session: Session) -> None:
    posts = collection(session, "posts", text("title"))
    early = now_text()
    time.sleep(0.005)
    record = create(session, posts, title="one")
    time.sleep(0.005)
    then = now_text()
    time.sleep(0.005)
    change(session, posts, record["id"], title="two")
    assert restore(call(session), "posts", record["id"], at=then.replace("T", " ")).record["title"] == "one"
    assert refused(call(session), "posts", record["id"], at=early).status == 404
    assert "at" in refused(call(session), "posts", record["id"], at="yesterday").data


def test_a_deleted_record_comes_back_under_its_id_with_its_date_of_creation(session: Session) -> None:
    dates = [{"name": n, "type": "autodate", f"on{w}": True} for n, w in (("made", "Create"),)]
    posts = collection(session, "posts", text("title"), *dates)
    record = create(session, posts, title="one")
    change(session, posts, record["id"], title="two")
    delete_record(call(session), posts, record["id"])
    time.sleep(0.005)
    back = restore(call(session), "posts", record["id"])
    assert back.record == {**record, "title": "two"} == find(call(session), posts, record["id"])
    delete_record(call(session), posts, record["id"])
    first, *_, last = seqs(session, "posts", record["id"])
    assert restore(call(session), "posts", record["id"], seq=first).record["title"] == "one"
    delete_record(call(session), posts, record["id"])
    assert restore(call(session), "posts", record["id"], seq=last).record["title"] == "two"


def test_it_is_announced_like_any_write(project: ProjectHandle) -> None:
    heard: list[events.ChangeEvent] = []
    events.listen(heard.append)
    try:
        with write_session(project) as session:
            posts = collection(session, "posts", text("title"))
            record = create(session, posts, title="one")
            change(session, posts, record["id"], title="two")
            restore(call(session), "posts", record["id"], seq=seqs(session, "posts", record["id"])[0])
            delete_record(call(session), posts, record["id"])
            restore(call(session), "posts", record["id"])
    finally:
        events.unlisten(heard.append)
        close_thread()
    assert [event.action for event in heard] == ["create", "update", "update", "delete", "create"]
    assert [event.after and event.after["title"] for event in heard] == ["one", "two", "one", None, "one"]


def test_what_is_asked_for_must_be_one_state(session: Session) -> None:
    posts = collection(session, "posts", text("title"))
    record = create(session, posts, title="one")
    other = create(session, posts, title="other")
    for point in (
        {"seq": 1, "at": now_text()},
        {"seq": "1"},
        {"seq": True},
        {"before": -1},
        {"seq": 2**63},
        {},
    ):
        assert refused(call(session), "posts", record["id"], **point).status == 400
    foreign = seqs(session, "posts", other["id"])[0]
    assert refused(call(session), "posts", record["id"], seq=foreign).status == 404
    assert refused(call(session), "posts", record["id"], seq=foreign + 100).status == 404
    assert refused(call(session), "posts", "neverwas0000001").status == 404
    # Before its creation there was none.
    assert refused(call(session), "posts", other["id"], before=foreign).status == 404


def test_only_superusers_restore_where_no_rule_says_otherwise(session: Session) -> None:
    posts = collection(session, "posts", text("title"))
    record = create(session, posts, title="one")
    seq = seqs(session, "posts", record["id"])[0]
    assert refused(call(session, ALICE), "posts", record["id"], seq=seq).status == 403


def test_who_may_not_see_a_state_does_not_bring_it_back(session: Session) -> None:
    notes = collection(session, "notes", text("owner"), text("body"), historyRule=MINE)
    record = create(session, notes, owner=ALICE.id, body="alice's secret")
    change(session, notes, record["id"], owner=BOB.id, body="bob's")
    first, second = seqs(session, "notes", record["id"])
    never = refused(call(session, BOB), "notes", "neverwas0000001", seq=first)
    for point in ({"seq": first}, {"before": second}):
        error = refused(call(session, BOB), "notes", record["id"], **point)
        assert (error.status, error.message, error.data) == (404, never.message, never.data)
    # Nor is it told to a stranger that there is a record to say more of.
    assert refused(guest(session), "notes", record["id"]).status == 404
    assert restore(call(session, BOB), "notes", record["id"], seq=second).record["body"] == "bob's"


def test_the_rules_of_updates_and_creations_are_asked_too(session: Session) -> None:
    rules = {"historyRule": "", "updateRule": MINE, "createRule": MINE}
    notes = collection(session, "notes", text("owner"), text("body"), **rules)
    record = create(session, notes, owner=ALICE.id, body="one")
    change(session, notes, record["id"], body="two")
    first = seqs(session, "notes", record["id"])[0]
    assert refused(call(session, BOB), "notes", record["id"], seq=first).status == 404
    assert restore(call(session, ALICE), "notes", record["id"], seq=first).record["body"] == "one"
    delete_record(call(session), notes, record["id"])
    assert refused(call(session, BOB), "notes", record["id"]).status == 400
    assert find(call(session), notes, record["id"]) is None
    assert restore(call(session, ALICE), "notes", record["id"]).record["body"] == "one"
    alter(session, "notes", updateRule=None, createRule=None)
    assert refused(call(session, ALICE), "notes", record["id"], seq=first).status == 403


def test_a_rule_sees_in_the_body_only_what_differs(session: Session) -> None:
    rules = {"historyRule": "", "updateRule": "@request.body.owner:isset = false"}
    notes = collection(session, "notes", text("owner"), text("body"), **rules)
    record = create(session, notes, owner=ALICE.id, body="one")
    change(session, notes, record["id"], body="two")
    assert restore(guest(session), "notes", record["id"], seq=seqs(session, "notes", record["id"])[0])
    change(session, notes, record["id"], owner=BOB.id)
    assert (
        refused(guest(session), "notes", record["id"], seq=seqs(session, "notes", record["id"])[0]).status
        == 404
    )


def test_fields_that_the_caller_does_not_see_or_may_not_set_stay_as_they_are(session: Session) -> None:
    notes = collection(
        session,
        "notes",
        text("body"),
        text("secret", hidden=True),
        text("diary", readRule="@request.auth.id = 'nobody'"),
        text("stamp", writeRule="@request.auth.id = 'nobody'"),
        historyRule="",
    )
    record = create(session, notes, body="b1", secret="s1", diary="d1", stamp="m1")
    change(session, notes, record["id"], body="b2", secret="s2", diary="d2", stamp="m2")
    first = seqs(session, "notes", record["id"])[0]
    back = restore(guest(session), "notes", record["id"], seq=first)
    assert [back.record[name] for name in ("body", "secret", "diary", "stamp")] == ["b1", "s2", "d2", "m2"]
    assert {name: error.code for name, error in back.skipped.items()} == {
        "stamp": "validation_forbidden_field"
    }
    whole = restore(call(session), "notes", record["id"], seq=first)
    assert [whole.record[name] for name in ("secret", "diary", "stamp")] == ["s1", "d1", "m1"]


def test_what_a_field_does_not_take_any_more_is_left_out_and_named(session: Session) -> None:
    posts = collection(session, "posts", text("title"), text("slug"))
    record = create(session, posts, title="a long title", slug="s1")
    change(session, posts, record["id"], title="t", slug="s2")
    strict = [{**f, "max": 5} if f["name"] == "title" else f for f in collection_to_json(posts)["fields"]]
    alter(session, "posts", fields=strict)
    back = restore(call(session), "posts", record["id"], seq=seqs(session, "posts", record["id"])[0])
    assert (back.record["title"], back.record["slug"]) == ("t", "s1")
    assert back.skipped["title"].code == "validation_max_text_constraint"


def test_a_value_that_another_record_has_by_now_is_left_out_and_named(session: Session) -> None:
    index = "CREATE UNIQUE INDEX `idx_slug` ON `posts` (`slug`)"
    posts = collection(session, "posts", text("title"), text("slug"), indexes=[index])
    record = create(session, posts, title="one", slug="free")
    change(session, posts, record["id"], title="two", slug="other")
    create(session, posts, slug="free")
    first = seqs(session, "posts", record["id"])[0]
    back = restore(call(session), "posts", record["id"], seq=first)
    assert (back.record["title"], back.record["slug"]) == ("one", "other")
    assert back.skipped["slug"].code == "validation_not_unique"
    logged = len(changes(session))
    # What nothing is left of is not written at all.
    assert restore(call(session), "posts", record["id"], seq=first).record["slug"] == "other"
    assert len(changes(session)) == logged


def test_relations_to_records_that_are_gone_are_left_out_and_named(session: Session) -> None:
    tags = collection(session, "tags", text("name"))
    posts = collection(session, "posts", relation("tags", tags, maxSelect=5), relation("main", tags))
    one, two = create(session, tags, name="1"), create(session, tags, name="2")
    record = create(session, posts, tags=[two["id"], one["id"]], main=one["id"])
    delete_record(call(session), tags, one["id"])
    delete_record(call(session), posts, record["id"])
    first = seqs(session, "posts", record["id"])[0]
    back = restore(call(session), "posts", record["id"], seq=first)
    assert (back.record["tags"], back.record["main"]) == ([two["id"]], "")
    assert {name: error.params for name, error in back.skipped.items()} == {
        name: {"ids": [one["id"]]} for name in ("tags", "main")
    }
    restore(call(session), "tags", one["id"])
    back = restore(call(session), "posts", record["id"], seq=first)
    assert (back.record["tags"], back.record["main"], back.skipped) == ([two["id"], one["id"]], one["id"], {})


def test_a_record_whose_required_relation_is_gone_does_not_come_back_by_half(session: Session) -> None:
    tags = collection(session, "tags", text("name"))
    posts = collection(session, "posts", relation("tag", tags, required=True, cascadeDelete=True))
    tag = create(session, tags)
    post = create(session, posts, tag=tag["id"])
    delete_record(call(session), tags, tag["id"])
    error = refused(call(session), "posts", post["id"])
    assert (error.status, error.data["tag"].code) == (400, "validation_required")  # type: ignore[union-attr]
    assert find(call(session), posts, post["id"]) is None


def test_a_state_of_another_schema_is_restored_by_the_fields_that_are_left(session: Session) -> None:
    posts = collection(session, "posts", text("title"), text("body"), text("gone"))
    record = create(session, posts, title="t1", body="b1", gone="g1")
    change(session, posts, record["id"], title="t2", body="b2", gone="g2")
    fields = [
        {**f, "name": "headline"} if f["name"] == "title" else f
        for f in collection_to_json(posts)["fields"]
        if f["name"] != "gone"
    ]
    posts = alter(session, "posts", fields=[*fields, text("fresh")])
    change(session, posts, record["id"], fresh="f")
    back = restore(call(session), "posts", record["id"], seq=seqs(session, "posts", record["id"])[0])
    assert (back.record["headline"], back.record["body"], back.record["fresh"]) == ("t1", "b1", "")


def test_nobodys_password_or_token_key_is_ever_brought_back(session: Session) -> None:
    record = sign_up(session, "alice@example.com", name="A")
    users = call(session).collection("users")
    old_token = str(enter(session)["token"])
    changed = change_user(
        call(session),
        "users",
        record["id"],
        {"password": "another pass 2", "passwordConfirm": "another pass 2"},
    )
    change(session, users, record["id"], name="B")
    back = restore(call(session), "users", record["id"], seq=seqs(session, "users", record["id"])[0])
    assert back.record["name"] == "A"
    assert (back.record["password"], back.record["tokenKey"]) == (changed["password"], changed["tokenKey"])
    assert who(session, old_token).kind == "guest"
    assert "token" not in enter(session) and "token" in enter(session, password="another pass 2")


def test_a_deleted_user_comes_back_and_signs_in_once_the_password_is_set_anew(session: Session) -> None:
    record = sign_up(session, "alice@example.com", name="A", verified=True)
    users = call(session).collection("users")
    token = str(enter(session)["token"])
    delete_record(call(session), users, record["id"])
    back = restore(call(session), "users", record["id"])
    assert (back.record["email"], back.record["name"], back.record["verified"]) == (
        "alice@example.com",
        "A",
        True,
    )
    assert back.record["tokenKey"] != record["tokenKey"]
    assert who(session, token).kind == "guest"
    for password in (PASSWORD, "", "!restored"):
        assert "token" not in enter(session, password=password)
    change_user(call(session), "users", record["id"], {"password": PASSWORD, "passwordConfirm": PASSWORD})
    assert "token" in enter(session)


def test_an_address_is_verified_only_if_it_was_that_address(session: Session) -> None:
    record = sign_up(session, "alice@example.com", verified=True)
    users = call(session).collection("users")
    change(session, users, record["id"], email="typo@example.com", verified=False)
    sign_up(session, "other@example.com")
    first = seqs(session, "users", record["id"])[0]
    taken = sign_up(session, "bob@example.com")
    change(session, users, taken["id"], email="alice@example.com")
    back = restore(call(session), "users", record["id"], seq=first)
    assert (back.record["email"], back.record["verified"]) == ("typo@example.com", False)
    assert set(back.skipped) == {"email", "verified"}
    change(session, users, taken["id"], email="bob@example.com")
    back = restore(call(session), "users", record["id"], seq=first)
    assert (back.record["email"], back.record["verified"]) == ("alice@example.com", True)
    # A new address ends every session, also when it is an old one.
    assert (
        back.record["tokenKey"] != find(call(session), users, taken["id"])["tokenKey"] != record["tokenKey"]
    )  # type: ignore[index]


def test_a_manager_of_today_who_was_none_then_verifies_nobodys_other_address(session: Session) -> None:
    rules = {
        "historyRule": "",
        "updateRule": "name = @request.auth.name",
        "manageRule": "name = @request.auth.name",
    }
    alter(session, "users", **rules)
    record = sign_up(session, "alice@example.com", verified=True, name="somebody's")
    users = call(session).collection("users")
    change(session, users, record["id"], email="typo@example.com", verified=False, name="mine")
    manager = type(ALICE)("user", users.id, users.name, {**(ALICE.record or {}), "name": "mine"})
    first = seqs(session, "users", record["id"])[0]
    # That state shows its address to its owner alone, so it is not brought back, nor what was said of it.
    back = restore(call(session, manager), "users", record["id"], seq=first)
    assert (back.record["email"], back.record["verified"]) == ("typo@example.com", False)
    assert back.skipped["verified"].code == "validation_other_email"
    assert back.record["name"] == "somebody's"


def test_a_password_of_any_collection_stays_as_it_is(session: Session) -> None:
    doors = collection(session, "doors", text("name"), {"name": "pin", "type": "password"})
    record = create_user(call(session), "doors", {"name": "one", "pin": "1234"})
    changed = change_user(call(session), "doors", record["id"], {"name": "two", "pin": "5678"})
    back = restore(call(session), "doors", record["id"], seq=seqs(session, "doors", record["id"])[0])
    assert (back.record["name"], back.record["pin"]) == ("one", changed["pin"])
    assert changed["pin"] != record["pin"]
    delete_record(call(session), doors, record["id"])
    assert restore(call(session), "doors", record["id"]).record["pin"] == ""


def test_users_do_not_restore_what_only_a_manager_sets(session: Session) -> None:
    alter(session, "users", historyRule="id = @request.auth.id", updateRule="id = @request.auth.id")
    record = sign_up(session, "alice@example.com", verified=True)
    users = call(session).collection("users")
    change(session, users, record["id"], email="new@example.com", verified=False, name="N")
    me = type(ALICE)("user", users.id, users.name, find(call(session), users, record["id"]))
    first = seqs(session, "users", record["id"])[0]
    back = restore(call(session, me), "users", record["id"], seq=first)
    assert (back.record["email"], back.record["verified"], back.record["name"]) == (
        "new@example.com",
        False,
        "",
    )
    assert set(back.skipped) == {"email", "verified"}


def test_a_stale_if_match_is_refused(session: Session) -> None:
    posts = collection(session, "posts", text("title"))
    record = create(session, posts, title="one")
    change(session, posts, record["id"], title="two")
    first = seqs(session, "posts", record["id"])[0]
    with pytest.raises(ApiError) as error:
        restore(call(session), "posts", record["id"], '"stale"', seq=first)
    assert error.value.status == 412
    delete_record(call(session), posts, record["id"])
    with pytest.raises(ApiError) as error:
        restore(call(session), "posts", record["id"], '"any"')
    assert error.value.status == 412


def test_what_the_log_does_not_reach_back_to_is_gone(session: Session) -> None:
    posts = collection(session, "posts", text("title"))
    record = create(session, posts, title="one")
    first = seqs(session, "posts", record["id"])[0]
    change(session, posts, record["id"], title="two")
    session.execute(session.sql("DELETE FROM _changes WHERE seq <= ?"), (first,))
    moment = now_text()
    _keep_start(session, LogStart(first, moment))
    for point in ({"seq": first}, {"before": first}, {"at": "2020-01-01"}):
        error = refused(call(session), "posts", record["id"], **point)
        assert error.status == 410
        assert error.data["from"].params == {"from": moment}  # type: ignore[union-attr]
    # What was before the first change that is left is known all the same.
    assert restore(call(session), "posts", record["id"], before=first + 1).record["title"] == "one"


def test_a_restoration_waits_for_who_writes_the_record_and_loses_nothing_of_theirs(
    project: ProjectHandle,
) -> None:
    with write_session(project) as session:
        posts = collection(session, "posts", text("title"), number("n"))
        record = create(session, posts, title="one", n=0)
        change(session, posts, record["id"], title="two")
        first = seqs(session, "posts", record["id"])[0]
    started, written = threading.Event(), []

    def writer() -> None:
        started.set()
        try:
            for _ in range(30):
                with write_session(project) as own:
                    written.append(update_record(call(own), posts, record["id"], {"n+": 1}))
        finally:
            close_thread()

    thread = threading.Thread(target=writer)
    thread.start()
    started.wait()
    for _ in range(10):
        with write_session(project) as session:
            restore(call(session), "posts", record["id"], seq=first)
    thread.join()
    assert len(written) == 30
    with write_session(project) as session:
        # Each image is what the change before it made: nothing was written over unseen.
        images = [
            orjson.loads(before)
            for (before,) in session.rows(
                session.sql(
                    "SELECT before FROM _changes WHERE record = ? AND before IS NOT NULL ORDER BY seq"
                ),
                (record["id"],),
            )
        ]
        now = find(call(session), posts, record["id"])
    steps = [image["n"] for image in images] + [now["n"] if now else None]
    assert all(later in (earlier, earlier + 1, 0) for earlier, later in pairwise(steps))
    close_thread()
