"""Rules that let anyone change or delete, and list rules looser than the view rule."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import Final

from projects.rules.ast import Comparison, fold, operand_text
from projects.rules.review.audience import audience_of, guest_outcome
from projects.rules.review.settling import Outcome, settle
from projects.rules.review.sources import source_of
from projects.rules.review.stored import Leaf, StoredRule
from projects.rules.review.warnings import RuleWarning
from projects.rules.review.who import of_guest

_VERBS: Final = {"update": "change", "delete": "delete"}
# Comparisons of two rules that are tried in all combinations.
_MOST_ATOMS: Final = 12


def open_to_all(rule: StoredRule) -> Iterator[RuleWarning]:
    verb = _VERBS.get(rule.operation)
    if verb is None or rule.text is None:
        return
    collection, records = rule.collection.name, _records(rule)
    outcome = settle(rule, _of_honest_guest) if rule.is_expression else True
    if outcome is True:
        yield RuleWarning(
            f"open_{rule.operation}",
            "error",
            collection,
            rule.name,
            f"Everyone, guests too, may {verb} {records}.",
            "Say whose it is, or lock it (null): superusers only.",
        )
    elif outcome is not False:
        yield RuleWarning(
            f"guests_{rule.operation}",
            "warning",
            collection,
            rule.name,
            f"{rule.name} asks nothing about who is signed in: guests may {verb} the {records} that it describes.",
            'Add who may, at least: @request.auth.id != "" && (…).',
        )
    elif audience_of(rule) == "signed_in":
        yield RuleWarning(
            f"any_account_{rule.operation}s",
            "notice",
            collection,
            rule.name,
            f"Every account may {verb} {records}, whoever made them.",
            "If only their owners should: compare a relation of the record with @request.auth.id.",
        )


def list_looser_than_view(listing: StoredRule, viewing: StoredRule) -> Iterator[RuleWarning]:
    if listing.text is None or (viewing.text is not None and not viewing.is_expression):
        return
    if viewing.text is None:
        message = "listRule lets people list what viewRule lets superusers alone view."
    elif guest_outcome(listing) is not False and guest_outcome(viewing) is False:
        message = "listRule shows guests what viewRule shows to accounts only."
    elif listing.is_expression and _is_stricter(viewing, listing):
        message = "viewRule asks all that listRule asks, and more: a list shows what a view refuses."
    else:
        return
    yield RuleWarning(
        "list_looser_than_view",
        "warning",
        listing.collection.name,
        listing.name,
        f"{message} A list shows whole records.",
        "Give both the same rule, or make listRule the stricter one.",
    )


def history_looser_than_view(history: StoredRule, viewing: StoredRule) -> Iterator[RuleWarning]:
    if history.text is None or (viewing.text is not None and not viewing.is_expression):
        return
    if viewing.text is None:
        message = "historyRule shows people what viewRule lets superusers alone view."
    elif guest_outcome(history) is not False and guest_outcome(viewing) is False:
        message = "historyRule shows guests what viewRule shows to accounts only."
    else:
        return
    yield RuleWarning(
        "history_looser_than_view",
        "warning",
        history.collection.name,
        history.name,
        f"{message} A history shows what records were, deleted ones too.",
        "Give it the rule of viewRule, or a stricter one.",
    )


def _records(rule: StoredRule) -> str:
    return "accounts" if rule.collection.is_auth else "records"


def _of_honest_guest(leaf: Leaf) -> Outcome:
    """A guest who forges nothing: what believes headers and query has a warning of its own."""
    return False if "sent" in (source_of(leaf.left), source_of(leaf.right)) else of_guest(leaf)


def _is_stricter(strict: StoredRule, loose: StoredRule) -> bool:
    """Whether ``strict`` implies ``loose`` and not the other way, whatever the comparisons come to.

    Comparisons that are written alike are one; of others it is not known what they have to do with each other.
    """
    texts = {**_texts(strict), **_texts(loose)}
    atoms = sorted(set(texts.values()))
    if strict.text == loose.text or len(atoms) > _MOST_ATOMS:
        return False
    apart = False
    for values in itertools.product((False, True), repeat=len(atoms)):
        truth = dict(zip(atoms, values, strict=True))
        of_strict, of_loose = _holds(strict, texts, truth), _holds(loose, texts, truth)
        if of_strict and not of_loose:
            return False
        apart = apart or (of_loose and not of_strict)
    return apart


def _texts(rule: StoredRule) -> dict[int, str]:
    """Each comparison as one would write it, by its identity."""
    return {id(leaf.comparison): _text(rule, leaf.comparison) for leaf in rule.leaves}


def _text(rule: StoredRule, comparison: Comparison) -> str:
    constants = rule.parsed.constants
    sides = [operand_text(side, constants) for side in (comparison.left, comparison.right)]
    return f"{sides[0]} {'?' * comparison.at_least_one}{comparison.operator} {sides[1]}"


def _holds(rule: StoredRule, texts: Mapping[int, str], truth: Mapping[str, bool]) -> bool:
    return fold(
        rule.parsed.ast,
        lambda comparison: truth[texts[id(comparison)]],
        lambda operator, items: any(items) if operator == "or" else all(items),
    )
