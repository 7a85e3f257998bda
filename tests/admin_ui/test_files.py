"""The pages of a project's files: whose they are, what they show, and that a preview is never the file."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest
from PIL import Image

from projects.databases import read_session, write_session
from projects.databases.stored_files import FileRow, reserve
from projects.errors import ApiError
from projects.files.serving import FileRequest, find_file
from projects.files.storages import open_storage
from projects.models import AuditEntry, Project
from projects.principal import GUEST, RequestInfo
from tests.admin_ui.conftest import Visit
from tests.control.conftest import ROLES
from tests.files.conftest import BUCKET, CREDENTIALS, s3_server, use_s3
from tests.files.support import Client, create, make_docs, serve

__all__ = ["s3_server"]

FILES = "/admin/p/shop/files/"
WORKERS = {"developer", "owner", "operator"}
SVG = b'<svg xmlns="http://www.w3.org/2000/svg"><script>alert(1)</script></svg>'


def image(width: int = 200, height: int = 100) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (width, height), "teal").save(out, "PNG")
    return out.getvalue()


@pytest.fixture
def files(shop: Project) -> Iterator[dict[str, str]]:
    """A record with files of all kinds; the key of each by its original name."""
    handle = shop.handle()
    make_docs(handle, viewRule=None)

    async def test(client: Client) -> None:
        await create(
            client,
            ("one", "beach.png", image()),
            ("many", "100%_sure.txt", b"plain"),
            ("many", "broken.png", b"\x89PNG\r\n\x1a\n" + b"?" * 100),
            ("secret", "passport.png", image()),
        )
        await create(client, ("one", "drawing.svg", SVG), ("secret", "note.txt", b"psst"))

    serve(handle, test)
    yield keys(shop)
    open_storage(handle, "disk").delete_all()


def keys(project: Project) -> dict[str, str]:
    with write_session(project.handle()) as session:
        found = session.rows("SELECT original, key FROM _files WHERE variant_of = ''")
    return dict(found)


@pytest.mark.parametrize("role", ROLES)
def test_files_are_for_who_may_see_all_data(
    role: str, shop: Project, files: dict[str, str], visit: Visit
) -> None:
    browser = visit(role)
    refusal = 404 if role == "stranger" else 403
    for page in ("", "storage/", f"{files['passport.png']}/preview/"):
        assert browser.get(FILES + page).status_code == (200 if role in WORKERS else refusal), page
    download = browser.get(f"{FILES}{files['passport.png']}/download/")
    assert download.status_code == (302 if role in WORKERS else refusal)
    assert ("token=" in download.get("Location", "")) is (role in WORKERS)
    sidebar = browser.get("/admin/p/shop/").content.decode() if role != "stranger" else ""
    assert (f'href="{FILES}"' in sidebar) is (role in WORKERS)


def test_the_list_finds_files_by_name_record_and_collection(files: dict[str, str], visit: Visit) -> None:
    browser = visit("developer")

    def found(query: str) -> set[str]:
        page = browser.get(f"{FILES}?{query}")
        assert page.status_code == 200
        return {entry["entry"].row.original for entry in page.context["rows"]}

    assert found("") == set(files)
    assert found("collection=docs") == set(files)
    assert found("collection=users") == set()
    assert found("q=BEACH") == {"beach.png"}
    assert found("q=%25_") == {"100%_sure.txt"}
    assert found("q=%00") == set(files)
    record = browser.get(f"{FILES}?q=drawing").context["rows"][0]["entry"].row.record
    assert found(f"q={record}") == {"drawing.svg", "note.txt"}
    assert browser.get(f"{FILES}?collection=nothing").status_code == 404


def test_a_name_cannot_pretend_to_be_another(shop: Project, files: dict[str, str], visit: Visit) -> None:
    with write_session(shop.handle()) as session:
        statement = session.sql("UPDATE _files SET original = ? WHERE key = ?")
        session.execute(statement, ("photo\u202egpj.exe <b>", files["beach.png"]))
    page = visit("developer").get(FILES).content.decode()
    assert "photo\ufffdgpj.exe &lt;b&gt;" in page and "\u202e" not in page


def test_the_list_comes_in_pages(
    shop: Project, files: dict[str, str], visit: Visit, monkeypatch: Any
) -> None:
    monkeypatch.setattr("admin_ui.pages.base.PAGE_SIZE", 4)
    browser = visit("developer")
    first, second = browser.get(FILES), browser.get(f"{FILES}?page=2")
    names = [[row["entry"].row.original for row in page.context["rows"]] for page in (first, second)]
    assert [len(page) for page in names] == [4, 2]
    assert {*names[0], *names[1]} == set(files)


def test_a_preview_is_a_thumb_made_once_and_sent_as_an_attachment(
    shop: Project, files: dict[str, str], visit: Visit
) -> None:
    browser = visit("developer")
    for name in ("beach.png", "passport.png"):
        for _ in range(2):
            answer = browser.get(f"{FILES}{files[name]}/preview/")
            assert Image.open(io.BytesIO(answer.content)).size == (100, 100)
            assert answer["Content-Type"] == "image/png"
            assert answer["Content-Disposition"].startswith("attachment")
            assert "sandbox" in answer["Content-Security-Policy"]
            assert answer["X-Content-Type-Options"] == "nosniff"
            assert "no-store" in answer["Cache-Control"]
    with write_session(shop.handle()) as session:
        thumbs = session.rows("SELECT state, variant_of FROM _files WHERE variant_of <> ''")
    assert sorted(thumbs) == sorted(("stored", files[name]) for name in ("beach.png", "passport.png"))


@pytest.mark.parametrize("name", ["drawing.svg", "100%_sure.txt", "broken.png", "note.txt"])
def test_what_is_no_whole_raster_image_has_no_preview(name: str, files: dict[str, str], visit: Visit) -> None:
    answer = visit("developer").get(f"{FILES}{files[name]}/preview/")
    assert answer.status_code == 404
    assert SVG not in answer.content


def test_a_pixel_bomb_is_neither_decoded_nor_sent(files: dict[str, str], visit: Visit, settings: Any) -> None:
    settings.MBAAS_IMAGE_MAX_PIXELS = 200 * 100 - 1
    assert visit("developer").get(f"{FILES}{files['beach.png']}/preview/").status_code == 404


def test_a_download_is_the_app_apis_own_by_a_short_token(
    shop: Project, files: dict[str, str], visit: Visit
) -> None:
    target = visit("developer").get(f"{FILES}{files['note.txt']}/download/")["Location"]
    parts = urlsplit(target)
    assert parts.path.startswith("/p/shop/api/files/")
    query = dict(parse_qsl(parts.query))
    assert query["download"] == "1"
    collection, record, name = parts.path.rsplit("/", 3)[1:]

    def found(token: str) -> str:
        asked = FileRequest(collection, record, name, token=token)
        # In this thread, which alone sees the people of this test.
        with read_session(shop.handle()) as session:
            return find_file(session, asked, lambda: RequestInfo(GUEST)).row.original

    assert found(query["token"]) == "note.txt"
    for token in ("", query["token"][:-4] + "AAAA"):
        with pytest.raises(ApiError) as refused:
            found(token)
        assert refused.value.status == 404


def test_files_of_another_project_are_not_found(
    shop: Project, files: dict[str, str], visit: Visit, actors: Any
) -> None:
    from projects.control.projects import create_project

    create_project(actors["owner"], "other")
    browser = visit("owner")
    for page in ("preview", "download"):
        assert browser.get(f"/admin/p/other/files/{files['passport.png']}/{page}/").status_code == 404
        assert browser.get(f"{FILES}{'0' * 32}/{page}/").status_code == 404


def test_storage_shows_what_collections_take_and_what_no_record_has(
    shop: Project, files: dict[str, str], visit: Visit
) -> None:
    left = FileRow(
        "ab" * 16,
        "disk",
        "pending",
        "",
        "",
        "",
        "",
        "",
        "lost.bin",
        5,
        "text/plain",
        "",
        "2025-01-01 10:00:00.000Z",
    )
    with write_session(shop.handle()) as session:
        reserve(session, [left], seconds=60)
    page = visit("developer").get(f"{FILES}storage/")
    row = page.context["rows"][0]
    assert (row["collection"], row["usage"].files, row["share"]) == ("docs", 6, 100)
    report = page.context["report"]
    assert (report.left_over_count, report.left_over_size) == (1, 5)
    assert report.used == row["usage"].size + 5
    assert "lost.bin" in page.content.decode()


class TestSettings:
    PAGE = f"{FILES}storage/"

    def form(self, address: str, **change: str) -> dict[str, str]:
        return {
            "bucket": BUCKET, "endpoint": address, "region": "us-east-1", "prefix": "own", "pathStyle": "on",
            "accessKey": CREDENTIALS["access_key"], "secretKey": CREDENTIALS["secret_key"], **change,
        }  # fmt: skip

    def test_the_secret_goes_in_and_never_comes_out(
        self, shop: Project, visit: Visit, s3_server: str, settings: Any
    ) -> None:
        settings.MBAAS_FILES_PRIVATE_ENDPOINTS = True
        browser = visit("developer")
        assert browser.post(self.PAGE, {**self.form(s3_server), "save": ""}).status_code == 302
        shop.refresh_from_db()
        sealed = shop.settings["fileStorage"]["secretKey"]
        page = browser.get(self.PAGE).content.decode()
        assert BUCKET in page and "Own bucket" in page
        assert CREDENTIALS["secret_key"] not in page and sealed not in page
        # Wrong input is shown again, the secret is not.
        wrong = browser.post(self.PAGE, {**self.form(s3_server, bucket="No"), "save": ""})
        assert "name of a bucket" in wrong.content.decode()
        assert CREDENTIALS["secret_key"] not in wrong.content.decode()
        assert "bucket" in wrong.context["form"].errors

    def test_a_new_access_key_needs_its_secret(self, shop: Project, visit: Visit) -> None:
        browser = visit("developer")
        own = {"bucket": "photos", "accessKey": "AKIA1", "save": ""}
        assert "secretKey" in browser.post(self.PAGE, own).context["form"].errors
        assert browser.post(self.PAGE, {**own, "secretKey": "very secret"}).status_code == 302
        assert browser.post(self.PAGE, {**own, "region": "eu-central-1"}).status_code == 302
        assert "secretKey" in browser.post(self.PAGE, {**own, "accessKey": "AKIA2"}).context["form"].errors
        shop.refresh_from_db()
        assert shop.settings["fileStorage"]["accessKey"] == "AKIA1"

    def test_the_test_really_writes_reads_and_deletes(
        self, shop: Project, visit: Visit, s3_server: str, settings: Any
    ) -> None:
        settings.MBAAS_FILES_PRIVATE_ENDPOINTS = True
        browser = visit("developer")
        page = browser.post(self.PAGE, {**self.form(s3_server), "test": ""})
        assert page.context["tested"]["works"] is True
        shop.refresh_from_db()
        assert "fileStorage" not in shop.settings
        page = browser.post(self.PAGE, {**self.form(s3_server, bucket="no-such-bucket"), "test": ""})
        assert page.context["tested"]["text"].startswith("Writing failed: the bucket, the keys")
        assert "NoSuchBucket" in page.content.decode()
        page = browser.post(self.PAGE, {**self.form("http://127.0.0.1:9"), "test": ""})
        assert page.context["tested"]["text"].startswith("Writing failed: the storage could not be reached")

    def test_no_test_reaches_into_the_network_of_the_server(
        self, shop: Project, visit: Visit, s3_server: str
    ) -> None:
        page = visit("owner").post(self.PAGE, {**self.form(s3_server), "test": ""})
        assert page.context["tested"] is None
        assert "endpoint" in page.context["form"].errors

    def test_details_of_the_installations_storage_are_for_operators(
        self, shop: Project, visit: Visit, settings: Any
    ) -> None:
        use_s3(settings, "http://127.0.0.1:9")
        for role, seen in (("owner", False), ("operator", True)):
            page = visit(role).post(self.PAGE, {"test": ""})
            assert page.context["tested"]["text"].startswith("Writing failed: ")
            assert ("127.0.0.1:9" in page.content.decode()) is seen, page.context["tested"]

    def test_quotas_are_set_by_operators_alone(self, shop: Project, visit: Visit) -> None:
        visit("owner").post(self.PAGE, {"quota": "1 TB", "save": ""})
        shop.refresh_from_db()
        assert "filesQuotaBytes" not in shop.settings
        browser = visit("operator")
        browser.post(self.PAGE, {"quota": "1.5 GB", "save": ""})
        shop.refresh_from_db()
        assert shop.settings["filesQuotaBytes"] == 3 * 1024**3 // 2
        assert 'value="1536 MB"' in browser.get(self.PAGE).content.decode()
        assert "size such as" in browser.post(self.PAGE, {"quota": "much", "save": ""}).content.decode()
        browser.post(self.PAGE, {"quota": "", "save": ""})
        shop.refresh_from_db()
        assert "filesQuotaBytes" not in shop.settings
        assert AuditEntry.objects.filter(action="project.changed").count() == 2

    @pytest.mark.parametrize("role", ["viewer", "stranger"])
    def test_others_can_neither_save_nor_test(self, role: str, shop: Project, visit: Visit) -> None:
        for action in ("save", "test"):
            answer = visit(role).post(self.PAGE, {"bucket": "theirs", "accessKey": "x", action: ""})
            assert answer.status_code == (404 if role == "stranger" else 403)
        shop.refresh_from_db()
        assert shop.settings == {}
