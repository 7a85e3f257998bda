"""The stream of events."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sdk_schemas.audience import Api
from sdk_schemas.operation import Operation, json_body

_SUBMISSION: Final = {
    "type": "object",
    "required": ["clientId"],
    "properties": {
        "clientId": {"type": "string", "minLength": 1, "maxLength": 255},
        "subscriptions": {
            "type": "array",
            "items": {"type": "string"},
            "description": "`posts/*` for the records of a collection, `posts/ID` for one; "
            '`?options={"query":{"filter":…,"expand":…,"fields":…}}` (URL-encoded) narrows it.',
        },
    },
}


def operations(api: Api) -> Iterable[Operation]:
    listened = next((offer.name for offer in api.offers if "list" in offer.actions), "posts")
    yield Operation(
        id="realtimeConnect",
        method="get",
        path="/api/realtime",
        tag="realtime",
        summary="Open a stream of events",
        description="Server-sent events. The first one, `PB_CONNECT`, holds the `clientId` to subscribe with.",
        access="open",
        answer={"type": "string"},
        answer_type="text/event-stream",
        refusals=(400,),
    )
    yield Operation(
        id="realtimeSubscribe",
        method="post",
        path="/api/realtime",
        tag="realtime",
        summary="Replace what a stream listens to",
        description="Events come as the rules let the caller list and view the records.",
        access="open",
        body=json_body(_SUBMISSION, example={"clientId": "…", "subscriptions": [f"{listened}/*"]}),
        status=204,
    )
