"""Formulas as SQL.

A variable becomes a subquery that indexes serve, never a join that multiplies rows. Three forms say "there is a row
for which this holds":

- ``EXISTS`` over the rows alone, where the condition is false without a row (it compares a column with a text, say);
- the same, or else there are no rows and the condition is true of none: which of the two is decided in Python;
- ``EXISTS`` over a left join from one row of nothing, for everything else.

A statement that searches a whole collection is better driven by the set of the records that are found
(``id IN (SELECT record FROM …)``), where an index leads to that set. SQLite's planner does not turn the one into the
other by itself; PostgreSQL's does, except where the second form stands in its way.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import sqlalchemy as sa

from projects.context import Engine
from projects.rules.engines import Sql
from projects.rules.formula import (
    Compare,
    Formula,
    Joined,
    Listed,
    NoneFalse,
    Shown,
    Some,
    emails_in,
    guarded_rows_of,
    is_decided_by_request,
    own_variables,
)
from projects.rules.frames import Frame, Standing
from projects.rules.gates import Gate, gate_of
from projects.rules.inputs import Input
from projects.rules.nulls import answer_without, leads_to_few, link_of, reads_no_record
from projects.rules.paths import (
    AnyOf,
    Back,
    Column,
    Item,
    Key,
    Meaning,
    Own,
    Row,
    chain,
    variables,
)
from projects.rules.quantifiers import request_gate
from projects.rules.sql import Fragment, Ref, conjunction, disjunction
from projects.rules.writer import Writer
from projects.schema.collection import CollectionSchema

# What a condition comes to without the row of each key (nulls.py).
Answers = Mapping[Key, bool | Gate | None]
# The condition of a collection's list rule over the row that stands in the frame as the record asked about.
ListRule = Callable[[CollectionSchema, Frame], Sql]


class Conditions:
    """``searching``: the statement goes through a whole collection; ``guarded``: a client's text, which nothing
    decides that the client may not see."""

    def __init__(
        self, writer: Writer, engine: Engine, list_rule: ListRule, *, searching: bool, guarded: bool
    ) -> None:
        self._writer = writer
        self._is_sqlite = engine == "sqlite"
        self._list_rule = list_rule
        self._searching = searching
        self._guarded = guarded

    def sql(self, formula: Formula, frame: Frame) -> Sql:
        return self._closed(self._formula(formula, frame, top=True))

    def _formula(self, formula: Formula, frame: Frame, *, top: bool) -> Gate | Sql:
        """Bottom-up and without recursion, as ast.fold: a client's nesting must not decide our stack.

        ``top``: the formula is a condition of the whole statement, not one of several alternatives.
        """
        results: list[list[Gate | Sql]] = [[]]
        pending: list[tuple[Formula | None, str, bool]] = [(formula, "", top)]
        while pending:
            current, closing, at_top = pending.pop()
            if current is None:
                items = results.pop()
                results[-1].append(self._join(closing, items))
            elif isinstance(current, Joined):
                results.append([])
                pending.append((None, current.operator, at_top))
                inside = at_top and current.operator == "and"
                pending.extend((item, "", inside) for item in reversed(current.items))
            else:
                results[-1].append(self._leaf(current, frame, top=at_top))
        return results[0][0]

    def _join(self, operator: str, items: list[Gate | Sql]) -> Gate | Sql:
        """Parts that no record takes part in are decided in Python, together, before the database is asked."""
        gates = [item for item in items if isinstance(item, Gate)]
        conditions = [item for item in items if not isinstance(item, Gate)]
        if gates:
            gate = Gate.joined(operator, gates)
            if not conditions:
                return gate
            conditions.insert(0, self._closed(gate))
        return conjunction(conditions) if operator == "and" else disjunction(conditions)

    def _closed(self, item: Gate | Sql) -> Sql:
        return self._writer.gate(item) if isinstance(item, Gate) else item

    def _leaf(self, leaf: Formula, frame: Frame, *, top: bool) -> Gate | Sql:
        if isinstance(leaf, Compare):
            left, right = leaf.left, leaf.right
            if isinstance(left, Input) and isinstance(right, Input):
                return gate_of(left, leaf.comparison.operator, right)
            return self._writer.pair(left, leaf.comparison.operator, right, frame)
        if isinstance(leaf, Shown):
            return self._shown(leaf.column, frame)
        if isinstance(leaf, Listed):
            return self.listed(leaf.row, frame)
        assert not isinstance(leaf, Joined)
        if not leaf.free and is_decided_by_request(leaf):
            return request_gate(leaf)
        return (
            self._none_false(leaf, frame) if isinstance(leaf, NoneFalse) else self._some(leaf, frame, top=top)
        )

    # -- what a client may see

    def listed(self, row: Row, frame: Frame) -> Sql:
        """A client may list the record, if there is one."""
        standing = self._writer.standing(row, frame)
        assert row.collection is not None
        inside = Frame(joins=standing.frame.joins)
        inside.rows[()] = Standing(inside, Ref(standing.alias, "id"), standing.alias, inner=True)
        allowed = self._list_rule(row.collection, inside)
        if standing.inner:
            return allowed
        return disjunction([Fragment(Ref(standing.alias, "id"), " IS NULL"), allowed])

    def _shown(self, column: Column, frame: Frame) -> Sql:
        standing = self._writer.standing(column.row, frame)
        return Fragment(Ref(standing.alias, "emailVisibility"), f" = {self._writer.sql.true}")

    # -- all

    def _none_false(self, leaf: NoneFalse, frame: Frame) -> Sql:
        """No rows for which the comparison is false. What a client may not see is none of them."""
        inside = Frame(outer=frame)
        other = Frame(outer=frame, joins=inside.joins, ties=inside.ties)
        of_left, of_right = list(variables(leaf.left).values()), list(variables(leaf.right).values())
        # Where one side has no row, the other's have none to differ from.
        inner = not leaf.decides and not (of_left and of_right)
        for rows, home in ((of_left, inside), (of_right, other)):
            for row in rows:
                is_root = row is rows[0]
                self._writer.place(row, home, inner=inner and is_root, first=is_root and not inside.joins)
        condition = self._writer.pair(leaf.left, leaf.comparison.operator, leaf.right, inside, other)
        wrong: list[Sql] = [
            Fragment("(", condition, ") IS NOT TRUE") if leaf.decides else Fragment("NOT (", condition, ")")
        ]
        if self._guarded:
            wrong += self._seen(leaf.left, inside)
            wrong += self._seen(leaf.right, other)
        return Fragment("NOT ", self._exists(inside, wrong))

    def _seen(self, meaning: Meaning, frame: Frame) -> list[Sql]:
        seen = [self.listed(row, frame) for row in guarded_rows_of(meaning) if own_variables(row)]
        return seen + [self._shown(column, frame) for column in emails_in(meaning)]

    # -- some

    def _some(self, some: Some, frame: Frame, *, top: bool) -> Sql:
        parts = (
            some.item.items if isinstance(some.item, Joined) and some.item.operator == "and" else (some.item,)
        )
        keys = {row.key for row in some.rows}
        roots = [row for row in some.rows if not any(each.key in keys for each in chain(row)[:-1])]
        answers = {row.key: answer_without(parts, row.key) for row in some.rows}
        if all(answers[root.key] is False for root in roots):
            if len(roots) == 1 and self._is_set(roots[0], parts, keys):
                found = self._as_set(some, roots[0], parts, answers, frame, None)
                if found is not None:
                    return found
            return self._exists_inner(some, answers, frame)
        gate = answers[roots[0].key]
        if len(roots) > 1 or not isinstance(gate, Gate):
            return self._exists_left(some, answers, frame)
        answers = {**answers, roots[0].key: False}
        if (top or self._is_sqlite) and self._is_set(roots[0], parts, keys, gated=True):
            found = self._as_set(some, roots[0], parts, answers, frame, gate)
            if found is not None:
                return found
        nobody = Fragment("NOT ", self._exists(self._alone(roots[0], frame), []))
        without = conjunction([self._writer.gate(gate), nobody])
        return disjunction([self._exists_inner(some, answers, frame), without])

    def _exists_inner(self, some: Some, answers: Answers, frame: Frame) -> Sql:
        inside = self._placed(some.rows, answers, Frame(outer=frame))
        return self._exists(inside, [self._closed(self._formula(some.item, inside, top=False))])

    def _exists_left(self, some: Some, answers: Answers, frame: Frame) -> Sql:
        inside = Frame(outer=frame)
        for row in some.rows:
            self._writer.place(row, inside, inner=False, first=False)
        return self._exists(inside, [self._closed(self._formula(some.item, inside, top=False))])

    def _placed(self, rows: Sequence[Row], answers: Answers, inside: Frame) -> Frame:
        """The rows in their FROM; those without which the condition is false are simply there."""
        there: set[Key] = set()
        for row in rows:
            above = [each.key for each in chain(row)[:-1] if each.key in answers]
            inner = answers[row.key] is False and all(key in there for key in above)
            if inner:
                there.add(row.key)
            self._writer.place(row, inside, inner=inner, first=not inside.joins)
        return inside

    def _alone(self, root: Row, frame: Frame) -> Frame:
        inside = Frame(outer=frame)
        self._writer.place(root, inside, inner=True, first=True)
        return inside

    def _exists(self, inside: Frame, conditions: list[Sql]) -> Sql:
        # FROM last: conditions may have joined to it.
        where = conjunction([*inside.ties, *conditions]) if inside.ties or conditions else None
        parts: list[str | sa.ClauseElement] = [
            "EXISTS (SELECT 1 FROM ",
            inside.from_text(self._writer.sql.true),
        ]
        if where is not None:
            parts += [" WHERE ", where]
        return Fragment(*parts, ")")

    # -- the set of records that are found

    def _is_set(self, root: Row, parts: Sequence[Formula], keys: set[Key], *, gated: bool = False) -> bool:
        """Whether the records that are found are better looked up than tried one by one."""
        if not (self._searching and self._writer.stored):
            return False
        rest = [part for part in parts if not (isinstance(root, AnyOf) and part is link_of(parts, root))]
        if not all(reads_no_record(part, keys) for part in rest):
            return False
        if not self._is_sqlite:
            return gated
        if any(leads_to_few(part) for part in rest):
            return True
        link = link_of(parts, root) if isinstance(root, AnyOf) else None
        return link is not None and not leads_to_few(link)

    def _as_set(
        self,
        some: Some,
        root: Row,
        parts: Sequence[Formula],
        answers: Answers,
        frame: Frame,
        gate: Gate | None,
    ) -> Sql | None:
        """``key IN (SELECT …)``; with ``gate``, also the records without a row where that is enough."""
        inside = self._placed(some.rows, answers, Frame(outer=frame))
        inside.ties.clear()
        standing = inside.rows[root.key]
        conditions: list[Sql] = []
        link = link_of(parts, root) if isinstance(root, AnyOf) else None
        if isinstance(root, AnyOf):
            if link is None or gate is not None:
                return None
            mine, theirs = (
                (link.left, link.right) if root.key in variables(link.left) else (link.right, link.left)
            )
            assert isinstance(mine, Column)
            assert isinstance(theirs, Column)
            key, chosen = self._writer.column(theirs, frame).sql, self._writer.column(mine, inside).sql
        elif isinstance(root, Item | Back) and isinstance(chain(root)[0], Own):
            if isinstance(root, Item) and not self._writer.has_links(root):
                return None
            key, may_be_empty = self._writer.id_of(root.parent, frame)
            chosen = self._chosen(root, standing)
            if may_be_empty:
                if gate is not None:
                    return None
                conditions.append(Fragment(chosen, " != ''"))
        else:
            return None
        conditions += [
            self._closed(self._formula(part, inside, top=False)) for part in parts if part is not link
        ]
        source = inside.from_text(self._writer.sql.true)
        where = Fragment(" WHERE ", conjunction(conditions)) if conditions else Fragment()
        select = Fragment("SELECT ", chosen, " FROM ", source, where)
        if gate is not None:
            assert isinstance(root, Item | Back)
            select = Fragment(select, " UNION ALL ", self._without(root, gate))
        return Fragment(key, " IN (", select, ")")

    def _chosen(self, root: Item | Back, standing: Standing) -> Sql:
        """The column of the first source that names the parent."""
        if isinstance(root, Back) and not root.field.is_list:
            return Ref(standing.alias, root.field.name)
        assert isinstance(standing.id, Ref)
        return Ref(standing.id.alias, "record" if isinstance(root, Item) else "target")

    def _without(self, root: Item | Back, gate: Gate) -> Sql:
        """The records that have no row of ``root``, if those count."""
        parent = root.parent.collection
        assert parent is not None
        alias = self._writer.name("x")
        alone = Frame()
        alone.rows[()] = Standing(alone, Ref(alias, "id"), alias, inner=True)
        nobody = Fragment("NOT ", self._exists(self._alone(root, alone), []))
        return Fragment(
            "SELECT ", Ref(alias, "id"), " FROM ", self._writer.records(parent, alias), " WHERE ",
            conjunction([self._writer.gate(gate), nobody]),
        )  # fmt: skip
