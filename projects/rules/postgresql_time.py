"""``strftime`` (projects/strftime.py) as SQL for PostgreSQL.

Python understands format and modifiers, which are known when a statement runs, and binds what they come to: the SQL is
the same for all of them. Inner queries with OFFSET 0 give each step's result a name; without it PostgreSQL would write
every step out wherever the next one uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Final, NamedTuple

from projects.rules.compare import SqlColumn
from projects.rules.engines import EngineSql, Sql
from projects.rules.inputs import NO_INPUTS, Input, Inputs, Read
from projects.rules.sql import Fragment
from projects.rules.values import as_text
from projects.strftime import CONVERSIONS, Program, Step, moment_of, program_of

Parameter = Callable[[Read], Sql]

_CLOCK: Final = r"(\d\d):(\d\d)(?::(\d\d)(?:\.(\d+))?)?\s*(?:[zZ]|([+-])(\d\d):(\d\d))?"
_TEXT: Final = rf"^(\d{{4}})-(\d\d)-(\d\d)(?:(?:\s+|T){_CLOCK})?\s*$"
_NUMBER: Final = r"^[+-]?(\d{1,15}(\.\d{0,15})?|\.\d{1,15})$"
# What to_char writes for each conversion; the others are put in afterwards, in the place of a mark.
_PATTERNS: Final = {
    "d": "DD", "f": "SS.MS", "F": "YYYY-MM-DD", "G": "IYYY", "g": "IY", "H": "HH24", "I": "HH12", "j": "DDD",
    "m": "MM", "M": "MI", "p": "AM", "P": "am", "R": "HH24:MI", "S": "SS", "T": "HH24:MI:SS", "u": "ID", "V": "IW",
    "Y": "YYYY",
}  # fmt: skip
_WEEK: Final = (
    "lpad(((extract(doy FROM t)::int + 6 - mod(extract(dow FROM t)::int + {shift}, 7)) / 7)::text, 2, '0')"
)
_MARKED: Final = {
    "e": "lpad(extract(day FROM t)::int::text, 2)",
    "J": "((extract(epoch FROM t) * 1000 + 210866760000000)::double precision / 86400000)::text",
    "k": "lpad(extract(hour FROM t)::int::text, 2)",
    "l": "lpad((mod(extract(hour FROM t)::int + 11, 12) + 1)::text, 2)",
    "s": "floor(extract(epoch FROM t))::bigint::text",
    "U": _WEEK.format(shift=0),
    "w": "extract(dow FROM t)::int::text",
    "W": _WEEK.format(shift=6),
}
# In a private area of Unicode, where no text of people is.
_MARKS: Final = {name: chr(0xE100 + place) for place, name in enumerate(_MARKED)}
assert _PATTERNS.keys() | _MARKED.keys() | {"%"} == CONVERSIONS.keys()

_FIRST, _LAST = "TIMESTAMP '0001-01-01'", "TIMESTAMP '9999-12-31 23:59:59.999'"


class _Parts(NamedTuple):
    """Format and modifiers at one run."""

    pattern: str | None
    program: Program


def strftime_sql(
    engine: EngineSql, form: Input, time: Input | SqlColumn, modifiers: Sequence[Input], parameter: Parameter
) -> Sql:
    """The call as a text, null where there is no time."""
    parts = _reader(form, modifiers)
    moment = _moment(engine, time, parts, parameter)
    for place in range(len(modifiers)):
        moment = _stepped(moment, place, parts, parameter)
    pattern = parameter(lambda inputs: parts(inputs).pattern)
    text = "to_char(t, CAST({} AS TEXT))"
    for name, sql in _MARKED.items():
        text = f"replace({text}, '{_MARKS[name]}', {sql})"
    before, _, after = text.partition("{}")
    return Fragment(
        f"(SELECT CASE WHEN t BETWEEN {_FIRST} AND {_LAST} THEN ", before, pattern, after,
        ' END COLLATE "C" FROM (SELECT ', moment, " AS t OFFSET 0) AS moment)",
    )  # fmt: skip


def _reader(form: Input, modifiers: Sequence[Input]) -> Callable[[Inputs], _Parts]:
    def read(inputs: Inputs) -> _Parts:
        program = program_of([as_text(modifier.read(inputs)) for modifier in modifiers])
        return _Parts(to_char_pattern(as_text(form.read(inputs)) or ""), program)

    if form.is_fixed and all(modifier.is_fixed for modifier in modifiers):
        kept = read(NO_INPUTS)
        return lambda _inputs: kept
    return read


def to_char_pattern(form: str) -> str | None:
    """SQLite's format as one of to_char, with marks; None when there is no such format."""
    out: list[str] = []
    parts = iter(form)
    for char in parts:
        if char in _MARKS.values():
            return None
        if char == "%":
            name = next(parts, "")
            if name in _PATTERNS:
                # Apart from the one before: DD and DD together would be read as DDD and D.
                out.append(f'""{_PATTERNS[name]}')
                continue
            literal = "%" if name == "%" else _MARKS.get(name)
        else:
            literal = char
        if literal is None:
            return None
        out.append('"' + literal.replace("\\", "\\\\").replace('"', '\\"') + '"')
    return "".join(out)


