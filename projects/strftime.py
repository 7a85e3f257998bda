"""``strftime(format, time, modifiers…)`` of the filter language: SQLite's function of that name, in its latest form.

It is written anew because SQLite's own grows with its version and PostgreSQL has none: https://sqlite.org/lang_datefunc.html
says what each part means. Times are UTC, between the years 1 and 9999, in milliseconds; beyond that there is none.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

TimeValue = str | int | float | None

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
# Days from the beginning of the Julian period to 1970.
_EPOCH_JULIAN: Final = 2440587.5
_DAY_MS: Final = 86_400_000
_EPOCH_JULIAN_MS: Final = 210_866_760_000_000
_FIRST_JULIAN, _END_JULIAN = 0.0, 5373484.5

_TIME = r"(?P<hour>\d\d):(?P<minute>\d\d)(?::(?P<second>\d\d)(?:\.(?P<fraction>\d+))?)?"
_ZONE = r"\s*(?:(?P<zulu>[zZ])|(?P<sign>[+-])(?P<zone_hour>\d\d):(?P<zone_minute>\d\d))?"
_ONLY_TIME: Final = (_TIME + _ZONE).replace("?P<", "?P<only_")
_TEXT: Final = re.compile(
    rf"(?:(?P<year>\d{{4}})-(?P<month>\d\d)-(?P<day>\d\d)(?:(?:\s+|T){_TIME}{_ZONE})?|{_ONLY_TIME})\s*", re.A
)
_NUMBER: Final = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d+)?", re.A)
_SHIFT: Final = re.compile(r"([+-]?(?:\d+\.?\d*|\.\d+))\s*(second|minute|hour|day|month|year)s?", re.A)
_CLOCK: Final = re.compile(r"([+-])?(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?", re.A)
_CALENDAR: Final = re.compile(
    r"([+-])(\d{4})-(\d\d)-(\d\d)(?:\s+(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?)?", re.A
)
_UNIT_MS: Final = {"second": 1000, "minute": 60_000, "hour": 3_600_000, "day": _DAY_MS}

Numbers = Literal["", "julianday", "unixepoch", "auto"]
_NUMBERS: Final[Mapping[str, Numbers]] = {"julianday": "julianday", "unixepoch": "unixepoch", "auto": "auto"}
StepKind = Literal["shift", "start", "weekday"]


@dataclass(frozen=True, slots=True)
class Step:
    """What one modifier does. shift: by calendar months, then by milliseconds; ``floor``: a day that the month does not
    have is its last one, rather than one of the next month. start: of ``unit``. weekday: on to the next ``weekday``
    (0 is Sunday), or stay."""

    kind: StepKind
    months: int = 0
    milliseconds: int = 0
    floor: bool = False
    unit: str = ""
    weekday: int = 0


@dataclass(frozen=True, slots=True)
class Program:
    """``numbers``: what a number means as a time, "" and julianday a Julian day; said in words, the time has to be one
    (auto: or a text). ``steps``: in order; None: a modifier that there is not."""

    numbers: Numbers = ""
    steps: tuple[Step, ...] | None = ()


def strftime(
    form: str | None, value: TimeValue, modifiers: Sequence[str | None] = (), now: datetime | None = None
) -> str | None:
    """The time as text; None for what is no time, no modifier or no format. ``now``: what ``"now"`` stands for."""
    if form is None:
        return None
    program = program_of(modifiers)
    if program.steps is None:
        return None
    moment = moment_of(value, program.numbers, now)
    for step in program.steps:
        moment = None if moment is None else _stepped(moment, step)
    return None if moment is None else formatted(form, moment)


def moment_of(value: TimeValue, numbers: Numbers = "", now: datetime | None = None) -> datetime | None:
    """A time value as an aware UTC datetime of whole milliseconds."""
    if value is None:
        return None
    if isinstance(value, str):
        match = _TEXT.fullmatch(value)
        if match is not None:
            return None if numbers in ("julianday", "unixepoch") else _of_text(match)
        if value.lower() == "now":
            return None if now is None else now.replace(microsecond=now.microsecond // 1000 * 1000)
        if not _NUMBER.fullmatch(value):
            return None
        value = float(value)
    return _of_number(value, numbers)


def _of_number(value: int | float, numbers: Numbers) -> datetime | None:
    if numbers == "unixepoch" or (numbers == "auto" and not _FIRST_JULIAN <= value < _END_JULIAN):
        return _plus(_EPOCH, value * 1000)
    if not _FIRST_JULIAN <= value < _END_JULIAN:
        return None
    return _plus(_EPOCH, (value - _EPOCH_JULIAN) * _DAY_MS)


def _of_text(match: re.Match[str]) -> datetime | None:
    parts = match.groupdict()
    prefix = "" if parts["year"] else "only_"

    def number(name: str) -> int:
        return int(parts[prefix + name] or 0)

    year, month, day = (
        int(parts[name] or default) for name, default in (("year", 2000), ("month", 1), ("day", 1))
    )
    hour, minute, second = number("hour"), number("minute"), number("second")
    if not (1 <= month <= 12 and 1 <= day <= 31 and hour <= 24 and minute <= 59 and second <= 59 and year):
        return None
    fraction = parts[prefix + "fraction"] or "0"
    offset = timedelta(hours=number("zone_hour"), minutes=number("zone_minute"))
    if number("zone_hour") > 14 or number("zone_minute") > 59:
        return None
    moment = _plus(
        datetime(year, month, 1, tzinfo=UTC),
        (((day - 1) * 24 + hour) * 60 + minute) * 60_000
        + second * 1000
        + round(float(f"0.{fraction}") * 1000),
    )
    if moment is None or not offset:
        return moment
    return _plus(moment, offset.total_seconds() * (1000 if parts[f"{prefix}sign"] == "-" else -1000))


def _plus(moment: datetime, milliseconds: float) -> datetime | None:
    try:
        return moment + timedelta(milliseconds=round(milliseconds))
    except (OverflowError, ValueError):
        return None


def program_of(modifiers: Sequence[str | None]) -> Program:
    """The modifiers understood."""
    program, steps = Program(), list[Step]()
    for place, modifier in enumerate(modifiers):
        text = (modifier or "").strip().lower()
        if text in _NUMBERS:
            if place:
                return Program(steps=None)
            program = replace(program, numbers=_NUMBERS[text])
        elif text == "floor" and steps and steps[-1].kind == "shift":
            steps[-1] = replace(steps[-1], floor=True)
        elif text not in ("utc", "localtime", "subsec", "subsecond", "ceiling", "floor"):
            step = _step(text)
            if step is None:
                return Program(steps=None)
            steps.append(step)
    return replace(program, steps=tuple(steps))


def _step(text: str) -> Step | None:
    if text.startswith("start of ") and text[9:] in ("day", "month", "year"):
        return Step("start", unit=text[9:])
    if text.startswith("weekday "):
        number = text[8:].strip()
        return Step("weekday", weekday=int(number)) if number in ("0", "1", "2", "3", "4", "5", "6") else None
    if match := _SHIFT.fullmatch(text):
        return _shift(float(match[1]), match[2])
    if match := _CLOCK.fullmatch(text):
        sign, hour, minute, second, fraction = match.groups()
        return _clock_step(sign, hour, minute, second, fraction)
    if match := _CALENDAR.fullmatch(text):
        sign, year, month, day, *clock = match.groups()
        if int(month) > 11 or int(day) > 30:
            return None
        step = _clock_step(sign, *clock)
        if step is None:
            return None
        factor = -1 if sign == "-" else 1
        days = factor * int(day) * _DAY_MS
        return replace(
            step, months=factor * (int(year) * 12 + int(month)), milliseconds=step.milliseconds + days
        )
    return None


def _shift(amount: float, unit: str) -> Step | None:
    # SQLite's bounds: about 14,700 years.
    if abs(amount) * _UNIT_MS.get(unit, _DAY_MS * (30 if unit == "month" else 365)) > 464_269_060_800_000:
        return None
    if unit in _UNIT_MS:
        return Step("shift", milliseconds=round(amount * _UNIT_MS[unit]))
    whole = int(amount)
    rest = (amount - whole) * (30 if unit == "month" else 365) * _DAY_MS
    return Step("shift", months=whole * (12 if unit == "year" else 1), milliseconds=round(rest))


def _clock_step(
    sign: str | None, hour: str | None, minute: str | None, second: str | None, fraction: str | None
) -> Step | None:
    if int(hour or 0) > 24 or int(minute or 0) > 59 or int(second or 0) > 59:
        return None
    total = (int(hour or 0) * 60 + int(minute or 0)) * 60_000 + int(second or 0) * 1000
    total += round(float(f"0.{fraction or 0}") * 1000)
    return Step("shift", milliseconds=-total if sign == "-" else total)


def _stepped(moment: datetime, step: Step) -> datetime | None:
    if step.kind == "start":
        midnight = moment.replace(hour=0, minute=0, second=0, microsecond=0)
        if step.unit == "day":
            return midnight
        return midnight.replace(day=1) if step.unit == "month" else midnight.replace(month=1, day=1)
    if step.kind == "weekday":
        return _plus(moment, (step.weekday - moment.isoweekday()) % 7 * _DAY_MS)
    if step.months:
        first = moment.replace(day=1)
        year, month = divmod(first.year * 12 + first.month - 1 + step.months, 12)
        if not 1 <= year <= 9999:
            return None
        first = first.replace(year=year, month=month + 1)
        shifted = _plus(first, (moment.day - 1) * _DAY_MS)
        if shifted is not None and step.floor and shifted.month != month + 1:
            shifted = _plus(shifted, -shifted.day * _DAY_MS)
        if shifted is None:
            return None
        moment = shifted
    return _plus(moment, step.milliseconds)


def formatted(form: str, moment: datetime) -> str | None:
    """``moment`` by SQLite's conversions; None when ``form`` has another one."""
    out: list[str] = []
    parts = iter(form)
    for char in parts:
        if char != "%":
            out.append(char)
            continue
        convert = CONVERSIONS.get(next(parts, ""))
        if convert is None:
            return None
        out.append(convert(moment))
    return "".join(out)


