"""The differences that are meant. Everything else that differs from PocketBase is a fault.

A test fails when a difference listed here no longer occurs, so that the list stays true.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from tests.oracle.scenarios import expand_back, records_shape, related_rows
from tests.oracle.scenarios.files import ANSWERED_WITH_FILES


@dataclass(frozen=True, slots=True)
class Allowed:
    """Where an answer of ours may differ, and why.

    at: the path as the test prints it, or a path above it.
    """

    at: str
    why: str


_LOSS: Final = "A change of the schema that loses data is refused unless it is confirmed."
_RESERVED: Final = "Names that begin with _ are the platform's: its tables stand in the same database."
_NAMES: Final = "Names have up to 63 characters, which is what PostgreSQL takes."
_MEMBERS: Final = "Superusers are the members of the project, managed in the console and the control API."

_UNITS: Final = "RFC 9110, 14.2: a unit that the server does not know is no range."

_RULES_WORDED_OTHERWISE: Final = (
    *(
        f"no rule: {rule!r}"
        for rule in (
            "a", "a =", "a = 1 &&", "(a = 1", "a = 1)", "a == 1", "a = 'x", "!a", "a = +5", "a = 1e5",
            "a = 1 a = 2", "a && n", "a IN (1)", "a = 1 and n = 2", "a = 1 & n = 2", "a <> 1", "a =~ 1",
            "@request.headers.X-Y = 1",
        )
    ),
    "two hundred and one conditions are too many",
)  # fmt: skip


def _answered_otherwise(why: str) -> tuple[Allowed, ...]:
    return (Allowed("status", why), Allowed("body", why))


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
    "collections_update / a field that holds values is taken away": _answered_otherwise(_LOSS),
    "collections_update / a select becomes single": _answered_otherwise(_LOSS),
    "collections_made / the collection _underscore is made": _answered_otherwise(_RESERVED),
    "collections_refused / the name of a system collection": (Allowed("body.data.name", _RESERVED),),
    "collections_refused / a name that is too long": (Allowed("body.data.name", _NAMES),),
    "collections_fields_refused / a field name that is too long": (Allowed("body.data.fields", _NAMES),),
    **{
        f"collections_rules / {name}": (
            Allowed("body.data.listRule.message", "Ours says the position and what was expected there."),
        )
        for name in _RULES_WORDED_OTHERWISE
    },
    **{
        f"create_bodies / {name}": _answered_otherwise("A body that is not JSON is refused, not mended.")
        for name in ("two values after one another", "invalid UTF-8", "half a surrogate pair")
    },
    "filter_values / filter 'title ~ title'": (
        Allowed(
            "body",
            "A value that is looked for is taken as it stands; in PocketBase its %, _ and \\ mean something.",
        ),
    ),
    "filter_values / filter \"d = '2024-01-01T00:00:00.000Z'\"": (
        Allowed("body", "A date may be written with T or a space; PocketBase finds none with T."),
    ),
    "views_refused / dry run: select 'x' as id, title from things": (
        Allowed("body.message", "Ours says what is wrong in its own words."),
    ),
    **{
        f"shape_fields / fields={fields}": _answered_otherwise("PocketBase answers 200 without a body.")
        for fields in records_shape.MISSHAPEN
    },
    **{
        f"list_fields / fields={fields}": _answered_otherwise("PocketBase answers 200 without a body.")
        for fields in ("title:excerpt()", "title:excerpt(0)", "title:nope")
    },
    f"expand_back / {expand_back.HIDDEN}": (
        Allowed("body.expand", "Who may not see a field is not told by it which records name which."),
    ),
    f"expand_back / {expand_back.SHORTER}": (
        Allowed("body.expand", "A path that is none takes no other with it."),
    ),
    **{
        f"rule_and_filter / {related_rows.asked(rule, filter_)}": (
            Allowed(
                "body",
                "Rule and filter are two questions, each about a related row of its own. PocketBase asks for one row that"
                " answers both, so that a rule changes what a filter finds among what it lets through.",
            ),
        )
        for rule, filter_ in related_rows.OTHER_ROW
    },
    **{
        f"all_of_missing / {related_rows.given_in_query(rule, value)}": (
            Allowed(
                "body",
                "A missing record does not equal a value of the query either: PocketBase says so of a constant.",
            ),
        )
        for rule, value in related_rows.MISSING
    },
    "batch_failed / an unknown address after a creation": (
        Allowed(
            "body.data.requests.1.response.status",
            "400 wherever it stands, as PocketBase says when it comes first.",
        ),
    ),
    "superusers / a second superuser": _answered_otherwise(_MEMBERS),
    "superusers / the last superuser stays": (Allowed("body.message", _MEMBERS),),
    "superusers_system_collections / where alice signed in from": (
        Allowed("body", "Places of sign-in are kept for the alerts by mail, which are still to come."),
    ),
    **{
        f"views_refused / {name}": (
            Allowed(
                "body.message", "Ours is not SQLite's word: the query is read before any database sees it."
            ),
        )
        for name in (
            "dry run: select id, nope from things",
            "dry run: select id from nope",
            "dry run: delete from things",
            "dry run: select id, title as x, n as x from things",
        )
    },
    "views_refused / the view broken is made": (
        Allowed("body.data.viewQuery.message", "Ours is not SQLite's word."),
    ),
    **{
        f"views_changed / {name}": (Allowed("body.message", "Ours says which view."),)
        for name in ("a table that is read", "a view that is read")
    },
    **{
        step: (Allowed("headers.x-frame-options", "No page of another site frames anything of ours."),)
        for step in ANSWERED_WITH_FILES
    },
    **{
        f"files_served / with Range: {wanted}": (
            Allowed("body", "An error in the error shape, and as JSON."),
            Allowed("headers", "An error in the error shape, and as JSON."),
        )
        for wanted in ("bytes=10-", "bytes=3-1", "bytes=a-b")
    },
    "files_served / with Range: items=0-1": (
        Allowed("status", _UNITS),
        Allowed("body", _UNITS),
        Allowed("headers", _UNITS),
    ),
    "files_language / a new record with a changed file": _answered_otherwise(
        "A new record has nothing that could change: PocketBase says so of all fields but files."
    ),
    **{
        f"errors_routes / GET {path}": (
            Allowed("body.message", "PocketBase looks for a static file; we have none to serve there."),
        )
        for path in (
            "/api/nope",
            "/api/health/",
            "/api/collections/users/records/",
            "/api/collections/users/nope",
            "/api/collections/users/records/a/b",
            "/api/collections/users/auth-refresh",
            "/api/collections/..%2Fusers/records",
        )
    },
}
