"""``expand``: the records that relations lead to, each level under its own view rule, one query a level."""

from __future__ import annotations

from typing import Any, TypeAlias

from django.conf import settings

from projects.errors import ApiError
from projects.records.access import condition_for
from projects.records.back_related import MAX_RELATED, fetch_naming
from projects.records.call import Call
from projects.records.expand_paths import Branch, Step, Tree
from projects.records.queries import fetch_by_ids
from projects.records.rows import Values
from projects.records.visible import viewer

# A record whole, and what of it is shown.
Pair: TypeAlias = tuple[Values, Values]


def expand(call: Call, records: list[Pair], tree: Tree) -> None:
    """Add ``expand`` to the visible half of each ``(whole record, visible record)`` pair.

    Raises 400 when the records would hold more than MBAAS_EXPANDED_MAX others.
    """
    _expand(call, records, tree)


def _expand(call: Call, records: list[Pair], tree: Tree) -> list[int]:
    """How many records each has got, those in others included: one may stand in an answer many times."""
    sizes = [0] * len(records)
    for name, branch in tree.items():
        lead, related = _follow(call, records, branch)
        for place, (_, shown) in enumerate(records):
            into: dict[str, Any] = shown.setdefault("expand", {})
            found = [related[id_] for id_ in lead[place] if id_ in related]
            if branch.step.single:
                del found[1:]
            if found:
                into[name] = found[0][0] if branch.step.single else [record for record, _ in found]
                sizes[place] += sum(size for _, size in found)
        _check(sum(sizes))
    return sizes


def _follow(
    call: Call, records: list[Pair], branch: Branch
) -> tuple[list[list[str]], dict[str, tuple[Values, int]]]:
    """For each record the ids that the step leads to; and by id what is shown of those records, with its size."""
    step = branch.step
    if step.back:
        lead, found = _naming(call, records, step)
    else:
        lead, found = _named(call, records, step)
    show = viewer(call, step.target, list(found.values()))
    pairs = [(values, show(values)) for values in found.values()]
    sizes = _expand(call, pairs, branch.below)
    return lead, {values["id"]: (shown, size + 1) for (values, shown), size in zip(pairs, sizes, strict=True)}


def _named(call: Call, records: list[Pair], step: Step) -> tuple[list[list[str]], dict[str, Values]]:
    relation = step.relation
    # A relation that does not show itself leads nowhere.
    lead = [
        relation.values_of(values[relation.name]) if relation.name in shown else []
        for values, shown in records
    ]
    ids = list(dict.fromkeys(id_ for ids in lead for id_ in ids))
    return lead, fetch_by_ids(call, step.target, condition_for(call, step.target.view_rule), ids)


def _naming(call: Call, records: list[Pair], step: Step) -> tuple[list[list[str]], dict[str, Values]]:
    ids = list(dict.fromkeys(values["id"] for values, _ in records))
    each, in_all = 1 if step.single else MAX_RELATED, settings.MBAAS_EXPANDED_MAX + 1
    rows = fetch_naming(call, step.target, step.relation, ids, each=each, in_all=in_all)
    _check(len(rows))
    by_parent: dict[str, list[str]] = {}
    for parent, values in rows:
        by_parent.setdefault(parent, []).append(values["id"])
    return [by_parent.get(values["id"], []) for values, _ in records], {
        values["id"]: values for _, values in rows
    }


def _check(size: int) -> None:
    if size > settings.MBAAS_EXPANDED_MAX:
        raise ApiError(
            400,
            f"The answer would hold more than {settings.MBAAS_EXPANDED_MAX} expanded records."
            " Ask for fewer records at once, or expand less.",
        )
