"""Column definitions per engine, shared by the field types."""

from __future__ import annotations

from typing import Final

from projects.context import Engine


def text_column(engine: Engine) -> str:
    # Byte order on both engines, so that sorting, paging by key and date order agree.
    return "TEXT NOT NULL DEFAULT ''" if engine == "sqlite" else "TEXT COLLATE \"C\" NOT NULL DEFAULT ''"


def number_column(engine: Engine) -> str:
    return f"{'NUMERIC' if engine == 'sqlite' else 'DOUBLE PRECISION'} NOT NULL DEFAULT 0"


BOOL_COLUMN: Final = "BOOLEAN NOT NULL DEFAULT FALSE"


def json_column(engine: Engine, default: str | None) -> str:
    """``default`` is JSON text without quotes in it, or None for NULL."""
    kind = "JSON" if engine == "sqlite" else "JSONB"
    return f"{kind} DEFAULT NULL" if default is None else f"{kind} NOT NULL DEFAULT '{default}'"
