"""Several writes in one transaction: all of them, or none.

The steps are the operations that single requests run. One that meets a plain password would have its hash
worked out while the transaction waits, so a first round takes every hash and every old password for granted:
what cannot succeed is refused before anything is hashed, and all that is to be hashed is known at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from projects.databases.deadline import Deadline
from projects.records.auth_fields import (
    NOTHING_HASHED,
    HashedPasswords,
    PasswordWork,
    UnhashedPasswords,
    taken_for_granted,
)
from projects.records.call import Call
from projects.records.rows import quoted
from projects.schema.collection import CollectionSchema

Step = Callable[[HashedPasswords], Any]


@dataclass(slots=True)
class Progress:
    """Which step is at work, -1 when none is: where a batch failed."""

    at: int = -1


class UnhashedSteps(Exception):
    """The steps need hashes first: do each step's work, then run all of them again."""

    def __init__(self, works: Mapping[int, PasswordWork]) -> None:
        super().__init__("passwords are to be hashed")
        self.works = works


def lock_records(call: Call, wanted: Iterable[tuple[CollectionSchema, str]]) -> None:
    """Lock records that will be written, always in the same order.

    Two batches over the same records in different orders would wait for each other: PostgreSQL notices after a
    second and ends one. A SQLite write session holds all locks there are.
    """
    if call.session.engine == "sqlite":
        return
    tables: dict[str, set[str]] = {}
    for collection, record_id in wanted:
        tables.setdefault(collection.table, set()).add(record_id)
    for table, ids in sorted(tables.items()):
        sql = f"SELECT 1 FROM {quoted(table)} WHERE id = ANY(%s) ORDER BY id FOR UPDATE"
        call.session.rows(sql, (sorted(ids),))


def run_steps(
    steps: Sequence[Step], hashed: Mapping[int, HashedPasswords], progress: Progress, deadline: Deadline
) -> list[Any]:
    """What each step gave, in order. The caller's transaction must be undone when this raises.

    Raises what a step raises, TimedOutError, and UnhashedSteps when there are passwords to hash first.
    """
    answers: list[Any] = []
    works: dict[int, PasswordWork] = {}
    for at, step in enumerate(steps):
        progress.at = at
        deadline.check()
        try:
            answer = step(hashed.get(at, NOTHING_HASHED))
        except UnhashedPasswords as needed:
            works[at] = needed.work
            answer = step(taken_for_granted(needed.work))
        answers.append(answer)
    if works:
        raise UnhashedSteps(works)
    return answers
