"""The records that have a row for which a condition holds, as a set: ``key IN (SELECT …)``.

A statement that searches a whole collection is better driven by the set of what is found, where an index leads to it.
The set is of the ids that the rows name (members of a list, authors of comments), or of what a comparison asks the
record's own field to be (``@collection.roles.post ?= id``, ``@request.auth.friends.id ?= author``).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from projects.rules.engines import Sql
from projects.rules.formula import Formula, Some
from projects.rules.frames import Frame, Standing
from projects.rules.gates import Gate
from projects.rules.nulls import answer_without, leads_to_few, link_of, reads_no_record
from projects.rules.paths import AnyOf, Back, Column, Item, Key, Own, Row, chain, variables
from projects.rules.sql import Fragment, Ref, conjunction
from projects.rules.writer import Writer

# What a condition comes to without the row of each key (nulls.py).
Answers = Mapping[Key, bool | Gate | None]


def placed(writer: Writer, rows: Sequence[Row], answers: Answers, inside: Frame) -> Frame:
    """The rows in their FROM; those without which the condition is false are simply there."""
    there: set[Key] = set()
    for row in rows:
        above = [each.key for each in chain(row)[:-1] if each.key in answers]
        inner = answers[row.key] is False and all(key in there for key in above)
        if inner:
            there.add(row.key)
        writer.place(row, inside, inner=inner, first=not inside.joins)
    return inside


def exists(writer: Writer, inside: Frame, conditions: Sequence[Sql]) -> Sql:
    # FROM last: conditions may have joined to it.
    source = inside.from_text(writer.sql.true)
    return Fragment("EXISTS (SELECT 1 FROM ", source, _where([*inside.ties, *conditions]), ")")


def nobody(writer: Writer, root: Row, frame: Frame) -> Sql:
    """There is no row of ``root`` at all."""
    inside = Frame(outer=frame)
    writer.place(root, inside, inner=True, first=True)
    return Fragment("NOT ", exists(writer, inside, []))


def _where(conditions: Sequence[Sql]) -> Sql:
    return Fragment(" WHERE ", conjunction(list(conditions))) if conditions else Fragment()


class Sets:
    """``write(formula, frame)`` gives a part of the condition as SQL."""

    def __init__(self, writer: Writer, write: Callable[[Formula, Frame], Sql], *, is_sqlite: bool) -> None:
        self._writer = writer
        self._write = write
        self._is_sqlite = is_sqlite

    def of(
        self, some: Some, root: Row, parts: Sequence[Formula], answers: Answers, frame: Frame, *, top: bool
    ) -> Sql | None:
        """The condition as a set; None where that is no better, or another thing.

        ``top``: it is a condition of the whole statement, where PostgreSQL turns a set into a join. Elsewhere, and
        wherever EXISTS says it all, its planner does better with that.
        """
        keys = {row.key for row in some.rows}
        if isinstance(chain(root)[0], Own):
            return self._of_parents(some, root, parts, answers, frame, keys, top=top)
        return self._of_links(some, root, parts, answers, frame, keys, top=top)

    def _of_parents(
        self,
        some: Some,
        root: Row,
        parts: Sequence[Formula],
        answers: Answers,
        frame: Frame,
        keys: set[Key],
        *,
        top: bool,
    ) -> Sql | None:
        """``root`` hangs on the record: the ids of those on which the rows hang that are found."""
        gate = answers[root.key]
        if gate is not False and not isinstance(gate, Gate):
            return None
        if not all(reads_no_record(part, keys) for part in parts):
            return None
        if not (any(map(leads_to_few, parts)) if self._is_sqlite else top and gate is not False):
            return None
        if not isinstance(root, Item | Back) or (isinstance(root, Item) and not self._writer.has_links(root)):
            return None
        key, may_be_empty = self._writer.id_of(root.parent, frame)
        if may_be_empty and gate is not False:
            return None
        inside = placed(self._writer, some.rows, {**answers, root.key: False}, Frame(outer=frame))
        # What ties the rows to one record is what is selected.
        inside.ties.clear()
        chosen = self._parent_in(root, inside.rows[root.key])
        conditions = [Fragment(chosen, " != ''")] if may_be_empty else []
        select = self._select(chosen, inside, [*conditions, *(self._write(part, inside) for part in parts)])
        if isinstance(gate, Gate):
            select = Fragment(select, " UNION ALL ", self._childless(root, gate))
        return Fragment(key, " IN (", select, ")")

    def _of_links(
        self,
        some: Some,
        root: Row,
        parts: Sequence[Formula],
        answers: Answers,
        frame: Frame,
        keys: set[Key],
        *,
        top: bool,
    ) -> Sql | None:
        """``root`` stands by itself: what the record's own field may be, by the comparison that links the two."""
        link = link_of(parts, keys)
        if link is None:
            return None
        rest = [part for part in parts if part is not link]
        if not all(reads_no_record(part, keys) for part in rest):
            return None
        without_rest = answer_without(rest, root.key) if rest else True
        if answers[root.key] is not False and not (without_rest is True and len(some.rows) == 1):
            return None
        is_few = not isinstance(root, AnyOf) or any(map(leads_to_few, rest)) or not leads_to_few(link)
        if not (is_few if self._is_sqlite else top and answers[root.key] is not False):
            return None
        inside = placed(self._writer, some.rows, {**answers, root.key: False}, Frame(outer=frame))
        mine, own = (link.left, link.right) if variables(link.left) else (link.right, link.left)
        assert isinstance(own, Column)
        found = self._writer.stored_operand(mine, inside)
        # Nothing is what an empty field is, also further along the path.
        chosen = Fragment("COALESCE(", found.sql, ", '')") if found.nullable else found.sql
        select = self._select(chosen, inside, [*inside.ties, *(self._write(part, inside) for part in rest)])
        if answers[root.key] is not False:
            select = Fragment(select, " UNION ALL SELECT '' WHERE ", nobody(self._writer, root, frame))
        return Fragment(self._writer.column(own, frame).sql, " IN (", select, ")")

    def _select(self, chosen: Sql, inside: Frame, conditions: Sequence[Sql]) -> Sql:
        return Fragment(
            "SELECT ", chosen, " FROM ", inside.from_text(self._writer.sql.true), _where(conditions)
        )

    def _parent_in(self, root: Item | Back, standing: Standing) -> Sql:
        """The column of the first source that names the parent."""
        if isinstance(root, Back) and not root.field.is_list:
            return Ref(standing.alias, root.field.name)
        assert isinstance(standing.id, Ref)
        return Ref(standing.id.alias, "record" if isinstance(root, Item) else "target")

    def _childless(self, root: Item | Back, gate: Gate) -> Sql:
        """The records that have no row of ``root``, if those count."""
        assert root.parent.collection is not None
        alias = self._writer.name("x")
        alone = Frame()
        alone.rows[()] = Standing(alone, Ref(alias, "id"), alias, inner=True)
        records = self._writer.records(root.parent.collection, alias)
        where = _where([self._writer.gate(gate), nobody(self._writer, root, alone)])
        return Fragment("SELECT ", Ref(alias, "id"), " FROM ", records, where)
