"""The explanation of a rule, as JSON."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from projects.errors import FieldError, invalid_fields
from projects.records.call import Call
from projects.records.explain.operands import operand_values
from projects.records.explain.question import FAILED, Question, read_question
from projects.records.explain.statement import plan_of, shown_parameters, sql_of
from projects.records.explain.verdicts import Verdicts, failed, verdicts_of
from projects.rules import RuleError, RuleSyntaxError, ast_json
from projects.rules.ast import Comparison, Node
from projects.rules.paths import variables
from projects.rules.spans import node_span


def explain_rule(call: Call, body: Mapping[str, Any]) -> dict[str, Any]:
    """What ``body`` asks (see ``read_question``): ``verdict`` and why, ``tree`` with the verdict and the values of each
    part, ``failed``, ``sql``, ``reads``, ``plan``. Raises ApiError 400 by field; a rule that is wrong names the
    ``position`` of its error and what was ``expected`` there.
    """
    question = read_question(call, body)
    answer = {
        "collection": question.rule.collection.name,
        "operation": question.rule.operation,
        "rule": question.rule.text,
        "asked": _asked(question),
    }
    if not question.rule.is_expression:
        return {**answer, **_without_expression(question)}
    try:
        return {**answer, **_of_expression(question)}
    except RuleError as error:
        raise invalid_fields(FAILED, {"rule": rule_error(error)}) from None


def rule_error(error: RuleError) -> FieldError:
    expected = list(error.expected) if isinstance(error, RuleSyntaxError) else []
    params = {"position": error.position, "expected": expected}
    return FieldError("validation_invalid_rule", f"{error.message.rstrip('.')}.", params)


def _asked(question: Question) -> dict[str, Any]:
    principal, record = question.call.principal, question.record
    return {
        "user": {"kind": principal.kind, "collection": principal.collection_name, "id": principal.id},
        "record": record["id"] if record is not None else None,
    }


def _without_expression(question: Question) -> dict[str, Any]:
    is_superuser = question.call.principal.is_superuser
    if question.rule.text is None:
        verdict = is_superuser
        reason = "The rule is null: only superusers may."
    else:
        verdict, reason = True, "The rule is empty: everyone may."
    nothing: dict[str, Any] = {"tree": None, "failed": [], "sql": None, "plan": []}
    return {"verdict": verdict, "reason": reason, **nothing, "reads": {"collections": [], "request": []}}


def _of_expression(question: Question) -> dict[str, Any]:
    call, parsed = question.call, question.rule.parsed
    sql = sql_of(question)
    verdicts = verdicts_of(question, parsed)
    wrong = failed(parsed.ast, verdicts)
    verdict = True if call.principal.is_superuser else verdicts[id(parsed.ast)]
    return {
        "verdict": verdict,
        "reason": _reason(question, verdict),
        "tree": ast_json(parsed, lambda node: _of_node(question, node, verdicts), operand_values(question)),
        "failed": [_part(node, parsed.text) for node in wrong],
        "sql": {
            "engine": call.session.engine,
            "text": sql.text,
            "parameters": shown_parameters(call, sql.parameters),
        },
        "reads": {"collections": list(sql.tables), "request": list(sql.request)},
        "plan": plan_of(question, sql),
    }


def _of_node(question: Question, node: Node, verdicts: Verdicts) -> dict[str, Any]:
    out: dict[str, Any] = {"verdict": verdicts[id(node)]}
    if isinstance(node, Comparison):
        (leaf,) = (leaf for leaf in question.rule.leaves if leaf.comparison is node)
        if variables(leaf.left) or variables(leaf.right):
            out["values"] = "some" if node.at_least_one else "all"
    return out


def _part(node: Comparison, text: str) -> dict[str, Any]:
    start, end = node_span(node, text)
    return {"start": start, "end": end, "text": text[start:end]}


def _reason(question: Question, verdict: bool | None) -> str:
    if question.call.principal.is_superuser:
        return "No rule is asked of superusers."
    if verdict is None:
        return "It depends on the record: name one."
    return "The rule is true." if verdict else "The rule is false."
