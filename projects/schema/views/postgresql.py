"""A resolved query in PostgreSQL's words: where SQLite is more lenient, or says the same otherwise."""

from __future__ import annotations

import re
from typing import Final

from sqlglot import exp

from projects.schema.views.allowed import CASTS
from projects.schema.views.errors import ViewError
from projects.schema.views.resolve import ROW

_ROW_COLUMN: Final = "_rowid_"
# strftime's letters (sqlite.org/lang_datefunc.html) and to_char's (postgresql.org/docs, Formatting Functions).
_LETTERS: Final = {
    "Y": "YYYY", "m": "MM", "d": "DD", "H": "HH24", "M": "MI", "S": "SS", "j": "DDD", "f": "SS.MS", "%": "%",
}  # fmt: skip
_SHIFT: Final = re.compile(r"([+-]?\d+(?:\.\d+)?) +(second|minute|hour|day|month|year)s?")
_START: Final = re.compile(r"start of (day|month|year)")
_NUMBER: Final = "^[[:space:]]*([+-]?[0-9]+(?:[.][0-9]+)?)"
_ARITHMETIC: Final = (exp.Add, exp.Sub, exp.Mul, exp.Div, exp.Mod, exp.Neg)
_AGGREGATES: Final = (exp.Sum, exp.Avg, exp.Min, exp.Max)
_COMPARISONS: Final = (exp.EQ, exp.NEQ, exp.GT, exp.GTE, exp.LT, exp.LTE, exp.In)


def for_postgresql(select: exp.Select) -> exp.Select:
    """A tree of the caller's own. Raises ViewError for what cannot be said."""
    tree = select.copy()
    # What is inside comes before what is around it.
    for node in reversed(list(tree.dfs())):
        said = _node(node)
        if said is not node:
            node.replace(said)
    return tree


def _node(node: exp.Expr) -> exp.Expr:
    match node:
        case exp.Column():
            return _column(node)
        case exp.EQ() | exp.NEQ():
            return _equality(node)
        case exp.Anonymous():
            return _function(node)
        case exp.Like():
            # SQLite's LIKE does not know letters' case.
            return exp.ILike(**node.args)
        case exp.Cast():
            return _cast(node)
        case exp.Round() if node.args.get("decimals"):
            rounded = exp.Round(this=_made(node.this, "DECIMAL"), decimals=node.args["decimals"])
            return _made(rounded, "DOUBLE")
        case exp.Mod():
            return exp.Mod(this=_made(node.this, "DECIMAL"), expression=_made(node.expression, "DECIMAL"))
        case exp.GroupConcat():
            return _group_concat(node)
        case exp.Substring() if isinstance(node.args.get("start"), exp.Neg):
            if node.args.get("length"):
                raise ViewError("substr from the end takes no length")
            return exp.Anonymous(this="RIGHT", expressions=[node.this, node.args["start"].this])
        case exp.JSONExtract() | exp.JSONExtractScalar():
            return _json_extract(node)
        case exp.TimeToStr():
            return _moment_text(_unwrapped(node.this), _format(node.args["format"]), [])
        case exp.Date():
            return _moment_text(node.this, "YYYY-MM-DD", [])
    return node


def _column(column: exp.Column) -> exp.Expr:
    kind, parent = column.meta.get("kind"), column.parent
    if kind == ROW:
        column.set("this", exp.to_identifier(_ROW_COLUMN, quoted=True))
    elif kind == "bool" and (
        isinstance(parent, (*_ARITHMETIC, *_AGGREGATES)) or _is_compared_with_number(column)
    ):
        return _made(column, "INT")
    return column


def _equality(node: exp.EQ | exp.NEQ) -> exp.Expr:
    """``done = 1`` as ``done = TRUE``, which an index can answer."""
    for column, other in ((node.this, "expression"), (node.expression, "this")):
        if _is_flag(column) and _digits(node.args[other]) in ("0", "1"):
            node.set(other, exp.Boolean(this=_digits(node.args[other]) == "1"))
    return node


def _is_flag(value: exp.Expr) -> bool:
    return isinstance(value, exp.Column) and value.meta.get("kind") == "bool"


def _digits(value: exp.Expr) -> str:
    return value.name if isinstance(value, exp.Literal) and not value.is_string else ""


def _is_compared_with_number(column: exp.Column) -> bool:
    parent = column.parent
    if not isinstance(parent, _COMPARISONS):
        return False
    others = parent.expressions if isinstance(parent, exp.In) else [parent.this, parent.expression]
    numbers = {digits for digits in map(_digits, others) if digits}
    # Whether it is the one or the other needs no number.
    return bool(numbers) and not (isinstance(parent, exp.EQ | exp.NEQ) and numbers <= {"0", "1"})


