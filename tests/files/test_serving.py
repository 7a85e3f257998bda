"""Serving: who gets which bytes, with which headers; from the disk and from a bucket alike."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from projects.accounts.tokens import issue_token
from projects.context import ProjectHandle
from projects.databases import write_session
from projects.rules import validate_rule
from projects.schema.operations import update_collection
from projects.schema.store import load_schema
from tests.accounts.helpers import sign_up
from tests.files.support import PNG, RECORDS, Client, create, file, make_docs, rows, serve
from tests.records.support import collection, text

SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(document.domain)</script></svg>"
TEN = b"0123456789"


@pytest.fixture
def docs(project: ProjectHandle, storage_kind: str) -> ProjectHandle:
    make_docs(project)
    return project


def address(record: dict[str, Any], field: str, collection: str = "docs") -> str:
    name = record[field] if isinstance(record[field], str) else record[field][0]
    return f"/api/files/{collection}/{record['id']}/{name}"


def stored_name_of(project: ProjectHandle) -> str:
    ((_, _, name),) = rows(project)
    return name


def change_rule(project: ProjectHandle, rule: str | None) -> None:
    with write_session(project) as session:
        update_collection(session, "docs", {"viewRule": rule}, validate_rule=validate_rule)


def token_of(project: ProjectHandle, email: str = "alice@example.com") -> str:
    with write_session(project) as session:
        record = sign_up(session, email)
        users = load_schema(session).get("users")
        assert users is not None
        return issue_token(project, users, record)


def test_a_file_is_served_whole_by_name_or_id_of_its_collection(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.txt", TEN))
        for named in ("docs", made["collectionId"]):
            answer = await client.get(address(made, "one", named))
            assert answer.status_code == 200
            assert answer.content == TEN
            assert answer.headers["content-length"] == "10"
        head = await client.head(address(made, "one"))
        assert (head.status_code, head.content, head.headers["content-length"]) == (200, b"", "10")
        assert head.headers == answer.headers

    serve(docs, test)


def test_a_large_file_comes_in_pieces(docs: ProjectHandle) -> None:
    content = bytes(range(256)) * 4 * 1024

    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.bin", content))
        assert (await client.get(address(made, "one"))).content == content

    serve(docs, test)


def test_an_empty_file_is_served(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.txt", b""))
        answer = await client.get(address(made, "one"))
        assert (answer.status_code, answer.content) == (200, b"")
        assert (await client.get(address(made, "one"), headers={"Range": "bytes=0-"})).status_code == 416

    serve(docs, test)


RANGES: list[tuple[str, int, bytes | None, str | None]] = [
    ("bytes=0-3", 206, b"0123", "bytes 0-3/10"),
    ("bytes=5-", 206, b"56789", "bytes 5-9/10"),
    ("bytes=-3", 206, b"789", "bytes 7-9/10"),
    ("bytes=0-100", 206, TEN, "bytes 0-9/10"),
    ("bytes=-100", 206, TEN, "bytes 0-9/10"),
    ("bytes=9-9", 206, b"9", "bytes 9-9/10"),
    ("bytes=10-", 416, None, "bytes */10"),
    ("bytes=3-1", 416, None, "bytes */10"),
    ("bytes=-0", 416, None, "bytes */10"),
    ("bytes=a-b", 416, None, "bytes */10"),
    ("bytes=", 416, None, "bytes */10"),
    ("bytes=" + "9" * 100 + "-", 416, None, "bytes */10"),
    ("items=0-1", 200, TEN, None),
    ("bytes=" + ",".join(["0-1"] * 21), 200, TEN, None),
    ("bytes=0-9,0-9", 200, TEN, None),
]


def test_ranges(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.txt", TEN))
        for wanted, status, content, said in RANGES:
            answer = await client.get(address(made, "one"), headers={"Range": wanted})
            assert (answer.status_code, answer.headers.get("content-range")) == (status, said), wanted
            if content is None:
                assert set(answer.json()) == {"status", "message", "data"}
            else:
                assert answer.content == content
            head = await client.head(address(made, "one"), headers={"Range": wanted})
            assert (head.status_code, head.content) == (status, b"")

    serve(docs, test)


def test_several_ranges_come_as_parts(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.txt", TEN))
        answer = await client.get(address(made, "one"), headers={"Range": "bytes=0-1, -2"})
        assert answer.status_code == 206
        kind, _, boundary = answer.headers["content-type"].partition("; boundary=")
        assert kind == "multipart/byteranges"
        assert len(answer.content) == int(answer.headers["content-length"])
        parts = answer.content.split(f"\r\n--{boundary}".encode())
        assert parts[0] == b"" and parts[-1] == b"--\r\n"
        heads = [part.split(b"\r\n\r\n") for part in parts[1:-1]]
        assert [body for _, body in heads] == [b"01", b"89"]
        assert b"Content-Range: bytes 0-1/10" in heads[0][0] and b"Content-Range: bytes 8-9/10" in heads[1][0]

    serve(docs, test)


def test_what_the_client_has_is_not_sent_again(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.txt", TEN))
        where = address(made, "one")
        first = await client.get(where)
        tag, modified = first.headers["etag"], first.headers["last-modified"]
        assert tag.startswith('"')
        for headers in (
            {"If-None-Match": tag}, {"If-None-Match": f'"x", W/{tag}'}, {"If-None-Match": "*"},
            {"If-Modified-Since": modified}, {"If-None-Match": tag, "Range": "bytes=0-1"},
        ):  # fmt: skip
            answer = await client.get(where, headers=headers)
            assert (answer.status_code, answer.content) == (304, b"")
            assert answer.headers["etag"] == tag
            assert answer.headers["cache-control"] == first.headers["cache-control"]
        for headers in (
            {"If-None-Match": '"x"'}, {"If-Modified-Since": "Thu, 01 Jan 1970 00:00:00 GMT"},
            {"If-Modified-Since": "yesterday"}, {"If-None-Match": '"x"', "If-Modified-Since": modified},
        ):  # fmt: skip
            assert (await client.get(where, headers=headers)).status_code == 200

    serve(docs, test)


def test_a_range_of_another_file_is_not_served(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.txt", TEN))
        where = address(made, "one")
        first = await client.get(where)
        tag, modified = first.headers["etag"], first.headers["last-modified"]
        for condition, status in (
            (tag, 206), (modified, 206), ('"x"', 200), (f"W/{tag}", 200), ("Thu, 01 Jan 1970 00:00:00 GMT", 200),
        ):  # fmt: skip
            answer = await client.get(where, headers={"Range": "bytes=0-1", "If-Range": condition})
            assert answer.status_code == status

    serve(docs, test)


def test_a_public_file_may_be_kept_for_good_and_a_protected_one_not_at_all(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.txt", TEN), ("secret", "s.txt", TEN))
        public = await client.get(address(made, "one"))
        assert public.headers["cache-control"] == "public, max-age=2592000, immutable"
        assert (await client.get(address(made, "secret"))).headers["cache-control"] == "private, no-store"

    serve(docs, test)


@pytest.mark.parametrize("storage_kind", ["disk"], indirect=True)
@pytest.mark.parametrize(
    ("name", "content", "kind", "how"),
    [
        ("a.png", PNG, "image/png", "inline"),
        ("a.pdf", b"%PDF-1.4", "application/pdf", "inline"),
        ("a.svg", SVG, "image/svg+xml", "attachment"),
        ("photo.png", SVG, "image/svg+xml", "attachment"),
        ("a.html", b"<script>alert(1)</script>", "text/html; charset=utf-8", "attachment"),
        ("a.txt", b"<script>alert(1)</script>", "text/html; charset=utf-8", "attachment"),
        ("a.js", b"alert(1)", "text/javascript", "attachment"),
        ("a.xml", b"<?xml version='1.0'?><a/>", "text/xml; charset=utf-8", "attachment"),
        ("a.bin", bytes(range(256)), "application/octet-stream", "attachment"),
        ("a.svg", PNG, "image/png", "inline"),
    ],
)
def test_no_file_runs_as_a_page_of_the_server(
    docs: ProjectHandle, name: str, content: bytes, kind: str, how: str
) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("one", name, content))
        answer = await client.get(address(made, "one"))
        assert answer.headers["content-type"] == kind
        assert answer.headers["content-disposition"] == f"{how}; filename={made['one']}"
        policy = answer.headers["content-security-policy"]
        assert policy == "default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
        for wanted in ("1", "true", "t"):
            saved = await client.get(address(made, "one"), params={"download": wanted})
            assert saved.headers["content-disposition"] == f"attachment; filename={made['one']}"
        shown = await client.get(address(made, "one"), params={"download": "0"})
        assert shown.headers["content-disposition"].startswith(how)

    serve(docs, test)


def test_what_is_not_there_is_404_and_nothing_else(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.txt", TEN))
        other = await create(client, ("one", "b.txt", TEN))
        record, name = made["id"], made["one"]
        for path in (
            f"docs/{record}/nothing.txt", f"docs/nobody/{name}", f"nothing/{record}/{name}",
            f"docs/{record}/{other['one']}", f"users/{record}/{name}", f"docs/{record}/..%2F..%2Fdata.sqlite3",
            f"docs/{record}/%00", f"docs/{record}/{'x' * 5000}", f"docs/{record}/'%20OR%201=1--",
        ):  # fmt: skip
            answer = await client.get(f"/api/files/{path}")
            assert answer.status_code == 404, path
            assert set(answer.json()) == {"status", "message", "data"}
        assert (await client.post(address(made, "one"))).status_code == 404

    serve(docs, test)


def test_a_file_goes_with_the_update_that_replaces_it_and_with_its_record(docs: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.txt", TEN))
        changed = await client.patch(f"{RECORDS}/{made['id']}", files={"one": ("b.txt", b"new")})
        assert (await client.get(address(made, "one"))).status_code == 404
        assert (await client.get(address(changed.json(), "one"))).content == b"new"
        await client.delete(f"{RECORDS}/{made['id']}")
        assert (await client.get(address(changed.json(), "one"))).status_code == 404

    serve(docs, test)


def test_a_view_rule_is_no_matter_for_a_public_file(docs: ProjectHandle) -> None:
    change_rule(docs, None)

    async def test(client: Client) -> None:
        made = await create(client, ("one", "a.txt", TEN))
        assert (await client.get(address(made, "one"))).status_code == 200

    serve(docs, test)


@pytest.mark.parametrize("storage_kind", ["disk"], indirect=True)
class TestProtected:
    """Protected files: a short token, then the view rule. What is refused looks like what is not there."""

    def test_the_view_rule_is_asked_with_the_tokens_bearer(self, docs: ProjectHandle) -> None:
        change_rule(docs, "@request.auth.email = title && @request.context = 'protectedFile'")
        alice, bob = token_of(docs), token_of(docs, "bob@example.com")

        async def test(client: Client) -> None:
            made = await create(client, ("secret", "s.txt", b"secret"), title="alice@example.com")
            where = address(made, "secret")
            for token, status in ((alice, 200), (bob, 404)):
                answer = await client.post("/api/files/token", headers={"Authorization": token})
                assert answer.status_code == 200
                short = answer.json()["token"]
                assert (await client.get(where, params={"token": short})).status_code == status
                assert (await client.head(where, params={"token": short})).status_code == status
            for params, headers in (
                ({}, {}), ({"token": "x"}, {}), ({"token": alice}, {}), ({}, {"Authorization": alice}),
            ):  # fmt: skip
                answer = await client.get(where, params=params, headers=headers)
                assert answer.status_code == 404
                assert answer.json()["message"] == "The requested resource wasn't found."

        serve(docs, test)

    def test_a_guest_gets_no_token_and_a_file_token_is_none_for_anything_else(
        self, docs: ProjectHandle
    ) -> None:
        alice = token_of(docs)

        async def test(client: Client) -> None:
            assert (await client.post("/api/files/token")).status_code == 401
            short = (await client.post("/api/files/token", headers={"Authorization": alice})).json()["token"]
            again = await client.post("/api/files/token", headers={"Authorization": short})
            assert again.status_code == 401
            refresh = await client.post(
                "/api/collections/users/auth-refresh", headers={"Authorization": short}
            )
            assert refresh.status_code == 401

        serve(docs, test)

    def test_a_token_ends_with_its_time_with_the_password_and_with_the_project(
        self, docs: ProjectHandle, make_project: Any, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        change_rule(docs, "@request.auth.id != ''")
        alice = token_of(docs)
        from projects.accounts import file_tokens

        async def test(client: Client) -> None:
            made = await create(client, ("secret", "s.txt", b"secret"))
            where, sent = address(made, "secret"), {"Authorization": alice}
            short = (await client.post("/api/files/token", headers=sent)).json()["token"]
            assert (await client.get(where, params={"token": short})).status_code == 200
            with monkeypatch.context() as patch:
                patch.setattr(file_tokens.time, "time", lambda: 1_000_000_000.0)
                old = (await client.post("/api/files/token", headers=sent)).json()["token"]
            assert (await client.get(where, params={"token": old})).status_code == 404
            await asyncio.to_thread(rotate)
            assert (await client.get(where, params={"token": short})).status_code == 404

        def rotate() -> None:
            with write_session(docs) as session:
                session.execute(session.sql('UPDATE users SET "tokenKey" = ?'), ("r" * 50,))

        serve(docs, test)

    def test_a_field_that_one_may_not_read_gives_no_file(
        self, project: ProjectHandle, storage_kind: str
    ) -> None:
        with write_session(project) as session:
            own = "@request.auth.email = title"
            collection(session, "docs", text("title"), file("secret", protected=True, readRule=own))
        alice, bob = token_of(project), token_of(project, "bob@example.com")

        async def test(client: Client) -> None:
            superuser = await create(client, ("secret", "s.txt", b"secret"), title="alice@example.com")
            with_name = {**superuser, "secret": await asyncio.to_thread(stored_name_of, project)}
            for token, status in ((alice, 200), (bob, 404)):
                short = (await client.post("/api/files/token", headers={"Authorization": token})).json()[
                    "token"
                ]
                answer = await client.get(address(with_name, "secret"), params={"token": short})
                assert answer.status_code == status

        serve(project, test)

    def test_a_rule_for_superusers_lets_nobody_else_see_it(self, docs: ProjectHandle) -> None:
        change_rule(docs, None)
        alice = token_of(docs)

        async def test(client: Client) -> None:
            made = await create(client, ("secret", "s.txt", b"secret"))
            short = (await client.post("/api/files/token", headers={"Authorization": alice})).json()["token"]
            assert (await client.get(address(made, "secret"), params={"token": short})).status_code == 404

        serve(docs, test)


def test_superusers_and_servers_see_protected_files(hosted_project: ProjectHandle) -> None:
    from projects.accounts import service_keys, superusers
    from projects.control.actor import COMMAND
    from projects.control.keys import create_key
    from projects.models import Project
    from tests.accounts.helpers import PASSWORD, join, person

    make_docs(hosted_project, viewRule=None)
    superusers._cache.forget()
    service_keys._cache.forget()
    join(hosted_project, person("dev@example.com"), "developer")
    key = create_key(COMMAND, Project.objects.get(pk=hosted_project.uid), kind="service", name="server").text

    async def test(client: Client) -> None:
        made = await create(client, ("secret", "s.txt", b"secret"))
        body = {"identity": "dev@example.com", "password": PASSWORD}
        signed_in = await client.post("/api/collections/_superusers/auth-with-password", json=body)
        for authorization in (signed_in.json()["token"], key):
            answer = await client.post("/api/files/token", headers={"Authorization": authorization})
            params = {"token": answer.json()["token"]}
            assert (await client.get(address(made, "secret"), params=params)).content == b"secret"

    serve(hosted_project, test)
