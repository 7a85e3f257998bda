"""Rules of single fields: whom one shows itself to, and by whom it lets itself be set."""

from __future__ import annotations

from typing import Any

import pytest

from projects.databases import Session
from projects.errors import ApiError
from projects.records.create import create_record
from projects.records.etags import record_tag
from projects.records.list import list_records
from projects.records.matching import delete_matching
from projects.records.present import Shape, present_one
from projects.records.rows import find
from projects.records.update import update_record
from projects.records.upsert import upsert_record
from projects.records.view import view_record
from projects.rules import validate_rule
from projects.schema.operations import create_collection, update_collection
from projects.schema.serialize import collection_to_json
from tests.records.support import call, collection, create, guest, number, relation, text, user

OWN = "owner = @request.auth.id && @request.auth.id != ''"
ALICE, BOB = user(), user("userbob00000000")
FORBIDDEN = "validation_forbidden_field"


def staff(session: Session, **options: Any) -> Any:
    """People with a salary that they alone read, and a grade that nobody but a superuser sets."""
    made = collection(
        session,
        "staff",
        text("name"),
        text("owner"),
        number("salary", readRule=OWN, **options),
        number("grade", writeRule="@request.auth.id = 'nobody'"),
    )
    create(session, made, id="record000000001", name="Alice", owner=ALICE.id, salary=100, grade=3)
    create(session, made, id="record000000002", name="Bob", owner=BOB.id, salary=200, grade=4)
    return made


def salaries(items: list[dict[str, Any]]) -> list[Any]:
    return [item.get("salary", "absent") for item in items]


def test_a_field_shows_itself_record_by_record(session: Session) -> None:
    made = staff(session)
    for caller, expected in (
        (guest(session), ["absent", "absent"]),
        (call(session, ALICE), [100, "absent"]),
        (call(session, BOB), ["absent", 200]),
        (call(session), [100, 200]),
    ):
        assert salaries(list_records(caller, "staff", {})["items"]) == expected
        ids = ("record000000001", "record000000002")
        assert salaries([view_record(caller, "staff", one, {}) for one in ids]) == expected
        assert (
            salaries([view_record(caller, "staff", one, {"fields": "*,salary"}) for one in ids]) == expected
        )
    record = find(call(session), made, "record000000001")
    assert record is not None
    assert record_tag(call(session, ALICE), made, record) != record_tag(guest(session), made, record)
    assert record_tag(call(session, BOB), made, record) == record_tag(guest(session), made, record)


