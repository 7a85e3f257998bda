"""Errors that operations raise. The API turns them into the error shape; nothing else does.

The shape, from the PocketBase wire contract:
``{"status": 400, "message": "…", "data": {"field": {"code": "…", "message": "…", "params": {}}}}``.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any


@dataclass(frozen=True, slots=True)
class FieldError:
    """One thing that is wrong with one field."""

    code: str
    message: str
    params: Mapping[str, Any] | None = None

    def as_json(self) -> dict[str, Any]:
        out: dict[str, Any] = {"code": self.code, "message": self.message}
        if self.params is not None:
            out["params"] = dict(self.params)
        return out


@dataclass(frozen=True, slots=True)
class RequestFailed(FieldError):
    """One request of several did not succeed; ``response`` is what it would have been answered alone."""

    response: Mapping[str, Any] = field(default_factory=dict)

    def as_json(self) -> dict[str, Any]:
        return {**FieldError.as_json(self), "response": dict(self.response)}


# A field's errors by name; the value nests for lists (``{"fields": {"0": {"name": FieldError}}}``).
ErrorTree = Mapping[str, "FieldError | ErrorTree"]


def tree_as_json(tree: ErrorTree) -> dict[str, Any]:
    return {
        str(key): value.as_json() if isinstance(value, FieldError) else tree_as_json(value)
        for key, value in tree.items()
    }


@dataclass(eq=False)
class ApiError(Exception):
    """An answer that is not success: HTTP status, sentence for people, errors by field."""

    status: int
    message: str
    data: ErrorTree = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.message

    def as_json(self) -> dict[str, Any]:
        return {"status": self.status, "message": self.message, "data": tree_as_json(self.data)}


def bad_request(
    message: str = "Something went wrong while processing your request.", **data: Any
) -> ApiError:
    return ApiError(400, message, data)


def unauthorized(message: str = "The request requires valid record authorization token.") -> ApiError:
    return ApiError(401, message)


def forbidden(message: str = "You are not allowed to perform this request.") -> ApiError:
    return ApiError(403, message)


def not_found(message: str = "The requested resource wasn't found.") -> ApiError:
    return ApiError(404, message)


def invalid_fields(message: str, errors: ErrorTree) -> ApiError:
    """400 with errors by field. ``message`` says which action failed ("Failed to create record.")."""
    return ApiError(400, message, errors)


class InvalidRuleError(Exception):
    """A rule that cannot stand on its collection; the text says why."""
