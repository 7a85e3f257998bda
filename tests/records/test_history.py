"""Histories: what became of a record, shown to whom each state allows it."""

from __future__ import annotations

from typing import Any

import pytest

from projects.databases import Session
from projects.errors import ApiError
from projects.records.create import create_record
from projects.records.delete import delete_record
from projects.records.history import record_history
from projects.records.update import update_record
from projects.rules import validate_rule
from projects.schema import collection_to_json, create_collection, delete_collection, update_collection
from projects.schema.collection import CollectionSchema
from tests.records.support import call, collection, create, guest, number, relation, text, user

ALICE, BOB = user("useralice000001"), user("userbob00000001")
MINE = "owner = @request.auth.id"


def history(asked: Any, name: str, record_id: str, **params: str) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = record_history(asked, name, record_id, params)["items"]
    return items


def change(session: Session, into: CollectionSchema, record_id: str, **body: Any) -> dict[str, Any]:
    asked = call(session)
    return update_record(asked, asked.collection(into.id), record_id, body)


def alter(session: Session, name: str, **changes: Any) -> CollectionSchema:
    return update_collection(session, name, changes, validate_rule=validate_rule, confirm=True)


def fields_of(made: CollectionSchema, *more: dict[str, Any], without: str = "") -> list[dict[str, Any]]:
    return [f for f in collection_to_json(made)["fields"] if f["name"] != without] + list(more)


def test_each_change_is_told_newest_first_with_what_it_made_and_what_was_before(session: Session) -> None:
    posts = collection(session, "posts", text("title"), number("likes"))
    record = create(session, posts, title="one")
    change(session, posts, record["id"], title="two", likes=2)
    delete_record(call(session), posts, record["id"])
    gone, changed, made = history(call(session), "posts", record["id"])
    assert (gone["action"], changed["action"], made["action"]) == ("delete", "update", "create")
    assert gone["seq"] > changed["seq"] > made["seq"]
    assert gone["at"] >= changed["at"] >= made["at"]
    assert made["record"] == {**record, "collectionId": posts.id, "collectionName": "posts"}
    assert (made["changed"], made["before"]) == ([], None)
    assert (changed["record"]["title"], changed["record"]["likes"]) == ("two", 2)
    assert (changed["changed"], changed["before"]) == (["title", "likes"], {"title": "one", "likes": 0})
    assert gone["record"] == changed["record"]


def test_the_last_state_is_the_record_itself_and_those_made_anew_begin_anew(session: Session) -> None:
    posts = collection(session, "posts", text("title"))
    record = create(session, posts, title="one")
    delete_record(call(session), posts, record["id"])
    create(session, posts, id=record["id"], title="other")
    again, gone, made = history(call(session), "posts", record["id"])
    assert [item["record"]["title"] for item in (again, gone, made)] == ["other", "one", "one"]


def test_who_made_a_change_is_told_and_which_superuser_only_to_superusers(session: Session) -> None:
    posts = collection(session, "posts", text("title"), historyRule="")
    record = create_record(guest(session), posts, {"title": "nobody"})
    update_record(call(session, ALICE), posts, record["id"], {"title": "alice"})
    update_record(call(session), posts, record["id"], {"title": "service"})
    members = call(session).collection("_superusers")
    person = type(ALICE)("superuser", members.id, members.name, {"id": "person000000001"})
    update_record(call(session, person), posts, record["id"], {"title": "person"})
    told = [item["actor"] for item in history(call(session), "posts", record["id"])]
    assert told == [
        {"kind": "superuser", "id": "person000000001"},
        {"kind": "superuser", "id": ""},
        {"kind": "user", "id": ALICE.id, "collectionId": "_pb_users_auth_", "collectionName": "users"},
        None,
    ]
    assert history(guest(session), "posts", record["id"])[0]["actor"] == {"kind": "superuser", "id": ""}


def test_only_superusers_see_histories_where_no_rule_says_otherwise(session: Session) -> None:
    posts = collection(session, "posts", text("title"))
    record = create(session, posts, title="one")
    for asked in (guest(session), call(session, ALICE)):
        with pytest.raises(ApiError) as refused:
            history(asked, "posts", record["id"])
        assert refused.value.status == 403


