"""What one change looks like to those who hear of it: serialised once for all who see the same."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import orjson

from projects.errors import ApiError
from projects.realtime.audience import Plan, Values
from projects.records.call import Call
from projects.records.events import Action, ChangeEvent
from projects.records.present import Shape, present_one


def outcome(call: Call, plan: Plan, event: ChangeEvent) -> tuple[Action, Values] | None:
    """What the caller hears of the change: the action and the record as it then was; None for nothing.

    What leaves the caller's view is a delete, what enters it a create.
    """
    before, after = event.before, event.after
    saw = before is not None and plan.allows(call, before)
    sees = after is not None and plan.allows(call, after)
    if sees and after is not None:
        return ("update" if saw else "create"), after
    if saw and before is not None:
        return "delete", before
    return None


class Rendering:
    """The data of one event, by action and by what its reader may see."""

    def __init__(self) -> None:
        self._known: dict[Hashable, bytes] = {}

    def data(self, call: Call, plan: Plan, action: Action, record: Values, view: Hashable) -> bytes:
        """``view``: equal for callers who see the record alike."""
        key = (action, view, plan.shape)
        data = self._known.get(key)
        if data is None:
            data = self._known[key] = b'{"record":%b,"action":"%b"}' % (
                orjson.dumps(_present(call, plan, record), default=str),
                action.encode(),
            )
        return data


def _present(call: Call, plan: Plan, record: Values) -> dict[str, Any]:
    try:
        return present_one(call, plan.collection, dict(record), plan.shape)
    except ApiError:
        # ``fields`` that cannot be read ask for everything, here as in the wire contract.
        return present_one(call, plan.collection, dict(record), Shape(expand=plan.shape.expand))
