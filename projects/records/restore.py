"""Restore: one record as it was, deleted or not, from the change log."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from projects.errors import ApiError, FieldError, invalid_fields, not_found
from projects.records.access import condition_for, satisfies
from projects.records.bring_back import BroughtBack, bring_back, wanted_for
from projects.records.call import Call
from projects.records.history import with_history
from projects.records.retention import log_start
from projects.records.rows import Values, find
from projects.records.states import Eras, State, eras_of
from projects.schema.collection import CollectionSchema
from projects.schema.dates import normalize_date

FAILED = "Failed to restore record."
_ONE = FieldError("validation_invalid_value", 'Give one of "seq", "before" and "at".')


@dataclass(frozen=True, slots=True)
class Point:
    """Which state is meant: what change ``seq`` made (or, a deletion, took), what was ``before`` a change, or what
    there was ``at`` a moment; nothing of these: a deleted record as it was last.
    """

    seq: int = 0
    before: int = 0
    at: str = ""

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> Point:
        """Raises 400 by field."""
        given = [name for name in ("seq", "before", "at") if body.get(name) is not None]
        if len(given) > 1:
            raise invalid_fields(FAILED, dict.fromkeys(given, _ONE))
        at = moment_of(body, FAILED) if given == ["at"] else ""
        return cls(seq=_number(body, "seq"), before=_number(body, "before"), at=at)


def moment_of(body: Mapping[str, Any], message: str) -> str:
    """``at`` in canonical text. Raises 400 with ``message``."""
    at = normalize_date(body.get("at"))
    if not at:
        error = FieldError("validation_invalid_date", "Must be a date and time.")
        raise invalid_fields(message, {"at": error})
    return at


def _number(body: Mapping[str, Any], name: str) -> int:
    value = body.get(name)
    if value is None:
        return 0
    if not isinstance(value, int) or isinstance(value, bool) or not 0 < value < 2**63:
        error = FieldError("validation_invalid_value", "Must be the number of a change.")
        raise invalid_fields(FAILED, {name: error})
    return value


def restore_record(
    call: Call, name: str, record_id: str, point: Point, if_match: str = ""
) -> tuple[CollectionSchema, BroughtBack]:
    """Make the record what it was at ``point``, as far as it can be, and return it with what could not.

    Besides the collection's ``historyRule``, asked about that state, the caller needs leave to update the record or,
    where it was deleted, to create it. Raises 403 where only superusers restore, 404 when there was no such state or a
    rule refuses, 410 when the log does not reach back so far, and as updates and creations do.
    """
    collection = with_history(call, name)
    rule = condition_for(call, collection.history_rule)
    start = log_start(call.session)
    if point.at:
        start.check_moment(point.at)
    elif point != Point():
        start.check_seq(point.seq or point.before)
    current = find(call, collection, record_id, lock=True)
    if point == Point() and current is not None and satisfies(call, collection, rule, current):
        raise invalid_fields(FAILED, {"seq": FieldError("validation_required", "Cannot be blank.")})
    state = _state(call, collection, record_id, point, current)
    if state is None or not satisfies(call, collection, rule, state.values):
        raise not_found()
    if current is None and if_match:
        raise ApiError(412, "There is no such record any more.")
    wanted = wanted_for(call, collection, state.values, current)
    return collection, bring_back(call, collection, state.values, current, wanted, if_match)


def _state(
    call: Call, collection: CollectionSchema, record_id: str, point: Point, current: Values | None
) -> State | None:
    """The state that is meant, None when there was none. ``current`` is the record as it is, locked."""
    eras = eras_of(call.session, collection)
    if point == Point():
        found = _change(call, eras, record_id, "action = 'delete'", (), newest=True)
        return eras.state(*found) if found and current is None else None
    if point.before:
        found = _change(call, eras, record_id, "seq = ?", (point.before,))
        return eras.state(*found) if found else None
    if point.seq:
        found = _change(call, eras, record_id, "seq = ? AND action = 'delete'", (point.seq,))
        if found:
            return eras.state(*found)
        if not _change(call, eras, record_id, "seq = ?", (point.seq,)):
            return None
        later = _change(call, eras, record_id, "seq > ?", (point.seq,))
    else:
        later = _change(call, eras, record_id, "created > ?", (point.at,))
    if later:
        return eras.state(*later)
    return State(current) if current is not None else None


def _change(
    call: Call, eras: Eras, record_id: str, condition: str, params: tuple[Any, ...], *, newest: bool = False
) -> tuple[int, str | None] | None:
    """Number and image of the record's first (or ``newest``) change of which the condition holds."""
    sql = call.session.sql(
        f"SELECT seq, before FROM _changes WHERE collection = ? AND record = ? AND seq > ? AND {condition}"
        f" ORDER BY seq {'DESC' if newest else 'ASC'} LIMIT 1"
    )
    row = call.session.row(sql, (eras.collection.id, record_id, eras.floor, *params))
    return (row[0], row[1]) if row else None
