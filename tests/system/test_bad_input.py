"""Whatever a client sends gets an answer in the error shape, and changes nothing."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import socket
import time
from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import quote

import httpx
import pytest

from tests import server as servers
from tests.system.app import App

BODY_LIMIT = 1024 * 1024
RECORDS = "/api/collections/notes/records"
JSON = {"Content-Type": "application/json"}
# What must never leave the server.
GIVES_AWAY = ("Traceback", 'File "', "SELECT ", "sqlite", "psycopg", "syntax error at", 'near "')


@pytest.fixture(scope="module")
def server(server_kind: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[servers.Server]:
    folder = tmp_path_factory.mktemp("server")
    with servers.running(folder, engine=server_kind, MBAAS_MAX_BODY_BYTES=str(BODY_LIMIT)) as running:
        yield running


@pytest.fixture(scope="module")
def app(server: servers.Server) -> App:
    """A project with notes that everyone may do everything with, and a secret that only superusers see."""
    app = App(server.create_project("input")).sign_in()
    app.create_collection(
        "notes",
        {"name": "title", "type": "text", "required": True, "max": 200},
        {"name": "count", "type": "number"},
        {"name": "extra", "type": "json"},
        {"name": "hidden", "type": "text", "hidden": True},
    )
    app.create_collection("secrets", {"name": "title", "type": "text"}, **dict.fromkeys(
        ("listRule", "viewRule", "createRule", "updateRule", "deleteRule")
    ))  # fmt: skip
    app.create("notes", title="first", count=1, hidden="classified")
    app.create("secrets", title="classified")
    return app


@pytest.fixture
def unchanged(app: App) -> Iterator[None]:
    """After the test, everything is as it was and the project still answers."""
    before = snapshot(app)
    yield
    assert snapshot(app) == before


def snapshot(app: App) -> Any:
    names = [item["name"] for item in app.call("GET", "/api/collections?perPage=200")["items"]]
    return names, app.records("notes"), app.records("secrets")


def assert_error(answer: httpx.Response, status: int) -> dict[str, Any]:
    """The answer is an error of this status in the API's shape and gives nothing away; its body."""
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"].startswith("application/json")
    assert answer.headers["x-request-id"]
    body: dict[str, Any] = answer.json()
    assert set(body) == {"status", "message", "data"}
    assert body["status"] == status
    assert body["message"]
    assert isinstance(body["data"], dict)
    for text in GIVES_AWAY:
        assert text not in answer.text
    return body


