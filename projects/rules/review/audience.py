"""Whom a rule lets through, in one word."""

from __future__ import annotations

from typing import Literal

from projects.rules.review.settling import Outcome, settle
from projects.rules.review.stored import StoredRule
from projects.rules.review.who import of_guest, of_participant, of_stranger

# public: everyone; signed_in: every account; owner: accounts that the record (or what is written) names;
# expression: whoever the expression says; superusers: nobody else.
Audience = Literal["public", "signed_in", "owner", "expression", "superusers"]
# Whether guests pass: always, with some records or requests, never. The holes that the warnings name left aside.
Guests = Literal["always", "sometimes", "never"]


def guest_outcome(rule: StoredRule) -> Outcome:
    """False: no guest passes; True: each does; open: some do."""
    if rule.text is None:
        return False
    return settle(rule, of_guest) if rule.is_expression else True


def guests_of(rule: StoredRule) -> Guests:
    outcome = guest_outcome(rule)
    if isinstance(outcome, bool):
        return "always" if outcome else "never"
    return "sometimes"


def audience_of(rule: StoredRule) -> Audience:
    if rule.text is None:
        return "superusers"
    outcome = guest_outcome(rule)
    if outcome is True:
        return "public"
    if outcome is not False:
        return "expression"
    stranger = settle(rule, of_stranger)
    if stranger is True:
        return "signed_in"
    if stranger is False and settle(rule, of_participant) is not False:
        return "owner"
    return "expression"
