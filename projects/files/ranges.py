"""Ranges of bytes that a client asks for (RFC 9110, 14)."""

from __future__ import annotations

import re
from typing import Final

_SPEC: Final = re.compile(r"(\d*)-(\d*)", re.ASCII)
# More than a player or a download manager asks for; further ones are answered with the whole file.
_MOST: Final = 20


class UnsatisfiableRangeError(Exception):
    """No byte that was asked for is there."""


def parse_ranges(header: str, size: int) -> list[tuple[int, int]]:
    """(start, length) of each range of a file of ``size`` bytes; none means the whole file.

    Units other than bytes are none of ours. Raises UnsatisfiableRangeError, also for what cannot be read.
    """
    unit, _, specs = header.partition("=")
    if unit.strip().lower() != "bytes":
        return []
    wanted = [spec.strip() for spec in specs.split(",") if spec.strip()]
    if len(wanted) > _MOST:
        return []
    ranges = [found for spec in wanted if (found := _one(spec, size)) is not None]
    if not ranges:
        raise UnsatisfiableRangeError
    # Overlapping ones could ask for many times the file.
    return [] if sum(length for _, length in ranges) > size else ranges


def _one(spec: str, size: int) -> tuple[int, int] | None:
    match = _SPEC.fullmatch(spec)
    if match is None or not any(match.groups()) or len(spec) > 40:
        raise UnsatisfiableRangeError
    first, last = match.groups()
    if not first:
        length = min(int(last), size)
        return (size - length, length) if length else None
    start = int(first)
    end = min(int(last), size - 1) if last else size - 1
    if last and int(last) < start:
        raise UnsatisfiableRangeError
    return (start, end - start + 1) if start < size else None
