"""Files: their stored names, which are all that a record holds of them."""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any, Final

from projects.errors import ErrorTree, FieldError
from projects.schema.fields.base import Invalid, OptionScope
from projects.schema.fields.checks import MAX_SAFE_INTEGER, between, complaints
from projects.schema.fields.manyvalued import ManyValuedField
from projects.schema.fields.options import as_flag, as_integer, as_texts, option

# What a field without ``maxSize`` takes, in bytes.
DEFAULT_MAX_SIZE: Final = 5 * 1024 * 1024
# A thumb's size: both sides (cut to the centre, ``t``op or ``b``ottom, or ``f``itted in), or one of them.
THUMB: Final = re.compile(r"(\d+)x(\d+)([tbf]?)", re.ASCII)

_BAD_THUMB: Final = FieldError("validation_match_invalid", "Must be in a valid format.")
_NO_SIZE: Final = FieldError("validation_not_in_invalid", "Must not be in list.")


@dataclass(slots=True)
class Upload:
    """What is known of a file on its way into a record.

    ``key`` names its object, ``original`` is the client's name for it, ``type`` the MIME type of its content,
    ``checksum`` the SHA-256 of its ``size`` bytes as hex. ``path``: where its bytes wait on this machine's disk
    until they are in the storage (``stored``); ``storage`` is the name of that, once it is decided. ``granted``:
    a write may go on as if they were, to see that it succeeds; ``wanted`` is what it then says. ``upload_id``: it
    came before the write, as an upload of its own.
    """

    key: str
    original: str
    size: int
    type: str
    checksum: str
    path: str = ""
    storage: str = ""
    stored: bool = False
    granted: bool = False
    wanted: bool = False
    upload_id: str = ""


class NewFile(str):
    """The stored name of a file that came with the request: the only names that a record has not had.

    A plain str in a body is a name that the record must have already.
    """

    __slots__ = ("upload",)
    upload: Upload

    def __new__(cls, name: str, upload: Upload) -> NewFile:
        made = super().__new__(cls, name)
        made.upload = upload
        return made


@dataclass(frozen=True, kw_only=True)
class FileField(ManyValuedField):
    """That kept names are the record's own is for the writer to check: answer ``unknown_files``."""

    type = "file"

    max_size: int = option("maxSize", as_integer, 0)
    max_select: int = option("maxSelect", as_integer, 0)
    mime_types: tuple[str, ...] | None = option("mimeTypes", as_texts, None)
    thumbs: tuple[str, ...] | None = option("thumbs", as_texts, None)
    protected: bool = option("protected", as_flag, False)

    @property
    def most(self) -> int:
        return max(self.max_select, 1)

    @property
    def largest(self) -> int:
        """How many bytes one file may have."""
        return self.max_size or DEFAULT_MAX_SIZE

    def check(self, value: Any) -> None:
        names = self.values_of(value)
        if len(names) > self.most:
            raise Invalid(
                "validation_too_many_files",
                f"The maximum allowed files is {self.most}.",
                {"maxSelect": self.most},
            )
        for name in names:
            if isinstance(name, NewFile):
                self._check_new(name)

    def _check_new(self, file: NewFile) -> None:
        upload = file.upload
        if upload.size > self.largest:
            raise Invalid(
                "validation_file_size_limit",
                f"Failed to upload {upload.original} - the maximum allowed file size is {self.largest} bytes.",
                {"file": upload.original, "maxSize": self.largest},
            )
        if self.mime_types and not any(same_type(upload.type, allowed) for allowed in self.mime_types):
            raise Invalid(
                "validation_invalid_mime_type",
                f'"{file}" mime type must be one of: {", ".join(self.mime_types)}.',
            )

    def unknown_files(self, value: Any, own: Collection[str]) -> FieldError | None:
        """The complaint about names in ``value`` that are neither new files nor among ``own``."""
        unknown = [
            name for name in self.values_of(value) if not isinstance(name, NewFile) and name not in own
        ]
        if not unknown:
            return None
        return FieldError(
            "validation_invalid_file",
            f"Invalid new files: [{' '.join(unknown)}].",
            {"invalidFiles": unknown},
        )

    def check_options(self, scope: OptionScope) -> dict[str, FieldError | ErrorTree]:
        thumbs = {
            str(at): error for at, text in enumerate(self.thumbs or ()) if (error := _thumb_error(text))
        }
        return complaints(
            maxSize=between(self.max_size, 0, MAX_SAFE_INTEGER),
            maxSelect=between(self.max_select, 0, MAX_SAFE_INTEGER),
            thumbs=thumbs or None,
        )


def _thumb_error(text: str) -> FieldError | None:
    if not text:
        return None
    if text in ("0x0", "0x0t", "0x0b", "0x0f"):
        return _NO_SIZE
    return None if THUMB.fullmatch(text) else _BAD_THUMB


# Names that one type goes by; the first is the one that we use.
_ALIASES: Final = {
    alias: names[0]
    for names in (
        ("application/gzip", "application/x-gzip", "application/x-gunzip"),
        ("application/json", "text/json"),
        ("application/pdf", "application/x-pdf"),
        ("application/vnd.microsoft.portable-executable", "application/x-msdownload"),
        ("application/vnd.rar", "application/x-rar-compressed", "application/x-rar"),
        ("application/vnd.sqlite3", "application/x-sqlite3"),
        ("application/zip", "application/x-zip", "application/x-zip-compressed"),
        ("audio/aac", "audio/x-aac"),
        ("audio/aiff", "audio/x-aiff"),
        ("audio/flac", "audio/x-flac"),
        ("audio/midi", "audio/mid", "audio/x-midi", "audio/sp-midi"),
        ("audio/mp4", "audio/x-m4a", "audio/m4a", "audio/x-mp4a"),
        ("audio/mpeg", "audio/mp3", "audio/x-mpeg"),
        ("audio/ogg", "application/ogg"),
        ("audio/wav", "audio/x-wav", "audio/vnd.wave", "audio/wave"),
        ("image/bmp", "image/x-bmp", "image/x-ms-bmp"),
        ("image/jpeg", "image/jpg", "image/pjpeg"),
        ("image/vnd.adobe.photoshop", "image/x-psd", "application/photoshop"),
        ("image/x-icon", "image/vnd.microsoft.icon"),
        ("text/javascript", "application/javascript", "application/x-javascript"),
        ("text/rtf", "application/rtf"),
        ("text/xml", "application/xml"),
        ("video/x-msvideo", "video/avi", "video/msvideo"),
    )
    for alias in names
}


def plain_type(text: str) -> str:
    """A MIME type without parameters, in lower case, by the one name that we use for it."""
    bare = text.partition(";")[0].strip().lower()
    return _ALIASES.get(bare, bare)


def same_type(found: str, allowed: str) -> bool:
    """Whether ``allowed``, as a field's options name it, is the type ``found``."""
    return plain_type(found) == plain_type(allowed)
