"""What a file is, by its content: what its client says of it is never believed.

Binary formats by their signatures (the package ``filetype``), texts by what browsers would take them for:
a text that could be markup is never called plain.
"""

from __future__ import annotations

import codecs
import re
from typing import Final

import filetype
import orjson

from projects.schema.fields.file import plain_type

# How much of a file's beginning is looked at.
HEAD_BYTES: Final = 8192

# What "filetype" does not know.
_SIGNATURES: Final = (
    (b"RIFF", 8, b"AVI ", "video/x-msvideo"),
    (b"FORM", 8, b"AIFF", "audio/aiff"),
    (b"FORM", 8, b"AIFC", "audio/aiff"),
    (b"\x00\x00\x00", 4, b"ftypqt", "video/quicktime"),
    (b"\x00\x00\x00", 4, b"ftypM4A", "audio/mp4"),
    (b"\x00\x00\x00", 4, b"ftyp3g", "video/3gpp"),
)
_MARKUP: Final = (
    (re.compile(rb"<svg[\s/>:]|<[a-z]+:svg[\s/>]", re.IGNORECASE), "image/svg+xml"),
    (re.compile(rb"http://www\.w3\.org/1999/xhtml", re.IGNORECASE), "application/xhtml+xml"),
)
# As browsers sniff HTML (WHATWG MIME Sniffing, 7.1), and more of what they run.
_HTML: Final = re.compile(
    rb"<(?:!doctype\s+html|html|head|script|iframe|h1|div|font|table|a|style|title|b|body|br|p|img|object|embed"
    rb"|link|meta|form|video|audio|input|button|template|!--)[\s/>]|<!--",
    re.IGNORECASE,
)
# Control characters that no text has (the same standard, binary data byte).
_BINARY: Final = re.compile(rb"[\x00-\x08\x0e-\x1a\x1c-\x1f]")
_WITH_CHARSET: Final = frozenset({"text/plain", "text/html", "text/xml"})
_SHEBANG: Final = re.compile(rb"#!\s*\S*?(?:/|\s)(python|php|sh|bash|dash|zsh|ksh|perl|node|ruby)[\d.]*\b")
_INTERPRETERS: Final = {"python": "text/x-python", "php": "text/x-php", "node": "text/javascript"}
# Texts that their names alone can tell; the content has been found to be harmless by then.
_BY_EXTENSION: Final = {
    "css": "text/css", "js": "text/javascript", "mjs": "text/javascript", "csv": "text/csv",
    "tsv": "text/tab-separated-values", "htm": "text/html", "html": "text/html", "xhtml": "application/xhtml+xml",
    "svg": "image/svg+xml", "xml": "text/xml", "json": "application/json",
}  # fmt: skip


def sniff(head: bytes, size: int, original: str = "") -> str:
    """The MIME type of a file of ``size`` bytes that begins with ``head`` (HEAD_BYTES of it, or all).

    Texts that browsers show have a ``charset``. ``original``, the client's name, only tells plain texts apart.
    ``application/octet-stream`` is what nothing is known of.
    """
    if not head:
        return "text/plain"
    known = _by_signature(head)
    if known:
        return known
    text, charset = _as_text(head)
    if text is None:
        return "application/octet-stream"
    kind = _text_type(text, original, whole=size <= len(head))
    return f"{kind}; charset={charset}" if kind in _WITH_CHARSET else kind


def _by_signature(head: bytes) -> str:
    for start, at, then, kind in _SIGNATURES:
        if head.startswith(start) and head[at : at + len(then)] == then:
            return kind
    found = filetype.guess(head)
    return plain_type(found.mime) if found is not None else ""


def _as_text(head: bytes) -> tuple[bytes | None, str]:
    """``head`` without a byte order mark, and its encoding; UTF-16 as UTF-8. None when it is no text."""
    for mark, encoding, charset in (
        (b"\xff\xfe", "utf-16-le", "utf-16le"),
        (b"\xfe\xff", "utf-16-be", "utf-16be"),
    ):
        if head.startswith(mark):
            return head[2:].decode(encoding, "ignore").encode(), charset
    body = head.removeprefix(b"\xef\xbb\xbf")
    if _BINARY.search(body):
        return None, ""
    try:
        # The end may be in the middle of a character.
        codecs.getincrementaldecoder("utf-8")().decode(body)
    except UnicodeDecodeError:
        return body, "iso-8859-1"
    return body, "utf-8"


def _text_type(text: bytes, original: str, *, whole: bool) -> str:
    start = text.lstrip()
    if start.startswith(b"<?php"):
        return "text/x-php"
    if match := _SHEBANG.match(start):
        return _INTERPRETERS.get(match[1].decode(), "text/x-shellscript")
    if start.startswith(b"<"):
        return _markup_type(start)
    if start.startswith((b"{", b"[")) and (kind := _json_type(start, whole=whole)):
        return kind
    if start.startswith(b"WEBVTT"):
        return "text/vtt"
    if start.startswith(b"{\\rtf"):
        return "text/rtf"
    by_name = _BY_EXTENSION.get(original.rpartition(".")[2].lower(), "")
    return by_name or _table_type(text) or "text/plain"


def _markup_type(start: bytes) -> str:
    for pattern, kind in _MARKUP:
        if pattern.search(start):
            return kind
    if start.startswith(b"<?xml"):
        return "text/xml"
    # Whatever else begins with a tag: a browser may take it for a page.
    return "text/html" if _HTML.search(start) else "text/xml"


def _json_type(start: bytes, *, whole: bool) -> str:
    if not whole:
        # The beginning of something larger: JSON if it looks like it.
        return "application/json" if re.match(rb'[\[{]\s*(?:["\d{\[\]}-]|true|false|null)', start) else ""
    try:
        value = orjson.loads(start)
    except orjson.JSONDecodeError:
        lines = [line for line in start.splitlines() if line.strip()]
        return "application/x-ndjson" if len(lines) > 1 and all(map(_is_json, lines)) else ""
    geo = isinstance(value, dict) and value.get("type") in ("Feature", "FeatureCollection")
    return "application/geo+json" if geo else "application/json"


def _is_json(line: bytes) -> bool:
    try:
        orjson.loads(line)
    except orjson.JSONDecodeError:
        return False
    return True


def _table_type(text: bytes) -> str:
    """CSV or TSV: several lines with the same number of separators, and at least one."""
    lines = [line for line in text.splitlines() if line.strip()][:20]
    if len(lines) < 2:
        return ""
    for separator, kind in ((b",", "text/csv"), (b"\t", "text/tab-separated-values")):
        counts = {line.count(separator) for line in lines}
        if len(counts) == 1 and counts != {0}:
            return kind
    return ""
