"""What a measured server offers, whatever its API looks like."""

from __future__ import annotations

from typing import Protocol

from benchmarks.process import Process
from benchmarks.wrk import Requests


class Peer(Protocol):
    """A running server filled with the data set, and the requests that ask it for each kind of work."""

    name: str
    version: str
    process: Process

    def get(self) -> Requests:
        """One record the reader may see, at random."""

    def page(self, *, total: bool, rank_above: str = "") -> Requests:
        """The newest 30; ``rank_above`` filters by a number."""

    def create(self) -> Requests:
        """A new record of the reader's, in a collection that no list reads."""

    def change_one(self) -> None:
        """Write a record of the collection that the lists read."""

    def slow_query(self, comparisons: int) -> None:
        """A query that finds nothing and takes as many text comparisons with each record."""

    def sign_in(self, user: int) -> None:
        """Sign a user in with the password."""
