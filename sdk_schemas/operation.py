"""One operation of the API, and what all of them have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Literal

from sdk_schemas.fields import Json

# Who an operation answers at all: everybody, whom a rule lets, or superusers.
Access = Literal["open", "rule", "superuser"]
Method = Literal["get", "head", "post", "patch", "put", "delete"]

# Any request may be one too many, or meet a server that is busy or stopping.
_ALWAYS: Final = (429, 503)
_BY_CODE: Final[dict[int, str]] = {
    400: "BadRequest",
    401: "Unauthorized",
    403: "Forbidden",
    404: "NotFound",
    405: "WrongMethod",
    408: "TooSlow",
    409: "Conflict",
    410: "Gone",
    412: "Changed",
    413: "TooLarge",
    415: "WrongType",
    422: "OtherRequest",
    423: "UploadBusy",
    429: "TooManyRequests",
    460: "WrongChecksum",
    503: "Unavailable",
    507: "StorageFull",
}
_SECURITY: Final[Mapping[Access, list[Json]]] = {
    "open": [{}, {"userToken": []}, {"serviceKey": []}],
    "rule": [{}, {"userToken": []}, {"serviceKey": []}],
    "superuser": [{"serviceKey": []}],
}
_WHO: Final[Mapping[Access, str]] = {
    "open": "",
    "rule": "Answers as the collection's rule allows the caller.",
    "superuser": "For superusers: service keys and members of the project.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Operation:
    """``id`` is stable: it changes only when the collection's name does.

    ``answer`` is the schema of the body of a success, None for none; ``also``: those of other successes by status;
    ``tagged``: the answer has an ETag, and a read is not sent again to who has it; ``headers``: others of a success.
    ``refusals`` are the statuses it may refuse with beside those that every operation has; ``said``: the components
    that describe those of them which mean something of their own here.
    """

    id: str
    method: Method
    path: str
    tag: str
    summary: str
    description: str = ""
    access: Access = "rule"
    parameters: tuple[Json, ...] = ()
    body: Json | None = None
    status: int = 200
    answer: Json | None = None
    answer_type: str = "application/json"
    also: Mapping[int, Json | None] = field(default_factory=dict)
    tagged: bool = False
    headers: Json = field(default_factory=dict)
    examples: Json = field(default_factory=dict)
    refusals: tuple[int, ...] = (400, 403, 404)
    said: dict[int, str] = field(default_factory=dict)

    def as_json(self) -> Json:
        out: Json = {"operationId": self.id, "tags": [self.tag], "summary": self.summary}
        if text := " ".join(part for part in (self.description, _WHO[self.access]) if part):
            out["description"] = text
        if self.parameters:
            out["parameters"] = list(self.parameters)
        if self.body is not None:
            out["requestBody"] = self.body
        out["responses"] = self._responses()
        out["security"] = _SECURITY[self.access]
        return out

    def _responses(self) -> Json:
        success: Json = {"description": "Done." if self.answer is None else "OK"}
        if self.answer is not None:
            content: Json = {"schema": self.answer}
            if self.examples:
                content["examples"] = self.examples
            success["content"] = {self.answer_type: content}
        tag: Json = {"ETag": {"$ref": "#/components/headers/ETag"}} if self.tagged else {}
        if headers := self.headers | tag:
            success["headers"] = headers
        codes = sorted({*self.refusals, *_ALWAYS, *((413,) if self.body else ())})
        out = {str(self.status): success}
        for status, schema in self.also.items():
            content = {} if schema is None else {"content": {self.answer_type: {"schema": schema}}}
            out[str(status)] = {"description": "OK", **content}
        if self.tagged and self.method == "get":
            out["304"] = {"description": "You have it already."}
        named = _BY_CODE | self.said
        out |= {str(code): {"$ref": f"#/components/responses/{named[code]}"} for code in codes}
        return out


def parameter(name: str) -> Json:
    """One of the shared query parameters of ``components``."""
    return {"$ref": f"#/components/parameters/{name}"}


def path_parameter(name: str, description: str, *, example: str = "") -> Json:
    schema: Json = {"type": "string"}
    out: Json = {"name": name, "in": "path", "required": True, "description": description, "schema": schema}
    return {**out, "example": example} if example else out


def json_body(schema: Json, *, example: Json | None = None, required: bool = True) -> Json:
    content: Json = {"schema": schema}
    if example is not None:
        content["example"] = example
    return {"required": required, "content": {"application/json": content}}
