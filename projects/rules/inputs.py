"""What a compiled rule is given when it runs, and the functions that read it: everything but the record."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from projects.principal import RequestInfo
from projects.rules.ast import Constant, ConstantKind
from projects.rules.patterns import ascii_lower
from projects.rules.values import Plain, as_text, plain

Read = Callable[["Inputs"], Any]

_NONE: Mapping[str, Any] = {}
# An index that no list has and that both engines can read.
_BEYOND = 999_999_999


class Inputs:
    """The values of one run: a filter's constants, the request, the time (aware, UTC), the caller's parameters."""

    __slots__ = ("constants", "extra", "now", "request")

    def __init__(
        self,
        constants: Sequence[Constant],
        request: RequestInfo,
        now: datetime,
        extra: Mapping[str, Any] = _NONE,
    ) -> None:
        self.constants = constants
        self.request = request
        self.now = now
        self.extra = extra


NO_INPUTS = Inputs((), RequestInfo(), datetime.min.replace(tzinfo=UTC))


@dataclass(frozen=True, slots=True)
class Input:
    """An operand that does not depend on the record.

    ``read`` gives its value, a Plain. ``constant``: what is known of it when compiling; ``is_fixed``: it is the same in
    every run. ``typed``: a field of the signed-in record, which converts texts as a column does. ``is_filled``: it
    is known to be a text that is not empty. ``reads``: the names of the request values, or macros, that it reads.
    """

    read: Read
    constant: ConstantKind | None = None
    is_fixed: bool = False
    typed: bool = False
    is_filled: bool = False
    reads: frozenset[str] = field(default_factory=frozenset)


def fixed(value: Constant, kind: ConstantKind) -> Input:
    """A constant of a rule, whose text does not change."""
    kept = plain(value)
    return Input(lambda _inputs: kept, constant=kind, is_fixed=True)


def constant_at(index: int, kind: ConstantKind) -> Input:
    """A constant of a client's filter, which changes from run to run."""
    return Input(lambda inputs: plain(inputs.constants[index]), constant=kind)


def lowered(read: Read) -> Read:
    """``:lower``"""

    def lower(inputs: Inputs) -> Plain:
        text = as_text(read(inputs))
        return None if text is None else ascii_lower(text)

    return lower


def list_index(part: str) -> int | None:
    """The index that a part of a path is: digits lead into lists only, anything else into objects only."""
    if not part.isdecimal():
        return None
    digits = part.lstrip("0") or "0"
    return int(digits) if len(digits) <= 9 else _BEYOND


def walk(value: Any, path: Sequence[str]) -> Any:
    """The value at a path of keys and list indexes inside a JSON value; None where there is none."""
    for part in path:
        index = list_index(part)
        if index is None:
            value = value.get(part) if isinstance(value, Mapping) else None
        else:
            value = value[index] if isinstance(value, list | tuple) and index < len(value) else None
    return value


def as_list(value: Any) -> list[Plain]:
    """The values that ``:each`` goes over: an empty list counts as one null; no list holds a null beside others."""
    if isinstance(value, list | tuple):
        return [plain(item) for item in value if item is not None] or [None]
    return [None] if value is None or value == "" else [plain(value)]


def length(value: Any) -> int:
    """``:length``: how many values there are; a single one counts as one, an empty one as none."""
    if isinstance(value, list | tuple):
        return len(value)
    return 0 if value is None or value == "" else 1


def stamp(moment: datetime) -> str:
    """The stored form of a date: RFC 3339, UTC, milliseconds."""
    return moment.astimezone(UTC).replace(tzinfo=None).isoformat(timespec="milliseconds") + "Z"


def _midnight(moment: datetime) -> datetime:
    return moment.replace(hour=0, minute=0, second=0, microsecond=0)


def _before(moment: datetime) -> str:
    return stamp(moment - timedelta(milliseconds=1))


def _month(moment: datetime) -> datetime:
    return _midnight(moment).replace(day=1)


def _next_month(moment: datetime) -> datetime:
    return (_month(moment) + timedelta(days=32)).replace(day=1)


def _year(moment: datetime) -> datetime:
    return _month(moment).replace(month=1)


_DAY = timedelta(days=1)

# All in UTC. ``@weekday`` counts from Sunday, 0.
MACROS: Mapping[str, Callable[[datetime], str | int]] = {
    "@now": stamp,
    "@yesterday": lambda now: stamp(now - _DAY),
    "@tomorrow": lambda now: stamp(now + _DAY),
    "@second": lambda now: now.second,
    "@minute": lambda now: now.minute,
    "@hour": lambda now: now.hour,
    "@day": lambda now: now.day,
    "@weekday": lambda now: now.isoweekday() % 7,
    "@month": lambda now: now.month,
    "@year": lambda now: now.year,
    "@todayStart": lambda now: stamp(_midnight(now)),
    "@todayEnd": lambda now: _before(_midnight(now) + _DAY),
    "@monthStart": lambda now: stamp(_month(now)),
    "@monthEnd": lambda now: _before(_next_month(now)),
    "@yearStart": lambda now: stamp(_year(now)),
    "@yearEnd": lambda now: _before(_year(now).replace(year=now.year + 1)),
}


def macro(name: str) -> Input:
    compute = MACROS[name]
    return Input(lambda inputs: compute(inputs.now), reads=frozenset({name}))
