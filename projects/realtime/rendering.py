"""What one change looks like to those who hear of it: serialised once for all who see the same."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import orjson

from projects.errors import ApiError
from projects.realtime.audience import Group
from projects.realtime.conditions import Values
from projects.records.call import Call
from projects.records.events import Action, ChangeEvent
from projects.records.present import Shape, present_one
from projects.schema.collection import CollectionSchema


def outcome(call: Call, group: Group, event: ChangeEvent) -> tuple[Action, Values] | None:
    """What the group hears of the change: the action and the record as it then was; None for nothing.

    What leaves its view is a delete, what enters it a create.
    """
    before, after = event.before, event.after
    saw = before is not None and group.allows(call, before)
    sees = after is not None and group.allows(call, after)
    if sees and after is not None:
        return ("update" if saw else "create"), after
    if saw and before is not None:
        return "delete", before
    return None


class Rendering:
    """The data of one event, by action and by what its readers may see."""

    def __init__(self) -> None:
        self._known: dict[Hashable, bytes] = {}

    def data(self, call: Call, group: Group, action: Action, record: Values) -> bytes:
        """Made once for all groups that see the record alike."""
        shape = group.plan.shape
        key = (action, group.view, shape)
        data = self._known.get(key)
        if data is None:
            shown = _present(replace(call, request=group.request), group.plan.collection, record, shape)
            data = self._known[key] = b'{"record":%b,"action":"%b"}' % (
                orjson.dumps(shown, default=str), action.encode(),
            )  # fmt: skip
        return data


def _present(call: Call, collection: CollectionSchema, record: Values, shape: Shape) -> dict[str, Any]:
    try:
        return present_one(call, collection, dict(record), shape)
    except ApiError:
        # ``fields`` that cannot be read ask for everything, here as in the wire contract.
        return present_one(call, collection, dict(record), Shape(expand=shape.expand))
