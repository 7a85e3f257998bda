"""Histories and restorations over HTTP."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from typing import Any

import pytest

from projects.accounts import service_keys
from projects.context import ProjectHandle
from projects.control.actor import COMMAND
from projects.control.keys import create_key
from projects.databases import write_session
from projects.databases.lanes import stop_lanes
from projects.models import Project
from projects.schema.dates import now_text
from tests.api.support import Client, records, serve, signed_in
from tests.records.support import collection, text

MINE = "owner = @request.auth.id"


@pytest.fixture(autouse=True)
def _lanes(transactional_db: None) -> Iterator[None]:
    service_keys._cache.forget()
    yield
    stop_lanes(5)


@pytest.fixture
def notes(hosted_project: ProjectHandle) -> ProjectHandle:
    """Everybody writes notes; their history is for their owners."""
    with write_session(hosted_project) as session:
        collection(session, "notes", text("title"), text("owner"), historyRule=MINE)
    return hosted_project


def as_superuser(project: ProjectHandle) -> dict[str, str]:
    key = create_key(COMMAND, Project.objects.get(uid=project.uid), kind="service")
    return {"Authorization": key.text}


async def noted(client: Client, owner: str = "", *titles: str) -> str:
    """A note with these titles, one after the other; its id."""
    made = await client.post(records("notes"), json={"title": titles[0], "owner": owner})
    assert made.status_code == 200, made.text
    for title in titles[1:]:
        await client.patch(records("notes", made.json()["id"]), json={"title": title})
    return str(made.json()["id"])


def path(record_id: str, what: str) -> str:
    return f"{records('notes', record_id)}/{what}"


def test_a_history_is_read_and_a_state_of_it_brought_back(notes: ProjectHandle) -> None:
    with write_session(notes) as session:
        alice, token = signed_in(session, "alice@example.com")

    async def test(client: Client) -> None:
        headers = {"Authorization": token}
        note = await noted(client, alice, "one", "two")
        answer = await client.get(path(note, "history"), headers=headers)
        assert answer.status_code == 200 and "etag" in answer.headers
        assert [item["record"]["title"] for item in answer.json()["items"]] == ["two", "one"]
        known = {**headers, "If-None-Match": answer.headers["etag"]}
        assert (await client.get(path(note, "history"), headers=known)).status_code == 304
        few = await client.get(path(note, "history?fields=seq,record.title&perPage=1"), headers=headers)
        assert few.json()["items"] == [{"seq": answer.json()["items"][0]["seq"], "record": {"title": "two"}}]

        seq = answer.json()["items"][1]["seq"]
        back = await client.post(path(note, "restore"), json={"seq": seq}, headers=headers)
        assert back.status_code == 200
        assert (back.json()["record"]["title"], back.json()["skipped"]) == ("one", {})
        now = await client.get(records("notes", note))
        assert (now.json(), now.headers["etag"]) == (back.json()["record"], back.headers["etag"])

        await client.delete(records("notes", note))
        back = await client.post(path(note, "restore?fields=id"), headers=headers)
        assert back.json() == {"record": {"id": note}, "skipped": {}}

    serve(notes, test)


def test_strangers_and_guests_are_told_nothing(notes: ProjectHandle) -> None:
    with write_session(notes) as session:
        alice, _ = signed_in(session, "alice@example.com")
        _, bobs = signed_in(session, "bob@example.com")

    async def test(client: Client) -> None:
        note = await noted(client, alice, "secret", "secret too")
        for headers in ({"Authorization": bobs}, {}):
            for which in (note, "neverwas0000001"):
                answer = await client.get(path(which, "history"), headers=headers)
                assert (answer.status_code, answer.json()["items"]) == (200, [])
                for body in ({}, {"seq": 1}, {"seq": 2}, {"before": 3}, {"at": now_text()}):
                    refused = await client.post(path(which, "restore"), json=body, headers=headers)
                    assert (refused.status_code, "secret" in refused.text) == (404, False)

    serve(notes, test)


def test_a_restoration_sent_again_under_its_key_is_done_once(notes: ProjectHandle) -> None:
    headers = {**as_superuser(notes), "Idempotency-Key": "the undoing"}

    async def test(client: Client) -> None:
        note = await noted(client, "", "one", "two")
        seq = (await client.get(path(note, "history"), headers=headers)).json()["items"][1]["seq"]
        first = await client.post(path(note, "restore"), json={"seq": seq}, headers=headers)
        again = await client.post(path(note, "restore"), json={"seq": seq}, headers=headers)
        assert first.content == again.content and again.headers["idempotency-replayed"] == "true"
        assert len((await client.get(path(note, "history"), headers=headers)).json()["items"]) == 3

    serve(notes, test)


def test_a_stale_if_match_is_refused(notes: ProjectHandle) -> None:
    headers = as_superuser(notes)

    async def test(client: Client) -> None:
        note = await noted(client, "", "one")
        tag = (await client.get(records("notes", note), headers=headers)).headers["etag"]
        await client.patch(records("notes", note), json={"title": "two"})
        seq = (await client.get(path(note, "history"), headers=headers)).json()["items"][1]["seq"]
        stale = {**headers, "If-Match": tag}
        assert (await client.post(path(note, "restore"), json={"seq": seq}, headers=stale)).status_code == 412

    serve(notes, test)


def test_a_file_that_was_replaced_is_named_and_the_one_that_is_there_stays(
    notes: ProjectHandle,
) -> None:
    headers = as_superuser(notes)
    with write_session(notes) as session:
        collection(
            session,
            "papers",
            text("title"),
            {"name": "one", "type": "file"},
            {"name": "many", "type": "file", "maxSelect": 3},
        )

    async def test(client: Client) -> None:
        files = [("one", ("a.txt", b"a")), ("many", ("b.txt", b"b")), ("many", ("c.txt", b"c"))]
        made = (await client.post(records("papers"), data={"title": "first"}, files=files)).json()
        b, c = made["many"]
        changed = {"title": "second", "many-": b}
        kept = await client.patch(records("papers", made["id"]), json=changed)
        assert kept.json()["many"] == [c]
        swapped = await client.patch(records("papers", made["id"]), files=[("one", ("z.txt", b"z"))])
        url = f"{records('papers', made['id'])}"
        seq = (await client.get(f"{url}/history", headers=headers)).json()["items"][-1]["seq"]
        back = (await client.post(f"{url}/restore", json={"seq": seq}, headers=headers)).json()
        assert back["record"]["title"] == "first"
        assert (back["record"]["one"], back["record"]["many"]) == (swapped.json()["one"], [c])
        assert {name: error["params"] for name, error in back["skipped"].items()} == {
            "one": {"files": [made["one"]]},
            "many": {"files": [b]},
        }
        served = await client.get(f"/api/files/papers/{made['id']}/{back['record']['one']}")
        assert served.content == b"z"
        await client.delete(records("papers", made["id"]))
        gone = (await client.post(f"{url}/restore", json={"seq": seq}, headers=headers)).json()
        assert (gone["record"]["one"], gone["record"]["many"]) == ("", [])
        assert set(gone["skipped"]) == {"one", "many"}

    serve(notes, test)


def test_a_collection_goes_back_to_a_moment_for_superusers_alone(notes: ProjectHandle) -> None:
    headers = as_superuser(notes)
    with write_session(notes) as session:
        _, token = signed_in(session, "alice@example.com")
    url = "/api/collections/notes/restore"

    async def test(client: Client) -> None:
        note = await noted(client, "", "one")
        await asyncio.sleep(0.005)
        at = now_text()
        await asyncio.sleep(0.005)
        await client.patch(records("notes", note), json={"title": "two"})
        await noted(client, "", "new")
        assert (await client.post(url, json={"at": at})).status_code == 401
        stranger = await client.post(url, json={"at": at}, headers={"Authorization": token})
        assert stranger.status_code == 403
        for body in ({}, {"at": "never"}, {"at": at, "dryRun": "yes"}, {"at": "2999-01-01"}):
            assert (await client.post(url, json=body, headers=headers)).status_code == 400
        missing = await client.post(url.replace("notes", "nothing"), json={"at": at}, headers=headers)
        assert missing.status_code == 404
        tried = await client.post(url, json={"at": at, "dryRun": True}, headers=headers)
        expected: dict[str, Any] = {"created": 0, "updated": 1, "deleted": 1}
        assert expected.items() <= tried.json().items() and tried.json()["dryRun"] is True
        assert (await client.get(records("notes"))).json()["totalItems"] == 2
        done = await client.post(url, json={"at": at}, headers=headers)
        assert done.json() == {**tried.json(), "dryRun": False}
        left = (await client.get(records("notes"))).json()["items"]
        assert [(item["id"], item["title"]) for item in left] == [(note, "one")]

    serve(notes, test)
