"""The complaints that several field types share, in the wire contract's codes and words."""

from __future__ import annotations

from typing import Any, Final

from projects.errors import FieldError

BLANK: Final = FieldError("validation_required", "Cannot be blank.")
MAX_SAFE_INTEGER: Final = 2**53 - 1  # what a JSON number holds exactly everywhere


def at_least(value: float, threshold: float) -> FieldError | None:
    if value >= threshold:
        return None
    return FieldError(
        "validation_min_greater_equal_than_required",
        f"Must be no less than {threshold}.",
        {"threshold": threshold},
    )


def at_most(value: float, threshold: float) -> FieldError | None:
    if value <= threshold:
        return None
    return FieldError(
        "validation_max_less_equal_than_required",
        f"Must be no greater than {threshold}.",
        {"threshold": threshold},
    )


def between(value: float, least: float, most: float) -> FieldError | None:
    return at_least(value, least) or at_most(value, most)


def length_between(text: str, least: int, most: int) -> FieldError | None:
    """Blank texts pass: whether they may be blank is another check."""
    if not text or least <= len(text) <= most:
        return None
    return FieldError(
        "validation_length_out_of_range",
        f"The length must be between {least} and {most}.",
        {"max": most, "min": least},
    )


def complaints(**found: Any) -> dict[str, Any]:
    """The given complaints without those that are None."""
    return {name: error for name, error in found.items() if error is not None}
