"""``POST /api/collections/{collection}/records/import``: a CSV file or JSON lines, taken in as they come.

Each step is read on one thread and stored in a transaction of its own, so that neither memory nor other requests see
how large the file is.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final

import orjson
from django.conf import settings
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projects.api.bodies import UNSUPPORTED, chunks, refuse_if_announced_larger
from projects.api.dispatch import endpoint, in_password_pool, read, write
from projects.api.guards import require_superuser
from projects.api.limits import limit_request
from projects.api.multipart import too_large
from projects.api.record_writes import refuse_if_unwritable
from projects.api.records import COLLECTION
from projects.api.requests import header, query_of
from projects.api.responses import json_response
from projects.errors import ApiError, FieldError, bad_request, invalid_fields
from projects.files.threads import in_files_pool
from projects.importing.tables.preparing import Columns
from projects.importing.tables.rows import Refused, Row
from projects.importing.tables.run import (
    Format,
    Prepared,
    SchemaChangedError,
    TableImport,
    TableOptions,
    hash_all,
)
from projects.importing.tables.storing import Outcome
from projects.records.call import Call
from projects.schema.fields.coerce import to_bool

Step = Sequence[Row | Refused]
Plain = list[tuple[dict[str, object], str]]

TYPES: Final[Mapping[str, Format]] = {
    "application/csv": "csv",
    "application/json-lines": "jsonl",
    "application/jsonl": "jsonl",
    "application/jsonlines": "jsonl",
    "application/ndjson": "jsonl",
    "application/x-ndjson": "jsonl",
    "text/csv": "csv",
}
# What a thread is given to read at once.
_PIECE: Final = 256 * 1024
_FAILED: Final = "Failed to import records."


@endpoint
async def import_records(request: Request) -> Response:
    """Answers how many records were made and changed, and which rows were refused."""
    name = request.path_params["collection"]
    await limit_request(request, "create", name)
    table = TableImport(name, _options(request))
    await read(request, lambda call: _admit(call, table))
    try:
        await _take_all(request, table)
    except ApiError as error:
        totals = table.totals
        if totals.created or totals.updated:
            done = f" {totals.created} records were created and {totals.updated} changed before it."
            raise ApiError(error.status, error.message + done, error.data, error.headers) from None
        raise
    return json_response(table.totals.as_json())


def _admit(call: Call, table: TableImport) -> None:
    require_superuser(call)
    refuse_if_unwritable(call, table.collection(call))


def _options(request: Request) -> TableOptions:
    kind, _, parameters = header(request, b"content-type").partition(";")
    found = TYPES.get(kind.strip().lower())
    if found is None:
        raise bad_request(UNSUPPORTED)
    charset = parameters.lower().replace(" ", "").replace('"', "")
    if "charset=" in charset and "charset=utf-8" not in charset:
        raise bad_request("The file must be UTF-8.")
    query = query_of(request)
    return TableOptions(
        format=found,
        delimiter=query.get("delimiter", ""),
        columns=Columns(_renamed(query.get("columns", ""))),
        upsert=to_bool(query.get("upsert", "")),
        dry_run=to_bool(query.get("dryRun", "")),
    )


def _renamed(text: str) -> Mapping[str, str]:
    """``columns``: a JSON object of names in the file to fields. Raises 400."""
    if not text:
        return {}
    try:
        found = orjson.loads(text)
    except orjson.JSONDecodeError:
        found = None
    if not isinstance(found, dict) or not all(isinstance(value, str) for value in found.values()):
        error = FieldError("validation_invalid_value", 'Must be JSON such as {"E-mail": "email"}.')
        raise invalid_fields(_FAILED, {"columns": error})
    return found


async def _take_all(request: Request, table: TableImport) -> None:
    """While a step is stored, the next one is read."""
    storing: asyncio.Task[None] | None = None
    try:
        async for step in _steps(request, table):
            prepared = await _prepare(request, table, step)
            if storing is not None:
                await storing
            storing = asyncio.create_task(_store(request, table, step, prepared))
    finally:
        # Whatever ends it: what is said to be stored is.
        if storing is not None:
            await storing


async def _steps(request: Request, table: TableImport) -> AsyncIterator[Step]:
    async for piece in _pieces(request):
        for step in await in_files_pool(lambda piece=piece: list(table.feed(piece))):  # type: ignore[misc]
            yield step
    for step in await in_files_pool(lambda: list(table.end())):
        yield step


async def _pieces(request: Request) -> AsyncIterator[bytes]:
    """The body in larger pieces. Raises 413, and 408 when its client is silent for too long."""
    most = settings.MBAAS_IMPORT_MAX_BYTES
    if most:
        refuse_if_announced_larger(request, most)
    coming = chunks(request)
    waiting, size = bytearray(), 0
    while True:
        try:
            async with asyncio.timeout(settings.MBAAS_UPLOADS_IDLE_SECONDS):
                chunk = await anext(coming, None)
        except TimeoutError:
            raise ApiError(408, "Nothing came for too long.") from None
        if chunk is None:
            break
        size += len(chunk)
        if most and size > most:
            raise too_large()
        waiting += chunk
        if len(waiting) >= _PIECE:
            yield bytes(waiting)
            waiting.clear()
    if waiting:
        yield bytes(waiting)


async def _prepare(request: Request, table: TableImport, step: Step) -> Prepared:
    """A step, read under today's schema and with today's right to do this."""

    def prepare(call: Call) -> tuple[Prepared, Plain]:
        _admit(call, table)
        prepared = table.prepare(call, step)
        return prepared, table.passwords(call, prepared)

    prepared, plain = await read(request, prepare, length="long")
    if plain:
        await in_password_pool(lambda: hash_all(plain))
    return prepared


async def _store(request: Request, table: TableImport, step: Step, prepared: Prepared) -> None:
    while True:

        def store(call: Call, prepared: Prepared = prepared) -> Outcome:
            _admit(call, table)
            return table.store(call, prepared)

        try:
            table.count(prepared, await write(request, store))
        except SchemaChangedError:
            prepared = await _prepare(request, table, step)
            continue
        return


routes = [Route(f"{COLLECTION}/import", import_records, methods=["POST"])]
