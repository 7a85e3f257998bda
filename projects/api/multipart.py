"""Multipart bodies (RFC 7578) as a stream: values in memory, files on the disk, both bounded."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field
from typing import Final

from django.conf import settings
from python_multipart.exceptions import FormParserError
from python_multipart.multipart import MultipartParser, parse_options_header

from projects.errors import ApiError, bad_request
from projects.files.spool import Spool
from projects.files.threads import in_files_pool
from projects.schema.fields.file import NewFile

_MOST_PARTS: Final = 1000
_LONGEST_HEADERS: Final = 8192
# What a request's files may gather in memory before a thread writes it down.
_STEP_BYTES: Final = 256 * 1024

# How many bytes a file may have that comes under a part's name; None: nobody wants it, it is skipped.
FileLimit = Callable[[str], int | None]


def no_files(_: str) -> int | None:
    return None


@dataclass(slots=True)
class Form:
    """A form's parts in their order. ``files`` lie on the disk until they are stored or ``discard``\\ ed."""

    values: list[tuple[str, str]] = field(default_factory=list)
    files: list[tuple[str, NewFile]] = field(default_factory=list)


class _Part:
    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.header_name = b""
        self.header_value = b""
        self.header_bytes = 0
        self.name = ""
        self.value = bytearray()
        self.spool: Spool | None = None
        self.skipped = False


class FormReader:
    """Reads one multipart body.

    ``values_limit``: bytes that all values together may have; ``body_limit``: those of the whole body.
    """

    def __init__(
        self, content_type: str, *, values_limit: int, body_limit: int, file_limit: FileLimit = no_files
    ) -> None:
        boundary = parse_options_header(content_type)[1].get(b"boundary")
        if not boundary:
            raise bad_request()
        self._file_limit = file_limit
        self._values_left = values_limit
        self._body_left = body_limit
        self._unwritten = 0
        self._parts = 0
        self._part = _Part()
        self._values: list[tuple[str, str]] = []
        self._spools: list[tuple[str, Spool]] = []
        self._complete = False
        self._parser = MultipartParser(
            boundary,
            {
                "on_part_begin": self._begin,
                "on_header_field": self._header_field,
                "on_header_value": self._header_value,
                "on_header_end": self._header_end,
                "on_headers_finished": self._headers_finished,
                "on_part_data": self._data,
                "on_part_end": self._end_part,
                "on_end": self._end,
            },
        )

    async def read(self, chunks: AsyncIterator[bytes]) -> Form:
        """The whole form. Raises ApiError 400, 413, StorageError; then nothing is left on the disk."""
        try:
            async for chunk in chunks:
                self._body_left -= len(chunk)
                if self._body_left < 0:
                    raise too_large()
                self._parser.write(chunk)
                if self._unwritten >= _STEP_BYTES:
                    await in_files_pool(self._write)
            # The parser takes a body that was cut off for a whole one.
            if not self._complete:
                raise bad_request()
            return Form(self._values, await self._finished())
        except BaseException as error:
            self._discard()
            if isinstance(error, FormParserError):
                raise bad_request() from None
            raise

    def _write(self) -> None:
        for _, spool in self._spools:
            if spool.waiting:
                spool.write()
        self._unwritten = 0

    async def _finished(self) -> list[tuple[str, NewFile]]:
        if not self._spools:
            return []
        return await in_files_pool(lambda: [(name, spool.finish()) for name, spool in self._spools])

    def _discard(self) -> None:
        for _, spool in self._spools:
            spool.discard()

    def _begin(self) -> None:
        self._part = _Part()
        self._parts += 1
        if self._parts > _MOST_PARTS:
            raise bad_request()

    def _header_field(self, data: bytes, start: int, end: int) -> None:
        self._part.header_name += data[start:end]
        self._count_header(end - start)

    def _header_value(self, data: bytes, start: int, end: int) -> None:
        self._part.header_value += data[start:end]
        self._count_header(end - start)

    def _count_header(self, size: int) -> None:
        self._part.header_bytes += size
        if self._part.header_bytes > _LONGEST_HEADERS:
            raise bad_request()

    def _header_end(self) -> None:
        self._part.headers.append((self._part.header_name.lower(), self._part.header_value))
        self._part.header_name = self._part.header_value = b""

    def _headers_finished(self) -> None:
        part = self._part
        disposition = next((value for name, value in part.headers if name == b"content-disposition"), b"")
        options = parse_options_header(disposition)[1]
        if b"name" not in options:
            raise bad_request()
        part.name = _text(options[b"name"])
        # A part with an empty file name is a value: what browsers send for an input that was left empty.
        if filename := options.get(b"filename"):
            limit = self._file_limit(part.name)
            if limit is None:
                part.skipped = True
            elif len(self._spools) >= settings.MBAAS_MAX_FILES_PER_REQUEST:
                raise too_large()
            else:
                part.spool = Spool(_text(filename), limit)
                self._spools.append((part.name, part.spool))

    def _data(self, data: bytes, start: int, end: int) -> None:
        part = self._part
        if part.spool is not None:
            part.spool.feed(memoryview(data)[start:end])
            self._unwritten += end - start
        elif not part.skipped:
            self._values_left -= end - start
            if self._values_left < 0:
                raise too_large()
            part.value += data[start:end]

    def _end_part(self) -> None:
        part = self._part
        if part.spool is None and not part.skipped:
            self._values.append((part.name, _text(bytes(part.value))))

    def _end(self) -> None:
        self._complete = True


def too_large() -> ApiError:
    return ApiError(413, "Request entity too large.")


def _text(raw: bytes) -> str:
    """UTF-8, or what old clients send instead."""
    try:
        return raw.decode()
    except UnicodeDecodeError:
        return raw.decode("latin-1")
