"""Every refusal of the control API in the shape of the app API: ``{"status", "message", "data"}``."""

from __future__ import annotations

import logging
from typing import Any

from django.core.exceptions import PermissionDenied, RequestDataTooBig, SuspiciousOperation
from django.http import Http404, HttpRequest, JsonResponse
from rest_framework import exceptions
from rest_framework.response import Response

from projects.errors import ApiError

logger = logging.getLogger("mbaas.control")

_MESSAGES = {
    400: "Something went wrong while processing your request.",
    401: "Sign in first.",
    403: "You are not allowed to perform this request.",
    404: "The requested resource wasn't found.",
}
_CODES = {
    "required": "validation_required",
    "blank": "validation_required",
    "null": "validation_required",
    "max_length": "validation_length_too_long",
    "invalid_choice": "validation_invalid_value",
    "not_a_list": "validation_invalid_type",
    "not_a_dict": "validation_invalid_type",
}


def answer_error(error: Exception, _context: dict[str, Any]) -> Response:
    """DRF's EXCEPTION_HANDLER."""
    if isinstance(error, Http404):
        error = exceptions.NotFound(_MESSAGES[404])
    elif isinstance(error, PermissionDenied):
        error = exceptions.PermissionDenied(_MESSAGES[403])
    elif isinstance(error, RequestDataTooBig):
        return Response(_shape(413, "The request's body is too large."), 413)
    elif isinstance(error, SuspiciousOperation):
        error = exceptions.ParseError(_MESSAGES[400])
    if isinstance(error, ApiError):
        return Response(error.as_json(), error.status, headers=dict(error.headers))
    if isinstance(error, exceptions.ValidationError):
        return Response(_shape(400, _MESSAGES[400], _fields(error.detail)), 400)
    if isinstance(error, exceptions.APIException):
        headers = {}
        if challenge := getattr(error, "auth_header", None):
            headers["WWW-Authenticate"] = challenge
        if isinstance(error, exceptions.NotAuthenticated):
            return Response(_shape(401, _MESSAGES[401]), 401, headers=headers)
        return Response(
            _shape(error.status_code, _sentence(error.detail)), error.status_code, headers=headers
        )
    logger.error("unexpected error", exc_info=error)
    return Response(_shape(500, "Something went wrong on our side."), 500)


def unknown_route(_request: HttpRequest) -> JsonResponse:
    return JsonResponse(_shape(404, _MESSAGES[404]), status=404)


def _shape(status: int, message: str, data: dict[str, Any] | None = None) -> dict[str, Any]:
    return {"status": status, "message": message, "data": data or {}}


def _sentence(detail: Any) -> str:
    text = str(detail)
    return text if text.endswith((".", "!", "?")) else f"{text}."


def _fields(detail: Any) -> dict[str, Any]:
    if not isinstance(detail, dict):
        # The body as a whole is wrong (a list where an object belongs, for example).
        return {}
    return {str(name): _field(value) for name, value in detail.items()}


def _field(detail: Any) -> dict[str, Any]:
    if isinstance(detail, dict):
        return _fields(detail)
    first = detail[0] if isinstance(detail, list) and detail else detail
    if isinstance(first, dict):
        return _fields(first)
    code = getattr(first, "code", "invalid")
    return {"code": _CODES.get(code, "validation_invalid_value"), "message": _sentence(first)}
