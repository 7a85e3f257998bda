"""Headers and query are what the client says of itself: a rule that takes them for proof is no lock."""

from __future__ import annotations

from collections.abc import Iterator

from projects.rules.ast import Identifier
from projects.rules.paths import Column, Meaning
from projects.rules.review.settling import Outcome, settle
from projects.rules.review.sources import source_of
from projects.rules.review.stored import Leaf, StoredRule
from projects.rules.review.warnings import RuleWarning
from projects.rules.review.who import of_stranger


def trusts_what_is_sent(rule: StoredRule) -> Iterator[RuleWarning]:
    suspects = [leaf for leaf in rule.leaves if _is_suspect(leaf)]
    # Where a stranger who sends whatever is asked for is refused all the same, it only narrows.
    if not suspects or settle(rule, lambda leaf: _of_forger(leaf, suspects)) is False:
        return
    for leaf in suspects:
        comparison = leaf.comparison
        sent = comparison.left if source_of(leaf.left) == "sent" else comparison.right
        name = sent.text if isinstance(sent, Identifier) else "what is sent"
        yield RuleWarning(
            "trusts_client_input",
            "warning",
            rule.collection.name,
            rule.name,
            f"{rule.name} believes {name}, which anyone can send as they like: it proves nothing.",
            "Ask @request.auth, or compare it with a secret that the record holds in a hidden text field.",
            rule.field,
            comparison.position,
        )


def _of_forger(leaf: Leaf, suspects: list[Leaf]) -> Outcome:
    return True if leaf in suspects else of_stranger(leaf)


def _is_suspect(leaf: Leaf) -> bool:
    sides = ((leaf.left, leaf.right), (leaf.right, leaf.left))
    return any(source_of(mine) == "sent" and _proves_nothing(other) for mine, other in sides)


def _proves_nothing(other: Meaning) -> bool:
    """Whether the value beside it can be known to who has not been told a secret."""
    source = source_of(other)
    if source == "record":
        is_text = isinstance(other, Column) and other.field.type == "text" and other.field.name != "id"
        return not is_text
    return source in ("fixed", "body", "around")
