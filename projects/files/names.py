"""Stored names: what is left of the client's name, ten random characters, an extension.

The form is the wire contract's (``snake_<10 random>.ext``), ASCII without quotes, spaces and separators, so that a
name is safe in a path, a header and an address, whatever was sent.
"""

from __future__ import annotations

import re
import secrets
from typing import Final

_LONGEST_STEM: Final = 100
_SHORTEST_STEM: Final = 3
_LONGEST_EXTENSION: Final = 20
_RANDOM: Final = 10
_LETTERS: Final = "abcdefghijklmnopqrstuvwxyz0123456789"

_NOT_IN_EXTENSION = re.compile(r"[^\w.*\-+=#]+", re.ASCII)
_NOT_IN_STEM = re.compile(r"[^a-zA-Z0-9]+")
_HUMP = re.compile(r"(?<=[a-z0-9])(?=[A-Z])")

# Extensions for names that bring none.
_EXTENSIONS: Final = {
    "application/geo+json": ".geojson", "application/gzip": ".gz", "application/json": ".json",
    "application/msword": ".doc", "application/pdf": ".pdf", "application/vnd.ms-excel": ".xls",
    "application/vnd.microsoft.portable-executable": ".exe", "application/vnd.ms-powerpoint": ".ppt",
    "application/vnd.openxmlformats-officedocument.presentationml.presentation": ".pptx",
    "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet": ".xlsx",
    "application/vnd.openxmlformats-officedocument.wordprocessingml.document": ".docx",
    "application/vnd.rar": ".rar", "application/vnd.sqlite3": ".sqlite", "application/wasm": ".wasm",
    "application/x-7z-compressed": ".7z", "application/x-bzip2": ".bz2", "application/x-ndjson": ".ndjson",
    "application/x-tar": ".tar", "application/x-xz": ".xz", "application/xhtml+xml": ".html",
    "application/zip": ".zip", "audio/aac": ".aac", "audio/aiff": ".aiff", "audio/flac": ".flac",
    "audio/midi": ".midi", "audio/mp4": ".m4a", "audio/mpeg": ".mp3", "audio/ogg": ".ogg",
    "audio/wav": ".wav", "font/otf": ".otf", "font/ttf": ".ttf", "font/woff": ".woff",
    "font/woff2": ".woff2", "image/avif": ".avif", "image/bmp": ".bmp", "image/gif": ".gif",
    "image/heic": ".heic", "image/jpeg": ".jpg", "image/jxl": ".jxl", "image/png": ".png",
    "image/svg+xml": ".svg", "image/tiff": ".tiff", "image/vnd.adobe.photoshop": ".psd",
    "image/webp": ".webp", "image/x-icon": ".ico", "text/csv": ".csv", "text/html": ".html",
    "text/plain": ".txt", "text/rtf": ".rtf", "text/tab-separated-values": ".tsv", "text/vtt": ".vtt",
    "text/x-php": ".php", "text/x-python": ".py", "text/x-shellscript": ".sh", "text/xml": ".xml",
    "video/3gpp": ".3gp", "video/mp4": ".mp4", "video/mpeg": ".mpeg", "video/quicktime": ".mov",
    "video/webm": ".webm", "video/x-matroska": ".mkv", "video/x-msvideo": ".avi",
}  # fmt: skip


def stored_name(original: str, content_type: str) -> str:
    """A new name for a file that its client calls ``original``; no two calls give the same.

    ``content_type`` gives the extension where the client's name has none that can be used.
    """
    base = original.rpartition("/")[2]
    stem, last = _split(base)
    stem, before_last = _split(stem)
    # Two of them belong together (.tar.gz), whatever they are.
    extension = _extension(before_last) + _extension(last)
    if len(extension) > _LONGEST_EXTENSION + 1:
        extension = "." + extension[-_LONGEST_EXTENSION:]
    return f"{_stem(stem)}_{_random()}{extension or _EXTENSIONS.get(content_type, '')}"


def _split(name: str) -> tuple[str, str]:
    stem, dot, extension = name.rpartition(".")
    return (stem, dot + extension) if dot else (name, "")


def _extension(text: str) -> str:
    cleaned = _NOT_IN_EXTENSION.sub("", text)
    return cleaned if len(cleaned) > 1 else ""


def _stem(text: str) -> str:
    snake = _HUMP.sub("_", _NOT_IN_STEM.sub("_", text).strip("_")).lower()[:_LONGEST_STEM]
    return snake if len(snake) >= _SHORTEST_STEM else snake + _random()


def _random() -> str:
    return "".join(secrets.choice(_LETTERS) for _ in range(_RANDOM))
