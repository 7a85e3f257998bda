"""Formulas as SQL.

A variable becomes a subquery that indexes serve, never a join that multiplies rows. Three forms say "there is a row
for which this holds":

- ``EXISTS`` over the rows alone, where the condition is false without a row (it compares a column with a text, say);
- the same, or else there are no rows and the condition is true of none: which of the two is decided in Python;
- ``EXISTS`` over a left join from one row of nothing, for everything else.

A statement that searches a whole collection may be better driven by a set: see sets.py.
"""

from __future__ import annotations

from collections.abc import Callable

from projects.context import Engine
from projects.rules.engines import Sql
from projects.rules.formula import (
    Compare,
    Formula,
    Joined,
    Listed,
    NoneFalse,
    Readable,
    Shown,
    Some,
    emails_in,
    guarded_rows_of,
    is_decided_by_request,
    own_variables,
    readable,
)
from projects.rules.frames import Frame, Standing
from projects.rules.gates import Gate, gate_of
from projects.rules.inputs import Input
from projects.rules.nulls import answer_without
from projects.rules.paths import Column, Meaning, Row, chain, ruled_fields, ruled_relations, variables
from projects.rules.quantifiers import request_gate
from projects.rules.sets import Answers, Sets, exists, nobody, placed
from projects.rules.sql import Fragment, Ref, conjunction, disjunction
from projects.rules.writer import Writer
from projects.schema.collection import CollectionSchema

# The condition of a collection's rule over the row that stands in the frame as the record asked about.
RuleOver = Callable[[CollectionSchema, str, Frame], Sql]


class Conditions:
    """``searching``: the statement goes through a whole collection; ``guarded``: a client's text, which nothing
    decides that the client may not see."""

    def __init__(
        self, writer: Writer, engine: Engine, rule_over: RuleOver, *, searching: bool, guarded: bool
    ) -> None:
        self._writer = writer
        self._sets = Sets(writer, self._part, is_sqlite=engine == "sqlite")
        self._rule_over = rule_over
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
        if isinstance(leaf, Readable):
            return self.readable(leaf, frame)
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
        """A client may list the record, if there is one. One to which a relation leads that the client may not read
        decides nothing: that there is no such record must look the same."""
        standing = self._writer.standing(row, frame)
        allowed = [self._unreadable(one, frame) for one in readable(ruled_relations(row))]
        if not standing.inner:
            allowed.append(Fragment(Ref(standing.alias, "id"), " IS NULL"))
        allowed.append(self._rule_of(row, str(row.collection.list_rule) if row.collection else "", standing))
        return disjunction(allowed)

    def readable(self, leaf: Readable, frame: Frame) -> Sql:
        standing = self._writer.standing(leaf.row, frame)
        shown = self._rule_of(leaf.row, leaf.field.read_rule or "", standing)
        if standing.inner:
            return shown
        return conjunction([Fragment(Ref(standing.alias, "id"), " IS NOT NULL"), shown])

    def _unreadable(self, leaf: Readable, frame: Frame) -> Sql:
        return Fragment("(", self.readable(leaf, frame), ") IS NOT TRUE")

    def _rule_of(self, row: Row, rule: str, standing: Standing) -> Sql:
        inside = Frame(joins=standing.frame.joins)
        inside.rows[()] = Standing(inside, Ref(standing.alias, "id"), standing.alias, inner=True)
        assert row.collection is not None
        return self._rule_over(row.collection, rule, inside)

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
        return Fragment("NOT ", exists(self._writer, inside, wrong))

    def _seen(self, meaning: Meaning, frame: Frame) -> list[Sql]:
        seen = [self.listed(row, frame) for row in guarded_rows_of(meaning) if own_variables(row)]
        seen += [self._shown(column, frame) for column in emails_in(meaning)]
        return seen + [self.readable(leaf, frame) for leaf in readable(ruled_fields(meaning))]

    # -- some

    def _some(self, some: Some, frame: Frame, *, top: bool) -> Sql:
        item = some.item
        parts = item.items if isinstance(item, Joined) and item.operator == "and" else (item,)
        keys = {row.key for row in some.rows}
        roots = [row for row in some.rows if not any(each.key in keys for each in chain(row)[:-1])]
        answers = {row.key: answer_without(parts, row.key) for row in some.rows}
        if self._searching and self._writer.stored and len(roots) == 1:
            found = self._sets.of(some, roots[0], parts, answers, frame, top=top)
            if found is not None:
                return found
        if all(answers[root.key] is False for root in roots):
            return self._exists_inner(some, answers, frame)
        gate = answers[roots[0].key]
        if len(roots) > 1 or not isinstance(gate, Gate):
            return self._exists_left(some, frame)
        there = self._exists_inner(some, {**answers, roots[0].key: False}, frame)
        without = conjunction([self._writer.gate(gate), nobody(self._writer, roots[0], frame)])
        return disjunction([there, without])

    def _exists_inner(self, some: Some, answers: Answers, frame: Frame) -> Sql:
        inside = placed(self._writer, some.rows, answers, Frame(outer=frame))
        return exists(self._writer, inside, [self._part(some.item, inside)])

    def _exists_left(self, some: Some, frame: Frame) -> Sql:
        inside = Frame(outer=frame)
        for row in some.rows:
            self._writer.place(row, inside, inner=False, first=False)
        return exists(self._writer, inside, [self._part(some.item, inside)])

    def _part(self, formula: Formula, frame: Frame) -> Sql:
        return self._closed(self._formula(formula, frame, top=False))