def test_the_rule_is_asked_of_each_state_and_not_of_the_record_as_it_is(session: Session) -> None:
    notes = collection(session, "notes", text("owner"), text("body"), historyRule=MINE)
    record = create(session, notes, owner=ALICE.id, body="alice's secret")
    change(session, notes, record["id"], owner=BOB.id, body="bob's secret")
    change(session, notes, record["id"], body="bob's other")
    assert [i["record"]["body"] for i in history(call(session, ALICE), "notes", record["id"])] == [
        "alice's secret"
    ]
    bobs = history(call(session, BOB), "notes", record["id"])
    assert [item["record"]["body"] for item in bobs] == ["bob's other", "bob's secret"]
    # The change that brought it to Bob says nothing of what it was before.
    assert (bobs[1]["changed"], bobs[1]["before"]) == ([], None)
    assert (bobs[0]["changed"], bobs[0]["before"]) == (["body"], {"body": "bob's secret"})


def test_what_may_not_be_seen_looks_like_what_never_was(session: Session) -> None:
    notes = collection(session, "notes", text("owner"), historyRule=MINE)
    record = create(session, notes, owner=BOB.id)
    hidden = record_history(call(session, ALICE), "notes", record["id"], {})
    nothing = record_history(call(session, ALICE), "notes", "neverwas0000001", {})
    assert hidden == nothing == {"items": [], "perPage": 30, "nextCursor": None}
    # Nor does a cursor of one's own making tell one from the other.
    seq = history(call(session), "notes", record["id"])[0]["seq"]
    for cursor in (seq, seq + 1, seq + 1000):
        assert record_history(call(session, ALICE), "notes", record["id"], {"cursor": str(cursor)}) == nothing


def test_fields_are_shown_as_a_read_of_that_state_would_have_shown_them(session: Session) -> None:
    notes = collection(
        session,
        "notes",
        text("owner"),
        text("secret", hidden=True),
        text("diary", readRule=MINE),
        historyRule="",
    )
    record = create(session, notes, owner=ALICE.id, secret="s1", diary="alice's")
    change(session, notes, record["id"], owner=BOB.id, secret="s2", diary="bob's")
    bobs, alices = history(call(session, ALICE), "notes", record["id"])
    assert "secret" not in bobs["record"] and "secret" not in alices["record"]
    assert "diary" not in bobs["record"]
    assert alices["record"]["diary"] == "alice's"
    assert "secret" not in bobs["changed"]
    assert bobs["before"]["diary"] == "alice's"
    assert "diary" not in history(guest(session), "notes", record["id"])[0]["before"]
    assert history(call(session), "notes", record["id"])[0]["before"]["secret"] == "s1"


def test_a_fields_rule_that_only_the_database_decides_is_asked_of_the_state_too(session: Session) -> None:
    teams = collection(session, "teams", text("lead"))
    notes = collection(
        session,
        "notes",
        relation("team", teams),
        text("diary", readRule="team.lead = @request.auth.id"),
        historyRule="",
    )
    alices, bobs = create(session, teams, lead=ALICE.id), create(session, teams, lead=BOB.id)
    record = create(session, notes, team=alices["id"], diary="alice's")
    change(session, notes, record["id"], team=bobs["id"], diary="bob's")
    told = history(call(session, ALICE), "notes", record["id"])
    assert [item["record"].get("diary") for item in told] == [None, "alice's"]
    told = history(call(session, BOB), "notes", record["id"])
    assert [item["record"].get("diary") for item in told] == ["bob's", None]
    assert "diary" not in told[0]["before"]


