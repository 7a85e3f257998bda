"""Resumable uploads: the protocol (https://tus.io/protocols/resumable-upload), and what becomes of them."""

from __future__ import annotations

import asyncio
import base64
import hashlib
from collections.abc import AsyncIterator
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.databases import write_session
from projects.files import finishing
from projects.files.disk import files_folder
from projects.files.parts import part_path
from projects.files.removal import remove_everything, remove_released
from projects.files.storage import StorageFullError
from tests.files.support import PNG, RECORDS, Client, bytes_used, make_docs, parts, rows, serve
from tests.files.tus import BYTES, UPLOADS, VERSION, announce, append, begin, metadata, offset_of, uploaded
from tests.records.support import collection, text

NOTHING_LEFT: list[Any] = []


@pytest.fixture
def docs(project: ProjectHandle) -> ProjectHandle:
    make_docs(project)
    return project


def stored(project: ProjectHandle) -> list[bytes]:
    return [path.read_bytes() for path in files_folder(project.uid).rglob("*") if path.is_file()]


def received(project: ProjectHandle) -> list[Path]:
    folder = part_path(project.uid, "x").parent
    return sorted(folder.iterdir()) if folder.exists() else []


def expire(project: ProjectHandle) -> None:
    with write_session(project) as session:
        session.execute("UPDATE _files SET due = '2001-01-01T00:00:00.000Z' WHERE state = 'pending'")


