"""Checks that several operations share; each collects into an errors-by-field dict."""

from __future__ import annotations

from django.core.exceptions import ValidationError
from django.core.validators import validate_email

from projects.errors import FieldError
from projects.models import normalize_email, validate_ref

REQUIRED = FieldError("validation_required", "Cannot be blank.")


def field_error(error: ValidationError) -> FieldError:
    """A Django validation error in the wire contract's words."""
    code = {"invalid": "validation_invalid_format", "reserved": "validation_reserved"}
    return FieldError(code.get(error.code or "", "validation_invalid_value"), " ".join(error.messages))


def check_ref(ref: str) -> FieldError | None:
    if not ref:
        return REQUIRED
    try:
        validate_ref(ref)
    except ValidationError as error:
        return field_error(error)
    return None


def check_text(value: str, maximum: int, *, required: bool = True) -> FieldError | None:
    """One line of text of at most ``maximum`` characters."""
    if not value:
        return REQUIRED if required else None
    if len(value) > maximum:
        return FieldError(
            "validation_length_too_long", f"Must be no more than {maximum} character(s).", {"max": maximum}
        )
    if not value.isprintable():
        return FieldError("validation_invalid_format", "Must be one line without control characters.")
    return None


def clean_email(email: str) -> tuple[str, FieldError | None]:
    """The address as it is stored, and what is wrong with it."""
    email = normalize_email(email)
    if not email:
        return email, REQUIRED
    try:
        validate_email(email)
    except ValidationError:
        return email, FieldError("validation_is_email", "Must be a valid email address.")
    if len(email) > 254:
        return email, FieldError(
            "validation_length_too_long", "Must be no more than 254 character(s).", {"max": 254}
        )
    return email, None