def test_passwords_token_keys_and_hidden_e_mails_are_never_shown(session: Session) -> None:
    alter(session, "users", historyRule="", updateRule="")
    asked = call(session)
    users = asked.collection("users")
    from projects.records.auth_fields import HashedPasswords, PasswordWork
    from projects.schema.fields.password import PasswordHash

    hashed = HashedPasswords(PasswordWork({"password": "secret-pass"}), {"password": PasswordHash("hash!")})
    body = {"email": "a@example.com", "password": "secret-pass", "passwordConfirm": "secret-pass"}
    record = create_record(asked, users, body, hashed)
    change(session, users, record["id"], email="b@example.com", emailVisibility=True)
    change(session, users, record["id"], name="A", emailVisibility=False)
    for who in (guest(session), call(session)):
        told = history(who, "users", record["id"])
        assert len(told) == 3
        text_of_it = str(told)
        assert "hash!" not in text_of_it and record["tokenKey"] not in text_of_it
        assert all("tokenKey" not in item["record"] for item in told)
    hidden, shown, first = history(guest(session), "users", record["id"])
    assert "email" not in hidden["record"] and "email" not in first["record"]
    assert shown["record"]["email"] == "b@example.com"
    assert "a@example.com" not in str((hidden, shown, first))


def test_pages_follow_each_other_and_keep_the_state_between_them(session: Session) -> None:
    posts = collection(session, "posts", number("n"))
    record = create(session, posts, n=0)
    for n in range(1, 7):
        change(session, posts, record["id"], n=n)
    seen: list[int] = []
    cursor: str | None = ""
    while cursor is not None:
        answer = record_history(call(session), "posts", record["id"], {"perPage": "3", "cursor": cursor})
        assert len(answer["items"]) <= 3
        seen += [item["record"]["n"] for item in answer["items"]]
        cursor = answer["nextCursor"]
    assert seen == [6, 5, 4, 3, 2, 1, 0]
    with pytest.raises(ApiError) as refused:
        record_history(call(session), "posts", record["id"], {"cursor": "1 OR 1=1"})
    assert "cursor" in refused.value.data


def test_what_a_rule_hides_makes_no_page_shorter_and_is_not_looked_for_without_end(
    session: Session, settings: Any
) -> None:
    notes = collection(session, "notes", text("owner"), number("n"), historyRule=MINE)
    record = create(session, notes, owner=ALICE.id, n=0)
    for n in range(1, 9):
        change(session, notes, record["id"], owner=BOB.id if n % 2 else ALICE.id, n=n)
    answer = record_history(call(session, ALICE), "notes", record["id"], {"perPage": "2"})
    assert [item["record"]["n"] for item in answer["items"]] == [8, 6]
    answer = record_history(
        call(session, ALICE), "notes", record["id"], {"perPage": "2", "cursor": answer["nextCursor"]}
    )
    assert [item["record"]["n"] for item in answer["items"]] == [4, 2]
    settings.MBAAS_HISTORY_SCAN = 3
    few = record_history(call(session, ALICE), "notes", record["id"], {})
    assert [item["record"]["n"] for item in few["items"]] == [8, 6]


def test_a_page_is_never_longer_than_the_setting(session: Session, settings: Any) -> None:
    settings.MBAAS_HISTORY_PAGE = 2
    posts = collection(session, "posts", number("n"))
    record = create(session, posts, n=0)
    for n in range(3):
        change(session, posts, record["id"], n=n)
    answer = record_history(call(session), "posts", record["id"], {"perPage": "500"})
    assert (len(answer["items"]), answer["perPage"]) == (2, 2)


def test_a_renamed_field_keeps_its_history_under_its_new_name(session: Session) -> None:
    posts = collection(session, "posts", text("title"), text("body"))
    record = create(session, posts, title="t1", body="b1")
    change(session, posts, record["id"], title="t2")
    fields = [
        {**f, "name": {"title": "body", "body": "title"}.get(f["name"], f["name"])} for f in fields_of(posts)
    ]
    # Two at once would swap: one step in between, as a person would do it.
    middle = [{**f, "name": "x" if f["name"] == "title" else f["name"]} for f in fields_of(posts)]
    alter(session, "posts", fields=middle)
    alter(session, "posts", fields=fields)
    change(session, posts, record["id"], body="t3")
    told = history(call(session), "posts", record["id"])
    assert [(i["record"]["body"], i["record"]["title"]) for i in told] == [
        ("t3", "b1"),
        ("t2", "b1"),
        ("t1", "b1"),
    ]


