"""What one change looks like to those who hear of it: serialised once for all who see the same."""

from __future__ import annotations

from collections.abc import Hashable
from dataclasses import replace
from typing import Any

import orjson

from projects.errors import ApiError
from projects.realtime.audience import Group
from projects.realtime.client import Transport
from projects.realtime.conditions import Values
from projects.realtime.offline import require_database
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
    """One event as its readers see it, and as it is written to them."""

    def __init__(self, seq: int) -> None:
        self._seq = seq
        self._known: dict[Hashable, bytes] = {}
        self._frames: dict[Hashable, bytes] = {}

    def data(self, call: Call, group: Group, action: Action, record: Values) -> bytes:
        """Made once for all groups that see the record alike."""
        shape = group.plan.shape
        key = (action, group.view, shape)
        data = self._known.get(key)
        if data is None:
            if shape.expand:
                require_database(call.session)
            shown = _present(replace(call, request=group.request), group.plan.collection, record, shape)
            data = self._known[key] = b'{"record":%b,"action":"%b"}' % (
                orjson.dumps(shown, default=str), action.encode(),
            )  # fmt: skip
        return data

    def frame(self, transport: type[Transport], topic: str, data: bytes) -> bytes:
        """Made once for all who are reached the same way, hear of it by the same topic and see the same."""
        key = (transport, topic, data)
        frame = self._frames.get(key)
        if frame is None:
            frame = self._frames[key] = transport.frame(topic, self._seq, data)
        return frame


def _present(call: Call, collection: CollectionSchema, record: Values, shape: Shape) -> dict[str, Any]:
    # ``fields`` that cannot be read ask for everything, here as in the wire contract; an ``expand`` that comes to too
    # many records is left out, for the event itself must arrive.
    for wanted in (shape, Shape(expand=shape.expand), Shape(fields=shape.fields)):
        try:
            return present_one(call, collection, dict(record), wanted)
        except ApiError:
            continue
    return present_one(call, collection, dict(record), Shape())
