"""A point on Earth: ``{"lon": degrees, "lat": degrees}``."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import orjson

from projects.context import Engine
from projects.schema.fields.base import Field, Invalid, ValueKind
from projects.schema.fields.coerce import canonical_number
from projects.schema.fields.columns import json_column


@dataclass(frozen=True, kw_only=True)
class GeoPointField(Field):
    type = "geoPoint"

    @property
    def kind(self) -> ValueKind:
        return "geo"

    def column_type(self, engine: Engine) -> str:
        return json_column(engine, '{"lon":0,"lat":0}')

    def zero(self) -> dict[str, float]:
        return {"lon": 0, "lat": 0}

    def normalize(self, value: Any) -> dict[str, float]:
        if isinstance(value, str):
            try:
                value = orjson.loads(value)
            except orjson.JSONDecodeError:
                return self.zero()
        if not isinstance(value, dict):
            return self.zero()
        return {"lon": _degrees(value.get("lon")), "lat": _degrees(value.get("lat"))}

    def check(self, value: Any) -> None:
        if not -180 <= value["lon"] <= 180:
            raise Invalid("validation_invalid_longitude", "Longitude must be between -180 and 180 degrees.")
        if not -90 <= value["lat"] <= 90:
            raise Invalid("validation_invalid_latitude", "Latitude must be between -90 and 90 degrees.")

    def to_db(self, value: Any, engine: Engine) -> str | None:
        return None if value is None else orjson.dumps(value).decode()

    def from_db(self, raw: Any, engine: Engine) -> dict[str, float] | None:
        return None if raw is None else self.normalize(raw)


def _degrees(value: Any) -> float:
    return canonical_number(value) if isinstance(value, int | float) and not isinstance(value, bool) else 0
