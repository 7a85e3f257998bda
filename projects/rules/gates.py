"""Parts of a rule that no record takes part in: decided once, in Python, for the whole statement."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from projects.rules.ast import Operator
from projects.rules.inputs import Input, Inputs
from projects.rules.values import NUMERIC, Plain, compare


@dataclass(frozen=True, slots=True)
class Gate:
    test: Callable[[Inputs], bool]

    @staticmethod
    def joined(operator: str, gates: list[Gate]) -> Gate:
        if len(gates) == 1:
            return gates[0]
        tests = tuple(gate.test for gate in gates)
        if operator == "and":
            return Gate(lambda inputs: all(test(inputs) for test in tests))
        return Gate(lambda inputs: any(test(inputs) for test in tests))


def gate_of(left: Input, sign: Operator, right: Input) -> Gate:
    """The comparison of two inputs."""
    read_left, read_right = left.read, right.read
    if left.typed or right.typed:
        return Gate(lambda inputs: _typed(left, read_left(inputs), sign, right, read_right(inputs)))
    return Gate(lambda inputs: compare(read_left(inputs), sign, read_right(inputs)))


def _typed(left: Input, mine: Plain, sign: Operator, right: Input, other: Plain) -> bool:
    """A number of the signed-in record turns a text beside it into a number, as a number column does."""
    if left.typed and _is_number(mine) and isinstance(other, str) and NUMERIC.fullmatch(other):
        other = float(other)
    elif right.typed and _is_number(other) and isinstance(mine, str) and NUMERIC.fullmatch(mine):
        mine = float(mine)
    return compare(mine, sign, other)


def _is_number(value: Plain) -> bool:
    return isinstance(value, int | float)
