"""Files in creates and updates: what is stored, refused, kept and let go of."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as django_settings

from projects.context import ProjectHandle
from projects.files import saving
from projects.files.disk import files_folder
from projects.files.storage import StorageFullError, StorageUnavailableError
from tests.files.support import RECORDS, Client, bytes_used, create, make_docs, parts, rows, serve


@pytest.fixture
def docs(project: ProjectHandle) -> ProjectHandle:
    make_docs(project)
    return project


def stored_objects(project: ProjectHandle) -> list[Path]:
    return [path for path in files_folder(project.uid).rglob("*") if path.is_file()]


def spooled() -> list[Path]:
    """Not the folder of unfinished uploads: other tests of this process may have left some."""
    return [path for path in Path(django_settings.MBAAS_FILES_SPOOL_DIR).glob("*") if path.is_file()]


def test_files_come_with_a_new_record(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("one", "Hello.txt", b"hello"), ("many", "b.txt", b"b"), title="5")
        assert made["one"].startswith("hello_") and made["one"].endswith(".txt")
        assert len(made["many"]) == 1 and made["secret"] == "" and made["title"] == "5"
        assert (await client.get(f"{RECORDS}/{made['id']}")).json() == made

    serve(docs, test)
    assert [row[:2] for row in rows(docs)] == [("stored", "Hello.txt"), ("stored", "b.txt")]
    assert sorted(path.read_bytes() for path in stored_objects(docs)) == [b"b", b"hello"]
    assert bytes_used(docs) == 6
    assert spooled() == []


def test_files_are_appended_prepended_and_removed(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("many", "first.txt", b"1"))
        address, first = f"{RECORDS}/{made['id']}", made["many"][0]
        (_, second) = (await client.patch(address, files=parts(("many+", "second.txt", b"2")))).json()["many"]
        names = (await client.patch(address, files=parts(("+many", "zero.txt", b"0")))).json()["many"]
        assert [name.split("_")[0] for name in names] == ["zero", "first", "second"]
        swapped = {"many": [second, first, names[0]]}
        assert (await client.patch(address, json=swapped)).json()["many"] == swapped["many"]
        left = await client.patch(address, json={"many-": [first, "never there"]})
        assert left.json()["many"] == [second, names[0]]
        left = await client.patch(address, files=[("many-", (None, second))])
        assert left.json()["many"] == [names[0]]

    serve(docs, test)
    assert sorted(row[:2] for row in rows(docs)) == [
        ("released", "first.txt"), ("released", "second.txt"), ("stored", "zero.txt"),
    ]  # fmt: skip


def test_new_files_join_the_names_that_are_kept_and_replace_the_others(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("many", "aaa.txt", b"a"), ("many", "bbb.txt", b"b"))
        address, (first, _) = f"{RECORDS}/{made['id']}", made["many"]
        kept = (await client.patch(address, files=parts(("many", "ccc.txt", b"c"), many=first))).json()[
            "many"
        ]
        assert kept[0] == first and len(kept) == 2
        payload = json.dumps({"many": [first]})
        kept = (
            await client.patch(address, files=parts(("many", "ddd.txt", b"d"), **{"@jsonPayload": payload}))
        ).json()
        assert kept["many"][0] == first and len(kept["many"]) == 2
        only = (await client.patch(address, files=parts(("many", "eee.txt", b"e")))).json()["many"]
        assert len(only) == 1 and only[0].startswith("eee_")

    serve(docs, test)
    assert [row[1] for row in rows(docs) if row[0] == "stored"] == ["eee.txt"]


@pytest.mark.parametrize("blank", [None, "", []])
def test_a_blank_value_clears_the_field(docs: ProjectHandle, blank: Any) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.txt", b"a"), ("many", "b.txt", b"b"))
        cleared = await client.patch(f"{RECORDS}/{made['id']}", json={"one": blank, "many": blank})
        assert (cleared.json()["one"], cleared.json()["many"]) == ("", [])

    serve(docs, test)
    assert {row[0] for row in rows(docs)} == {"released"}


def test_a_replaced_file_goes_only_with_the_update_that_replaces_it(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("one", "old.txt", b"old"))
        address = f"{RECORDS}/{made['id']}"
        refused = await client.patch(
            address, files=parts(("one", "new.txt", b"new"), ("many", "x.txt", b"%PDF-1.4"))
        )
        assert refused.status_code == 400
        assert (await client.get(address)).json()["one"] == made["one"]
        assert [row[:2] for row in await asyncio.to_thread(rows, docs)] == [("stored", "old.txt")]
        assert (await client.patch(address, files=parts(("one", "new.txt", b"new")))).status_code == 200

    serve(docs, test)
    assert [row[:2] for row in rows(docs)] == [("released", "old.txt"), ("stored", "new.txt")]


@pytest.mark.parametrize("body", [{"many": ["forged.txt"]}, {"many+": "forged.txt"}, {"one": "forged.txt"}])
def test_names_that_the_record_does_not_have_cannot_be_claimed(
    docs: ProjectHandle, body: dict[str, Any]
) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("many", "a.txt", b"a"))
        other = await create(client, ("many", "b.txt", b"b"))
        name = next(iter(body)).strip("+")
        for answer in (
            await client.post(RECORDS, json=body),
            await client.patch(f"{RECORDS}/{made['id']}", json=body),
            await client.patch(f"{RECORDS}/{made['id']}", json={"many": [*made["many"], *other["many"]]}),
        ):
            assert answer.status_code == 400
            error = answer.json()["data"].get(name) or answer.json()["data"]["many"]
            assert error["code"] == "validation_invalid_file"

    serve(docs, test)


@pytest.mark.parametrize(
    ("files", "code"),
    [
        ([("many", "a.txt", b"%PDF-1.4")], "validation_invalid_mime_type"),
        ([("many", "a.txt", b"<script>alert(1)</script>")], "validation_invalid_mime_type"),
        ([("many", "a.png", b"x" * 1001)], "validation_file_size_limit"),
        ([("many", "a.txt", b"a")] * 4, "validation_too_many_files"),
        ([("many", "a.txt", b"x" * 1001)] * 4, "validation_too_many_files"),
    ],
)
def test_a_file_that_breaks_the_fields_rules_is_refused_and_never_stored(
    docs: ProjectHandle, files: list[tuple[str, str, bytes]], code: str
) -> None:
    async def test(client: Client) -> None:
        answer = await client.post(RECORDS, files=parts(*files))
        assert answer.status_code == 400
        assert answer.json()["data"]["many"]["code"] == code

    serve(docs, test)
    assert rows(docs) == []
    assert stored_objects(docs) == spooled() == []


def test_a_write_that_a_rule_refuses_stores_nothing(project: ProjectHandle) -> None:
    make_docs(project, createRule="title = 'open sesame'")

    async def test(client: Client) -> None:
        answer = await client.post(RECORDS, files=parts(("one", "a.txt", b"a"), title="please"))
        assert answer.status_code == 400
        assert await asyncio.to_thread(rows, project) == []
        await create(client, ("one", "a.txt", b"a"), title="open sesame")

    serve(project, test)
    assert len(stored_objects(project)) == 1


@pytest.mark.parametrize(
    ("failure", "status"), [(StorageUnavailableError("hangs"), 503), (StorageFullError("full"), 507)]
)
def test_a_storage_that_fails_leaves_no_record_and_no_file(
    docs: ProjectHandle, monkeypatch: pytest.MonkeyPatch, failure: Exception, status: int
) -> None:
    real, calls = saving.store_upload, []

    def fail_the_second(*args: Any) -> None:
        calls.append(args)
        if len(calls) == 2:
            raise failure
        real(*args)

    monkeypatch.setattr("projects.api.uploads.store_upload", fail_the_second)

    async def test(client: Client) -> None:
        answer = await client.post(RECORDS, files=parts(("many", "a.txt", b"a"), ("many", "b.txt", b"b")))
        assert answer.status_code == status, answer.text
        assert set(answer.json()) == {"status", "message", "data"}
        assert (await client.get(RECORDS)).json()["totalItems"] == 0

    serve(docs, test)
    assert {row[0] for row in rows(docs)} == {"released"}
    assert spooled() == []


def test_a_write_that_a_unique_index_refuses_stores_nothing(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        made = await create(client, title="first")
        answer = await client.post(RECORDS, files=parts(("one", "a.txt", b"a"), id=made["id"]))
        assert answer.status_code == 400
        assert answer.json()["data"]["id"]["code"] == "validation_not_unique"

    serve(docs, test)
    assert rows(docs) == []


def test_a_file_that_is_gone_before_its_record_is_written_fails_the_write(
    docs: ProjectHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("projects.records.files.attach", lambda *args, **options: False)

    async def test(client: Client) -> None:
        answer = await client.post(RECORDS, files=parts(("one", "a.txt", b"a")))
        assert answer.status_code == 400
        assert (await client.get(RECORDS)).json()["totalItems"] == 0

    serve(docs, test)
    assert [row[:2] for row in rows(docs)] == [("released", "a.txt")]


def test_deleting_lets_go_of_the_files(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.txt", b"a"), ("many", "b.txt", b"b"))
        await create(client, ("one", "kept.txt", b"k"))
        assert (await client.delete(f"{RECORDS}/{made['id']}")).status_code == 204

    serve(docs, test)
    assert [row[:2] for row in rows(docs)] == [
        ("released", "a.txt"),
        ("released", "b.txt"),
        ("stored", "kept.txt"),
    ]


def test_files_that_nobody_asked_for_are_not_kept(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        made = await create(
            client, ("title", "a.txt", b"a"), ("nope", "b.txt", b"b"), ("many.0", "c.txt", b"c")
        )
        assert made["title"] == "" and made["many"] == []
        last = await create(client, ("one", "lost.txt", b"x" * 6_000_000), ("one", "kept.txt", b"y"))
        assert last["one"].startswith("kept_")

    serve(docs, test)
    assert [row[:2] for row in rows(docs)] == [("stored", "kept.txt")]
    assert spooled() == []


def test_a_body_larger_than_all_its_files_may_be_is_413(docs: ProjectHandle, settings: Any) -> None:
    settings.MBAAS_MAX_BODY_BYTES = 100_000

    async def test(client: Client) -> None:
        answer = await client.post(RECORDS, files=parts(("one", "a.txt", b"x" * 11_000_000)))
        assert answer.status_code == 413
        answer = await client.post(RECORDS, files=parts(("one", "a.txt", b"x"), title="y" * 200_000))
        assert answer.status_code == 413
        settings.MBAAS_MAX_FILES_PER_REQUEST = 2
        answer = await client.post(RECORDS, files=parts(*[("many", "a.txt", b"x")] * 3))
        assert answer.status_code == 413

    serve(docs, test)
    assert rows(docs) == []
    assert spooled() == []


@pytest.mark.parametrize("cut", [1, 5, 40, 200, 30_000])
def test_a_body_that_is_cut_off_leaves_nothing(docs: ProjectHandle, cut: int) -> None:
    body = (
        b'--X\r\nContent-Disposition: form-data; name="one"; filename="a.txt"\r\n\r\n' + b"x" * 300_000
        + b'\r\n--X\r\nContent-Disposition: form-data; name="many"; filename="b.txt"\r\n\r\nb\r\n--X--\r\n'
    )  # fmt: skip

    async def test(client: Client) -> None:
        kind = {"Content-Type": "multipart/form-data; boundary=X"}
        assert (await client.post(RECORDS, content=body[: -2 - cut], headers=kind)).status_code == 400
        assert spooled() == []
        assert (await client.post(RECORDS, content=body, headers=kind)).status_code == 200

    serve(docs, test)
    assert len(rows(docs)) == 2


def test_the_quota_of_a_project_is_exact(make_project: Any) -> None:
    project = make_project(filesQuotaBytes=10)
    make_docs(project)

    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.txt", b"123456"))
        refused = await client.post(RECORDS, files=parts(("one", "b.txt", b"12345")))
        assert refused.status_code == 400
        await create(client, ("one", "c.txt", b"1234"))
        # What is replaced makes room at once, though its object is not removed yet.
        await client.patch(f"{RECORDS}/{made['id']}", json={"one": ""})
        await create(client, ("one", "d.txt", b"654321"))
        refused = await client.post(RECORDS, files=parts(("one", "e.txt", b"1")))
        assert refused.status_code == 400

    serve(project, test)
    assert [row[1] for row in rows(project) if row[0] == "stored"] == ["c.txt", "d.txt"]


def test_a_batch_brings_files_for_each_of_its_requests(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("many", "old.txt", b"o"))
        requests = [
            {"method": "POST", "url": RECORDS, "body": {"title": "a"}},
            {"method": "PATCH", "url": f"{RECORDS}/{made['id']}", "body": {"many": made["many"]}},
            {"method": "POST", "url": RECORDS},
        ]
        body = parts(
            ("requests.0.one", "first.txt", b"1"), ("requests.1.many", "second.txt", b"2"),
            ("requests[2].one", "third.txt", b"3"), ("requests.7.one", "nobody.txt", b"4"),
            **{"@jsonPayload": json.dumps({"requests": requests})},
        )  # fmt: skip
        answers = (await client.post("/api/batch", files=body)).json()
        assert [answer["status"] for answer in answers] == [200, 200, 200]
        assert answers[0]["body"]["one"].startswith("first_") and answers[0]["body"]["title"] == "a"
        assert answers[1]["body"]["many"][0] == made["many"][0] and len(answers[1]["body"]["many"]) == 2
        assert answers[2]["body"]["one"].startswith("third_")

    serve(docs, test)
    stored = [row[1] for row in rows(docs) if row[0] == "stored"]
    assert stored == ["first.txt", "old.txt", "second.txt", "third.txt"]
    assert len(rows(docs)) == 4
    assert spooled() == []


def test_a_batch_that_fails_stores_none_of_its_files(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        requests = [{"method": "POST", "url": RECORDS}, {"method": "POST", "url": RECORDS}]
        body = parts(
            ("requests.0.one", "good.txt", b"1"), ("requests.1.many", "bad.txt", b"%PDF-1.4"),
            **{"@jsonPayload": json.dumps({"requests": requests})},
        )  # fmt: skip
        answer = await client.post("/api/batch", files=body)
        assert answer.status_code == 400
        error = answer.json()["data"]["requests"]["1"]["response"]["data"]["many"]
        assert error["code"] == "validation_invalid_mime_type"

    serve(docs, test)
    assert rows(docs) == []
    assert spooled() == []


def test_the_same_write_sent_twice_at_once_keeps_its_files_once(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        body, headers = parts(("one", "a.txt", b"a")), {"Idempotency-Key": "once"}
        answers = await asyncio.gather(*(client.post(RECORDS, files=body, headers=headers) for _ in range(5)))
        made = [answer.json() for answer in answers if answer.status_code == 200]
        assert made and all(one == made[0] for one in made)
        assert (await client.get(RECORDS)).json()["totalItems"] == 1

    serve(docs, test)
    assert [row[0] for row in rows(docs)].count("stored") == 1
    assert {row[0] for row in rows(docs)} <= {"stored", "released"}
    assert spooled() == []