def test_a_deleted_field_is_named_to_superusers_and_one_of_its_name_has_nothing_of_it(
    session: Session,
) -> None:
    posts = collection(session, "posts", text("title"), text("body", hidden=True), historyRule="")
    record = create(session, posts, title="t", body="hidden away")
    change(session, posts, record["id"], title="u")
    posts = alter(session, "posts", fields=fields_of(posts, without="body"))
    told = history(call(session), "posts", record["id"])
    assert told[1]["removedFields"] == ["body"] and "body" not in told[1]["record"]
    assert "removedFields" not in history(guest(session), "posts", record["id"])[1]
    alter(session, "posts", fields=fields_of(posts, {"id": "another1", **number("body")}))
    told = history(guest(session), "posts", record["id"])
    assert [item["record"]["body"] for item in told] == [0, 0]
    assert "hidden away" not in str(history(call(session), "posts", record["id"]))


def test_a_field_that_holds_several_values_now_shows_its_single_one_in_a_list(session: Session) -> None:
    choice = {"name": "tags", "type": "select", "values": ["a", "b"], "maxSelect": 1}
    posts = collection(session, "posts", choice, text("title"))
    record = create(session, posts, tags="a")
    change(session, posts, record["id"], tags="b")
    several = [{**f, "maxSelect": 2} if f["name"] == "tags" else f for f in fields_of(posts)]
    alter(session, "posts", fields=several)
    assert [i["record"]["tags"] for i in history(call(session), "posts", record["id"])] == [["b"], ["a"]]


def test_a_collection_made_anew_has_nothing_of_the_deleted_one(session: Session) -> None:
    posts = collection(session, "posts", text("title"))
    record = create(session, posts, title="of the old one")
    change(session, posts, record["id"], title="changed in the old one")
    delete_collection(session, "posts", confirm=True)
    again = collection(session, "posts", text("title"), historyRule="")
    assert again.id == posts.id
    assert history(call(session), "posts", record["id"]) == []
    create(session, again, id=record["id"], title="of the new one")
    assert [i["record"]["title"] for i in history(guest(session), "posts", record["id"])] == [
        "of the new one"
    ]


def test_views_have_no_history_and_no_rule_for_it(session: Session) -> None:
    collection(session, "posts", text("title"))
    query = {"name": "titles", "type": "view", "viewQuery": "SELECT id, title FROM posts"}
    create_collection(session, query, validate_rule=validate_rule)
    with pytest.raises(ApiError) as refused:
        history(call(session), "titles", "whatever0000001")
    assert refused.value.status == 400
    with pytest.raises(ApiError) as refused:
        alter(session, "titles", historyRule="")
    assert refused.value.data["historyRule"].code == "validation_nil"  # type: ignore[union-attr]


def test_the_rule_is_checked_kept_and_shown_where_it_is_set(session: Session) -> None:
    posts = collection(session, "posts", text("title"))
    assert "historyRule" not in collection_to_json(posts)
    with pytest.raises(ApiError) as refused:
        alter(session, "posts", historyRule="nothing = 1")
    assert refused.value.data["historyRule"].code == "validation_invalid_rule"  # type: ignore[union-attr]
    assert (
        collection_to_json(alter(session, "posts", historyRule="title = 'x'"))["historyRule"] == "title = 'x'"
    )
    kept = alter(session, "posts", listRule=None)
    assert kept.history_rule == "title = 'x'"
    assert alter(session, "posts", historyRule=None).history_rule is None
    users = alter(session, "users", historyRule="id = @request.auth.id")
    assert alter(session, "users", authRule="verified = true").history_rule == users.history_rule
    with pytest.raises(ApiError) as refused:
        alter(session, "_otps", historyRule="")
    assert refused.value.data["historyRule"].code == "validation_collection_system_rule_change"  # type: ignore[union-attr]