def test_a_rule_that_reads_other_records_is_asked_once_for_a_page(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    teams = collection(session, "teams", text("lead"))
    members = collection(
        session, "members", relation("team", teams), text("note", readRule="team.lead = @request.auth.id")
    )
    mine = create(session, teams, lead=ALICE.id)
    other = create(session, teams, lead=BOB.id)
    for n in range(10):
        create(session, members, note=str(n), team=(mine if n % 2 else other)["id"])
    asking = call(session, ALICE)
    items = list_records(asking, "members", {})["items"]
    assert [item.get("note") for item in items] == [str(n) if n % 2 else None for n in range(10)]
    assert "note" in view_record(asking, "members", items[1]["id"], {})
    assert "note" not in view_record(asking, "members", items[0]["id"], {})

    statements: list[str] = []
    for name in ("rows", "row"):
        real = getattr(Session, name)

        def counted(self: Session, sql: str, *args: Any, real: Any = real) -> Any:
            statements.append(sql)
            return real(self, sql, *args)

        monkeypatch.setattr(Session, name, counted)
    list_records(asking, "members", {"skipTotal": "1"})
    assert len(statements) == 2


def test_a_relation_that_does_not_show_itself_is_not_expanded(session: Session) -> None:
    secrets = collection(session, "secrets", text("word", readRule="@request.auth.id != ''"))
    files = collection(session, "files", text("owner"), relation("secret", secrets, readRule=OWN))
    secret = create(session, secrets, word="x")
    record = create(session, files, owner=ALICE.id, secret=secret["id"])
    expanding = {"expand": "secret"}
    assert view_record(guest(session), "files", record["id"], expanding)["expand"] == {}
    shown = view_record(call(session, ALICE), "files", record["id"], expanding)
    assert shown["expand"]["secret"]["word"] == "x"
    opened = collection(session, "opened", relation("secret", secrets))
    record = create(session, opened, secret=secret["id"])
    assert "word" not in view_record(guest(session), "opened", record["id"], expanding)["expand"]["secret"]


def test_an_answer_to_a_write_holds_what_its_caller_reads(session: Session) -> None:
    made = staff(session)
    record = create_record(call(session, ALICE), made, {"owner": ALICE.id, "salary": 5})

    assert present_one(call(session, ALICE), made, record, Shape())["salary"] == 5
    assert "salary" not in present_one(call(session, BOB), made, record, Shape())


def test_a_filter_finds_by_a_field_the_records_that_show_it(session: Session) -> None:
    made = staff(session)
    callers = [call(session, ALICE), call(session, BOB), call(session)]
    for text_, found in (
        ("salary > 0", (["Alice"], ["Bob"], ["Alice", "Bob"])),
        ("salary != 100", ([], ["Bob"], ["Bob"])),
        ("salary > 150 || name = 'Alice'", (["Alice"], ["Alice", "Bob"], ["Alice", "Bob"])),
    ):
        for caller, names in zip(callers, found, strict=True):
            page = list_records(caller, "staff", {"filter": text_})
            assert [item["name"] for item in page["items"]] == names, text_
            # A full page, so that the total is counted.
            total = list_records(caller, "staff", {"filter": text_, "perPage": "1"})["totalItems"]
            assert total == len(names)
    assert list_records(guest(session), "staff", {"filter": "salary != 0"})["items"] == []
    update_record(call(session), made, "record000000002", {"owner": ALICE.id})
    assert list_records(callers[0], "staff", {"filter": "salary > 0", "perPage": "1"})["totalItems"] == 2


def test_a_total_follows_the_records_that_a_fields_rule_reads(session: Session) -> None:
    teams = collection(session, "teams", text("lead"))
    made = collection(
        session, "notes", relation("team", teams), text("word", readRule="team.lead = @request.auth.id")
    )
    team = create(session, teams, lead=ALICE.id)
    for _ in range(3):
        create(session, made, team=team["id"], word="x")
    asked = {"filter": "word = 'x'", "perPage": "1"}
    assert list_records(call(session, ALICE), "notes", asked)["totalItems"] == 3
    update_record(call(session), teams, team["id"], {"lead": BOB.id})
    assert list_records(call(session, ALICE), "notes", asked)["totalItems"] == 0
    assert list_records(call(session, BOB), "notes", asked)["totalItems"] == 3


def test_pages_by_key_go_through_all_records_sorted_by_what_their_reader_may_read(session: Session) -> None:
    made = staff(session)
    for n in range(5):
        create(session, made, name=f"n{n}", owner=ALICE.id if n % 2 else BOB.id, salary=10 * n)
    for caller in (call(session, ALICE), call(session, BOB), guest(session), call(session)):
        whole = [item["id"] for item in list_records(caller, "staff", {"sort": "-salary"})["items"]]
        found: list[str] = []
        cursor: str | None = ""
        while cursor is not None:
            page = list_records(caller, "staff", {"sort": "-salary", "perPage": "2", "cursor": cursor})
            found += [item["id"] for item in page["items"]]
            cursor = page["nextCursor"]
        assert sorted(found) == sorted(whole) and len(found) == 7
        items = list_records(caller, "staff", {"sort": "-salary"})["items"]
        paid = [item["salary"] for item in items if "salary" in item]
        assert paid == sorted(paid, reverse=True)


def test_a_deletion_by_filter_reaches_no_record_by_what_its_caller_may_not_read(session: Session) -> None:
    made = staff(session)
    for caller, matched in ((guest(session), 0), (call(session, BOB), 1), (call(session), 1)):
        assert delete_matching(caller, made, "salary > 0", 10) == matched


def refused(error: pytest.ExceptionInfo[ApiError], *fields: str) -> None:
    assert error.value.status == 400
    assert {name: found.code for name, found in error.value.data.items()} == dict.fromkeys(fields, FORBIDDEN)  # type: ignore[union-attr]


def test_a_field_lets_itself_be_set_by_whom_its_rule_lets(session: Session) -> None:
    made = staff(session)
    alice = call(session, ALICE)
    for body in ({"grade": 9}, {"grade+": 1}, {"grade-": 1, "name": "x"}):
        with pytest.raises(ApiError) as error:
            update_record(alice, made, "record000000001", body)
        refused(error, "grade")
    with pytest.raises(ApiError) as error:
        upsert_record(alice, made, {"id": "record000000001", "grade": 9})
    refused(error, "grade")
    with pytest.raises(ApiError) as error:
        create_record(alice, made, {"name": "x", "grade": 1})
    refused(error, "grade")
    # What stays as it is needs no leave: clients send whole records back.
    assert update_record(alice, made, "record000000001", {"grade": 3, "name": "A."})["name"] == "A."
    assert create_record(alice, made, {"name": "x", "grade": 0})["grade"] == 0
    assert update_record(call(session), made, "record000000001", {"grade": 9})["grade"] == 9


def test_a_rule_for_setting_reads_the_record_and_the_request(session: Session) -> None:
    made = collection(
        session,
        "tasks",
        text("owner"),
        text("state", writeRule=f"{OWN} && @request.body.state != 'closed'"),
    )
    record = create(session, made, owner=ALICE.id, state="new")
    alice = call(session, ALICE)
    assert update_record(alice, made, record["id"], {"state": "open"})["state"] == "open"
    for caller, state in ((alice, "closed"), (call(session, BOB), "open now"), (guest(session), "x")):
        with pytest.raises(ApiError) as error:
            update_record(caller, made, record["id"], {"state": state})
        refused(error, "state")
    assert create_record(alice, made, {"owner": ALICE.id, "state": "new"})
    with pytest.raises(ApiError) as error:
        create_record(alice, made, {"owner": BOB.id, "state": "new"})
    refused(error, "state")


def test_a_value_that_is_kept_from_the_caller_is_not_found_out_by_setting_it(session: Session) -> None:
    made = staff(session, writeRule="@request.auth.id = 'nobody'")
    for guess in (100, 99):
        with pytest.raises(ApiError) as error:
            update_record(call(session, BOB), made, "record000000001", {"salary": guess})
        refused(error, "salary")
    assert update_record(call(session, ALICE), made, "record000000001", {"salary": 100})["salary"] == 100


@pytest.mark.parametrize("kind", ["readRule", "writeRule"])
def test_a_fields_rule_is_checked_when_the_collection_is_saved(session: Session, kind: str) -> None:
    with pytest.raises(ApiError) as error:
        collection(session, "things", text("a"), text("b", **{kind: "nope = 1"}))
    found = error.value.data["fields"]["2"][kind]  # type: ignore[index,call-overload]
    assert found.code == "validation_invalid_rule"


def test_rules_are_shown_where_they_are_set_and_the_id_has_none(session: Session) -> None:
    made = collection(
        session,
        "things",
        {"name": "id", "type": "text", "readRule": "1 = 2", "writeRule": "1 = 2"},
        text("a", readRule=" ", writeRule=None),
        text("b", readRule="a = 'x'"),
    )
    shown = {field["name"]: field for field in collection_to_json(made)["fields"]}
    assert {name: ("readRule" in field, "writeRule" in field) for name, field in shown.items()} == {
        "id": (False, False),
        "a": (False, False),
        "b": (True, False),
    }


def test_a_view_gives_away_nothing_of_a_field_that_keeps_to_itself(session: Session) -> None:
    staff(session)
    query = {"type": "view", "listRule": "", "viewRule": ""}
    create_collection(
        session,
        {"name": "pay", **query, "viewQuery": "SELECT id, owner, salary FROM staff"},
        validate_rule=validate_rule,
    )
    assert salaries(list_records(call(session, ALICE), "pay", {})["items"]) == [100, "absent"]
    assert salaries(list_records(guest(session), "pay", {})["items"]) == ["absent", "absent"]
    with pytest.raises(ApiError) as error, session.savepoint():
        create_collection(
            session,
            {"name": "bare", **query, "viewQuery": "SELECT id, salary FROM staff"},
            validate_rule=validate_rule,
        )
    assert error.value.data["fields"]["1"]["readRule"].code == "validation_invalid_rule"  # type: ignore[index,call-overload]


def test_a_field_that_a_view_reads_gets_no_rule_that_the_view_cannot_keep(session: Session) -> None:
    made = collection(session, "things", text("owner"), text("note"))
    create(session, made, owner=ALICE.id, note="x")
    query = {"type": "view", "listRule": "", "viewRule": "", "viewQuery": "SELECT id, note FROM things"}
    create_collection(session, {"name": "notes", **query}, validate_rule=validate_rule)
    fields = collection_to_json(made)["fields"]
    with pytest.raises(ApiError) as error, session.savepoint():
        ruled = [{**field, "readRule": OWN} if field["name"] == "note" else field for field in fields]
        update_collection(session, "things", {"fields": ruled}, validate_rule=validate_rule)
    assert error.value.status == 400 and "notes" in error.value.message
    assert list_records(guest(session), "notes", {})["items"][0]["note"] == "x"
