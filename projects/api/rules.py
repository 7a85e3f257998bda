"""``/api/rules``: what a project's rules let happen. For superusers."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projects.api.dispatch import endpoint, read
from projects.api.guards import require_superuser
from projects.api.limits import limit_request
from projects.api.responses import json_response
from projects.records.call import Call
from projects.rules.review import rules_report


@endpoint
async def overview(request: Request) -> Response:
    await limit_request(request)

    def work(call: Call) -> dict[str, Any]:
        require_superuser(call)
        return rules_report(call.schema)

    # Many rules take more than the moment that the event loop has.
    return json_response(await read(request, work, length="long"))


routes = [
    Route("/api/rules/overview", overview, methods=["GET"]),
]
