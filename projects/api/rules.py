"""``/api/rules``: what a project's rules let happen. For superusers."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projects.api.bodies import read_body
from projects.api.dispatch import endpoint, read
from projects.api.guards import require_superuser
from projects.api.limits import limit_request
from projects.api.responses import json_response
from projects.records.call import Call
from projects.records.complete_rule import complete_rule
from projects.records.explain import explain_rule
from projects.rules.review import rules_report

MALFORMED = "Failed to load the submitted data due to invalid formatting."


@endpoint
async def overview(request: Request) -> Response:
    await limit_request(request)

    def work(call: Call) -> dict[str, Any]:
        require_superuser(call)
        report: dict[str, Any] = call.schema.derived.get("rules report", lambda: rules_report(call.schema))
        return report

    # Many rules take more than the moment that the event loop has: a second for a hundred collections.
    return json_response(await read(request, work, length="long"))


@endpoint
async def explain(request: Request) -> Response:
    await limit_request(request)
    body = await read_body(request, MALFORMED)

    def work(call: Call) -> dict[str, Any]:
        require_superuser(call)
        return explain_rule(call, body)

    return json_response(await read(request, work, length="long"))


@endpoint
async def complete(request: Request) -> Response:
    await limit_request(request)
    body = await read_body(request, MALFORMED)

    def work(call: Call) -> dict[str, Any]:
        require_superuser(call)
        return complete_rule(call.schema, body)

    return json_response(await read(request, work, length="long"))


routes = [
    Route("/api/rules/complete", complete, methods=["POST"]),
    Route("/api/rules/explain", explain, methods=["POST"]),
    Route("/api/rules/overview", overview, methods=["GET"]),
]
