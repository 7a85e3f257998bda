"""Which related rows a rule and a filter speak of."""

from __future__ import annotations

from tests.oracle.scenarios._network import network
from tests.oracle.scenarios.building import change, listing
from tests.oracle.table import Scenario

OTHER_ROW = (
    ("comments_via_post.n ?= 1", "comments_via_post.n ?= 2"),
    ("comments_via_post.n ?= 1", "comments_via_post.t ?= 'two'"),
    ("orgs.name ?= 'acme'", "orgs.name ?= 'beta'"),
)
SAME_ROW = (
    ("comments_via_post.n ?= 1", "comments_via_post.t ?= 'one'"),
    ("members.name ?= 'alice'", "members.name ?= 'alice'"),
    ("members ?= @request.auth.id", "members.name ?= 'bob'"),
    ("orgs.name ?= 'acme'", "t != ''"),
)


def asked(rule: str, filter_: str) -> str:
    return f"filter {filter_!r} under {rule!r}"


TWO_QUESTIONS = Scenario(
    "rule_and_filter",
    "A rule lets a record through, a filter finds it: each by a related row of its own.",
    (
        *network(),
        *(
            step
            for rule, filter_ in (*OTHER_ROW, *SAME_ROW)
            for step in (
                change(f"a rule for {asked(rule, filter_)}", "posts", listRule=rule),
                listing(asked(rule, filter_), "posts", "alice", filter=filter_, sort="id", fields="id"),
            )
        ),
    ),
)

BY_QUERY = "members.org.name = @request.query.x"
BY_NUMBER = "members.org.n = @request.query.x"
# Where a member has no organisation, the name is missing, and "all" does not hold.
MISSING = ((BY_QUERY, "beta"), (BY_NUMBER, "5"))
FOUND = (
    ("members.org.name = 'beta'", ""),
    ("members.org.name != @request.query.x", "beta"),
    ("members.org.name ?= @request.query.x", "beta"),
    ("members.orgs.name = @request.query.x", "acme"),
    ("orgs.name = @request.query.x", "acme"),
    ("comments_via_post.author.name = @request.query.x", "alice"),
)


def given_in_query(rule: str, value: str) -> str:
    return f"x={value} under {rule!r}"


ALL_OF_MISSING = Scenario(
    "all_of_missing",
    "Without ? all related rows must match, those that lack the record they should lead to as well.",
    (
        *network(),
        *(
            step
            for rule, value in (*MISSING, *FOUND)
            for step in (
                change(f"a rule for {given_in_query(rule, value)}", "posts", listRule=rule),
                listing(given_in_query(rule, value), "posts", "alice", x=value, sort="id", fields="id"),
            )
        ),
    ),
)

SCENARIOS = (TWO_QUESTIONS, ALL_OF_MISSING)
