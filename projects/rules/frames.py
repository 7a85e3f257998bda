"""The FROM of a statement or of a subquery, as it grows with the rows that conditions name."""

from __future__ import annotations

from dataclasses import dataclass, field

import sqlalchemy as sa

from projects.rules.engines import Sql
from projects.rules.paths import Key
from projects.rules.sql import Fragment, Name
from projects.schema.collection import CollectionSchema


@dataclass(frozen=True, slots=True)
class Join:
    """``source`` is FROM text that ends in its alias; ``on`` None: whatever the other rows."""

    source: Sql
    on: Sql | None
    inner: bool


@dataclass(frozen=True, slots=True)
class Standing:
    """Where a row stands. ``id``: its id, without more joins; ``alias``: how its columns are named, if they are;
    ``inner``: it is there in every row of its FROM."""

    frame: Frame
    id: Sql
    alias: str
    inner: bool = False


@dataclass(slots=True)
class Frame:
    """``outer``: the FROM around it, whose rows its conditions may name too."""

    outer: Frame | None = None
    joins: list[Join] = field(default_factory=list)
    rows: dict[Key, Standing] = field(default_factory=dict)
    # Conditions that tie the first source of an inner subquery to the rows around it.
    ties: list[Sql] = field(default_factory=list)

    def find(self, key: Key) -> Standing | None:
        frame: Frame | None = self
        while frame is not None:
            if key in frame.rows:
                return frame.rows[key]
            frame = frame.outer
        return None

    def from_text(self, true: str) -> Sql:
        """FROM's text, beginning with one row of nothing when nothing is joined inner."""
        parts: list[str | sa.ClauseElement] = []
        for join in self.joins:
            if not parts and join.inner:
                parts.append(join.source)
                continue
            parts.append("(SELECT 1) AS _one" if not parts else "")
            parts.append(" JOIN " if join.inner else " LEFT JOIN ")
            parts += [join.source, " ON ", join.on if join.on is not None else true]
        return Fragment(*parts) if parts else Fragment("(SELECT 1) AS _one")


class RecordSource(Fragment):
    """A collection's records under an alias, for FROM. ``rows``: its table, or the SELECT of a view."""

    inherit_cache = False

    def __init__(self, rows: sa.ClauseElement, collection: CollectionSchema, alias: str) -> None:
        super().__init__(rows, " AS ", Name(alias))
        self.collection = collection
        self.alias = alias
