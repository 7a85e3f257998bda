"""Judges for the question who passes a rule: a guest, or an account that has nothing to do with the record."""

from __future__ import annotations

from projects.rules.inputs import NO_INPUTS, Input
from projects.rules.review.settling import OPEN, Outcome
from projects.rules.review.sources import Source, account_fields, source_of
from projects.rules.review.stored import Leaf
from projects.rules.review.suppose import account_without, guest
from projects.rules.values import Plain

# What a comparison with these says is whether somebody is signed in, and where; of other fields, who they are.
IDENTITY = frozenset({"id", "collectionId", "collectionName"})


def of_guest(leaf: Leaf) -> Outcome:
    """A guest who finds nothing empty, and sends no secret."""
    sources = {source_of(leaf.left), source_of(leaf.right)}
    if (decided := guest().decide(leaf)) is not None:
        return decided
    if "account" in sources:
        # Nothing equals, exceeds or contains what a guest has not; everything differs from it.
        return OPEN if leaf.comparison.operator == "!=" else False
    return False if _is_secret(sources) else OPEN


def of_stranger(leaf: Leaf) -> Outcome:
    """Somebody signed in who has no special role and no part in the record."""
    sources = {source_of(leaf.left), source_of(leaf.right)}
    if "account" in sources:
        return _of_strangers_account(leaf, sources)
    return False if _is_secret(sources) else OPEN


def _of_strangers_account(leaf: Leaf, sources: set[Source]) -> bool:
    names = account_fields(leaf.left) | account_fields(leaf.right)
    if "fixed" not in sources:
        return leaf.comparison.operator == "!="
    if names == {"id"}:
        return bool(account_without(frozenset()).decide(leaf))
    fixed = fixed_value(leaf)
    if names <= IDENTITY:
        return leaf.comparison.operator == "!=" or _lets_sign_up(leaf, fixed)
    # Other than a value is what has none; other than nothing is what has one.
    return leaf.comparison.operator == "!=" and fixed not in ("", None)


def _lets_sign_up(leaf: Leaf, name_or_id: Plain) -> bool:
    """Whether strangers can be accounts of that collection."""
    home = leaf.rule.schema.get(name_or_id) if isinstance(name_or_id, str) else None
    return home is not None and home.is_auth and not home.system and home.create_rule is not None


def fixed_value(leaf: Leaf) -> Plain:
    """The constant of a comparison with one."""
    side = leaf.left if source_of(leaf.left) == "fixed" else leaf.right
    assert isinstance(side, Input)
    value: Plain = side.read(NO_INPUTS)
    return value


def is_of_person(leaf: Leaf) -> bool:
    """Whether the comparison ties the record, or what is written, to who asks."""
    sources = {source_of(leaf.left), source_of(leaf.right)}
    if not (sources & {"record", "body"} and "account" in sources and leaf.comparison.operator != "!="):
        return False
    return bool((account_fields(leaf.left) | account_fields(leaf.right)) & IDENTITY)


def of_participant(leaf: Leaf) -> Outcome:
    """As ``of_stranger``, but the record is theirs."""
    return OPEN if is_of_person(leaf) else of_stranger(leaf)


def _is_secret(sources: set[Source]) -> bool:
    """A value of the request that must fit the record's: a link that was shared."""
    return sources == {"sent", "record"}