def _moment(
    engine: EngineSql, time: Input | SqlColumn, parts: Callable[[Inputs], _Parts], parameter: Parameter
) -> Sql:
    """The time before its modifiers."""
    if isinstance(time, Input):
        read = time.read

        def known(inputs: Inputs) -> datetime | None:
            program = parts(inputs).program
            if program.steps is None:
                return None
            return moment_of(read(inputs), program.numbers, inputs.now)

        return Fragment("(CAST(", parameter(known), " AS TIMESTAMPTZ) AT TIME ZONE 'UTC')")
    numbers = parameter(lambda inputs: parts(inputs).program.numbers)
    valid = parameter(lambda inputs: parts(inputs).program.steps is not None)
    if time.kind in ("number", "bool"):
        number = engine.bool_number(time.sql) if time.kind == "bool" else time.sql
        value = _of_number(Fragment("CAST(", number, " AS DOUBLE PRECISION)"))
    elif time.kind == "json":
        text = engine.json_text(time.sql)
        value = _of_text(text)
    elif time.kind == "list":
        value = Fragment("CAST(NULL AS TIMESTAMP)")
    else:
        value = _of_text(time.sql)
    return Fragment(
        "(SELECT CASE WHEN CAST(", valid, " AS BOOLEAN) THEN ", value,
        " END FROM (SELECT CAST(", numbers, " AS TEXT) AS numbers OFFSET 0) AS said)",
    )  # fmt: skip


def _of_number(number: Sql) -> Sql:
    return Fragment(
        "(SELECT CASE WHEN numbers = 'unixepoch' OR (numbers = 'auto' AND NOT (n >= 0 AND n < 5373484.5))"
        " THEN CASE WHEN abs(n) < 300000000000"
        " THEN TIMESTAMP '1970-01-01' + round(n * 1000) * INTERVAL '1 millisecond' END"
        " WHEN n >= 0 AND n < 5373484.5"
        " THEN TIMESTAMP '1970-01-01' + round((n - 2440587.5) * 86400000) * INTERVAL '1 millisecond' END"
        " FROM (SELECT ", number, " AS n OFFSET 0) AS given)",
    )  # fmt: skip


def _of_text(text: Sql) -> Sql:
    number = "CAST(v AS DOUBLE PRECISION)"
    return Fragment(
        "(SELECT CASE WHEN m IS NULL THEN CASE WHEN v ~ '", _NUMBER, "' THEN ", _of_number(Fragment(number)), " END"
        " WHEN numbers IN ('julianday', 'unixepoch') OR m[1] = '0000' OR m[2]::int NOT BETWEEN 1 AND 12"
        " OR m[3]::int NOT BETWEEN 1 AND 31 OR m[4]::int > 24 OR m[5]::int > 59 OR m[6]::int > 59 OR m[9]::int > 14"
        " OR m[10]::int > 59 THEN NULL"
        " ELSE make_timestamp(m[1]::int, m[2]::int, 1, 0, 0, 0)"
        " + make_interval(days => m[3]::int - 1, hours => COALESCE(m[4]::int, 0), mins => COALESCE(m[5]::int, 0))"
        " + (COALESCE(m[6]::int, 0) * 1000 + round(COALESCE('0.' || m[7], '0')::double precision * 1000))"
        " * INTERVAL '1 millisecond'"
        " - CASE m[8] WHEN '-' THEN -1 ELSE 1 END"
        " * make_interval(hours => COALESCE(m[9]::int, 0), mins => COALESCE(m[10]::int, 0)) END"
        " FROM (SELECT v, regexp_match(CASE WHEN v ~ '^\\d\\d:' THEN '2000-01-01 ' || v ELSE v END, '", _TEXT, "') AS m"
        " FROM (SELECT CAST(", text, " AS TEXT) AS v OFFSET 0) AS given OFFSET 0) AS read)",
    )  # fmt: skip


def _stepped(moment: Sql, place: int, parts: Callable[[Inputs], _Parts], parameter: Parameter) -> Sql:
    """The time after the step at ``place``; after fewer steps it stays."""

    def given(read: Callable[[Step], object], kind: str) -> Sql:
        def value(inputs: Inputs) -> object:
            steps = parts(inputs).program.steps or ()
            return read(steps[place]) if place < len(steps) else None

        return Fragment("CAST(", parameter(value), f" AS {kind})")

    months = given(lambda step: step.months, "DOUBLE PRECISION")
    milliseconds = given(lambda step: step.milliseconds, "DOUBLE PRECISION")
    return Fragment(
        f"(SELECT CASE WHEN t NOT BETWEEN {_FIRST} AND {_LAST} THEN NULL ELSE CASE ",
        given(lambda step: step.kind, "TEXT"),
        " WHEN 'shift' THEN CASE WHEN ", given(lambda step: step.floor, "BOOLEAN"),
        " THEN t + ", months, " * INTERVAL '1 month' ELSE date_trunc('month', t) + ", months,
        " * INTERVAL '1 month' + (t - date_trunc('month', t)) END + ", milliseconds, " * INTERVAL '1 millisecond'",
        " WHEN 'start' THEN date_trunc(", given(lambda step: step.unit, "TEXT"), ", t)",
        " WHEN 'weekday' THEN t + mod(", given(lambda step: step.weekday, "INTEGER"),
        " + 7 - extract(dow FROM t)::int, 7) * INTERVAL '1 day' ELSE t END END FROM (SELECT ", moment,
        " AS t OFFSET 0) AS step)",
    )  # fmt: skip
