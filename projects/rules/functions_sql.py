"""The functions of the language as SQL: on SQLite ours (databases/functions.py), on PostgreSQL in its own terms."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from projects.geo import coordinate
from projects.rules.compare import Comparer, SqlColumn
from projects.rules.engines import EngineSql, Sql
from projects.rules.inputs import NO_INPUTS, Input, Read
from projects.rules.postgresql_time import strftime_sql
from projects.rules.sql import Fragment
from projects.rules.values import Plain, as_text

Operand = Input | SqlColumn
Parameter = Callable[[Read], Sql]


def function_sql(
    engine: EngineSql, comparer: Comparer, name: str, operands: Sequence[Operand], parameter: Parameter
) -> SqlColumn:
    """The call over values of which one at least is a column's; null where one of them is."""
    if name == "geoDistance":
        numbers = [_number(engine, comparer, operand, parameter) for operand in operands]
        return SqlColumn(engine.geo_distance(numbers), "number", nullable=True)
    form, time, *modifiers = operands
    assert isinstance(form, Input)
    texts = [modifier for modifier in modifiers if isinstance(modifier, Input)]
    if engine.has_own_functions:
        arguments: list[str | Sql] = [bound(parameter, form, as_text)]
        arguments += [", ", _time(engine, time, parameter)]
        for text in texts:
            arguments += [", ", bound(parameter, text, as_text)]
        return SqlColumn(Fragment("_strftime(", *arguments, ")"), "text", nullable=True, computed=True)
    return SqlColumn(strftime_sql(engine, form, time, texts, parameter), "text", nullable=True, computed=True)


def bound(parameter: Parameter, given: Input, convert: Callable[[Plain], object]) -> Sql:
    """An input as a parameter."""
    read = given.read
    if given.is_fixed:
        kept = convert(read(NO_INPUTS))
        return parameter(lambda _inputs: kept)
    return parameter(lambda inputs: convert(read(inputs)))


def _number(engine: EngineSql, comparer: Comparer, operand: Operand, parameter: Parameter) -> Sql:
    if isinstance(operand, Input):
        return engine.real(bound(parameter, operand, coordinate))
    if operand.kind == "number":
        return operand.sql
    if operand.kind == "bool":
        return engine.bool_number(operand.sql)
    if operand.kind == "json":
        return engine.json_number(operand.sql)
    return engine.number_of_text(comparer.text(operand))


def _time(engine: EngineSql, time: Operand, parameter: Parameter) -> Sql:
    if isinstance(time, Input):
        return bound(parameter, time, lambda value: value)
    return engine.bool_number(time.sql) if time.kind == "bool" else time.sql
