"""The functions of the language: what they take, what they give, in Python and (functions_sql.py) in SQL."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime

from projects.geo import geo_distance
from projects.rules.ast import Call, ConstantRef
from projects.rules.inputs import NO_INPUTS, Input, Inputs
from projects.rules.paths import Function, Meaning
from projects.rules.problems import Problem
from projects.rules.values import Plain, as_text
from projects.strftime import strftime

FUNCTIONS = ("geoDistance", "strftime")
# SQLite's own limit is higher; the wire contract's counts.
MAX_STRFTIME_ARGUMENTS = 10
_TEXTS = ("text", "empty")


def check(call: Call) -> None:
    """Raises Problem for a function that there is not, or arguments that it does not take."""
    count, arguments = len(call.arguments), call.arguments
    kinds = [argument.kind if isinstance(argument, ConstantRef) else "" for argument in arguments]
    if call.name == "geoDistance":
        if count != 4:
            raise Problem(f"geoDistance takes 4 arguments (lonA, latA, lonB, latB), not {count}")
        if any(kind in _TEXTS for kind in kinds):
            raise Problem("geoDistance takes numbers and fields, not texts")
    elif call.name == "strftime":
        if not 1 <= count <= MAX_STRFTIME_ARGUMENTS:
            raise Problem(f"strftime takes 1 to {MAX_STRFTIME_ARGUMENTS} arguments, not {count}")
        if any(kind not in _TEXTS for kind in (kinds[0], *kinds[2:])):
            raise Problem("the format and the modifiers of strftime are texts in quotes")
    else:
        raise Problem(f'unknown function "{call.name}"')


def meaning(call: Call, arguments: Sequence[Meaning]) -> Meaning:
    """What a checked call stands for; nothing of the record takes part: an input."""
    if call.name == "strftime" and len(arguments) == 1:
        arguments = (*arguments, Input(lambda _inputs: "now"))
    if not all(isinstance(argument, Input) for argument in arguments):
        return Function(call.name, tuple(arguments))
    inputs = [argument for argument in arguments if isinstance(argument, Input)]
    reads = frozenset().union(*(argument.reads for argument in inputs))
    if call.name == "strftime" and _may_be_now(inputs[1]):
        reads |= {"@now"}
    name = call.name

    def read(given: Inputs) -> Plain:
        return compute(name, [argument.read(given) for argument in inputs], given.now)

    return Input(read, reads=reads)


def _may_be_now(time: Input) -> bool:
    """Whether the time can be the word ``now``: a text of which nothing is known before the run, or that word."""
    if time.is_fixed or time.constant not in ("text", None):
        return time.is_fixed and str(time.read(NO_INPUTS)).lower() == "now"
    return True


def compute(name: str, values: Sequence[Plain], now: datetime | None = None) -> Plain:
    """The function's value. ``now``: what the word stands for, aware UTC; in a record it is no time."""
    if name == "geoDistance":
        return geo_distance(*values)
    form, time, *modifiers = values
    return strftime(as_text(form), time, [as_text(modifier) for modifier in modifiers], now)
