"""Tables into a collection: what becomes of the rows, over the API and by the command."""

from __future__ import annotations

import io
import json
import tempfile
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from django.core.management.base import CommandError

from projects.accounts.tokens import issue_token
from projects.context import ProjectHandle
from projects.databases import read_session, write_session
from projects.importing.tables import storing
from projects.models import AuditEntry
from projects.records.events import ChangeEvent, listen, unlisten
from projects.schema import collection_to_json, create_collection
from tests.accounts.helpers import any_rule, call_on, change_collection, enter, sign_up
from tests.api.support import serve
from tests.records.support import collection, number, relation, text

pytestmark = pytest.mark.usefixtures("hosted_project")
ROOT = "/api/collections"


@pytest.fixture
def service(project: ProjectHandle, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """Headers of a superuser."""
    monkeypatch.setattr(
        "projects.accounts.principals.is_service_key", lambda handle, token: token == "sk_right"
    )
    return {"Authorization": "sk_right"}


@pytest.fixture
def posts(project: ProjectHandle) -> None:
    """Fields of all types, rules for nobody."""
    with write_session(project) as session:
        authors = collection(session, "authors", text("name"))
        made = collection(
            session,
            "posts",
            text("title", required=True, max=20),
            number("n", min=0),
            {"name": "open", "type": "bool"},
            {"name": "day", "type": "date"},
            {"name": "mail", "type": "email"},
            {"name": "tags", "type": "select", "values": ["a", "b", "c"], "maxSelect": 2},
            {"name": "data", "type": "json"},
            {"name": "place", "type": "geoPoint"},
            {"name": "maybe", "type": "number", "nullable": True},
            {"name": "pic", "type": "file"},
            relation("author", authors),
            relation("others", authors, maxSelect=5),
            {"name": "made", "type": "autodate", "onCreate": True},
            {"name": "changed", "type": "autodate", "onCreate": True, "onUpdate": True},
            createRule=None,
            updateRule="id = 'nobody'",
            indexes=["CREATE UNIQUE INDEX i_mail ON posts (mail) WHERE mail != ''"],
        )
        assert made
    bring(
        project, "authors", [{"id": "author00000000a", "name": "A"}, {"id": "author00000000b", "name": "B"}]
    )


def bring(project: ProjectHandle, name: str, rows: Any, **options: Any) -> dict[str, Any]:
    """By the command, from a file; the totals."""
    kind = "csv" if isinstance(rows, str) else "jsonl"
    content = rows if isinstance(rows, str) else "".join(json.dumps(row) + "\n" for row in rows)
    out = io.StringIO()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / f"rows.{kind}"
        path.write_text(content)
        try:
            call_command("import_records", project.ref, name, str(path), "--json", stdout=out, **options)
        except CommandError as error:
            if "were refused" not in str(error):
                raise
    return json.loads(out.getvalue())


def stored(project: ProjectHandle, name: str, columns: str, order: str = "id") -> list[tuple[Any, ...]]:
    with read_session(project) as session:
        return session.rows(f'SELECT {columns} FROM "{name}" ORDER BY {order}')


def log(project: ProjectHandle) -> list[tuple[Any, ...]]:
    with read_session(project) as session:
        return session.rows("SELECT action, record FROM _changes ORDER BY seq")


# --- what rows become ---------------------------------------------------------------------------------


def test_text_becomes_what_its_field_takes(project: ProjectHandle, posts: None) -> None:
    totals = bring(
        project,
        "posts",
        "id,title,n,open,day,mail,tags,data,place,maybe,author,others,made,nonsense\n"
        'post0000000000a,First,1.50,yes,2026-02-28,a@example.com,"[""a"",""b""]","{""k"":[1]}",'
        '"{""lon"":1,""lat"":2}",,author00000000a,"[""author00000000b"",""author00000000a""]",2020-01-01 10:00:00Z,x\n'
        "post0000000000b,Second,,,,,a,,,0,,author00000000a,,y\n"
        ",Third, 7 ,F,,,,5,,,,,,z\n",
    )
    assert (totals["created"], totals["refused"], totals["unknownColumns"]) == (3, 0, ["nonsense"])

    async def look(client: Any) -> None:
        shown = {one["title"]: one for one in (await client.get(f"{ROOT}/posts/records")).json()["items"]}
        first, second, third = shown["First"], shown["Second"], shown["Third"]
        assert first["id"] == "post0000000000a" and len(third["id"]) == 15
        assert (first["n"], first["open"], first["day"]) == (1.5, True, "2026-02-28T00:00:00.000Z")
        assert (first["tags"], first["data"], first["place"]) == (
            ["a", "b"],
            {"k": [1]},
            {"lon": 1, "lat": 2},
        )
        assert (first["maybe"], second["maybe"]) == (None, 0)
        assert (first["author"], first["others"]) == (
            "author00000000a",
            ["author00000000b", "author00000000a"],
        )
        # A record keeps the date of its creation when it moves; else it is now.
        assert first["made"] == "2020-01-01T10:00:00.000Z" and second["made"] > "2026"
        assert (second["n"], second["open"], second["day"], second["tags"]) == (0, False, "", ["a"])
        assert (third["n"], third["open"], third["data"]) == (7, False, 5)
        # Both directions of a relation to many.
        query = {"filter": "others.name ?= 'A'"}
        found = (await client.get(f"{ROOT}/posts/records", params=query)).json()["items"]
        assert {one["title"] for one in found} == {"First", "Second"}

    serve(project, look)


WRONG = [
    ("no title", {"title": ""}, "title", "validation_required"),
    ("a long title", {"title": "x" * 21}, "title", "validation_max_text_constraint"),
    ("no number", {"n": "abc"}, "n", "validation_not_a_number"),
    ("a number beyond all", {"n": "1e999"}, "n", "validation_not_a_number"),
    ("a number below the least", {"n": "-1"}, "n", "validation_min_number_constraint"),
    ("no truth", {"open": "perhaps"}, "open", "validation_invalid_value"),
    ("no date", {"day": "2026-02-31"}, "day", "validation_invalid_date"),
    ("no e-mail", {"mail": "x"}, "mail", "validation_is_email"),
    ("no choice", {"tags": "d"}, "tags", "validation_invalid_value"),
    ("no JSON", {"data": "{"}, "data", "validation_invalid_json"),
    ("no such record", {"author": "author00000000c"}, "author", "validation_missing_rel_records"),
    ("one of several is missing", {"others": '["author00000000a","author00000000c"]'}, "others",
     "validation_missing_rel_records"),
    ("a file that is not there", {"pic": "pic_abc.png"}, "pic", "validation_invalid_file"),
    ("an odd id", {"id": "UPPER"}, "id", "validation_min_text_constraint"),
    ("a taken id", {"id": "post0000000000a"}, "id", "validation_not_unique"),
    ("a taken e-mail", {"mail": "a@example.com"}, "mail", "validation_not_unique"),
]  # fmt: skip


def test_each_row_that_does_not_fit_is_refused_by_line_and_field_and_the_others_are_stored(
    project: ProjectHandle, posts: None, tmp_path: Path
) -> None:
    bring(project, "posts", [{"id": "post0000000000a", "title": "There", "mail": "a@example.com"}])
    names = ["id", "title", "n", "open", "day", "mail", "tags", "data", "author", "others", "pic"]
    lines = [",".join(names)]
    for number_, (_, wrong, *_) in enumerate(WRONG):
        row = {"title": f"row {number_}", **wrong}
        lines.append(",".join('"' + row.get(name, "").replace('"', '""') + '"' for name in names))
        lines.append(",".join(f"fine {number_}" if name == "title" else "" for name in names))
    refused = tmp_path / "refused.jsonl"
    totals = bring(project, "posts", "\n".join(lines), refused=str(refused))
    assert (totals["created"], totals["refused"]) == (len(WRONG), len(WRONG))
    found = [
        (one["line"], next(iter(one["data"])), next(iter(one["data"].values()))["code"])
        for one in totals["errors"]
    ]
    assert found == [(2 + 2 * at, field, code) for at, (_, _, field, code) in enumerate(WRONG)]
    written = [json.loads(line) for line in refused.read_text().splitlines()]
    assert [one["line"] for one in written] == [line for line, *_ in found]
    assert written[2]["row"]["n"] == "abc"
    assert len(stored(project, "posts", "id")) == len(WRONG) + 1


def test_json_values_are_read_as_the_api_reads_them_but_text_is_never_guessed(
    project: ProjectHandle, posts: None
) -> None:
    totals = bring(
        project,
        "posts",
        [
            {"title": "a", "n": 5, "data": {"deep": [1]}, "tags": ["a"], "open": True, "maybe": None},
            {"title": "b", "n": "12", "open": "true", "day": "2026-01-01"},
            {"title": "c", "n": "twelve"},
            {"title": 7, "n": None, "n+": 4},
        ],
    )
    assert (totals["created"], totals["refused"], totals["errors"][0]["line"]) == (3, 1, 3)
    assert totals["unknownColumns"] == ["n+"]
    assert stored(project, "posts", "title, n", "title") == [("7", 0), ("a", 5), ("b", 12)]


def test_columns_may_be_called_otherwise_or_left_out(project: ProjectHandle, posts: None) -> None:
    totals = bring(project, "posts", "Heading,n\nx,5\n", map=["Heading=title", "n="])
    assert (totals["created"], totals["unknownColumns"]) == (1, [])
    assert stored(project, "posts", "title, n") == [("x", 0)]


def test_records_of_one_file_may_name_each_other_backwards(project: ProjectHandle) -> None:
    with write_session(project) as session:
        tree = collection(session, "tree", text("name"))
        fields = [*collection_to_json(tree)["fields"], relation("parent", tree)]
        change_collection(session, "tree", fields=fields)
    rows = [
        {"id": "tree0000000000a", "parent": ""},
        {"id": "tree0000000000b", "parent": "tree0000000000a"},
        {"id": "tree0000000000c", "parent": "tree0000000000d"},
        {"id": "tree0000000000d", "parent": "tree0000000000a"},
    ]
    totals = bring(project, "tree", rows)
    assert (totals["created"], [one["line"] for one in totals["errors"]]) == (3, [3])


# --- changing what is there ---------------------------------------------------------------------------


def test_upsert_changes_what_rows_name_and_nothing_else(project: ProjectHandle, posts: None) -> None:
    bring(
        project,
        "posts",
        [
            {"id": "post0000000000a", "title": "A", "n": 1, "others": ["author00000000a"]},
            {"id": "post0000000000b", "title": "B", "n": 2, "mail": "b@example.com"},
        ],
    )
    before = log(project)
    totals = bring(
        project,
        "posts",
        "id,title,n,mail,others,changed\n"
        'post0000000000a,A2,1,,"[""author00000000b""]",\n'
        "post0000000000b,B,2,b@example.com,,\n"
        "post0000000000c,C,3,c@example.com,,\n"
        "post0000000000c,C2,3,c@example.com,,\n"
        "post0000000000d,D,3,b@example.com,,\n"
        "post0000000000a,,3,,,\n",
        upsert=True,
    )
    counts = (totals["created"], totals["updated"], totals["unchanged"], totals["refused"])
    assert counts == (1, 2, 1, 2)
    assert {one["line"]: next(iter(one["data"])) for one in totals["errors"]} == {6: "mail", 7: "title"}
    assert stored(project, "posts", "id, title, n") == [
        ("post0000000000a", "A2", 1), ("post0000000000b", "B", 2), ("post0000000000c", "C2", 3),
    ]  # fmt: skip
    assert log(project)[len(before) :] == [
        ("update", "post0000000000a"), ("create", "post0000000000c"), ("update", "post0000000000c"),
    ] or sorted(log(project)[len(before) :]) == [
        ("create", "post0000000000c"), ("update", "post0000000000a"), ("update", "post0000000000c"),
    ]  # fmt: skip

    async def look(client: Any) -> None:
        query = {"filter": "others.name ?= 'B'", "fields": "id"}
        found = (await client.get(f"{ROOT}/posts/records", params=query)).json()["items"]
        assert found == [{"id": "post0000000000a"}]

    serve(project, look)


def test_an_import_made_twice_with_upsert_changes_nothing_the_second_time(
    project: ProjectHandle, posts: None
) -> None:
    rows = [{"id": f"post00000000{n:03}", "title": f"t{n}", "n": n} for n in range(50)]
    bring(project, "posts", rows, upsert=True)
    before = log(project), stored(project, "posts", "*")
    totals = bring(project, "posts", rows, upsert=True)
    assert totals["unchanged"] == 50 and (log(project), stored(project, "posts", "*")) == before


# --- people -------------------------------------------------------------------------------------------


def test_users_get_hashes_and_may_sign_in(project: ProjectHandle) -> None:
    totals = bring(
        project,
        "users",
        "email,password,name,verified\nann@example.com,long enough 1,Ann,true\nben@example.com,short,Ben,\n,long enough 1,X,\n",
    )
    assert totals["created"] == 1
    assert {one["line"]: list(one["data"]) for one in totals["errors"]} == {3: ["password"], 4: ["email"]}
    with write_session(project) as session:
        assert enter(session, "ann@example.com", "long enough 1")["record"]["verified"] is True
    ((ann, key),) = stored(project, "users", 'id, "tokenKey"')
    # An empty password changes none; another address, or password, ends the sessions.
    bring(project, "users", f"id,name,password\n{ann},Anna,\n", upsert=True)
    assert stored(project, "users", 'name, "tokenKey"') == [("Anna", key)]
    bring(project, "users", f"id,password\n{ann},longer still 2\n", upsert=True)
    assert stored(project, "users", '"tokenKey"') != [(key,)]
    with write_session(project) as session:
        assert enter(session, "ann@example.com", "longer still 2")["token"]
    assert bring(project, "users", f"id,password\n{ann},short\n", upsert=True)["errors"][0]["data"][
        "password"
    ]


# --- steps, dry runs ----------------------------------------------------------------------------------


def test_a_dry_run_stores_nothing_and_refuses_the_same(
    project: ProjectHandle, posts: None, settings: Any
) -> None:
    settings.MBAAS_IMPORT_STEP = 2
    rows = [{"title": "a"}, {"title": ""}, {"title": "b", "author": "nobody000000000"}, {"title": "c"}]
    before = log(project)
    planned = bring(project, "posts", rows, dry_run=True)
    assert log(project) == before and stored(project, "posts", "id") == []
    assert bring(project, "posts", rows) == planned
    assert AuditEntry.objects.filter(action="records.imported").count() == 2  # the authors, and this


def test_each_step_is_a_transaction_with_its_changes_and_is_announced(
    project: ProjectHandle, posts: None, settings: Any
) -> None:
    settings.MBAAS_IMPORT_STEP = 3
    before = len(log(project))
    heard: list[ChangeEvent] = []
    listen(heard.append)
    try:
        bring(project, "posts", [{"title": f"t{n}"} for n in range(7)])
    finally:
        unlisten(heard.append)
    assert [event.after["title"] for event in heard if event.after] == [f"t{n}" for n in range(7)]
    assert [record for _, record in log(project)[before:]] == [event.record_id for event in heard]


def test_what_ends_an_import_leaves_whole_steps(
    project: ProjectHandle, posts: None, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MBAAS_IMPORT_STEP = 3
    insert, calls = storing.insert_records, []

    def failing(*arguments: Any) -> Any:
        found = insert(*arguments)
        calls.append(1)
        if len(calls) == 3:
            raise KeyboardInterrupt
        return found

    monkeypatch.setattr(storing, "insert_records", failing)
    before = len(log(project))
    with pytest.raises(CommandError, match="Interrupted after 6 records created"):
        bring_or_raise(project, "posts", [{"title": f"t{n}"} for n in range(9)])
    assert len(stored(project, "posts", "id")) == 6 == len(log(project)) - before


def bring_or_raise(project: ProjectHandle, name: str, rows: list[dict[str, Any]]) -> None:
    with tempfile.NamedTemporaryFile("w", suffix=".jsonl") as file:
        file.write("".join(json.dumps(row) + "\n" for row in rows))
        file.flush()
        call_command("import_records", project.ref, name, file.name, "--json", stdout=io.StringIO())


# --- over the API -------------------------------------------------------------------------------------


def test_the_api_takes_a_table_and_says_what_became_of_it(
    project: ProjectHandle, posts: None, service: dict[str, str], settings: Any
) -> None:
    settings.MBAAS_IMPORT_STEP = 2

    async def work(client: Any) -> None:
        url = f"{ROOT}/posts/records/import"
        lines = "".join(json.dumps({"title": f"t{n}" if n != 3 else ""}) + "\n" for n in range(7))
        answer = await client.post(
            url, content=lines, headers={**service, "Content-Type": "application/x-ndjson"}
        )
        assert answer.status_code == 200
        assert answer.json() == {
            "created": 6, "updated": 0, "unchanged": 0, "refused": 1, "unknownColumns": [],
            "errors": [
                {
                    "line": 4,
                    "message": "The row has values that its fields do not take.",
                    "data": {"title": {"code": "validation_required", "message": "Cannot be blank."}},
                }
            ],
        }  # fmt: skip
        rows = "Heading;n\nx;5\n"
        query = {"columns": json.dumps({"Heading": "title"}), "dryRun": "true"}
        answer = await client.post(
            url, content=rows, params=query, headers={**service, "Content-Type": "text/csv; charset=utf-8"}
        )
        assert answer.json()["created"] == 1
        assert len((await client.get(f"{ROOT}/posts/records")).json()["items"]) == 6
        users = f"{ROOT}/users/records/import"
        content = "id,email,password\nuser00000000ann,ann@example.com,long enough 1\n"
        answer = await client.post(users, content=content, headers={**service, "Content-Type": "text/csv"})
        assert answer.json()["created"] == 1
        again = await client.post(
            f"{users}?upsert=1",
            content="id,name\nuser00000000ann,Ann\n",
            headers={**service, "Content-Type": "text/csv"},
        )
        assert again.json()["updated"] == 1

    serve(project, work)


def test_a_body_is_taken_piece_by_piece(project: ProjectHandle, posts: None, service: dict[str, str]) -> None:
    async def work(client: Any) -> None:
        async def pieces() -> Any:
            for number_ in range(3000):
                yield (json.dumps({"title": f"t{number_}", "data": "x" * 200}) + "\n").encode()

        headers = {**service, "Content-Type": "application/jsonl"}
        answer = await client.post(f"{ROOT}/posts/records/import", content=pieces(), headers=headers)
        assert answer.json()["created"] == 3000

    serve(project, work)


def test_only_superusers_import(project: ProjectHandle, posts: None, service: dict[str, str]) -> None:
    with write_session(project) as session:
        record = sign_up(session, "eve@example.com")
        token = issue_token(project, call_on(session).collection("users"), record)
    before = log(project)

    async def work(client: Any) -> None:
        url, kind = f"{ROOT}/posts/records/import", {"Content-Type": "text/csv"}
        for headers, status in (
            ({}, 401),
            ({"Authorization": token}, 403),
            ({"Authorization": "sk_wrong"}, 401),
        ):
            answer = await client.post(url, content="title\nx\n", headers={**kind, **headers})
            assert answer.status_code == status
        # A collection that is not there is no secret from superusers alone.
        answer = await client.post(f"{ROOT}/none/records/import", content="a\n", headers=kind)
        assert answer.status_code == 401
        answer = await client.post(f"{ROOT}/none/records/import", content="a\n", headers={**kind, **service})
        assert answer.status_code == 404
        answer = await client.post(
            f"{ROOT}/_superusers/records/import", content="a\n", headers={**kind, **service}
        )
        assert answer.status_code == 400

    serve(project, work)
    assert log(project) == before


@pytest.mark.parametrize(
    ("kind", "query", "content", "says"),
    [
        ("application/json", {}, b"[]", "Unsupported Content-Type"),
        ("text/csv; charset=latin1", {}, b"title\nx\n", "UTF-8"),
        ("text/csv", {"delimiter": "ab"}, b"title\nx\n", "delimiter"),
        ("text/csv", {"columns": "[1]"}, b"title\nx\n", "Failed to import"),
        ("text/csv", {}, b"", "must name the columns"),
    ],
)
def test_a_request_that_cannot_be_read_is_refused(
    project: ProjectHandle,
    posts: None,
    service: dict[str, str],
    kind: str,
    query: dict[str, str],
    content: bytes,
    says: str,
) -> None:
    async def work(client: Any) -> None:
        headers = {**service, "Content-Type": kind}
        answer = await client.post(
            f"{ROOT}/posts/records/import", content=content, params=query, headers=headers
        )
        assert answer.status_code == 400 and says in answer.json()["message"]

    serve(project, work)


def test_a_body_that_grows_too_large_is_cut_and_what_was_stored_is_said(
    project: ProjectHandle, posts: None, service: dict[str, str], settings: Any
) -> None:
    settings.MBAAS_IMPORT_MAX_BYTES = 600_000
    settings.MBAAS_IMPORT_STEP = 100

    async def work(client: Any) -> None:
        async def pieces() -> Any:
            for _ in range(10_000):
                yield (json.dumps({"title": "t", "data": "x" * 1000}) + "\n").encode()

        headers = {**service, "Content-Type": "application/jsonl"}
        answer = await client.post(f"{ROOT}/posts/records/import", content=pieces(), headers=headers)
        assert answer.status_code == 413
        count = (await client.get(f"{ROOT}/posts/records")).json()["totalItems"]
        assert count % 100 == 0 and f" {count} records were created" in answer.json()["message"]

    serve(project, work)


def test_a_schema_that_changes_on_the_way_is_seen_by_the_step_that_meets_it(
    project: ProjectHandle, posts: None, monkeypatch: pytest.MonkeyPatch
) -> None:
    calls: list[Any] = []

    def changing(plain: Any) -> None:
        calls.append(plain)
        if len(calls) == 1:
            with write_session(project) as session:
                fields = collection_to_json(call_on(session).collection("posts"))["fields"]
                changed = [{**one, "max": 3} if one["name"] == "title" else one for one in fields]
                change_collection(session, "posts", fields=changed)

    # Between reading and storing.
    monkeypatch.setattr("projects.management.commands.import_records.hash_all", changing)
    assert bring(project, "posts", [{"title": "long"}, {"title": "x"}])["refused"] == 1
    assert len(calls) == 2 and stored(project, "posts", "title") == [("x",)]


@pytest.mark.parametrize("name", ["shown", "_superusers", "nothing"])
def test_only_collections_with_records_are_imported_into(
    project: ProjectHandle, posts: None, name: str
) -> None:
    with write_session(project) as session:
        data = {"name": "shown", "type": "view", "viewQuery": "SELECT id FROM posts"}
        create_collection(session, data, validate_rule=any_rule)
    with pytest.raises(CommandError):
        bring_or_raise(project, name, [{"id": "x"}])
