"""Lets other threads have the interpreter now and then: requests are answered while a step is worked on."""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator
from typing import Final, TypeVar

T = TypeVar("T")

# Rows of about a millisecond; Python itself would make another thread wait for five, several times in a request.
_ROWS: Final = 25
_SECONDS: Final = 0.00002


def gently(items: Iterable[T]) -> Iterator[T]:
    """``items``, with a short sleep after some of them."""
    for number, item in enumerate(items, 1):
        yield item
        if number % _ROWS == 0:
            time.sleep(_SECONDS)
