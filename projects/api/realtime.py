"""``/api/realtime``: the stream of events, and what a client wants to hear on it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, MutableMapping
from typing import Any

from django.conf import settings
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projects.api.bodies import read_body
from projects.api.dispatch import endpoint
from projects.api.limits import limit_request
from projects.api.responses import error_response, no_content
from projects.context import current_project
from projects.errors import ApiError, bad_request
from projects.realtime.service import hub
from projects.realtime.sse import answer_head, serve_stream
from projects.realtime.submission import read_submission

Send = Callable[[MutableMapping[str, Any]], Awaitable[None]]


class Realtime:
    """GET opens a stream, POST replaces what its client is subscribed to. Raw ASGI: a stream is no response."""

    async def __call__(
        self, scope: MutableMapping[str, Any], receive: Callable[[], Awaitable[Any]], send: Send
    ) -> None:
        if scope["method"] == "POST":
            response = await submit(Request(scope, receive))
            await response(scope, receive, send)
        elif scope["method"] == "HEAD":
            await answer_head(send)
        else:
            started = False

            async def sending(message: MutableMapping[str, Any]) -> None:
                nonlocal started
                started = True
                await send(message)

            try:
                await limit_request(Request(scope), "realtimeConnect")
                await serve_stream(hub(), current_project(), receive, sending)
            except Exception as error:
                if started:
                    raise
                await error_response(error)(scope, receive, send)


@endpoint
async def submit(request: Request) -> Response:
    await limit_request(request, "realtimeSubscribe")
    try:
        body = await read_body(request)
    except ApiError as error:
        # Here the wire contract says no more of a body that cannot be read.
        raise bad_request() if error.status == 400 else error from None
    topics = body.get("subscriptions")
    if topics is not None and not request.headers.get("content-type", "").startswith("application/json"):
        # A form has no lists: a field that comes once is a list of one, and what looks like a number is text.
        body["subscriptions"] = [str(topic) for topic in (topics if isinstance(topics, list) else [topics])]
        body["clientId"] = str(body.get("clientId", ""))
    submission = read_submission(body, settings.MBAAS_REALTIME_MAX_SUBSCRIPTIONS)
    await hub().submit(current_project(), submission, request.headers.get("authorization", ""))
    return no_content()


routes = [Route("/api/realtime", Realtime(), methods=["GET", "POST"])]
