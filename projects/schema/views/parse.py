"""From a view's text to a tree of which every node is known and allowed."""

from __future__ import annotations

import logging
from functools import lru_cache
from typing import Final

import sqlglot
from sqlglot import exp
from sqlglot.errors import SqlglotError

from projects.schema.views.allowed import CASTS, FUNCTIONS, NODES
from projects.schema.views.errors import ViewError

MAX_LENGTH: Final = 20_000
MAX_NODES: Final = 5_000

# It warns of statements that it does not know; they are refused here.
logging.getLogger("sqlglot").setLevel(logging.ERROR)


def parse_view(text: str) -> exp.Select:
    """The query as a tree of the caller's own, all names in lower case. Raises ViewError."""
    return _parsed(text).copy()


@lru_cache(maxsize=256)
def _parsed(text: str) -> exp.Select:
    if len(text) > MAX_LENGTH:
        raise ViewError(f"the query has more than {MAX_LENGTH} characters")
    try:
        statements = [statement for statement in sqlglot.parse(text, read="sqlite") if statement is not None]
    except SqlglotError as error:
        raise ViewError(_first_complaint(error)) from None
    except RecursionError:
        raise ViewError("the query is nested too deeply") from None
    if len(statements) > 1:
        raise ViewError("multiple statements are not supported")
    if not statements or not isinstance(statements[0], exp.Select):
        raise ViewError("it must be a single SELECT")
    _check_nodes(statements[0])
    return statements[0]


def _check_nodes(select: exp.Select) -> None:
    for count, node in enumerate(select.walk()):
        if count > MAX_NODES:
            raise ViewError("the query is too long")
        _check_node(node)
        if isinstance(node, exp.Identifier):
            # SQLite compares names without their case, quoted or not.
            node.set("this", node.name.lower())
        node.comments = None


def _check_node(node: exp.Expr) -> None:
    if isinstance(node, exp.Anonymous):
        if node.name.lower() not in FUNCTIONS:
            raise ViewError(f"the function {node.name.lower()} is not available in views")
    elif isinstance(node, exp.Star) and not isinstance(node.parent, exp.Count):
        raise ViewError(
            "wildcard columns (*) are not supported - manually type the collection field names you want the view "
            "query to have"
        )
    elif isinstance(node, exp.Placeholder | exp.Parameter):
        raise ViewError("parameters are not allowed in views")
    elif type(node) not in NODES:
        kind = "function" if isinstance(node, exp.Func) else "expression"
        raise ViewError(f"the {kind} {_name_of(node)} is not available in views")
    elif isinstance(node, exp.Cast) and node.to.this.name not in CASTS:
        raise ViewError(f"a value cannot be made a {node.to.sql(dialect='sqlite').lower()} in views")
    elif isinstance(node, exp.With) and node.args.get("recursive"):
        raise ViewError("recursive queries are not available in views")
    elif isinstance(node, exp.Join) and (node.args.get("using") or node.args.get("method")):
        raise ViewError("joins need a condition of their own (ON)")
    elif isinstance(node, exp.Table) and (node.args.get("db") or node.args.get("catalog")):
        raise ViewError("tables of other schemas are not available in views")


def _name_of(node: exp.Expr) -> str:
    return node.sql_name().lower() if isinstance(node, exp.Func) else node.key.upper()


def _first_complaint(error: SqlglotError) -> str:
    found = getattr(error, "errors", None)
    if found and found[0].get("description"):
        where = f" (line {found[0]['line']}, column {found[0]['col']})" if found[0].get("line") else ""
        return f"{found[0]['description'].rstrip('.')}{where}"
    return str(error).partition("\n")[0]
