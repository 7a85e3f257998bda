"""Answers: JSON bodies, the headers every answer has, errors in their one shape."""

from __future__ import annotations

import sqlite3
from typing import Any

import orjson
import psycopg.errors
import structlog
from django.db import DatabaseError
from psycopg_pool import PoolClosed, PoolTimeout
from starlette.responses import Response

from projects.databases import DatabaseMissingError
from projects.databases.deadline import TimedOutError
from projects.databases.lane import ShuttingDownError
from projects.databases.lanes import TooBusyError
from projects.errors import ApiError, bad_request
from projects.files.storage import StorageError

log = structlog.get_logger("mbaas.api")

_JSON = "application/json"

# A lock that could not be had in time, too: the table is in use.
_BUSY_ERRORS = (
    TooBusyError,
    ShuttingDownError,
    psycopg.errors.DeadlockDetected,
    psycopg.errors.LockNotAvailable,
)
BUSY = "The server is busy. Please try again shortly."
UNAVAILABLE = "The project's database is unavailable. Please try again shortly."


class _Json(Response):
    """A JSON answer whose headers are written down as they are, where Starlette's would be worked out."""

    media_type = _JSON

    def __init__(self, body: bytes, status: int, headers: dict[str, str] | None) -> None:
        self.status_code = status
        self.background = None
        self.body = body
        self.raw_headers = [(b"content-length", b"%d" % len(body)), (b"content-type", b"application/json")]
        if headers:
            self.raw_headers += [
                (k.lower().encode("latin-1"), v.encode("latin-1")) for k, v in headers.items()
            ]


def json_response(data: Any, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """``data`` as JSON."""
    return json_bytes(as_json(data), status, headers)


def as_json(data: Any) -> bytes:
    return orjson.dumps(data, default=_fallback)


def json_bytes(body: bytes, status: int = 200, headers: dict[str, str] | None = None) -> Response:
    """An answer whose JSON is written already."""
    return _Json(body, status, headers)


def no_content() -> Response:
    return Response(status_code=204)


def error_response(error: BaseException) -> Response:
    """The answer to an operation that raised. What is not an ApiError tells the client no details."""
    known = as_api_error(error)
    return json_response(known.as_json(), known.status, dict(known.headers))


def as_api_error(error: BaseException) -> ApiError:
    """``error`` as what the client may know of it; unforeseen errors are logged with their traceback."""
    if isinstance(error, ApiError):
        return error
    if isinstance(error, _BUSY_ERRORS):
        return ApiError(503, BUSY, headers={"Retry-After": "1"})
    if isinstance(error, TimedOutError):
        return ApiError(503, "The request took too long and was stopped.")
    if isinstance(error, psycopg.DataError):
        # What the engine cannot read as the type it should be (a NUL in a text, a number beyond its range).
        return bad_request()
    if isinstance(error, psycopg.errors.ProgramLimitExceeded):
        return bad_request("A value is too long for an index that covers it.")
    if isinstance(
        error, (DatabaseMissingError, DatabaseError, psycopg.OperationalError, PoolTimeout, PoolClosed)
    ):
        log.error("project database unavailable", error=str(error))
        return ApiError(503, UNAVAILABLE, headers={"Retry-After": "5"})
    if isinstance(error, sqlite3.OperationalError):
        log.error("sqlite failed", error=str(error), code=getattr(error, "sqlite_errorname", None))
        if getattr(error, "sqlite_errorname", "").startswith("SQLITE_FULL"):
            return ApiError(507, "The project's storage is full.")
        return ApiError(503, UNAVAILABLE, headers={"Retry-After": "1"})
    if isinstance(error, StorageError):
        log.error("file storage failed", error=str(error), kind=type(error).__name__)
        return error.as_api_error()
    log.error("request failed", exc_info=error)
    return ApiError(500, "Something went wrong on the server. The request id names it in the logs.")


def _fallback(value: Any) -> Any:
    raise TypeError(f"{type(value).__name__} is not JSON")