def _function(node: exp.Anonymous) -> exp.Expr:
    arguments = node.expressions
    match node.name.lower():
        case "total":
            return exp.Coalesce(this=exp.Sum(this=arguments[0]), expressions=[exp.Literal.number(0)])
        case "json_array_length":
            return exp.Anonymous(this="JSONB_ARRAY_LENGTH", expressions=arguments)
        case "date":
            return _moment_text(arguments[0], "YYYY-MM-DD", arguments[1:])
        case "datetime":
            return _moment_text(arguments[0], "YYYY-MM-DD HH24:MI:SS", arguments[1:])
        case "strftime":
            return _moment_text(arguments[1], _format(arguments[0]), arguments[2:])
    return node


def _format(literal: exp.Expr) -> str:
    """strftime's format as to_char's; text in it is quoted there."""
    if not isinstance(literal, exp.Literal) or not literal.is_string:
        raise ViewError("the format of strftime must be a text")
    out = []
    for letter, plain in re.findall(r"%(.)|([^%]+)", literal.name):
        if letter and letter not in _LETTERS:
            raise ViewError(f"strftime knows no %{letter} on this database")
        quoted = plain.replace("\\", "\\\\").replace('"', '\\"')
        out.append(_LETTERS[letter] if letter else f'"{quoted}"')
    return "".join(out)


def _moment_text(moment: exp.Expr, form: str, modifiers: list[exp.Expr]) -> exp.Expr:
    if isinstance(moment, exp.Literal) and moment.is_string and moment.name.lower() == "now":
        at: exp.Expr = exp.AtTimeZone(this=exp.CurrentTimestamp(), zone=exp.Literal.string("UTC"))
    else:
        at = _made(exp.Nullif(this=moment.copy(), expression=exp.Literal.string("")), "TIMESTAMP")
    for modifier in modifiers:
        at = _modified(at, modifier)
    return exp.Anonymous(this="TO_CHAR", expressions=[at, exp.Literal.string(form)])


def _modified(at: exp.Expr, modifier: exp.Expr) -> exp.Expr:
    text = modifier.name.lower().strip() if isinstance(modifier, exp.Literal) and modifier.is_string else ""
    if text == "utc":
        return at
    if start := _START.fullmatch(text):
        return exp.Anonymous(this="DATE_TRUNC", expressions=[exp.Literal.string(start[1]), at])
    if shift := _SHIFT.fullmatch(text):
        return exp.Add(
            this=exp.Paren(this=at),
            expression=_made(exp.Literal.string(f"{shift[1]} {shift[2]}"), "INTERVAL"),
        )
    raise ViewError(f"the modifier {modifier.sql(dialect='sqlite')} of a date is not available in views")


def _unwrapped(node: exp.Expr) -> exp.Expr:
    return node.this if isinstance(node, exp.TsOrDsToTimestamp) else node


def _cast(node: exp.Cast) -> exp.Expr:
    """SQLite makes a number of any text (of its beginning, else 0) and cuts what is behind the point."""
    kind, value = CASTS[node.to.this.name], node.this
    column_kind = value.meta.get("kind") if isinstance(value, exp.Column) else ""
    if column_kind == "bool" and kind in ("text", "integer", "number"):
        value = _made(value, "INT")
    elif column_kind in ("text", "date") and kind in ("integer", "number"):
        begin = exp.Anonymous(this="SUBSTRING", expressions=[value.copy(), exp.Literal.string(_NUMBER)])
        value = exp.Coalesce(this=_made(begin, "DOUBLE"), expressions=[exp.Literal.number(0)])
    if kind == "integer":
        return _made(exp.Anonymous(this="TRUNC", expressions=[_made(value, "DOUBLE")]), "BIGINT")
    return _made(value, {"text": "TEXT", "number": "DOUBLE", "bool": "BOOLEAN"}[kind])


def _group_concat(node: exp.GroupConcat) -> exp.Expr:
    inner = node.this
    if isinstance(inner, exp.Distinct):
        text: exp.Expr = exp.Distinct(expressions=[_made(item, "TEXT") for item in inner.expressions])
    else:
        text = _made(inner, "TEXT")
    return exp.GroupConcat(this=text, separator=node.args.get("separator"))


def _json_extract(node: exp.Expr) -> exp.Expr:
    """The value as JSON where it is a column of the result, else as text, as comparisons want it."""
    path = node.expression
    if not isinstance(path, exp.JSONPath):
        raise ViewError("the path of json_extract must be a text such as '$.a.b'")
    keys = []
    for part in path.expressions[1:]:
        if not isinstance(part, exp.JSONPathKey | exp.JSONPathSubscript):
            raise ViewError("the path of json_extract must be a text such as '$.a.b'")
        keys.append(exp.Literal.string(str(part.this)))
    is_result = isinstance(node.parent, exp.Alias) and isinstance(node.parent.parent, exp.Select)
    name = "JSONB_EXTRACT_PATH" if is_result else "JSONB_EXTRACT_PATH_TEXT"
    return exp.Anonymous(this=name, expressions=[node.this, *keys])


def _made(value: exp.Expr, kind: str) -> exp.Cast:
    return exp.Cast(this=value.copy(), to=exp.DataType.build(kind, dialect="postgres"))
