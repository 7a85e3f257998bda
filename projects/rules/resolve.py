"""Names to meaning: what an operand of the tree stands for in one collection. Both evaluators start from here."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from projects.rules import functions, inputs
from projects.rules.ast import Call, Comparison, Constant, ConstantRef, Identifier, Node, Operand, operands
from projects.rules.errors import RuleError, RuleForbidden
from projects.rules.inputs import Input, Inputs
from projects.rules.paths import (
    MULTIPLE_TYPES,
    AnyOf,
    Changed,
    Column,
    Element,
    Given,
    Known,
    Meaning,
    Own,
    is_relation,
)
from projects.rules.problems import Problem, unresolved
from projects.rules.request_values import (
    attribute,
    auth_reader,
    body_reader,
    is_set,
    listed,
    names_read,
    principal_collection_id,
    principal_collection_name,
    request_value,
    with_modifier,
)
from projects.rules.values import plain
from projects.rules.walking import Walker, column_modifier, relation_collection
from projects.schema.collection import CollectionSchema, ProjectSchema

MODIFIERS = frozenset({"isset", "changed", "length", "each", "lower"})


@dataclass(frozen=True, slots=True)
class Resolver:
    """Resolves operands for one collection.

    ``constants``: those of a rule, which are fixed; None when they are given at each run. ``guarded``: the text is a
    client's, and the client is no superuser. ``signed_in``: those who ask are known to be.
    """

    schema: ProjectSchema
    collection: CollectionSchema
    constants: Sequence[Constant] | None = None
    guarded: bool = False
    signed_in: bool = False

    def check_names(self, ast: Node) -> None:
        """Raise RuleForbidden when a guarded text reads what only rules may."""
        if self.guarded:
            for operand in operands(ast):
                if isinstance(operand, Identifier):
                    self.check_name(operand)

    def check_name(self, identifier: Identifier) -> None:
        if self.guarded:
            for prefix in ("@request.", "@collection."):
                if identifier.text.startswith(prefix):
                    raise RuleForbidden(f"Only superusers can filter by {prefix}", identifier.position)

    def sides(self, comparison: Comparison) -> tuple[Meaning, Meaning]:
        """The meanings of both operands. Raises RuleError that says which of them is wrong."""
        return self.operand(comparison.left, "left operand"), self.operand(comparison.right, "right operand")

    def operand(self, operand: Operand, role: str) -> Meaning:
        if isinstance(operand, ConstantRef):
            return self._constant(operand)
        try:
            if isinstance(operand, Identifier):
                return self._identifier(operand)
            return self._call(operand)
        except Problem as problem:
            name = operand.text if isinstance(operand, Identifier) else operand.name
            raise RuleError(f'invalid {role} "{name}" - {problem}', operand.position) from None

    @property
    def walker(self) -> Walker:
        return Walker(self.schema, self.guarded)

    def _constant(self, constant: ConstantRef) -> Input:
        if self.constants is None:
            return inputs.constant_at(constant.index, constant.kind)
        return inputs.fixed(self.constants[constant.index], constant.kind)

    def _call(self, call: Call) -> Meaning:
        functions.check(call)
        return functions.meaning(
            call,
            [
                self._constant(argument) if isinstance(argument, ConstantRef) else self._argument(argument)
                for argument in call.arguments
            ],
        )

    def _argument(self, argument: Operand) -> Meaning:
        if isinstance(argument, Call):
            raise Problem("a function cannot be an argument")
        assert isinstance(argument, Identifier)
        return self._identifier(argument)

    def _identifier(self, identifier: Identifier) -> Meaning:
        path = identifier.path
        root = path[0]
        if root == "@request":
            return self._request(identifier)
        if root == "@collection":
            return self._any_of(identifier)
        if identifier.text in inputs.MACROS:
            return inputs.macro(identifier.text)
        if root[0] in "@#":
            raise unresolved(identifier.text)
        return self.walker.value(Own(self.collection), path, _modifier(identifier))

    def _any_of(self, identifier: Identifier) -> Meaning:
        path = identifier.path
        if len(path) < 3:
            raise unresolved(identifier.text)
        collection = self.schema.get(path[1])
        if collection is None or not collection.is_readable:
            raise Problem(f'failed to load collection "{path[1]}" from field path "{identifier.text}"')
        return self.walker.value(AnyOf(collection, identifier.alias), path[2:], _modifier(identifier))

    def _request(self, identifier: Identifier) -> Meaning:
        modifier = identifier.modifier
        area, *rest = identifier.path[1:] or ("",)
        names = tuple(rest)
        if area in ("method", "context") and not names and not modifier:
            return attribute(area)
        if not names or area not in ("auth", "body", "query", "headers"):
            raise unresolved(identifier.text)
        if area == "auth":
            return self._auth(names, modifier)
        if modifier and modifier not in MODIFIERS:
            raise Problem(f'unknown modifier in "{names[-1]}:{modifier}"')
        if modifier == "isset":
            return is_set(area, names)
        if area == "body":
            return self._body(names, modifier)
        if modifier not in ("", "lower"):
            raise Problem(f"invalid modifier sequence {names[-1]}:{modifier}")
        return request_value(area, names, modifier)

    def _auth(self, names: tuple[str, ...], modifier: str) -> Meaning:
        if modifier == "isset" or (modifier and modifier not in MODIFIERS):
            return Input(lambda _inputs: None)
        if len(names) > 1:
            if "_via_" in names[0]:
                return self._back_from_auth(names, modifier)
            homes = [
                c for c in self.schema.collections if c.is_auth and is_relation(c.field_by_name.get(names[0]))
            ]
            if homes:
                return self._through_auth(homes, names, modifier)
        reads = names_read("auth", names)
        if names == ("collectionId",):
            return with_modifier(principal_collection_id, modifier, reads, typed=True)
        if names == ("collectionName",):
            return with_modifier(principal_collection_name, modifier, reads, typed=True)
        read = auth_reader(names)
        if names == ("id",) and not modifier:
            return Input(read, typed=True, is_filled=self.signed_in, reads=reads)
        if modifier == "each":
            return Element(Given(listed(read, reads), None, f"@request.auth.{'.'.join(names)}"))
        return with_modifier(read, modifier, reads, typed=len(names) == 1)

    def _through_auth(self, homes: list[CollectionSchema], names: tuple[str, ...], modifier: str) -> Meaning:
        fields = [home.field_by_name[names[0]] for home in homes]
        reads = names_read("auth", names)
        many = any(field.is_list for field in fields)
        if names[1:] == ("id",) and not many:
            return with_modifier(auth_reader(names[:1]), modifier, reads, typed=True)
        targets = {target.id: target for target in (relation_collection(self.schema, f) for f in fields)}
        if len(targets) > 1:
            raise Problem(f'"{names[0]}" leads to different collections for different users')
        (target,) = targets.values()
        ids = frozenset(home.id for home in homes)
        name = names[0]

        def read(given: Inputs) -> Any:
            principal = given.request.principal
            if principal.collection_id not in ids or principal.record is None:
                return None
            return principal.record.get(name)

        first = f"@request.auth.{name}"
        if many:
            reads |= names_read("auth", ("collectionId",))
            return self.walker.value_from(Given(listed(read, reads), target, first), names[1:], modifier)
        known = Known(Input(lambda given: plain(read(given)) or None, reads=reads), target, first)
        return self.walker.value(known, names[1:], column_modifier(names[-1], modifier))

    def _back_from_auth(self, names: tuple[str, ...], modifier: str) -> Meaning:
        """Records that name the signed-in one. Of a name that is no back relation there are none."""
        home = next(
            (c for c in self.schema.collections if c.is_auth and self.walker.is_back_relation(c, names[0])),
            None,
        )
        if home is None:
            return Input(lambda _inputs: None)
        home_id = home.id

        def read(given: Inputs) -> Any:
            principal = given.request.principal
            return principal.id or None if principal.collection_id == home_id else None

        known = Known(Input(read, reads=names_read("auth", ("id",))), home, f"@request.auth:{home.id}")
        return self.walker.value(known, names, column_modifier(names[-1], modifier))

    def _body(self, names: tuple[str, ...], modifier: str) -> Meaning:
        field = self.collection.field_by_name.get(names[0])
        if modifier == "changed":
            if field is None or len(names) > 1:
                raise Problem(f"invalid modifier sequence {names[-1]}:{modifier}")
            return Changed(
                Column(Own(self.collection), field),
                is_set("body", names),
                request_value("body", names, ""),
            )
        if modifier in ("each", "length") and len(names) == 1:
            if field is None:
                raise Problem(f"invalid modifier sequence {names[-1]}:{modifier}")
            if field.type not in MULTIPLE_TYPES:
                raise Problem(f'field "{field.name}" doesn\'t support multivalue operations')
        raw, reads, first = body_reader(names[:1]), names_read("body", names), f"@request.body.{names[0]}"
        if len(names) > 1 and field is not None and is_relation(field):
            target = relation_collection(self.schema, field)
            if field.is_list:
                return self.walker.value_from(Given(listed(raw, reads), target, first), names[1:], modifier)
            if names[1:] == ("id",):
                return with_modifier(lambda given: plain(raw(given)), modifier, reads)
            known = Known(Input(lambda given: plain(raw(given)) or None, reads=reads), target, first)
            return self.walker.value(known, names[1:], column_modifier(names[-1], modifier))
        if modifier == "each":
            return Element(Given(listed(raw, reads), None, first))
        return request_value("body", names, modifier)


def _modifier(identifier: Identifier) -> str:
    return column_modifier(identifier.path[-1], identifier.modifier)
