"""Puts right what arrives out of order.

On PostgreSQL two writers may commit one after the other and be heard of the other way round. Changes of one
record are numbered in the order of their commits (each waits for the row's lock before it takes a number),
so a late one is recognised, and told as what it still means: its subscribers already know the newer state.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import replace

from projects.records.events import ChangeEvent

REMEMBERED = 1024


class Latest:
    """The newest change of each of the records that changed last."""

    def __init__(self) -> None:
        self._newest: OrderedDict[tuple[str, str], ChangeEvent] = OrderedDict()

    def in_order(self, event: ChangeEvent) -> ChangeEvent | None:
        """``event``, or what is left to tell of it; None when that is nothing."""
        key = (event.collection_id, event.record_id)
        newest = self._newest.get(key)
        if newest is None or event.seq > newest.seq:
            self._newest[key] = event
            self._newest.move_to_end(key)
            if len(self._newest) > REMEMBERED:
                self._newest.popitem(last=False)
            return event
        if newest.after is not None:
            # From the state before the late change to the newest one.
            return replace(event, after=newest.after, seq=newest.seq)
        if event.before is None:
            return None
        # Gone since: whoever saw it before the late change and not after it has not been told.
        return replace(event, action="delete", after=None, seq=newest.seq)
