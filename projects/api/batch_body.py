"""The body of a batch: which writes it asks for, or what is wrong with it, as the wire contract has it."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import unquote

from starlette.datastructures import QueryParams

from projects.api.record_writes import Action, RecordWrite
from projects.errors import ApiError, ErrorTree, FieldError, RequestFailed, bad_request, invalid_fields
from projects.records.present import Shape
from projects.schema.fields.coerce import to_texts
from projects.schema.fields.file import NewFile

UNREADABLE: Final = "Failed to read the submitted batch data."
INVALID: Final = "Invalid batch request data."
MAX_URL: Final = 2000
_REQUIRED: Final = FieldError("validation_required", "Cannot be blank.")
_UNKNOWN: Final = FieldError("validation_in_invalid", "Must be a valid value.")
# GET passes here and is no write: it fails as an address that there is not.
_METHODS: Final = frozenset({"GET", "POST", "PUT", "PATCH", "DELETE"})
_RECORDS: Final = re.compile(r"(?:/p/([^/?]+))?/api/collections/([^/?#]+)/records(?:/([^/?#]+))?(?:\?(.*))?")
_FILE: Final = re.compile(r"requests(?:\.|\[)(\d{1,6})\]?\.(.+)", re.ASCII)
_ACTIONS: Final[Mapping[tuple[str, bool], Action]] = {
    ("POST", False): "create",
    ("PUT", False): "upsert",
    ("PATCH", True): "update",
    ("DELETE", True): "delete",
}


@dataclass(frozen=True, slots=True)
class Part:
    """One request of a batch. ``query`` and ``headers`` (as rules name them) are its own; the batch's headers
    stand behind them."""

    method: str
    write: RecordWrite
    query: Mapping[str, str]
    headers: Mapping[str, str]


def read_parts(body: Mapping[str, Any], ref: str, most: int) -> list[Part]:
    """The requests in a batch's body; ``ref`` is the project's. Raises ApiError 400."""
    requests = body.get("requests")
    if requests is None or requests == []:
        raise invalid_fields(INVALID, {"requests": _REQUIRED})
    if not isinstance(requests, list) or not all(_is_readable(request) for request in requests):
        raise bad_request(UNREADABLE)
    if len(requests) > most:
        raise invalid_fields(INVALID, {"requests": _too_long(most)})
    errors = {str(at): found for at, request in enumerate(requests) if (found := _complaints(request))}
    if errors:
        raise invalid_fields(INVALID, {"requests": errors})
    parts = []
    for at, request in enumerate(requests):
        part = _part(request, ref)
        if part is None:
            raise part_failed(at, bad_request())
        parts.append(part)
    return parts


def put_into_part(body: dict[str, Any], name: str, file: NewFile) -> None:
    """Add a file to the request of a batch that its part's name (``requests.0.avatar``) says."""
    match = _FILE.fullmatch(name)
    requests = body.get("requests")
    if match is None or not isinstance(requests, list) or int(match[1]) >= len(requests):
        return
    request, name = requests[int(match[1])], match[2]
    if isinstance(request, dict) and isinstance(values := request.get("body") or {}, dict):
        request["body"] = {**values, name: [*to_texts(values.get(name)), file]}


def part_failed(at: int, error: ApiError) -> ApiError:
    """The answer to a batch whose request number ``at`` failed in that way."""
    failure = RequestFailed("batch_request_failed", "Batch request failed.", response=error.as_json())
    data = {"requests": {str(at): failure}}
    return ApiError(400, "Batch transaction failed.", data, error.headers)


def _is_readable(request: Any) -> bool:
    if not isinstance(request, dict):
        return False
    headers = request.get("headers")
    return (
        all(isinstance(request.get(name), str | None) for name in ("method", "url"))
        and isinstance(request.get("body"), dict | None)
        and isinstance(headers, dict | None)
        and all(isinstance(value, str) for value in (headers or {}).values())
    )


def _complaints(request: Mapping[str, Any]) -> ErrorTree:
    method, url = request.get("method") or "", request.get("url") or ""
    errors: dict[str, FieldError] = {}
    if method not in _METHODS:
        errors["method"] = _UNKNOWN if method else _REQUIRED
    if not url:
        errors["url"] = _REQUIRED
    elif len(url) > MAX_URL:
        errors["url"] = _too_long(MAX_URL)
    return errors


def _too_long(most: int) -> FieldError:
    return FieldError(
        "validation_length_too_long", f"The length must be no more than {most}.", {"max": most, "min": 0}
    )


def _part(request: Mapping[str, Any], ref: str) -> Part | None:
    """None for a method and an address that name no write of a record."""
    method, match = request["method"], _RECORDS.fullmatch(request["url"])
    if match is None:
        return None
    prefix, collection, record_id, query_text = match.groups()
    action = _ACTIONS.get((method, record_id is not None))
    # SDKs leave the project's prefix out; another project's is as good as any wrong address.
    if action is None or prefix not in (None, ref):
        return None
    query = dict(QueryParams(query_text or ""))
    headers = {
        name.lower().replace("-", "_"): value
        for name, value in (request.get("headers") or {}).items()
        # Who asks was decided for the batch as a whole.
        if name.lower() != "authorization"
    }
    write = RecordWrite(
        action,
        unquote(collection),
        unquote(record_id or ""),
        request.get("body") or {},
        Shape.of(query),
        headers.get("if_match", ""),
    )
    return Part(method, write, query, headers)