def _julian(moment: datetime) -> str:
    days = ((moment - _EPOCH) // timedelta(milliseconds=1) + _EPOCH_JULIAN_MS) / _DAY_MS
    return repr(days).removesuffix(".0")


def _epoch(moment: datetime) -> int:
    return (moment - _EPOCH) // timedelta(seconds=1)


def _week(moment: datetime, first_weekday: int) -> int:
    """The week of the year, where weeks begin on ``first_weekday`` (0 is Sunday) and days before the first are 0."""
    return (moment.timetuple().tm_yday + 6 - (moment.isoweekday() - first_weekday) % 7) // 7


CONVERSIONS: Final[Mapping[str, Callable[[datetime], str]]] = {
    "d": lambda m: f"{m.day:02}",
    "e": lambda m: f"{m.day:2}",
    "f": lambda m: f"{m.second:02}.{m.microsecond // 1000:03}",
    "F": lambda m: f"{m.year:04}-{m.month:02}-{m.day:02}",
    "G": lambda m: f"{m.isocalendar().year:04}",
    "g": lambda m: f"{m.isocalendar().year % 100:02}",
    "H": lambda m: f"{m.hour:02}",
    "I": lambda m: f"{(m.hour - 1) % 12 + 1:02}",
    "j": lambda m: f"{m.timetuple().tm_yday:03}",
    "J": _julian,
    "k": lambda m: f"{m.hour:2}",
    "l": lambda m: f"{(m.hour - 1) % 12 + 1:2}",
    "m": lambda m: f"{m.month:02}",
    "M": lambda m: f"{m.minute:02}",
    "p": lambda m: "AM" if m.hour < 12 else "PM",
    "P": lambda m: "am" if m.hour < 12 else "pm",
    "R": lambda m: f"{m.hour:02}:{m.minute:02}",
    "s": lambda m: str(_epoch(m)),
    "S": lambda m: f"{m.second:02}",
    "T": lambda m: f"{m.hour:02}:{m.minute:02}:{m.second:02}",
    "u": lambda m: str(m.isoweekday()),
    "U": lambda m: f"{_week(m, 0):02}",
    "V": lambda m: f"{m.isocalendar().week:02}",
    "w": lambda m: str(m.isoweekday() % 7),
    "W": lambda m: f"{_week(m, 1):02}",
    "Y": lambda m: f"{m.year:04}",
    "%": lambda m: "%",
}
