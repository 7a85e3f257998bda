"""``/api/realtime``: the stream of events, and what a client wants to hear on it."""

from __future__ import annotations

from django.conf import settings
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projects.api.bodies import read_body
from projects.api.dispatch import answer_raw, endpoint
from projects.api.limits import limit_request
from projects.api.responses import no_content
from projects.api.routing import Receive, Scope, Send
from projects.context import current_project
from projects.errors import ApiError, bad_request
from projects.realtime.service import hub
from projects.realtime.sse import answer_head, serve_stream
from projects.realtime.submission import read_submission


class Realtime:
    """GET opens a stream, POST replaces what its client is subscribed to. Raw ASGI: a stream is no response."""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["method"] == "POST":
            response = await submit(Request(scope, receive))
            await response(scope, receive, send)
        elif scope["method"] == "HEAD":
            await answer_head(send)
        else:
            await answer_raw(scope, receive, send, lambda sending: _stream(scope, receive, sending))


async def _stream(scope: Scope, receive: Receive, send: Send) -> None:
    await limit_request(Request(scope), "realtimeConnect")
    await serve_stream(hub(), current_project(), receive, send)


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
