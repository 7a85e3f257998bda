"""Facts of the control plane, kept for a moment so that not every request asks for them."""

from __future__ import annotations

import threading
import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Any, Generic, TypeVar

from django.conf import settings
from django.db.models import Model
from django.db.models.signals import post_delete, post_save

T = TypeVar("T")


class ShortCache(Generic[T]):
    """Values by key, for at most MBAAS_PROJECT_CACHE_SECONDS.

    When a row of ``watched`` is saved or deleted in this process everything is forgotten, and for that long
    nothing is kept: the change may not be committed yet, and what is read meanwhile may be the old state.
    """

    def __init__(self, *watched: type[Model], limit: int = 10_000) -> None:
        self._limit = limit
        self._lock = threading.Lock()
        self._values: OrderedDict[Hashable, tuple[float, T]] = OrderedDict()
        self._keep_from = 0.0
        for model in watched:
            post_save.connect(self.forget, model)
            post_delete.connect(self.forget, model)

    def get(self, key: Hashable, load: Callable[[], T]) -> T:
        """The value kept for ``key``, else what ``load()`` says."""
        entry = self._values.get(key)
        if entry is not None and entry[0] > time.monotonic():
            return entry[1]
        started = time.monotonic()
        value = load()
        with self._lock:
            if started >= self._keep_from:
                self._values[key] = (started + _seconds(), value)
                self._values.move_to_end(key)
                while len(self._values) > self._limit:
                    self._values.popitem(last=False)
        return value

    def forget(self, *args: Any, **kwargs: Any) -> None:
        with self._lock:
            self._values.clear()
            self._keep_from = time.monotonic() + _seconds()


def _seconds() -> int:
    seconds: int = settings.MBAAS_PROJECT_CACHE_SECONDS
    return seconds
