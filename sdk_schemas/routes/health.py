"""Whether the project answers."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from sdk_schemas.audience import Api
from sdk_schemas.operation import Operation, parameter

_HEALTH: Final = {
    "type": "object",
    "required": ["code", "message", "data"],
    "properties": {
        "code": {"type": "integer"},
        "message": {"type": "string"},
        "data": {"type": "object", "additionalProperties": True},
    },
    "examples": [{"code": 200, "message": "API is healthy.", "data": {}}],
}


def operations(_api: Api) -> Iterable[Operation]:
    yield Operation(
        id="healthCheck",
        method="get",
        path="/api/health",
        tag="health",
        summary="Whether the project's database answers",
        access="open",
        parameters=(parameter("fields"),),
        answer=_HEALTH,
        refusals=(400,),
    )
