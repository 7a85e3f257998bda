"""What a client sends to say which topics it wants."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from projects.errors import ErrorTree, FieldError, bad_request, invalid_fields

MAX_CLIENT_ID_BYTES = 255
MAX_TOPIC_BYTES = 2500


@dataclass(frozen=True, slots=True)
class Submission:
    """``topics`` replace those that the client had, without repetitions and in their order."""

    client_id: str
    topics: tuple[str, ...]


def read_submission(body: Mapping[str, Any], max_topics: int) -> Submission:
    """``{"clientId": …, "subscriptions": […]}``. Raises 400 with the fields named.

    Lengths are counted in bytes, as the wire contract does.
    """
    client_id, topics = body.get("clientId"), body.get("subscriptions")
    client_id = "" if client_id is None else client_id
    topics = [] if topics is None else topics
    if not isinstance(client_id, str) or not isinstance(topics, list):
        raise bad_request()
    topics = ["" if topic is None else topic for topic in topics]
    if not all(isinstance(topic, str) for topic in topics):
        raise bad_request()
    errors: dict[str, FieldError | ErrorTree] = {}
    if not client_id:
        errors["clientId"] = FieldError("validation_required", "Cannot be blank.")
    elif _bytes(client_id) > MAX_CLIENT_ID_BYTES:
        errors["clientId"] = FieldError(
            "validation_length_out_of_range",
            f"The length must be between 1 and {MAX_CLIENT_ID_BYTES}.",
            {"min": 1, "max": MAX_CLIENT_ID_BYTES},
        )
    if len(topics) > max_topics:
        errors["subscriptions"] = _too_long(max_topics)
    elif long := {
        str(i): _too_long(MAX_TOPIC_BYTES) for i, t in enumerate(topics) if _bytes(t) > MAX_TOPIC_BYTES
    }:
        errors["subscriptions"] = long
    if errors:
        raise invalid_fields(bad_request().message, errors)
    return Submission(client_id, tuple(dict.fromkeys(topics)))


def _bytes(text: str) -> int:
    return len(text.encode(errors="surrogatepass"))


def _too_long(most: int) -> FieldError:
    return FieldError(
        "validation_length_too_long", f"The length must be no more than {most}.", {"min": 0, "max": most}
    )
