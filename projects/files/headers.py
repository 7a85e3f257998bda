"""What is said of a file that is served, so that it is cached well and never runs as a page of the server."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime
from functools import lru_cache
from typing import Final
from urllib.parse import quote

from django.conf import settings

from projects.databases.stored_files import FileRow
from projects.schema.dates import parse_date
from projects.schema.fields.file import plain_type

Header = tuple[bytes, bytes]

# Shown by browsers without running anything. Everything else is downloaded, and so is what is not known.
_INLINE: Final = frozenset(
    {
        "application/pdf", "audio/aac", "audio/aiff", "audio/flac", "audio/midi", "audio/mp4", "audio/mpeg",
        "audio/ogg", "audio/wav", "image/avif", "image/bmp", "image/gif", "image/jpeg", "image/png", "image/webp",
        "image/x-icon", "video/3gpp", "video/mp4", "video/quicktime", "video/webm",
    }
)  # fmt: skip
# Whatever a file turns out to be, it runs no script, loads nothing and has no origin.
_SANDBOX: Final = b"default-src 'none'; media-src 'self'; style-src 'unsafe-inline'; sandbox"
_TOKEN: Final = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]+")
# An address names one file for ever: it is never changed, only removed.
_PRIVATE: Final = b"private, no-store"


def etag_of(row: FileRow) -> str:
    """A strong validator: the file's own checksum, shortened."""
    return f'"{row.checksum[:32]}"'


def last_modified(row: FileRow) -> datetime:
    """When the file was stored, to the second."""
    return (parse_date(row.created) or datetime.fromtimestamp(0, UTC)).replace(microsecond=0)


def file_headers(row: FileRow, *, protected: bool, download: bool, negotiated: bool) -> list[Header]:
    """All headers of an answer but those of its length, and ``nosniff``, which every answer has.

    ``negotiated``: for another ``Accept`` it would be another file.
    """
    headers = _lasting_headers(row.checksum, row.created, row.type, row.name, download)
    return [
        *headers,
        (b"cache-control", _PRIVATE if protected else _public(settings.MBAAS_FILES_CACHE_SECONDS)),
        *([(b"vary", b"Accept")] if negotiated else []),
    ]


@lru_cache(maxsize=4096)
def _lasting_headers(checksum: str, created: str, kind: str, name: str, download: bool) -> tuple[Header, ...]:
    how = "inline" if plain_type(kind) in _INLINE and not download else "attachment"
    modified = parse_date(created) or datetime.fromtimestamp(0, UTC)
    return (
        (b"content-type", kind.encode("latin-1", "replace")),
        (b"content-disposition", disposition(how, name).encode()),
        (b"content-security-policy", _SANDBOX),
        (b"accept-ranges", b"bytes"),
        (b"etag", f'"{checksum[:32]}"'.encode()),
        (b"last-modified", format_datetime(modified, usegmt=True).encode()),
    )


@lru_cache(maxsize=4)
def _public(seconds: int) -> bytes:
    return f"public, max-age={seconds}, immutable".encode()


def disposition(how: str, name: str) -> str:
    """``Content-Disposition`` (RFC 6266): the name as it is where it can stand so, else as RFC 8187 has it."""
    if _TOKEN.fullmatch(name):
        return f"{how}; filename={name}"
    plain = re.sub(r"[^ -~]|[\"\\]", "_", name)
    return f"{how}; filename=\"{plain}\"; filename*=UTF-8''{quote(name, safe='')}"


def is_known(row: FileRow, if_none_match: str, if_modified_since: str) -> bool:
    """Whether the client has the file already (RFC 9110, 13.2.2)."""
    if if_none_match:
        tags = {tag.strip().removeprefix("W/") for tag in if_none_match.split(",")}
        return "*" in tags or etag_of(row) in tags
    since = http_date(if_modified_since)
    return since is not None and last_modified(row) <= since


def range_applies(row: FileRow, if_range: str) -> bool:
    """Whether the ranges asked for are of this very file (``If-Range``); weak tags never say so."""
    if not if_range:
        return True
    if if_range.startswith(('"', "W/")):
        return if_range == etag_of(row)
    return http_date(if_range) == last_modified(row)


def http_date(text: str) -> datetime | None:
    """The moment that an HTTP date names."""
    if not text:
        return None
    try:
        moment = parsedate_to_datetime(text)
    except (ValueError, TypeError, IndexError):
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
