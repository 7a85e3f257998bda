"""Uploads straight to a bucket, and downloads that are sent there: what the server still decides."""

from __future__ import annotations

import asyncio
from typing import Any

import httpx
import pytest

from projects.context import ProjectHandle
from projects.databases import write_session
from projects.files.removal import remove_released
from projects.files.storages import open_storage
from tests.files.conftest import use_s3
from tests.files.support import PNG, RECORDS, Client, bytes_used, create, make_docs, rows, serve

PRESIGN = "/api/files/presign"


@pytest.fixture
def docs(project: ProjectHandle, settings: Any, s3_server: str) -> ProjectHandle:
    use_s3(settings, s3_server)
    make_docs(project)
    return project


async def presigned(client: Client, size: int, field: str = "one", kind: str = "image/png") -> Any:
    body = {"collection": "docs", "field": field, "filename": "a.png", "filetype": kind, "size": size}
    answer = await client.post(PRESIGN, json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


async def put(made: Any, content: bytes) -> int:
    async with httpx.AsyncClient() as bucket:
        return (
            await bucket.request(made["method"], made["url"], headers=made["headers"], content=content)
        ).status_code


def test_a_file_goes_to_the_bucket_and_then_to_a_record(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        made = await presigned(client, len(PNG))
        early = await client.post(RECORDS, json={"one": made["id"]})
        assert early.json()["data"]["one"]["code"] == "validation_upload_unfinished"
        assert await put(made, PNG) == 200
        record = (await client.post(RECORDS, json={"one": made["id"]})).json()
        assert record["one"].endswith(".png")
        # The address still takes bytes, but not for the file that was checked.
        assert await put(made, b"<" * len(PNG)) == 200
        got = await client.get(f"/api/files/docs/{record['id']}/{record['one']}")
        assert got.content == PNG and got.headers["content-type"] == "image/png"
        again = await client.post(RECORDS, json={"one": made["id"]})
        assert again.json()["data"]["one"]["code"] == "validation_invalid_upload"

    serve(docs, test)
    assert bytes_used(docs) == len(PNG)
    with write_session(docs) as session:
        session.execute("UPDATE _files SET due = '2001-01-01T00:00:00.000Z' WHERE state = 'pending'")
    remove_released(docs)
    assert [row[0] for row in rows(docs)] == ["stored"] and bytes_used(docs) == len(PNG)
    assert [one.size for one in open_storage(docs, "s3").objects()] == [len(PNG)]


def test_type_and_size_are_what_the_bucket_has_and_not_what_was_said(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        page, short = await presigned(client, 9, "many"), await presigned(client, 10, "many")
        assert await put(page, b"<html>abc") == 200
        refused = await client.post(RECORDS, json={"many": [page["id"]]})
        assert refused.json()["data"]["many"]["code"] == "validation_invalid_mime_type"
        storage, key = open_storage(docs, "s3"), short["url"].partition("?")[0].rpartition("/")[2]
        # As a bucket would do that does not look at the signed length.
        await asyncio.to_thread(
            storage.client.put_object, Bucket="mbaas-tests", Key=storage.name(key), Body=b"abc"  # type: ignore[attr-defined]
        )  # fmt: skip
        refused = await client.post(RECORDS, json={"many": [short["id"]]})
        assert refused.json()["data"]["many"]["code"] == "validation_upload_unfinished"

    serve(docs, test)


def test_the_address_is_for_one_size_and_one_type(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        url = httpx.URL((await presigned(client, 9))["url"])
        assert url.params["X-Amz-SignedHeaders"].split(";") == ["content-length", "content-type", "host"]
        assert url.params["X-Amz-Expires"] == "900"

    serve(docs, test)


@pytest.mark.parametrize(
    ("change", "status"),
    [
        ({"size": 0}, 400),
        ({"size": "9"}, 400),
        ({"size": 6_000_000}, 413),
        ({"field": "title"}, 400),
        ({"field": ""}, 400),
        ({"filetype": "a\nb"}, 400),
        ({"collection": "nothing"}, 404),
    ],
)
def test_what_no_record_could_take_gets_no_address(
    docs: ProjectHandle, change: dict[str, Any], status: int
) -> None:
    async def test(client: Client) -> None:
        body = {"collection": "docs", "field": "one", "filename": "a", "filetype": "", "size": 9, **change}
        assert (await client.post(PRESIGN, json=body)).status_code == status

    serve(docs, test)
    assert rows(docs) == []


def test_who_can_never_write_such_a_record_gets_no_address(
    project: ProjectHandle, settings: Any, s3_server: str
) -> None:
    use_s3(settings, s3_server)
    make_docs(project, createRule='@request.auth.id != ""', updateRule=None)

    async def test(client: Client) -> None:
        body = {"collection": "docs", "field": "one", "size": 9}
        assert (await client.post(PRESIGN, json=body)).status_code == 403

    serve(project, test)


def test_a_project_on_the_disk_says_so(project: ProjectHandle) -> None:
    make_docs(project)

    async def test(client: Client) -> None:
        answer = await client.post(PRESIGN, json={"collection": "docs", "field": "one", "size": 9})
        assert answer.status_code == 400 and "disk" in answer.json()["message"]

    serve(project, test)
    assert rows(project) == []


def test_a_resumable_upload_ends_in_the_bucket_too(docs: ProjectHandle) -> None:
    from tests.files.tus import uploaded

    async def test(client: Client) -> None:
        upload = await uploaded(client, b"text")
        record = (await client.post(RECORDS, json={"one": upload})).json()
        got = await client.get(f"/api/files/docs/{record['id']}/{record['one']}")
        assert got.content == b"text"

    serve(docs, test)
    assert [one.size for one in open_storage(docs, "s3").objects()] == [4]


def test_a_download_is_sent_to_the_bucket_when_the_operator_says_so(
    project: ProjectHandle, settings: Any, s3_server: str
) -> None:
    use_s3(settings, s3_server)
    settings.MBAAS_FILES_REDIRECT_SECONDS = 60
    make_docs(project, viewRule='@request.auth.id != ""')

    async def test(client: Client) -> None:
        page = await create(client, ("one", "a.html", b"<html><script>"), ("secret", "s.png", PNG))
        address = f"/api/files/docs/{page['id']}"
        answer = await client.get(f"{address}/{page['one']}")
        assert answer.status_code == 302 and answer.headers["cache-control"] == "private, no-store"
        async with httpx.AsyncClient() as bucket:
            got = await bucket.get(answer.headers["location"])
        assert got.content == b"<html><script>"
        # What browsers would run is saved instead, there as here.
        assert got.headers["content-disposition"].startswith("attachment")
        refused = await client.get(f"{address}/{page['secret']}?token=wrong")
        assert refused.status_code == 404 and "location" not in refused.headers

    serve(project, test)


def test_files_on_the_disk_are_never_redirected(project: ProjectHandle, settings: Any) -> None:
    settings.MBAAS_FILES_REDIRECT_SECONDS = 60
    make_docs(project)

    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.txt", b"a"))
        assert (await client.get(f"/api/files/docs/{made['id']}/{made['one']}")).content == b"a"

    serve(project, test)
