"""Routes, methods and headers: what a client meets when it takes a wrong turn."""

from __future__ import annotations

from tests.oracle.scenarios.building import OPEN, create, field, make
from tests.oracle.table import Request, Scenario

ORIGIN = {"Origin": "https://app.example.com"}
PREFLIGHT = ORIGIN | {
    "Access-Control-Request-Method": "POST",
    "Access-Control-Request-Headers": "content-type,authorization",
}


def get(says: str, path: str, as_: str = "guest", **headers: str) -> Request:
    return Request(name=says, method="GET", path=path, as_=as_, headers=headers)


WRONG_TURNS = (
    ("POST", "/api/nope"),
    ("DELETE", "/api/nope"),
    ("POST", "/api/health"),
    ("PATCH", "/api/collections"),
    ("POST", "/api/collections/users"),
    ("POST", "/api/collections/users/nope"),
    ("DELETE", "/api/realtime"),
    ("PUT", "/api/realtime"),
    ("GET", "/api/nope"),
    ("GET", "/api/health/"),
    ("GET", "/api/collections/users/records/"),
    ("GET", "/api/collections/users/nope"),
    ("GET", "/api/collections/users/records/a/b"),
    ("GET", "/api/collections/users/auth-refresh"),
    ("GET", "/api/collections/users%20/records"),
    ("GET", "/api/collections/..%2Fusers/records"),
    ("GET", "/api/collections/users/records/a%2Fb"),
    ("GET", "/api/collections/users/records?filter=%FF"),
)

ROUTES = Scenario(
    "errors_routes",
    "Routes that are not there.",
    (
        get("health", "/api/health"),
        Request(name="the head of health", method="HEAD", path="/api/health"),
        *(Request(name=f"{method} {path}", method=method, path=path) for method, path in WRONG_TURNS),
    ),
)

HEADERS = Scenario(
    "errors_headers",
    "Headers of good and bad answers, also for other origins.",
    (
        make("notes", field("a", "text"), **OPEN),
        create("a record", "notes", {"id": "note00000000001", "a": "<b>&\u2028"}),
        Request(
            name="a preflight",
            method="OPTIONS",
            path="/api/collections/notes/records",
            headers=PREFLIGHT,
        ),
        Request(
            name="a preflight of a route that is not there",
            method="OPTIONS",
            path="/api/nope",
            headers=PREFLIGHT,
        ),
        get("a list from another origin", "/api/collections/notes/records", **ORIGIN),
        get("a refusal from another origin", "/api/collections", **ORIGIN),
        get("a missing record from another origin", "/api/collections/notes/records/missing", **ORIGIN),
        get("a list as HTML", "/api/collections/notes/records", Accept="text/html"),
        Request(name="the head of a list", method="HEAD", path="/api/collections/notes/records"),
        Request(
            name="a deletion from another origin",
            method="DELETE",
            path="/api/collections/notes/records/note00000000001",
            headers=ORIGIN,
        ),
    ),
)

SCENARIOS = (ROUTES, HEADERS)
