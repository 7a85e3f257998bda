"""Thumbs: their sizes, formats and bounds, and that each is made once and goes with its file."""

from __future__ import annotations

import asyncio
import io
import struct
import zlib
from typing import Any

import pytest
from PIL import Image

from projects.context import ProjectHandle
from projects.databases import write_session
from projects.files import thumbs
from projects.files.images import Size, UnfitImageError, make_thumb
from projects.files.removal import remove_released
from projects.files.storages import open_storage
from tests.files.support import RECORDS, Client, create, file, make_docs, rows, serve
from tests.records.support import collection

LISTED = ["50x50", "50x50t", "50x50b", "50x50f", "0x20", "20x0", "500x500", "500x500f", "30x60", "010x10"]


def image(form: str = "PNG", size: tuple[int, int] = (200, 100), mode: str = "RGB", **options: Any) -> bytes:
    """Red above, blue below, green in the middle."""
    made = Image.new("RGB", size, (0, 255, 0))
    made.paste((255, 0, 0), (0, 0, size[0], size[1] // 4))
    made.paste((0, 0, 255), (0, size[1] - size[1] // 4, size[0], size[1]))
    out = io.BytesIO()
    made.convert(mode).save(out, form, **options)
    return out.getvalue()


def opened(content: bytes) -> Image.Image:
    return Image.open(io.BytesIO(content))


@pytest.fixture
def pictures(project: ProjectHandle, storage_kind: str) -> ProjectHandle:
    with write_session(project) as session:
        collection(session, "docs", file("one", thumbs=LISTED, maxSize=50_000_000))
    return project


async def fetch(client: Client, record: dict[str, Any], thumb: str, **headers: str) -> Any:
    where = f"/api/files/docs/{record['id']}/{record['one']}"
    answer = await client.get(where, params={"thumb": thumb}, headers={"Accept": "*/*", **headers})
    assert answer.status_code == 200, answer.text
    return answer


def test_the_six_forms(pictures: ProjectHandle) -> None:
    sizes = {
        "50x50": (50, 50), "50x50t": (50, 50), "50x50b": (50, 50), "50x50f": (50, 25), "0x20": (40, 20),
        "20x0": (20, 10), "500x500": (500, 500), "500x500f": (200, 100), "30x60": (30, 60), "010x10": (10, 10),
        "100x100": (100, 100),
    }  # fmt: skip

    async def test(client: Client) -> None:
        made = await create(client, ("one", "pic.png", image()))
        for thumb, size in sizes.items():
            answer = await fetch(client, made, thumb)
            assert opened(answer.content).size == size, thumb
            assert answer.headers["content-type"] == "image/png"
            assert answer.headers["content-disposition"] == f"inline; filename={thumb}_{made['one']}"
            assert answer.headers["vary"] == "Accept"

    serve(pictures, test)


@pytest.mark.parametrize("storage_kind", ["disk"], indirect=True)
def test_what_is_not_listed_is_answered_with_the_file_itself(pictures: ProjectHandle) -> None:
    async def test(client: Client) -> None:
        content = image()
        made = await create(client, ("one", "pic.png", content))
        for thumb in ("77x77", "10x10", "", "0x0", "junk", "50x50x", "1" * 50 + "x1", "-1x1"):
            assert (await fetch(client, made, thumb)).content == content
        text = await create(client, ("one", "a.txt", b"no image"))
        assert (await fetch(client, text, "50x50")).content == b"no image"

    serve(pictures, test)
    assert len(rows(pictures)) == 2


@pytest.mark.parametrize("storage_kind", ["disk"], indirect=True)
@pytest.mark.parametrize("form", ["PNG", "JPEG", "GIF", "WEBP", "AVIF"])
def test_a_thumb_has_the_format_of_its_image_or_what_the_client_likes_better(
    pictures: ProjectHandle, form: str
) -> None:
    async def test(client: Client) -> None:
        # The content decides, whatever the name says.
        made = await create(client, ("one", "pic.bin", image(form)))
        for accept, expected in (
            ("*/*", form), ("image/*", form), ("image/webp,*/*", "WEBP"), ("image/avif,image/webp,*/*", "AVIF"),
        ):  # fmt: skip
            answer = await fetch(client, made, "50x50", Accept=accept)
            assert opened(answer.content).format == expected
            assert answer.headers["content-type"] == f"image/{expected.lower()}"
        whole = await client.get(
            f"/api/files/docs/{made['id']}/{made['one']}", headers={"Accept": "image/avif"}
        )
        assert whole.content == image(form)
        assert "vary" not in whole.headers

    serve(pictures, test)


@pytest.mark.parametrize(
    ("size", "top", "bottom"),
    [
        ("10x10", "green", "green"),
        ("10x10t", "red", "red"),
        ("10x10b", "blue", "blue"),
        ("10x20f", "red", "blue"),
    ],
)
def test_the_cut_keeps_the_part_that_was_asked_for(tmp_path: Any, size: str, top: str, bottom: str) -> None:
    path = tmp_path / "tall.png"
    path.write_bytes(image(size=(100, 400)))
    thumb = opened(make_thumb(str(path), Size.parse(size), "PNG")).convert("RGB")  # type: ignore[arg-type]
    ends = [thumb.getpixel((thumb.width // 2, row)) for row in (0, thumb.height - 1)]
    assert [("red", "green", "blue")[pixel.index(max(pixel))] for pixel in ends] == [top, bottom]  # type: ignore[union-attr, arg-type]


def test_a_photograph_stands_upright_and_tells_nobody_where_it_was_taken(tmp_path: Any) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # turned by 90 degrees
    exif[0x8825] = {1: "N", 2: (52.0, 31.0, 12.0)}
    path = tmp_path / "photo.jpg"
    path.write_bytes(image("JPEG", exif=exif, quality=95))
    assert opened(path.read_bytes()).getexif().get_ifd(0x8825)
    for form in ("JPEG", "PNG", "WEBP", "AVIF"):
        thumb = opened(make_thumb(str(path), Size.parse("0x40"), form))  # type: ignore[arg-type]
        assert thumb.size == (20, 40)
        assert dict(thumb.getexif()) == {}
        # Its first row is on the right now.
        red, _, blue = thumb.convert("RGB").getpixel((19, 20))  # type: ignore[misc]
        assert red > 150 > blue


@pytest.mark.parametrize("mode", ["RGBA", "P", "L", "LA", "1", "CMYK", "I;16"])
def test_images_of_every_kind_get_thumbs(tmp_path: Any, mode: str) -> None:
    path = tmp_path / "image"
    if mode == "I;16":
        Image.new("I;16", (20, 20), 32768).save(path, "PNG")
    else:
        path.write_bytes(image("JPEG" if mode == "CMYK" else "PNG", mode=mode))
    for form in ("PNG", "JPEG", "GIF", "WEBP", "AVIF"):
        assert opened(make_thumb(str(path), Size.parse("10x10"), form)).size == (10, 10)  # type: ignore[arg-type]


def test_what_shows_through_still_does(tmp_path: Any) -> None:
    path = tmp_path / "image.png"
    Image.new("RGBA", (40, 40), (255, 0, 0, 100)).save(path)
    for form in ("PNG", "WEBP", "AVIF"):
        assert (
            opened(make_thumb(str(path), Size.parse("10x10"), form)).convert("RGBA").getpixel((5, 5))[3] < 150
        )  # type: ignore[arg-type, index]


def test_of_an_animation_the_first_image_is_taken(tmp_path: Any) -> None:
    frames = [Image.new("RGB", (60, 60), (number * 60, 0, 0)) for number in range(4)]
    path = tmp_path / "moving.gif"
    frames[0].save(path, save_all=True, append_images=frames[1:])
    thumb = opened(make_thumb(str(path), Size.parse("50x50"), "GIF"))  # type: ignore[arg-type]
    assert getattr(thumb, "n_frames", 1) == 1
    assert thumb.convert("RGB").getpixel((5, 5)) == (0, 0, 0)


def pixel_bomb(side: int = 30_000) -> bytes:
    """A PNG of a few hundred bytes that says it has ``side`` x ``side`` pixels."""

    def chunk(kind: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))

    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(b"\0" * 9999))
        + chunk(b"IEND", b"")
    )


@pytest.mark.parametrize("storage_kind", ["disk"], indirect=True)
@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("bomb.png", pixel_bomb()),
        ("half.png", image()[:200]),
        ("half.jpg", image("JPEG")[:300]),
        ("text.png", b"\x89PNG\r\n\x1a\nno image at all"),
    ],
)
def test_an_image_that_cannot_be_decoded_safely_is_served_as_it_is(
    pictures: ProjectHandle, monkeypatch: pytest.MonkeyPatch, name: str, content: bytes
) -> None:
    tried: list[str] = []
    real = make_thumb
    monkeypatch.setattr(thumbs, "make_thumb", lambda *args: tried.append(name) or real(*args))

    async def test(client: Client) -> None:
        made = await create(client, ("one", name, content))
        for _ in range(3):
            assert (await fetch(client, made, "50x50")).content == content

    serve(pictures, test)
    assert tried == [name]
    assert len(rows(pictures)) == 1


def test_the_limit_of_pixels_holds_for_images_and_for_thumbs(tmp_path: Any, settings: Any) -> None:
    path = tmp_path / "image.png"
    path.write_bytes(image())
    make_thumb(str(path), Size.parse("50x50"), "PNG")  # type: ignore[arg-type]
    settings.MBAAS_IMAGE_MAX_PIXELS = 200 * 100 - 1
    with pytest.raises(UnfitImageError):
        make_thumb(str(path), Size.parse("50x50"), "PNG")  # type: ignore[arg-type]
    settings.MBAAS_IMAGE_MAX_PIXELS = 200 * 100
    for large in ("99999x99999", "0x99999", "99999x0"):
        with pytest.raises(UnfitImageError):
            make_thumb(str(path), Size.parse(large), "PNG")  # type: ignore[arg-type]


def test_a_thumb_is_made_once_and_kept(pictures: ProjectHandle, monkeypatch: pytest.MonkeyPatch) -> None:
    made_count: list[int] = []
    real = make_thumb
    monkeypatch.setattr(thumbs, "make_thumb", lambda *args: made_count.append(1) or real(*args))

    async def test(client: Client) -> None:
        made = await create(client, ("one", "pic.png", image()))
        answers = await asyncio.gather(*(fetch(client, made, "50x50") for _ in range(10)))
        again = await fetch(client, made, "50x50")
        assert {answer.headers["etag"] for answer in answers} == {again.headers["etag"]}
        name = f"50x50_{made['one']}"
        assert (await client.get(f"/api/files/docs/{made['id']}/{name}")).status_code == 404

    serve(pictures, test)
    assert len(made_count) == 1
    assert [row[0] for row in rows(pictures)] == ["stored", "stored"]


def test_thumbs_go_with_their_file(pictures: ProjectHandle, storage_kind: str) -> None:
    storage = open_storage(pictures, storage_kind)

    async def test(client: Client) -> None:
        made = await create(client, ("one", "pic.png", image()))
        kept = await create(client, ("one", "pic.png", image()))
        for record in (made, kept):
            await fetch(client, record, "50x50")
            await fetch(client, record, "0x20", Accept="image/webp")
        assert len(list(await asyncio.to_thread(lambda: list(storage.objects())))) == 6
        await client.patch(f"{RECORDS}/{made['id']}", json={"one": ""})

    serve(pictures, test)
    assert remove_released(pictures) == 3
    assert len(list(storage.objects())) == 3
    assert len(rows(pictures)) == 3


def test_a_thumb_whose_file_goes_meanwhile_is_not_kept(
    pictures: ProjectHandle, storage_kind: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def test(client: Client) -> None:
        made = await create(client, ("one", "pic.png", image()))
        real = thumbs.store_thumb

        def slow(*args: Any) -> None:
            real(*args)
            asyncio.run_coroutine_threadsafe(client.delete(f"{RECORDS}/{made['id']}"), loop).result(5)

        loop = asyncio.get_running_loop()
        monkeypatch.setattr(thumbs, "store_thumb", slow)
        where = f"/api/files/docs/{made['id']}/{made['one']}"
        assert (await client.get(where, params={"thumb": "50x50"})).status_code in (200, 404, 503)

    serve(pictures, test)
    assert remove_released(pictures) == 2
    assert list(open_storage(pictures, storage_kind).objects()) == []


@pytest.mark.parametrize("storage_kind", ["disk"], indirect=True)
def test_thumbs_beyond_the_queue_are_refused_for_now(
    pictures: ProjectHandle, settings: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.MBAAS_IMAGE_QUEUE = 1

    async def test(client: Client) -> None:
        made = await create(client, ("one", "pic.png", image()))
        where = f"/api/files/docs/{made['id']}/{made['one']}"
        wanted = [client.get(where, params={"thumb": thumb}) for thumb in ("50x50", "0x20", "20x0", "30x60")]
        answers = await asyncio.gather(*wanted)
        assert sorted({answer.status_code for answer in answers}) == [200, 503]
        refused = next(answer for answer in answers if answer.status_code == 503)
        assert refused.headers["retry-after"] == "1"
        assert (await client.get(where, params={"thumb": "0x20"})).status_code == 200

    serve(pictures, test)


def test_thumbs_of_protected_files_are_protected(project: ProjectHandle) -> None:
    make_docs(project, viewRule="@request.auth.id != ''")

    async def test(client: Client) -> None:
        made = await create(client, ("secret", "pic.png", image()))
        where = f"/api/files/docs/{made['id']}/{made['secret']}"
        assert (await client.get(where, params={"thumb": "50x50"})).status_code == 404

    serve(project, test)
    assert len(rows(project)) == 1
