"""What a submission is refused with, in the words of the wire contract."""

from __future__ import annotations

from projects.errors import ApiError

UNKNOWN_CLIENT = "Missing or invalid client id."
OTHER_USER = "The current and the previous request authorization don't match."


def busy() -> ApiError:
    return ApiError(503, "The server is busy. Please try again shortly.", headers={"Retry-After": "1"})