def test_an_upload_in_pieces_becomes_the_file_of_a_record(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        answer = await announce(client, 11)
        assert answer.status_code == 201 and answer.headers["tus-resumable"] == "1.0.0"
        assert parsedate_to_datetime(answer.headers["upload-expires"])
        address = answer.headers["location"]
        assert await offset_of(client, address) == 0
        first = await append(client, address, 0, b"hello ")
        assert first.status_code == 204 and first.headers["upload-offset"] == "6"
        last = await append(client, address, 6, b"world")
        assert last.status_code == 204 and last.headers["upload-offset"] == "11"
        upload = address.rpartition("/")[2]
        made = await client.post(RECORDS, json={"title": "t", "one": upload})
        assert made.status_code == 200, made.text
        name = made.json()["one"]
        assert name.startswith("hello_") and name.endswith(".txt")
        got = await client.get(f"/api/files/docs/{made.json()['id']}/{name}")
        assert got.content == b"hello world" and got.headers["content-type"].startswith("text/plain")
        # Used once: neither the id nor the address is worth anything now.
        again = await client.post(RECORDS, json={"one": upload})
        assert again.status_code == 400
        assert again.json()["data"]["one"]["code"] == "validation_invalid_upload"
        assert (await client.head(address, headers=VERSION)).status_code == 404

    serve(docs, test)
    assert [row[:2] for row in rows(docs)] == [("stored", "Hello.txt")]
    assert stored(docs) == [b"hello world"] and received(docs) == []
    assert bytes_used(docs) == 11


def test_head_says_what_was_announced(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        answer = await client.head(await begin(client, 11), headers=VERSION)
        assert answer.headers["upload-length"] == "11" and answer.headers["cache-control"] == "no-store"
        assert answer.headers["upload-metadata"] == metadata(
            collection="docs", field="one", filename="Hello.txt"
        )

    serve(docs, test)


def test_an_empty_upload_is_whole_at_once(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        upload = (await begin(client, 0)).rpartition("/")[2]
        assert (await client.post(RECORDS, json={"one": upload})).status_code == 200

    serve(docs, test)
    assert stored(docs) == [b""]


@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({"Tus-Resumable": "0.2.2"}, 412),
        ({"Content-Type": "application/octet-stream"}, 415),
        ({"Upload-Offset": "4"}, 409),
        ({"Upload-Offset": "2"}, 409),
        ({"Upload-Offset": "-1"}, 400),
        ({"Upload-Offset": "x"}, 400),
        ({"Upload-Checksum": "crc32 AAAA"}, 400),
        ({"Upload-Checksum": "sha1 ?"}, 400),
        ({"Upload-Checksum": "sha1 AAAA"}, 460),
    ],
)
def test_a_request_that_is_refused_leaves_the_upload_as_it_was(
    docs: ProjectHandle, headers: dict[str, str], status: int
) -> None:
    async def test(client: Client) -> None:
        address = await begin(client, 10, content=b"abc")
        answer = await append(client, address, 3, b"def", **headers)
        assert answer.status_code == status
        assert answer.headers["tus-resumable"] == "1.0.0"
        assert (answer.headers.get("tus-version") == "1.0.0") == (status == 412)
        assert await offset_of(client, address) == 3
        assert (await append(client, address, 3, b"defghij")).status_code == 204

    serve(docs, test)
    assert stored(docs) == [b"abcdefghij"]


@pytest.mark.parametrize("is_announced", [True, False])
def test_more_than_was_announced_is_refused(docs: ProjectHandle, is_announced: bool) -> None:
    async def more() -> AsyncIterator[bytes]:
        for _ in range(4):
            yield b"x" * 300_000

    async def test(client: Client) -> None:
        address = await begin(client, 1_000_000, content=b"abc")
        answer = await append(client, address, 3, b"x" * 1_000_000 if is_announced else more())
        assert answer.status_code == 413
        assert await offset_of(client, address) == 3

    serve(docs, test)


@pytest.mark.parametrize("algorithm", ["sha1", "sha256", "md5"])
def test_pieces_are_checked_by_their_checksum(docs: ProjectHandle, algorithm: str) -> None:
    async def test(client: Client) -> None:
        address = await begin(client, 6)
        for at, piece in enumerate((b"abc", b"def")):
            digest = base64.b64encode(hashlib.new(algorithm, piece).digest()).decode()
            header = {"Upload-Checksum": f"{algorithm} {digest}"}
            assert (await append(client, address, 3 * at, b"xyz", **header)).status_code == 460
            assert (await append(client, address, 3 * at, piece, **header)).status_code == 204

    serve(docs, test)
    assert stored(docs) == [b"abcdef"]


@pytest.mark.parametrize("checksum", [False, True])
def test_what_came_before_the_connection_was_lost_counts_unless_it_could_not_be_checked(
    docs: ProjectHandle, checksum: bool
) -> None:
    async def breaking() -> AsyncIterator[bytes]:
        yield b"y" * 700_000
        yield b"z" * 10
        raise ConnectionError

    async def test(client: Client) -> None:
        address = await begin(client, 1_000_000, content=b"abc")
        header = {"Upload-Checksum": "sha1 AAAA"} if checksum else {}
        assert (await append(client, address, 3, breaking(), **header)).status_code == 500
        assert await offset_of(client, address) == (3 if checksum else 700_013)

    serve(docs, test)


def test_one_request_at_a_time_sends_an_upload(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        address = await begin(client, 12)
        came, go_on = asyncio.Event(), asyncio.Event()

        async def slowly() -> AsyncIterator[bytes]:
            yield b"first "
            came.set()
            await go_on.wait()
            yield b"second"

        slow = asyncio.create_task(append(client, address, 0, slowly()))
        await came.wait()
        assert (await append(client, address, 0, b"another text")).status_code == 423
        assert (await client.delete(address, headers=VERSION)).status_code == 423
        go_on.set()
        assert (await slow).status_code == 204

    serve(docs, test)
    assert stored(docs) == [b"first second"]


def test_who_asks_how_far_it_has_come_ends_a_request_that_hangs(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        address = await begin(client, 12)
        came = asyncio.Event()

        async def hanging() -> AsyncIterator[bytes]:
            yield b"first "
            came.set()
            await asyncio.sleep(60)

        lost = asyncio.create_task(append(client, address, 0, hanging()))
        await came.wait()
        assert await offset_of(client, address) == 6
        assert (await append(client, address, 6, b"second")).status_code == 204
        lost.cancel()

    serve(docs, test)
    assert stored(docs) == [b"first second"]


def test_a_client_that_is_silent_for_too_long_is_sent_away(docs: ProjectHandle, settings: Any) -> None:
    settings.MBAAS_UPLOADS_IDLE_SECONDS = 1

    async def hanging() -> AsyncIterator[bytes]:
        yield b"first "
        await asyncio.sleep(60)

    async def test(client: Client) -> None:
        address = await begin(client, 12)
        assert (await append(client, address, 0, hanging())).status_code == 408
        assert await offset_of(client, address) == 6

    serve(docs, test)


def test_an_upload_that_is_ended_leaves_nothing(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        address = await begin(client, 10, content=b"abc")
        assert (await client.delete(address)).status_code == 412
        gone = await client.delete(address, headers=VERSION)
        assert gone.status_code == 204 and gone.headers["tus-resumable"] == "1.0.0"
        assert (await client.head(address, headers=VERSION)).status_code == 404
        assert (await append(client, address, 3, b"d")).status_code == 404

    serve(docs, test)
    remove_released(docs)
    assert rows(docs) == received(docs) == NOTHING_LEFT and bytes_used(docs) == 0


def test_a_client_that_only_posts_is_understood(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        address = await begin(client, 3)
        given = {**VERSION, **BYTES, "Upload-Offset": "0", "X-HTTP-Method-Override": "PATCH"}
        assert (await client.post(address, headers=given, content=b"abc")).status_code == 204
        assert (await client.post(address, headers=VERSION)).status_code == 405

    serve(docs, test)


@pytest.mark.parametrize(
    ("headers", "status", "field"),
    [
        ({"Upload-Metadata": metadata(field="one")}, 400, "collection"),
        ({"Upload-Metadata": metadata(collection="docs")}, 400, "field"),
        ({"Upload-Metadata": metadata(collection="docs", field="title")}, 400, "field"),
        ({"Upload-Metadata": metadata(collection="docs", field="nothing")}, 400, "field"),
        ({"Upload-Metadata": metadata(collection="nothing", field="one")}, 404, None),
        ({"Upload-Metadata": "collection ?"}, 400, "metadata"),
        ({"Upload-Metadata": "collection ZG9jcw==,collection ZG9jcw=="}, 400, "metadata"),
        ({"Upload-Metadata": "x " + "A" * 5000}, 400, "metadata"),
        ({"Upload-Length": "6000000"}, 413, None),
        ({"Upload-Length": "-1"}, 400, None),
        ({"Upload-Length": ""}, 400, None),
        ({"Tus-Resumable": ""}, 412, None),
    ],
)
def test_an_upload_that_nothing_can_come_of_is_refused(
    docs: ProjectHandle, headers: dict[str, str], status: int, field: str | None
) -> None:
    async def test(client: Client) -> None:
        answer = await announce(client, 10, **headers)
        assert answer.status_code == status, answer.text
        assert list(answer.json()["data"]) == ([field] if field else [])

    serve(docs, test)
    assert rows(docs) == received(docs) == NOTHING_LEFT


@pytest.mark.parametrize(
    ("create", "update", "is_possible"),
    [
        (None, None, False),
        (None, "", True),
        ('@request.auth.id != ""', None, False),
        ('@request.auth.id != "" && title = "x"', '@request.auth.id = "x" || @request.auth.verified = true', False),
        ('@request.auth.id != "" || title = "x"', None, True),
        ('@request.body.title = "x"', None, True),
        ('@request.query.key = "x" && @request.auth.id = ""', None, True),
    ],
)  # fmt: skip
def test_who_can_never_write_such_a_record_cannot_upload_for_it(
    project: ProjectHandle, create: str | None, update: str | None, is_possible: bool
) -> None:
    make_docs(project, createRule=create, updateRule=update)

    async def test(client: Client) -> None:
        assert (await announce(client, 3)).status_code == (201 if is_possible else 403)

    serve(project, test)


def test_the_rule_itself_is_asked_when_the_record_is_made(project: ProjectHandle) -> None:
    make_docs(project, createRule='title = "mine"')

    async def test(client: Client) -> None:
        upload = await uploaded(client, b"abc")
        assert (await client.post(RECORDS, json={"title": "x", "one": upload})).status_code == 400
        # It is not used up by a write that was refused.
        assert (await client.post(RECORDS, json={"title": "mine", "one": upload})).status_code == 200

    serve(project, test)


def test_the_fields_rules_hold_for_uploads_too(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        picture = await uploaded(client, PNG, field="many", filename="a.html")
        page = await uploaded(client, b"<html><script>", field="many", filename="a.png")
        refused = await client.post(RECORDS, json={"many": [page]})
        assert refused.json()["data"]["many"]["code"] == "validation_invalid_mime_type"
        made = (await client.post(RECORDS, json={"many": [picture]})).json()
        more = [await uploaded(client, b"text", field="many") for _ in range(3)]
        address = f"{RECORDS}/{made['id']}"
        refused = await client.patch(address, json={"many+": more})
        assert refused.json()["data"]["many"]["code"] == "validation_too_many_files"
        answer = await client.patch(address, json={"many+": more[:2]})
        assert answer.status_code == 200 and len(answer.json()["many"]) == 3
        # Beside a file that comes with the request.
        both = await client.patch(
            address,
            files=parts(("one", "b.txt", b"b"), **{"@jsonPayload": f'{{"many": ["{more[2]}"]}}'}),
        )
        assert both.status_code == 200 and len(both.json()["many"]) == 1 and both.json()["one"]

    serve(docs, test)


def test_a_batch_takes_uploads(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        first, second = await uploaded(client, b"a"), await uploaded(client, b"b")

        async def batch(*uploads: str) -> Any:
            requests = [{"method": "POST", "url": RECORDS, "body": {"one": upload}} for upload in uploads]
            return await client.post("/api/batch", json={"requests": requests})

        assert (await batch(first, first)).status_code == 400
        unfinished = (await begin(client, 3)).rpartition("/")[2]
        refused = (await batch(first, unfinished)).json()["data"]["requests"]["1"]["response"]
        assert refused["data"]["one"]["code"] == "validation_upload_unfinished"
        answer = await batch(first, second)
        assert answer.status_code == 200 and all(one["body"]["one"] for one in answer.json())

    serve(docs, test)


def test_an_upload_is_for_its_owner_its_field_and_its_project(make_project: Any) -> None:
    mine, other = make_project(), make_project()
    for one in (mine, other):
        with write_session(one) as session:
            collection(session, "people", text("name"), type="auth")
            collection(session, "notes", {"name": "one", "type": "file"})
        make_docs(one)

    async def test(client: Client) -> None:
        async def signed_up(name: str) -> dict[str, str]:
            account = {
                "email": f"{name}@example.com",
                "password": "pass123456",
                "passwordConfirm": "pass123456",
            }
            made = await client.post("/mine/api/collections/people/records", json=account)
            assert made.status_code == 200, made.text
            signed = await client.post(
                "/mine/api/collections/people/auth-with-password",
                json={"identity": account["email"], "password": account["password"]},
            )
            return {"Authorization": signed.json()["token"]}

        alice, bob = await signed_up("alice"), await signed_up("bob")
        described = {"Upload-Metadata": metadata(collection="docs", field="one"), "Upload-Length": "3"}
        begun = await client.post(f"/mine{UPLOADS}", headers={**VERSION, **described, **alice})
        address = "/mine" + begun.headers["location"]
        for who in (bob, {}):
            assert (await client.head(address, headers={**VERSION, **who})).status_code == 404
            assert (await append(client, address, 0, b"abc", **who)).status_code == 404
            assert (await client.delete(address, headers={**VERSION, **who})).status_code == 404
        assert (await append(client, address, 0, b"abc", **alice)).status_code == 204
        upload = address.rpartition("/")[2]
        for url, body, who in (
            ("/mine" + RECORDS, {"one": upload}, bob),
            ("/mine" + RECORDS, {"one": upload}, {}),
            ("/mine" + RECORDS, {"secret": upload}, alice),
            ("/mine/api/collections/notes/records", {"one": upload}, alice),
            ("/other" + RECORDS, {"one": upload}, {}),
        ):
            refused = await client.post(url, json=body, headers=who)
            assert refused.status_code == 400, url
            (error,) = refused.json()["data"].values()
            assert error["code"] == "validation_invalid_upload"
        assert (await client.post("/mine" + RECORDS, json={"one": upload}, headers=alice)).status_code == 200

    serve({"mine": mine, "other": other}, test)


def test_an_upload_that_took_too_long_is_gone(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        whole, half = await uploaded(client, b"abc"), await begin(client, 10, content=b"abc")
        await asyncio.to_thread(expire, docs)
        refused = await client.post(RECORDS, json={"one": whole})
        assert refused.json()["data"]["one"]["code"] == "validation_invalid_upload"
        assert (await client.head(half, headers=VERSION)).status_code == 404
        assert (await append(client, half, 3, b"d")).status_code == 404

    serve(docs, test)
    assert bytes_used(docs) == 13
    remove_released(docs)
    assert rows(docs) == stored(docs) == received(docs) == NOTHING_LEFT and bytes_used(docs) == 0


def test_a_project_that_is_removed_takes_its_uploads_along(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        await begin(client, 10, content=b"abc")

    serve(docs, test)
    assert received(docs)
    remove_everything(docs)
    assert not received(docs)


def test_uploads_count_for_the_quota_from_their_beginning(make_project: Any) -> None:
    project = make_project(filesQuotaBytes=10)
    make_docs(project)

    async def test(client: Client) -> None:
        first = await begin(client, 6)
        assert (await announce(client, 6)).status_code == 400
        await client.delete(first, headers=VERSION)
        assert (await announce(client, 6)).status_code == 201

    serve(project, test)


@pytest.mark.parametrize("crashed", ["before it was stored", "before that was noted"])
def test_an_upload_whose_server_died_at_its_end_is_finished_by_who_uses_it(
    docs: ProjectHandle, monkeypatch: pytest.MonkeyPatch, crashed: str
) -> None:
    def die(*_: object, **__: object) -> None:
        raise SystemError("killed")

    async def test(client: Client) -> None:
        address = await begin(client, 3)
        with monkeypatch.context() as broken:
            broken.setattr(finishing, "_store" if crashed == "before it was stored" else "note_stored", die)
            assert (await append(client, address, 0, b"abc")).status_code == 500
        if crashed == "before that was noted":
            assert stored(docs) == [b"abc"]
        assert (await client.post(RECORDS, json={"one": address.rpartition("/")[2]})).status_code == 200

    serve(docs, test)
    assert stored(docs) == [b"abc"] and received(docs) == []


def test_an_unchecked_piece_of_a_server_that_died_does_not_count(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        address = await begin(client, 10, content=b"abc")
        (part,) = received(docs)
        part.with_name(part.name + ".unverified").write_text("3")
        part.write_bytes(b"abcde")
        assert await offset_of(client, address) == 3
        assert (await append(client, address, 3, b"defghij")).status_code == 204

    serve(docs, test)
    assert stored(docs) == [b"abcdefghij"] and received(docs) == []


def test_a_full_disk_is_said_and_the_upload_goes_on_when_there_is_room(
    docs: ProjectHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise StorageFullError("no space left on device")

    async def test(client: Client) -> None:
        address = await begin(client, 6, content=b"abc")
        with monkeypatch.context() as broken:
            broken.setattr("projects.files.parts.Part.write", full)
            assert (await append(client, address, 3, b"def")).status_code == 507
        assert await offset_of(client, address) == 3
        assert (await append(client, address, 3, b"def")).status_code == 204

    serve(docs, test)
    assert stored(docs) == [b"abcdef"]