# --- bodies ---------------------------------------------------------------------------------------
DEEP = b'{"title": "a", "extra": ' + b"[" * 100_000 + b"]" * 100_000 + b"}"
BODIES: dict[str, tuple[bytes, int]] = {
    "broken JSON": (b'{"title": "a"', 400),
    "a list": (b'[{"title": "a"}]', 400),
    "a text": (b'"title"', 400),
    "a number": (b"12", 400),
    "invalid UTF-8": (b'{"title": "\xff\xfe"}', 400),
    "half a surrogate pair": (b'{"title": "\\ud800"}', 400),
    "a number that is not one": (b'{"title": "a", "count": NaN}', 400),
    "a number beyond all bounds": (b'{"title": "a", "count": 1e999}', 400),
    "nested 100,000 deep": (DEEP, 400),
    "nothing": (b"", 400),
    "larger than the limit": (b'{"title": "' + b"a" * BODY_LIMIT + b'"}', 413),
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", BODIES)
def test_a_bad_body_is_refused(app: App, name: str) -> None:
    body, status = BODIES[name]
    assert_error(httpx.post(app.url + RECORDS, content=body, headers=JSON), status)


@pytest.mark.usefixtures("unchanged")
def test_a_body_that_hides_its_size_is_refused_too(app: App) -> None:
    def chunks() -> Iterator[bytes]:
        yield b'{"title": "'
        for _ in range(20):
            yield b"a" * (BODY_LIMIT // 10)
        yield b'"}'

    assert_error(httpx.post(app.url + RECORDS, content=chunks(), headers=JSON), 413)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    ("headers", "body"),
    [
        ({"Content-Type": "text/plain"}, b'{"title": "a"}'),
        ({"Content-Type": "application/xml"}, b"<title>a</title>"),
        ({"Content-Type": "multipart/form-data"}, b"title=a"),
        (
            {"Content-Type": "multipart/form-data; boundary=x"},
            b'--x\r\nContent-Disposition: form-data; name="t',
        ),
        ({"Content-Type": "application/json; charset=utf-16"}, '{"title": "a"}'.encode("utf-16")),
    ],
)
def test_a_body_of_another_kind_is_refused(app: App, headers: dict[str, str], body: bytes) -> None:
    assert_error(httpx.post(app.url + RECORDS, content=body, headers=headers), 400)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("text", ["a\x00b", "\x00"])
def test_a_text_with_a_nul_byte_is_refused_or_kept_whole(app: App, text: str) -> None:
    answer = httpx.post(app.url + RECORDS, json={"title": text})
    if answer.status_code == 200:
        record = answer.json()
        app.call("DELETE", f"{RECORDS}/{record['id']}")
        assert record["title"] == text
    else:
        assert "title" in assert_error(answer, 400)["data"]


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize(
    "values",
    [
        {"title": None},
        {"title": ""},
        {"title": "x" * 201},
        {"title": "a", "id": "x'; DROP TABLE notes; --"},
        {"title": "a", "id": "../../etc/passwd"},
        {"title": "a", "id": "A" * 15},
    ],
)
def test_a_bad_value_is_refused_by_field(app: App, values: dict[str, Any]) -> None:
    body = assert_error(httpx.post(app.url + RECORDS, json=values), 400)
    field = "id" if "id" in values else "title"
    assert body["data"][field]["code"].startswith("validation_")
    assert body["data"][field]["message"]


# --- addresses and queries ------------------------------------------------------------------------
ADDRESSES: dict[str, tuple[str, str, int]] = {
    "an unknown collection": ("GET", "/api/collections/nothing/records", 404),
    "an unknown record": ("GET", f"{RECORDS}/aaaaaaaaaaaaaaa", 404),
    "an unknown route": ("GET", "/api/nothing", 404),
    "a method that is not there": ("DELETE", "/api/collections/notes/records", 404),
    "SQL as a collection": ("GET", "/api/collections/notes%22;DROP%20TABLE%20notes;--/records", 404),
    "SQL as a record": ("GET", f"{RECORDS}/%27%20OR%201=1%20--", 404),
    "a NUL byte in the path": ("GET", "/api/collections/no%00tes/records", 404),
    "a line break in the path": ("GET", f"{RECORDS}/%0A", 404),
    "invalid UTF-8 in the path": ("GET", "/api/collections/%ff%fe/records", 404),
    "a system table as a collection": ("GET", "/api/collections/_changes/records", 404),
    "the schema as a collection": ("GET", "/api/collections/_collections/records", 404),
    "a path upwards": ("GET", "/api/collections/..%2f..%2fsecrets/records", 404),
    "a page that is no number": ("GET", f"{RECORDS}?page=abc", 400),
    "a page size that is no number": ("GET", f"{RECORDS}?perPage=ten", 400),
    "a page beyond 64 bits": ("GET", f"{RECORDS}?page=99999999999999999999", 400),
    "a filter that ends too early": ("GET", f"{RECORDS}?filter=title%20=", 400),
    "a filter on an unknown field": ("GET", f"{RECORDS}?filter=nothing=1", 400),
    "a filter on a hidden field": ("GET", f"{RECORDS}?filter=hidden~%22c%22", 400),
    "a filter through the request": ("GET", f"{RECORDS}?filter=@request.auth.id=%22%22", 403),
    "a filter of 10,000 characters": ("GET", f"{RECORDS}?filter={quote('title=1||' * 1112)}", 400),
    "a filter with a NUL byte outside a text": ("GET", f"{RECORDS}?filter=title%00=1", 400),
    "a filter with a NUL byte inside a text": ("GET", f"{RECORDS}?filter=title=%22a%00b%22", 400),
    "a filter of invalid UTF-8": ("GET", f"{RECORDS}?filter=%ff", 400),
    "SQL as a filter": ("GET", f"{RECORDS}?filter=1=1;DROP%20TABLE%20notes", 400),
    "SQL as a sort": ("GET", f"{RECORDS}?sort=title;DROP%20TABLE%20notes", 400),
    "a sub-select as a sort": ("GET", f"{RECORDS}?sort=(SELECT%20title%20FROM%20secrets)", 400),
    "a sort on an unknown field": ("GET", f"{RECORDS}?sort=nothing", 400),
    "a sort on a hidden field": ("GET", f"{RECORDS}?sort=hidden", 400),
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", ADDRESSES)
def test_a_bad_address_is_refused(app: App, name: str) -> None:
    method, path, status = ADDRESSES[name]
    assert_error(httpx.request(method, app.url + path), status)


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("method", ["GET", "PATCH", "DELETE"])
def test_a_nul_byte_as_a_record_is_refused(app: App, method: str) -> None:
    # PostgreSQL knows no such text, SQLite no such record.
    answer = httpx.request(method, f"{app.url}{RECORDS}/%00")
    assert_error(answer, 400 if answer.status_code == 400 else 404)


def test_an_unknown_project_is_refused(app: App, server: servers.Server) -> None:
    for ref in ("nothing", "x", "a" * 300, "INPUT", "%00", "..", "input%27"):
        answer = httpx.get(f"{server.url}/p/{ref}{RECORDS}")
        assert answer.status_code == 404, ref


# Refused by none of them: the contract has an answer for each.
HARMLESS: dict[str, str] = {
    "a negative page size": "perPage=-1",
    "page zero": "page=0",
    "a page size beyond the limit": "perPage=100000",
    "an unknown parameter": "nothing=1",
    "a quote in a text": "filter=title=%22it%27s%22||title=%22first%22",
    "a filter nested 1,000 deep": f"filter={'(' * 1000}title=%22first%22{')' * 1000}",
    "a number beyond 64 bits": "filter=count=99999999999999999999999999||title=%22first%22",
    "a number of 400 digits": f"filter=count<{'9' * 400}||title=%22first%22",
    "an SQL comment in a text": "filter=title=%22--%22||title=%22first%22",
    "an expand of nothing": "expand=nothing,a.b.c.d.e.f.g.h",
    "fields of nothing": "fields=*,nothing,%27",
}


@pytest.mark.parametrize("name", HARMLESS)
def test_a_harmless_oddity_shows_the_list_and_no_more(app: App, name: str) -> None:
    answer = httpx.get(f"{app.url}{RECORDS}?{HARMLESS[name]}")
    assert answer.status_code == 200, answer.text
    titles = [item["title"] for item in answer.json()["items"]]
    assert titles == ["first"]
    assert answer.json()["perPage"] in (30, 1000)
    assert "classified" not in answer.text


@pytest.mark.parametrize(
    "text",
    [
        "' OR '1'='1",
        '" OR ""="',
        "'; DROP TABLE notes; --",
        "%' OR title LIKE '%",
        "\\' OR 1=1 --",
        "{}",
        "$1",
        "%s",
        "?",
    ],
)
def test_text_in_a_filter_stays_text(app: App, text: str) -> None:
    quoted = json.dumps(text)
    for operator in ("=", "~"):
        answer = httpx.get(app.url + RECORDS, params={"filter": f"title {operator} {quoted}"})
        assert answer.status_code == 200, answer.text
        assert answer.json()["items"] == []


# --- tokens ---------------------------------------------------------------------------------------
def encoded(value: Any) -> str:
    return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()


def signed(claims: dict[str, Any], key: str, algorithm: str = "HS256") -> str:
    head = f"{encoded({'alg': algorithm, 'typ': 'JWT'})}.{encoded(claims)}"
    digest = hmac.new(key.encode(), head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(digest).rstrip(b'=').decode()}"


def claims_of(token: str) -> dict[str, Any]:
    part = token.split(".")[1]
    claims: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=" * (-len(part) % 4)))
    return claims


FORGERIES: dict[str, Callable[[dict[str, Any], str], str]] = {
    "signed with another key": lambda claims, token: signed(claims, "key"),
    "signed with no key": lambda claims, token: signed(claims, ""),
    "alg none": lambda claims, token: f"{encoded({'alg': 'none', 'typ': 'JWT'})}.{encoded(claims)}.",
    "alg None with a signature": lambda claims, token: signed(claims, "key", "None"),
    "another algorithm": lambda claims, token: signed(claims, "key", "HS512"),
    "another's id": lambda claims, token: ".".join(
        [token.split(".")[0], encoded({**claims, "id": "aaaaaaaaaaaaaaa"}), token.split(".")[2]]
    ),
    "a later end": lambda claims, token: ".".join(
        [token.split(".")[0], encoded({**claims, "exp": claims["exp"] + 10_000}), token.split(".")[2]]
    ),
    "expired": lambda claims, token: signed({**claims, "exp": int(time.time()) - 10}, "key"),
    "claims that are a list": lambda claims, token: signed([1, 2], "key"),  # type: ignore[arg-type]
    "a collection that is SQL": lambda claims, token: signed(
        {**claims, "collectionId": "' OR 1=1 --"}, "key"
    ),
    "an id that is an object": lambda claims, token: signed({**claims, "id": {"$ne": ""}}, "key"),
    "cut short": lambda claims, token: token[:-5],
    "no token at all": lambda claims, token: "Bearer",
    "a service key of nowhere": lambda claims, token: "sk_" + "a" * 40,
    "10,000 characters": lambda claims, token: "a." * 5000,
    "letters that no token has": lambda claims, token: "%00\t'\"",
}


@pytest.mark.usefixtures("unchanged")
@pytest.mark.parametrize("name", FORGERIES)
@pytest.mark.parametrize("scheme", ["", "Bearer "])
def test_a_forged_token_makes_a_guest(app: App, name: str, scheme: str) -> None:
    token = FORGERIES[name](claims_of(app.token), app.token)
    headers = {"Authorization": scheme + token}
    assert_error(httpx.get(f"{app.url}/api/collections", headers=headers), 401)
    assert_error(httpx.get(f"{app.url}/api/collections/secrets/records", headers=headers), 403)
    refresh = httpx.post(f"{app.url}/api/collections/_superusers/auth-refresh", headers=headers)
    assert_error(refresh, 401)
    # As a guest, who may still read what everyone may.
    assert httpx.get(app.url + RECORDS, headers=headers).status_code == 200


def test_a_token_of_another_project_makes_a_guest(app: App, server: servers.Server) -> None:
    other = App(server.create_project("other")).sign_in()
    for here, there in ((app, other), (other, app)):
        headers = {"Authorization": there.token}
        assert_error(httpx.get(f"{here.url}/api/collections", headers=headers), 401)
        # The positive control: the same token, at home.
        assert httpx.get(f"{there.url}/api/collections", headers=headers).status_code == 200


# --- below HTTP libraries -------------------------------------------------------------------------
def raw(server: servers.Server, request: bytes) -> bytes:
    """Send bytes as they are; everything that comes back until the server closes or falls silent."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as peer:
        peer.sendall(request)
        answer = b""
        try:
            while part := peer.recv(65536):
                answer += part
        except (TimeoutError, ConnectionResetError):
            pass
    return answer


@pytest.mark.parametrize(
    "value",
    ["a\\r\\nSet-Cookie: stolen=1", "a%0d%0aSet-Cookie: stolen=1", "é" * 20, "<script>", "x" * 5000],
)
def test_no_header_of_the_answer_repeats_what_was_sent(app: App, value: str) -> None:
    names = ("X-Request-Id", "Origin", "Access-Control-Request-Headers", "Host")
    for name in names:
        answer = httpx.get(app.url + RECORDS, headers=[(name.encode(), value.encode())])
        for sent, text in answer.headers.items():
            assert value not in text, (name, sent)
            assert "stolen" not in text


def test_a_broken_request_line_does_not_harm_the_server(app: App, server: servers.Server) -> None:
    path = app.url.removeprefix(server.url) + RECORDS
    for request in (
        b"\x00\x01\x02\x03\r\n\r\n",
        b"GET\r\n\r\n",
        b"GET / HTTP/9.9\r\nHost: x\r\n\r\n",
        f"GET {path}\x00 HTTP/1.1\r\nHost: x\r\n\r\n".encode(),
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n".encode(),
        f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n".encode(),
        f"GET {path} HTTP/1.1\r\nHost: x\r\nX: a\nY: b\r\nConnection: close\r\n\r\n".encode(),
    ):
        raw_answer = raw(server, request)
        assert not raw_answer.startswith(b"HTTP/1.1 5"), raw_answer
        assert b"Traceback" not in raw_answer
    assert httpx.get(f"{server.url}/healthz").status_code == 200


def test_a_client_that_leaves_in_the_middle_of_its_body_stores_nothing(
    app: App, server: servers.Server
) -> None:
    path = app.url.removeprefix(server.url) + RECORDS
    head = f"POST {path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: 100\r\n\r\n"
    before = app.records("notes")
    with socket.create_connection(("127.0.0.1", server.port), timeout=5) as peer:
        peer.sendall(head.encode() + b'{"title": "half a')
    time.sleep(0.2)
    assert app.records("notes") == before


def test_nothing_of_this_file_was_an_unforeseen_error(app: App, server: servers.Server) -> None:
    log = server.log.read_text()
    assert "request failed" not in log
    assert "Traceback" not in log
