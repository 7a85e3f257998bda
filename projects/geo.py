"""``geoDistance`` of the filter language: the way between two points of the Earth."""

from __future__ import annotations

import math
import re
from typing import Final

# The mean radius, in km, that the wire contract reckons with.
EARTH_RADIUS_KM: Final = 6371

_NUMBER: Final = re.compile(r"\s*[+-]?(?:\d{1,15}(?:\.\d{0,15})?|\.\d{1,15})\s*", re.A)


def coordinate(value: object) -> float | None:
    """A number, or the number that a text is; None for anything else."""
    if isinstance(value, str):
        return float(value) if _NUMBER.fullmatch(value) else None
    if isinstance(value, int | float):
        try:
            number = float(value)
        except OverflowError:
            return None
        return number if math.isfinite(number) else None
    return None


def geo_distance(lon_a: object, lat_a: object, lon_b: object, lat_b: object) -> float | None:
    """The distance in km between two points given in degrees, by the haversine formula; None without a number."""
    numbers = [coordinate(value) for value in (lon_a, lat_a, lon_b, lat_b)]
    if any(number is None for number in numbers):
        return None
    lon1, lat1, lon2, lat2 = (math.radians(number or 0) for number in numbers)
    half = math.sin((lat2 - lat1) / 2) ** 2
    half += math.cos(lat1) * math.cos(lat2) * math.sin((lon2 - lon1) / 2) ** 2
    return EARTH_RADIUS_KM * 2 * math.asin(math.sqrt(min(1.0, half)))
