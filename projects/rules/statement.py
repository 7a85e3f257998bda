"""SQL text with its parameters to come: what a plan cache keeps."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import sqlalchemy as sa
from sqlalchemy.dialects import postgresql, sqlite

from projects.context import Engine
from projects.principal import RequestInfo
from projects.rules.ast import Constant
from projects.rules.inputs import Inputs, Read

# Used to compile only; nothing of SQLAlchemy connects anywhere.
_DIALECTS: dict[Engine, sa.Dialect] = {
    "sqlite": sqlite.dialect(paramstyle="qmark"),
    "postgresql": postgresql.dialect(paramstyle="format"),  # type: ignore[no-untyped-call]
}


@dataclass(frozen=True, slots=True)
class Statement:
    """``sql`` has the engine's own placeholders; ``binders`` compute their values in order. ``anew``: see
    ``Session.rows``."""

    sql: str
    binders: tuple[Read, ...]
    anew: bool = False

    def params(
        self, constants: Sequence[Constant], request: RequestInfo, now: datetime, **own: Any
    ) -> list[Any]:
        """The parameters of one run: the filter's constants, the request, an aware UTC time, and the values of the
        caller's own bind parameters by name (KeyError when one is missing)."""
        given = Inputs(constants, request, now, own)
        return [read(given) for read in self.binders]


def render(query: sa.ClauseElement, engine: Engine, readers: Mapping[str, Read]) -> Statement:
    """``readers``: how each parameter of the compiler gets its value. Of the others, those that have a value in the
    query keep it; the rest are the caller's own, given at each run."""
    compiled: Any = query.compile(dialect=_DIALECTS[engine])
    binders = [readers.get(name) or _own(compiled.binds[name], name) for name in compiled.positiontup]
    return Statement(str(compiled), tuple(binders))


def _own(parameter: sa.BindParameter[Any], name: str) -> Read:
    if parameter.required:
        return lambda given: given.extra[name]
    value = parameter.effective_value
    return lambda _given: value
