"""The differences that are meant. Everything else that differs from PocketBase is a fault.

A test fails when a difference listed here no longer occurs, so that the list stays true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class Allowed:
    """Where an answer of ours may differ, and why.

    at: the path as the test prints it, or a path above it.
    """

    at: str
    why: str


# "scenario key / request name" -> the places that may differ.
DIFFERENCES: Final[dict[str, tuple[Allowed, ...]]] = {
    "realtime_rules / an update that brings a record under the rule": (
        Allowed(
            "events", "What comes into view arrives as a create, else a client could not tell it is new."
        ),
    ),
    "realtime_rules / an update that takes a record out of the rule": (
        Allowed("events", "What leaves the view arrives as a delete; PocketBase leaves a stale copy behind."),
    ),
    "realtime_options / an update that brings a record under the filter": (
        Allowed(
            "events", "What comes into view arrives as a create, else a client could not tell it is new."
        ),
    ),
    "realtime_options / an update that takes a record out of the filter": (
        Allowed("events", "What leaves the view arrives as a delete; PocketBase leaves a stale copy behind."),
    ),
    "collections_update / a field that holds values is taken away": (
        Allowed("status", "A change of the schema that loses data is refused unless it is confirmed."),
        Allowed("body", "A change of the schema that loses data is refused unless it is confirmed."),
    ),
    "collections_update / the records after the field was taken away": (
        Allowed("body.items", "The field is still there: the change was refused."),
    ),
}

# Keys that our objects may have where PocketBase has none, and why each is there.
EXTRA_KEYS: Final[dict[str, str]] = {
    "readRule": "who may read this one field",
    "writeRule": "who may write this one field",
    "searchable": "whether full-text search covers the field",
    "nullable": "whether null is a value of its own",
    "historyRule": "who may read a record's history",
}
