"""What an editor is offered at a position of an unfinished rule."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.rules import RuleError, validate_rule
from projects.rules.completion import Completion, complete
from projects.rules.inputs import MACROS
from projects.schema.collection import ProjectSchema
from projects.schema.defaults import new_collection
from tests.rules.world import collection, field, relation

USERS = collection(
    "users",
    field("name", "text"),
    relation("org", "orgs"),
    field("role", "select", values=["admin", 'a"b']),
    type_="auth",
)
ORGS = collection("orgs", field("name", "text", help="What it is called."), list_rule=None)
POSTS = collection(
    "posts",
    field("title", "text"),
    field("secret", "text", hidden=True),
    field("status", "select", values=["draft", "public"]),
    field("tags", "select", values=["a", "b"], maxSelect=2),
    field("data", "json"),
    relation("author", "users"),
    relation("editors", "users", 3),
    relation("org", "orgs"),
)
SCHEMA = ProjectSchema(
    1, (USERS, ORGS, POSTS, replace(new_collection("auth"), id="s", name="_superusers", system=True))
)


def at(text: str, **options: Any) -> Completion:
    """``text`` with ``|`` where somebody stands."""
    position = text.index("|")
    return complete(SCHEMA, POSTS, text.replace("|", "", 1), position, **options)


def offers(text: str, **options: Any) -> list[str]:
    return [item.text for item in at(text, **options).items]


def test_at_the_beginning_everything_that_has_a_value_is_offered() -> None:
    found = offers("|")
    assert {"title", "author", "@request.", "@collection.", "@now", "strftime(", "true", "null", "("} <= {
        *found
    }
    assert {*MACROS} <= {*found}
    assert not {"&&", "=", ")"} & {*found}


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ti|", ["title"]),
        ("TI|", ["title"]),
        ("title = 'x' && sta|", ["status"]),
        ("author.|", ["author.id", "author.email", "author.emailVisibility", "author.tokenKey", "author.name", "author.org",
                      "author.role", "author.posts_via_author.", "author.posts_via_editors."]),
        ("author.org.na|", ["author.org.name"]),
        ("editors.na|", ["editors.name"]),
        ("author.posts_via_author.ti|", ["author.posts_via_author.title"]),
        ("data.x|", []),
        ("title.x|", []),
        ("nope.|", []),
        ("@req|", ["@request."]),
        ("@request.a|", ["@request.auth."]),
        ("@request.auth.n|", ["@request.auth.name"]),
        ("@request.auth.org.n|", ["@request.auth.org.name"]),
        ("@request.auth.coll|", ["@request.auth.collectionId", "@request.auth.collectionName"]),
        ("@request.body.ti|", ["@request.body.title"]),
        ("@request.body.author.na|", ["@request.body.author.name"]),
        ("@request.query.|", []),
        ("@collection.|", ["@collection.users.", "@collection.orgs.", "@collection.posts."]),
        ("@collection.posts.ti|", ["@collection.posts.title"]),
        ("@collection.posts:mine.ti|", ["@collection.posts:mine.title"]),
        ("@collection.nope.|", []),
        ("title:|", ["title:lower"]),
        ("tags:|", ["tags:lower", "tags:each", "tags:length"]),
        ("@request.body.tags:|", ["@request.body.tags:isset", "@request.body.tags:changed", "@request.body.tags:lower",
                                  "@request.body.tags:each", "@request.body.tags:length"]),
        ("@request.query.x:is|", ["@request.query.x:isset"]),
        ("status = 'd|", ["'draft'"]),
        ("status = \"|", ['"draft"', '"public"']),
        ("author.role != \"a|", ['"admin"', '"a\\"b"']),
        ("@request.auth.role ?= '|", ["'admin'", "'a\"b'"]),
        ("title = 'd|", []),
        ("title = 'x' // sta|", []),
        ("title ?!|", ["?!=", "?!~"]),
        ("(title = 'x' |", ["&&", "||", ")"]),
        ("title = 'x' |", ["&&", "||"]),
        ("title 5 |", []),
        ("@nop|", []),
    ],
)  # fmt: skip
def test_what_is_offered_goes_on_from_what_stands_there(text: str, expected: list[str]) -> None:
    assert sorted(offers(text)) == sorted(expected)


def test_a_select_is_offered_its_values_first() -> None:
    assert offers("status = |")[:2] == ['"draft"', '"public"']
    assert offers("tags:each ?= |")[:2] == ['"a"', '"b"']


def test_after_a_value_come_operators_and_after_a_comparison_connectives() -> None:
    assert {"=", "!=", "?=", "?!~", "~"} <= {*offers("title |")}
    assert "an operator" in at("title |").expected
    assert '"&&"' in at("title = 1 |").expected


def test_the_whole_word_is_replaced() -> None:
    found = at("title = 1 && sta|tus2 = 'x'")
    assert (found.start, found.end) == (13, 20)


def test_each_offer_has_its_type_and_a_line_of_help() -> None:
    by_text = {item.text: item for item in at("|").items}
    assert (by_text["author"].type, by_text["author"].help) == (
        "relation",
        "Leads to users: go on with a dot.",
    )
    assert by_text["tags"].type == "select[]"
    assert "One of a, b" in by_text["tags"].help
    assert all(item.help for item in by_text.values())
    assert next(item.help for item in at("org.na|").items) == "What it is called."


def test_an_apps_filter_is_offered_less() -> None:
    assert not {"secret", "@request.", "@collection."} & {*offers("|", is_filter=True)}
    assert offers("@request.|", is_filter=True) == []
    # Nobody but superusers lists these.
    assert offers("org.|", is_filter=True) == []
    assert "author.name" in offers("author.|", is_filter=True)
    assert "author.posts_via_author." in offers("author.|", is_filter=True)


def test_what_is_wrong_is_said_with_its_position() -> None:
    (error,) = at("title = 1 && nope = 2|").errors
    assert (error.position, "nope" in error.message) == (13, True)
    assert at("title = |").as_json()["errors"][0]["position"] == 8
    assert at("|").errors == ()
    assert at("title = 'x'|").errors == ()
    assert at("secret = 'x'|", is_filter=True).errors[0].position == 0


@settings(max_examples=200, deadline=None)
@given(
    text=st.lists(
        st.sampled_from(
            ["title", "author", ".", ":", "@request", "auth", "@collection", "posts", "=", "?=", "'", '"', "(", ")", "&&", "//", " ",
             "\n", "1", "x", "\\", "_via_", "strftime(", ",", "é", "\0"]
        ),
        max_size=12,
    ).map("".join),
    share=st.floats(0, 1),
    is_filter=st.booleans(),
)  # fmt: skip
def test_any_text_is_completed_without_a_crash(text: str, share: float, is_filter: bool) -> None:
    found = complete(SCHEMA, POSTS, text, int(len(text) * share), is_filter=is_filter)
    assert 0 <= found.start <= found.end <= len(text)


def test_every_offer_is_of_the_language() -> None:
    """Put into a rule each one is understood."""
    for text in ("{}", "author.{}", "@request.auth.{}", "@request.body.{}", "@request.body.tags{}"):
        typed = text.format("" if not text.startswith("@request.body.tags") else ":")
        for item in complete(SCHEMA, POSTS, typed, len(typed)).items:
            if item.kind in ("field", "modifier", "macro") and "_via_" not in item.text:
                try:
                    validate_rule(f"{item.text} != 'x'", SCHEMA, POSTS)
                except RuleError as error:
                    pytest.fail(f"{item.text}: {error}")
