"""Truncating a collection: in steps, each logged; all or nothing where a record could be refused."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.databases import close_thread, write_session
from projects.errors import ApiError
from projects.records import events
from projects.records.list import list_records
from projects.records.truncate import truncate_step
from projects.schema.collection import CollectionSchema
from tests.records.support import call, changes, collection, create, relation, text


@pytest.fixture
def told() -> Iterator[list[events.ChangeEvent]]:
    """What was announced."""
    heard: list[events.ChangeEvent] = []
    events.listen(heard.append)
    yield heard
    events.unlisten(heard.append)


@pytest.fixture(autouse=True)
def _closed() -> Iterator[None]:
    yield
    close_thread()


def steps(project: ProjectHandle, name: str) -> int:
    """Truncate as the API does; how many transactions it took."""
    count, last = 0, None
    while True:
        count += 1
        with write_session(project) as session:
            last = truncate_step(call(session), name, last)
        if last is None:
            return count


def total(project: ProjectHandle, name: str) -> int:
    with write_session(project) as session:
        return int(list_records(call(session), name, {})["totalItems"])


def make(project: ProjectHandle, name: str, *fields: dict[str, Any], records: int = 5) -> CollectionSchema:
    with write_session(project) as session:
        made = collection(session, name, text("title"), *fields)
        for number in range(records):
            create(session, made, title=str(number))
    return made


def test_it_goes_in_steps_each_logged_and_announced(
    project: ProjectHandle, settings: Any, told: list[events.ChangeEvent]
) -> None:
    settings.MBAAS_TRUNCATE_STEP = 2
    make(project, "notes")
    told.clear()
    assert steps(project, "notes") == 3
    assert total(project, "notes") == 0
    assert [event.action for event in told] == ["delete"] * 5
    assert all(event.before and event.before["title"] for event in told)
    with write_session(project) as session:
        logged = changes(session)
    assert [action for action, _ in logged] == ["create"] * 5 + ["delete"] * 5
    assert [record for _, record in logged[:5]] == [record for _, record in logged[5:]]
    assert steps(project, "notes") == 1


def test_records_that_are_made_meanwhile_stay(project: ProjectHandle, settings: Any) -> None:
    settings.MBAAS_TRUNCATE_STEP = 2
    made = make(project, "notes", records=4)
    with write_session(project) as session:
        last = truncate_step(call(session), "notes")
    with write_session(project) as session:
        create(session, made, title="late")
    while last is not None:
        with write_session(project) as session:
            last = truncate_step(call(session), "notes", last)
    assert total(project, "notes") == 1


def test_what_depends_on_the_records_goes_too(project: ProjectHandle, settings: Any) -> None:
    settings.MBAAS_TRUNCATE_STEP = 2
    notes = make(project, "notes")
    with write_session(project) as session:
        parts = collection(session, "parts", relation("note", notes, cascadeDelete=True, required=True))
        links = collection(session, "links", relation("note", notes))
        for item in list_records(call(session), "notes", {})["items"]:
            create(session, parts, note=item["id"])
            create(session, links, note=item["id"])
    steps(project, "notes")
    assert (total(project, "parts"), total(project, "links")) == (0, 5)
    with write_session(project) as session:
        assert {item["note"] for item in list_records(call(session), "links", {})["items"]} == {""}


def test_where_a_record_could_be_refused_all_go_or_none(project: ProjectHandle, settings: Any) -> None:
    settings.MBAAS_TRUNCATE_STEP = 1
    notes = make(project, "notes")
    with write_session(project) as session:
        holders = collection(session, "holders", relation("note", notes, required=True))
        held = create(session, holders, note=list_records(call(session), "notes", {})["items"][-1]["id"])
    with pytest.raises(ApiError) as refused:
        steps(project, "notes")
    assert refused.value.status == 400
    assert total(project, "notes") == 5
    with write_session(project) as session:
        session.execute(session.sql("DELETE FROM holders WHERE id = ?"), (held["id"],))
    assert steps(project, "notes") == 1
    assert total(project, "notes") == 0


def test_records_that_require_each_other_go_together(project: ProjectHandle, settings: Any) -> None:
    settings.MBAAS_TRUNCATE_STEP = 1
    with write_session(project) as session:
        tree = collection(session, "tree", text("title"))
        from projects.rules import validate_rule
        from projects.schema import collection_to_json, update_collection

        fields = [*collection_to_json(tree)["fields"], relation("parent", tree, required=True)]
        tree = update_collection(session, "tree", {"fields": fields}, validate_rule=validate_rule)
        parent = "root00000000001"
        session.execute(session.sql("INSERT INTO tree (id, parent) VALUES (?, ?)"), (parent, parent))
        for _ in range(3):
            parent = create(session, tree, parent=parent)["id"]
    assert steps(project, "tree") == 1
    assert total(project, "tree") == 0
