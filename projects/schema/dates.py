"""Dates as text: what is read, and the one form in which they are stored and leave the API.

UTC with milliseconds, fixed width, so that text order is time order (RFC 3339).
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

# Between date and time. Both "T" and a space are read, whichever this is.
SEPARATOR = "T"

_ISO = re.compile(
    r"(\d{4})-(\d{2})-(\d{2})"
    r"(?:[T ](\d{2}):(\d{2}):(\d{2})(?:\.(\d{1,9}))?(?: ?(Z|UTC|[+-]\d{2}:?\d{2}))?)?",
    re.ASCII,
)
_CANONICAL = re.compile(
    rf"\d{{4}}-(?:0[1-9]|1[0-2])-(?:0[1-9]|1\d|2[0-8]){SEPARATOR}"
    r"(?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d\.\d{3}Z",
    re.ASCII,
)
# The textual layouts that the wire contract's server reads besides ISO ones; names of zones mean UTC.
_LAYOUTS = ("%a, %d %b %Y %H:%M:%S", "%a %b %d %H:%M:%S %Y", "%d %b %Y")
_ZONE_NAME = re.compile(r" [A-Z]{3,4}$")


def date_text(moment: datetime) -> str:
    """The canonical text of an aware moment, cut (not rounded) to milliseconds."""
    utc = moment.astimezone(UTC)
    return (
        f"{utc.year:04d}-{utc.month:02d}-{utc.day:02d}{SEPARATOR}"
        f"{utc.hour:02d}:{utc.minute:02d}:{utc.second:02d}.{utc.microsecond // 1000:03d}Z"
    )


def now_text() -> str:
    """The present moment in canonical text."""
    return date_text(datetime.now(UTC))


def parse_date(text: str) -> datetime | None:
    """The moment that ``text`` names, aware and in UTC; None when it names none.

    Times without a zone are UTC. The year 1's first moment is the zero date, so it is None too.
    """
    match = _ISO.fullmatch(text)
    try:
        moment = _from_iso(match) if match else _from_layouts(text)
        if moment is None:
            return None
        utc = moment.astimezone(UTC)
    except (ValueError, OverflowError):
        return None
    return None if utc == datetime.min.replace(tzinfo=UTC) else utc


def normalize_date(value: object) -> str:
    """The canonical text of what a client sent, ``""`` for everything that is not a date."""
    if not isinstance(value, str) or not value:
        return ""
    # Texts that already are canonical (days 29 to 31 are left to the calendar) need no second look.
    if _CANONICAL.fullmatch(value) and not value.startswith(("0000", "0001")):
        return value
    moment = parse_date(value) if len(value) <= 64 else None
    return date_text(moment) if moment else ""


def _from_iso(match: re.Match[str]) -> datetime:
    year, month, day, hour, minute, second, fraction, zone = match.groups()
    return datetime(
        int(year),
        int(month),
        int(day),
        int(hour or 0),
        int(minute or 0),
        int(second or 0),
        int((fraction or "0")[:6].ljust(6, "0")),
        tzinfo=_zone(zone),
    )


def _zone(text: str | None) -> timezone:
    if text in (None, "Z", "UTC"):
        return UTC
    assert text is not None
    offset = timedelta(hours=int(text[1:3]), minutes=int(text[-2:]))
    return timezone(-offset if text[0] == "-" else offset)


def _from_layouts(text: str) -> datetime | None:
    if not text[:1].isalnum():
        return None
    # A zone that is only named (MST) says nothing certain about its offset: it is read as UTC.
    for candidate in (f"{text} +0000", f"{_ZONE_NAME.sub('', text)} +0000", text):
        for layout in _LAYOUTS:
            try:
                return datetime.strptime(candidate, f"{layout} %z")
            except ValueError:
                continue
    return None
