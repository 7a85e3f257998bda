"""The filter and rule language: one grammar, one AST, two evaluators.

Text to AST (both raise RuleSyntaxError; both are cached)::

    rule = parse_rule(collection.list_rule)      # trusted text of the schema; cached by text
    flt = parse_filter("title ~ 'x' && n > 5")   # a client's text, <= 3500 characters; cached by shape
    flt.key          # hashable: the same for every text that differs in constants only
    flt.constants    # this text's constants; give them to Statement.params

AST to SQL. A Scope is one statement being built over one collection; whatever is compiled in it (rule, filter,
sort) shares its joins and its parameters. It is needed once per plan: cache the Statement by
``(schema.version, collection.id, flt.key, sort text, is_superuser, …)``, never by constants or by user::

    scope = Scope(schema, collection, engine, alias="r")           # alias: how FROM names the row source
    where = [scope.rule(rule)]                                     # constants of a rule are frozen in
    where.append(scope.filter(flt, superuser=principal.is_superuser))     # client: no @request, hidden fields, …
    order = scope.sort("-created,author.name", superuser=…)        # list of ORDER BY expressions
    query = sa.select(*scope.columns("id", "title")).select_from(scope.from_clause())
    statement = scope.render(query.where(*where).order_by(*order).limit(sa.bindparam("limit")))

    params = statement.params(flt.constants, request, now, limit=30)      # list for Session.rows(statement.sql, params)
    rows = session.rows(statement.sql, params)

Two things a scope is told when it is made: ``searching=True`` for a statement that goes through a whole collection (a
list and its count), where a condition that an index answers had better lead to the records; ``stored=False`` for
records that are literals, of which no link table knows. What a path may be is in paths.py, how "there is one" and
"all" become parts of a rule in formula.py, and their SQL in conditions.py.

``scope.from_clause(source)`` puts the joins on ``source`` (any aliased FROM element named like ``alias``, for
example one row of literal values for a create rule) instead of on the collection's table. ``now`` is an aware
UTC datetime. A bind parameter of the caller's own (``limit`` above) is given by name; one with a value keeps it.
``render`` adds to WHERE what a client's filter and sort owe (the list rules of related records), so a count must be
rendered after them, from the same scope, to count the same rows.
``scope.tables``: ids of the collections read; ``scope.reads``: the names of the request values and macros read.
``rule(None)`` is not asked here: a null rule is the caller's own decision; ``parse_rule("")`` raises.

AST to Python, for records at hand (API values by field name)::

    predicate = compile_predicate(rule, schema, collection)        # raises Undecidable: ask SQL
    predicate.test(record, request, now)                           # bool
    test = predicate.bind(request, now)                            # for many records: test(record), some 0.2 µs
    predicate.reads                                                # {"@request.auth.id", …}
    predicate.request_key(request)                                 # hashable: equal keys, equal answers (see volatile)
    predicate.volatile                                             # reads @now and the like

    compile_predicate(flt, schema, collection, client_filter=True, superuser=False)    # a subscription's filter

Checks: ``validate_rule(text, schema, collection)`` when a collection is saved. ``ast_json(rule)``: its tree.

Errors: RuleError(message, position) for what does not fit the schema; its subclasses RuleSyntaxError (``expected``:
what could have stood there) and RuleForbidden (a client's filter or sort used what only rules may use).
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING, Any

from projects.rules.errors import RuleError, RuleForbidden, RuleSyntaxError, Undecidable

if TYPE_CHECKING:
    from projects.rules.check import validate_rule
    from projects.rules.parse import Parsed, parse_filter, parse_rule
    from projects.rules.predicate import Predicate, compile_predicate
    from projects.rules.scope import Scope
    from projects.rules.statement import Statement
    from projects.rules.tree import ast_json

__all__ = [
    "Parsed",
    "Predicate",
    "RuleError",
    "RuleForbidden",
    "RuleSyntaxError",
    "Scope",
    "Statement",
    "Undecidable",
    "ast_json",
    "compile_predicate",
    "parse_filter",
    "parse_rule",
    "validate_rule",
]

# Loaded at first use: SQLAlchemy and the grammar cost a quarter of a second that a command need not pay.
_HOME = {
    "Parsed": "parse",
    "Predicate": "predicate",
    "Scope": "scope",
    "Statement": "statement",
    "ast_json": "tree",
    "compile_predicate": "predicate",
    "parse_filter": "parse",
    "parse_rule": "parse",
    "validate_rule": "check",
}


def __getattr__(name: str) -> Any:
    home = _HOME.get(name)
    if home is None:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    value = getattr(import_module(f"projects.rules.{home}"), name)
    globals()[name] = value
    return value
