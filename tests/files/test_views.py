"""Files under the addresses of views' records: of whichever record a view takes them from."""

from __future__ import annotations

from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.databases import write_session
from projects.databases.lanes import lanes
from projects.databases.stored_files import attach, reserve
from projects.files.saving import pending_row
from projects.rules import validate_rule
from projects.schema.fields.file import Upload
from projects.schema.operations import create_collection
from projects.schema.store import load_schema
from tests.files.support import PNG, Client, create, make_docs, serve
from tests.records.support import collection, relation, text


def view(project: ProjectHandle, name: str, query: str, **rules: str | None) -> None:
    with write_session(project) as session:
        data = {"name": name, "type": "view", "viewQuery": query, "viewRule": "", **rules}
        create_collection(session, data, validate_rule=validate_rule)


@pytest.fixture
def docs(project: ProjectHandle) -> ProjectHandle:
    """Nobody sees the records of ``docs`` themselves; ``frames`` point to them."""
    make_docs(project, viewRule=None)
    with write_session(project) as session:
        target = load_schema(session).get("docs")
        assert target is not None
        collection(session, "frames", text("name"), relation("doc", target))
    return project


async def get(client: Client, view_name: str, record: str, name: str, **query: str) -> Any:
    return await client.get(f"/api/files/{view_name}/{record}/{name}", params=query)


def test_a_view_serves_the_files_that_its_records_name_and_no_others(docs: ProjectHandle) -> None:
    view(docs, "shown", "SELECT id, one AS picture, many FROM docs WHERE title = 'shown'")
    view(docs, "above", "SELECT id, picture AS image FROM shown")
    view(docs, "titles", "SELECT id, title FROM docs")

    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.png", PNG), ("many", "m.txt", b"many"), title="shown")
        other = await create(client, ("one", "b.png", PNG), title="not shown")
        name, many = made["one"], made["many"][0]
        for named in ("shown", "above"):
            answer = await get(client, named, made["id"], name)
            assert (answer.status_code, answer.content) == (200, PNG)
        assert (await get(client, "shown", made["id"], many)).content == b"many"
        for named, record, file in (
            ("above", made["id"], many),  # not a column of this view
            ("titles", made["id"], name),
            ("shown", other["id"], other["one"]),  # not a record of it
            ("shown", made["id"], other["one"]),  # not a file of this record
            ("shown", other["id"], name),
            ("shown", made["id"], "nothing.png"),
        ):
            assert (await get(client, named, record, file)).status_code == 404

    serve(docs, test)


def test_a_view_has_thumbs_of_the_sizes_that_the_field_offers(docs: ProjectHandle) -> None:
    view(docs, "shown", "SELECT id, one FROM docs")

    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.png", PNG), title="x")
        for _ in range(2):
            answer = await get(client, "shown", made["id"], made["one"], thumb="50x50")
            assert answer.status_code == 200 and answer.headers["vary"] == "Accept"
        assert (await get(client, "shown", made["id"], made["one"], thumb="70x70")).content == PNG

    serve(docs, test)


def test_a_file_is_found_whatever_id_the_view_gives_its_record(docs: ProjectHandle) -> None:
    view(docs, "framed", "SELECT f.id AS id, d.one FROM frames f LEFT JOIN docs d ON d.id = f.doc")
    view(docs, "numbered", "SELECT (ROW_NUMBER() OVER()) AS id, one FROM docs")

    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.txt", b"content"), title="x")
        frame = (await client.post("/api/collections/frames/records", json={"doc": made["id"]})).json()
        empty = (await client.post("/api/collections/frames/records", json={"name": "empty"})).json()
        assert (await get(client, "framed", frame["id"], made["one"])).content == b"content"
        assert (await get(client, "numbered", "1", made["one"])).content == b"content"
        assert (await get(client, "framed", empty["id"], made["one"])).status_code == 404
        assert (await get(client, "framed", made["id"], made["one"])).status_code == 404
        # What the view shows no more, it serves no more.
        await client.patch(f"/api/collections/frames/records/{frame['id']}", json={"doc": ""})
        assert (await get(client, "framed", frame["id"], made["one"])).status_code == 404

    serve(docs, test)


def test_a_protected_file_is_under_the_rule_of_the_view_that_shows_it(docs: ProjectHandle) -> None:
    columns = "SELECT id, title, secret FROM docs"
    view(docs, "for_all", columns)
    view(docs, "for_some", columns, viewRule="title = 'open'")
    view(docs, "for_nobody", columns, viewRule=None)

    async def test(client: Client) -> None:
        made = await create(client, ("secret", "s.txt", b"secret"), title="closed")
        name = made["secret"]
        assert (await get(client, "docs", made["id"], name)).status_code == 404
        answer = await get(client, "for_all", made["id"], name)
        assert answer.content == b"secret" and "private" in answer.headers["cache-control"]
        for named in ("for_some", "for_nobody"):
            assert (await get(client, named, made["id"], name)).status_code == 404
        await client.patch(f"/api/collections/docs/records/{made['id']}", json={"title": "open"})
        assert (await get(client, "for_some", made["id"], name)).status_code == 200

    serve(docs, test)


def test_a_read_rule_comes_along_with_the_field(project: ProjectHandle) -> None:
    with write_session(project) as session:
        secret = {"name": "secret", "type": "file", "protected": True, "readRule": "title = 'open'"}
        collection(session, "docs", text("title"), secret)
    view(project, "shown", "SELECT id, title, secret FROM docs")

    def names(session: Any) -> dict[str, str]:
        return dict(session.rows("SELECT record, name FROM _files"))

    async def test(client: Client) -> None:
        for title, status in (("open", 200), ("closed", 404)):
            made = await create(client, ("secret", "s.txt", b"secret"), title=title)
            name = (await lanes().read(project, names, "long"))[made["id"]]
            assert (await get(client, "shown", made["id"], name)).status_code == status

    serve(project, test)


def test_two_files_of_one_name_are_not_taken_for_each_other(docs: ProjectHandle) -> None:
    """Our own names are as good as unique; those that an import brought need not be."""
    view(docs, "framed", "SELECT f.id AS id, d.one FROM frames f LEFT JOIN docs d ON d.id = f.doc")
    view(docs, "shown", "SELECT id, one FROM docs")

    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.txt", b"content"), title="x")
        frame = (await client.post("/api/collections/frames/records", json={"doc": made["id"]})).json()
        assert (await get(client, "framed", frame["id"], made["one"])).status_code == 200
        twin = await create(client, title="twin")

        def store(session: Any) -> None:
            row = pending_row(Upload("k" * 32, "a.txt", 1, "text/plain", "0" * 64), "disk")
            reserve(session, [row], seconds=60)
            field = load_schema(session).get("docs").field_by_name["one"]  # type: ignore[union-attr]
            place = {"collection": twin["collectionId"], "record": twin["id"], "field": field.id}
            assert attach(session, row.key, name=made["one"], **place)

        await lanes().write(docs, store)
        assert (await get(client, "shown", made["id"], made["one"])).content == b"content"
        assert (await get(client, "framed", frame["id"], made["one"])).status_code == 404

    serve(docs, test)
