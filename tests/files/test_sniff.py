"""Types by content: what a client says is not believed, and markup is never taken for plain text."""

from __future__ import annotations

import io
import zipfile

import pytest
from PIL import Image

from projects.files.sniff import HEAD_BYTES, sniff


def image(form: str) -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (3, 3)).save(out, form)
    return out.getvalue()


def archive() -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w") as made:
        made.writestr("a.txt", "x")
    return out.getvalue()


SAMPLES = [
    (image("PNG"), "image/png"), (image("JPEG"), "image/jpeg"), (image("GIF"), "image/gif"),
    (image("WEBP"), "image/webp"), (image("AVIF"), "image/avif"), (image("BMP"), "image/bmp"),
    (image("TIFF"), "image/tiff"), (image("ICO"), "image/x-icon"), (archive(), "application/zip"),
    (b"%PDF-1.4\n%x", "application/pdf"), (b"\x1f\x8b\x08" + b"\0" * 7, "application/gzip"),
    (b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + b"\0" * 20, "video/mp4"), (b"ID3\x03" + b"\0" * 40, "audio/mpeg"),
    (b"\0\0\0\x18ftypM4A \0\0\0\0M4A mp42isom", "audio/mp4"), (b"RIFF\x24\0\0\0WAVEfmt ", "audio/wav"),
    (b"\0\0\0\x18ftypheic\0\0\0\0mif1heic", "image/heic"), (b"MZ" + b"\0" * 70, "application/vnd.microsoft.portable-executable"),
    (b"SQLite format 3\0" + b"\0" * 90, "application/vnd.sqlite3"), (b"\0asm\1\0\0\0", "application/wasm"),
    (b"<!DOCTYPE html><html></html>", "text/html"), (b" \n<ScRiPt >alert(1)</script>", "text/html"),
    (b"<!-- x --><p>hi", "text/html"), (b"<img src=x onerror=alert(1)>", "text/html"),
    (b"<svg xmlns='http://www.w3.org/2000/svg'><script/></svg>", "image/svg+xml"),
    (b"<?xml version='1.0'?>\n<!-- c -->\n<svg/>", "image/svg+xml"), (b"<x:svg xmlns:x='u'/>", "image/svg+xml"),
    (b"\xef\xbb\xbf<svg/>", "image/svg+xml"), ("<svg/>".encode("utf-16"), "image/svg+xml"),
    (b"<?xml version='1.0'?><html xmlns='http://www.w3.org/1999/xhtml'/>", "application/xhtml+xml"),
    (b"<?xml version='1.0'?><a/>", "text/xml"), (b"<?php echo 1; ?>", "text/x-php"),
    (b"#!/bin/sh\necho", "text/x-shellscript"), (b"#!/usr/bin/env python3\n1", "text/x-python"),
    (b'{"a":1}', "application/json"), (b"[1,2]", "application/json"), (b"{a:1}", "text/plain"),
    (b'{"type":"FeatureCollection","features":[]}', "application/geo+json"),
    (b'{"a":1}\n{"b":2}\n', "application/x-ndjson"), (b"a,b\n1,2\n3,4\n", "text/csv"),
    (b"a\tb\n1\t2\n", "text/tab-separated-values"), (b"WEBVTT\n\n", "text/vtt"), (b"{\\rtf1 hi}", "text/rtf"),
    (b"hello", "text/plain"), (b"h\xe9llo", "text/plain"), ("hello".encode("utf-16"), "text/plain"), (b"", "text/plain"),
    (bytes(range(256)), "application/octet-stream"),
]  # fmt: skip


@pytest.mark.parametrize(("content", "expected"), SAMPLES, ids=[kind for _, kind in SAMPLES])
def test_content_is(content: bytes, expected: str) -> None:
    assert sniff(content[:HEAD_BYTES], len(content), "lie.bin").partition(";")[0] == expected


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"hello", "text/plain; charset=utf-8"),
        ("hällo".encode(), "text/plain; charset=utf-8"),
        (b"h\xe9llo", "text/plain; charset=iso-8859-1"),
        ("hello".encode("utf-16"), "text/plain; charset=utf-16le"),
        (b"<p>x", "text/html; charset=utf-8"),
        (b"", "text/plain"),
        (b"{}", "application/json"),
    ],
)
def test_texts_that_browsers_show_say_their_encoding(content: bytes, expected: str) -> None:
    assert sniff(content, len(content)) == expected


def test_a_character_at_the_border_of_the_head_is_no_other_encoding() -> None:
    head = ("x" * (HEAD_BYTES - 1) + "é").encode()[:HEAD_BYTES]
    assert sniff(head, HEAD_BYTES + 1) == "text/plain; charset=utf-8"


@pytest.mark.parametrize(
    ("content", "original", "expected"),
    [
        (b"body{}", "a.css", "text/css"),
        (b"alert(1)", "a.js", "text/javascript"),
        (b"hi", "a.html", "text/html"),
        (b"<script>", "a.txt", "text/html"),
        (b"<svg/>", "a.png", "image/svg+xml"),
        (b"hello", "a.png", "text/plain"),
        (image("PNG"), "a.html", "image/png"),
    ],
)
def test_a_name_tells_texts_apart_and_never_hides_what_they_are(
    content: bytes, original: str, expected: str
) -> None:
    assert sniff(content, len(content), original).partition(";")[0] == expected


def test_the_beginning_of_large_json_is_json() -> None:
    head = (b'{"list": [' + b'{"a": 1}, ' * 2000)[:HEAD_BYTES]
    assert sniff(head, 10**9, "a.bin") == "application/json"
