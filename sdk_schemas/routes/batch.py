"""Several writes in one transaction."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sdk_schemas.audience import Api
from sdk_schemas.fields import Json
from sdk_schemas.operation import Operation, json_body, parameter

_BODY: Final[Json] = {
    "type": "object",
    "required": ["requests"],
    "properties": {
        "requests": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["method", "url"],
                "properties": {
                    "method": {
                        "type": "string",
                        "enum": ["POST", "PATCH", "PUT", "DELETE"],
                        "description": "Create, update, create or update (by the id in the body), delete.",
                    },
                    "url": {"type": "string", "maxLength": 2000},
                    "headers": {"type": "object", "additionalProperties": {"type": "string"}},
                    "body": {"type": "object", "additionalProperties": True},
                },
            },
        },
    },
}
_ANSWER: Final[Json] = {
    "type": "array",
    "items": {
        "type": "object",
        "required": ["status", "body"],
        "properties": {"status": {"type": "integer"}, "body": {}},
    },
}


def operations(api: Api) -> Iterable[Operation]:
    target = next((offer.name for offer in api.offers if "create" in offer.actions), "posts")
    request = {"method": "POST", "url": f"/api/collections/{target}/records", "body": {}}
    yield Operation(
        id="batch",
        method="post",
        path="/api/batch",
        tag="batch",
        summary="Several writes of records, all or none",
        description="What fails is told under `data.requests.N`, with the answer that it alone would have had.",
        parameters=(parameter("idempotencyKey"),),
        body=json_body(_BODY, example={"requests": [request]}),
        answer=_ANSWER,
        refusals=(400, 403, 409, 422),
    )
