"""docs/rules.md: each of its rules is one, and its patterns have none of the holes that it warns of."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from projects.rules import parse_filter, parse_rule, validate_rule
from projects.rules.parse import MAX_EXPRESSIONS, MAX_FILTER_LENGTH, MAX_RULE_LENGTH
from projects.rules.review import review_schema
from projects.schema.collection import ProjectSchema
from projects.schema.operations import draft_of_new, draft_of_update
from projects.schema.seed import system_collections

TEXT = (Path(__file__).parents[2] / "docs" / "rules.md").read_text()
BLOCKS = re.findall(r"```rules ?([a-z ]*)\n(.*?)```", TEXT, re.S)
RULES = [(marks, line) for marks, block in BLOCKS for line in block.splitlines() if line.strip()]
USERS = "_pb_users_auth_"


def _field(name: str, type_: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": type_, **options}


def _relation(name: str, to: str, **options: Any) -> dict[str, Any]:
    return _field(name, "relation", **{"collectionId": to, "maxSelect": 1, **options})


def _collection(name: str, *fields: dict[str, Any], **rules: Any) -> dict[str, Any]:
    return {"id": f"{name:0<15}", "name": name, "fields": list(fields), **rules}


def _schema(**posts: Any) -> ProjectSchema:
    """The collections that the page's examples use."""
    schema = ProjectSchema(1, system_collections())
    users = schema.get("users")
    assert users is not None
    orgs, teams, of_posts = "orgs00000000000", "teams0000000000", "posts0000000000"
    role = _field("role", "select", values=["admin", "editor"], maxSelect=1, hidden=True)
    fields = [*(field.as_json() for field in users.fields), role, _relation("org", orgs)]
    schema = schema.with_collection(draft_of_update(users, {"fields": fields}))
    for data in (
        _collection("orgs", _field("name", "text"), _field("active", "bool")),
        _collection(
            "teams",
            _field("name", "text"),
            _relation("lead", USERS, required=True),
            _relation("members", USERS, maxSelect=99, required=True),
        ),
        _collection(
            "memberships",
            _relation("team", teams, required=True),
            _relation("user", USERS, required=True),
            _field("role", "select", values=["owner", "editor", "reader"], maxSelect=1),
        ),
        _collection(
            "posts",
            _field("title", "text"),
            _field("status", "select", values=["draft", "public"], maxSelect=1),
            _field("stars", "number"),
            _field("tags", "select", values=["urgent", "internal"], maxSelect=2),
            _field("meta", "json"),
            _field("place", "geoPoint"),
            _field("token", "text", hidden=True, required=True),
            _relation("author", USERS, required=True),
            _relation("reviewer", USERS),
            _relation("editors", USERS, maxSelect=9),
            _relation("team", teams, required=True),
            _field("due", "date"),
            _field("created", "autodate", onCreate=True),
            **posts,
        ),
        _collection(
            "comments",
            _relation("post", of_posts, required=True),
            _relation("author", USERS, required=True),
            _field("text", "text"),
        ),
    ):
        schema = schema.with_collection(draft_of_new(schema, data))
    return schema


@pytest.mark.parametrize(("marks", "rule"), RULES)
def test_each_rule_of_the_page_is_one(marks: str, rule: str) -> None:
    schema = _schema()
    collection = schema.get(marks.rpartition(" ")[2] if marks.startswith("of ") else "posts")
    assert collection is not None
    validate_rule(rule, schema, collection)


@pytest.mark.parametrize(("marks", "rule"), [one for one in RULES if one[0].startswith("clean")])
def test_no_pattern_of_the_page_has_a_hole(marks: str, rule: str) -> None:
    names = (
        ("listRule", "viewRule") if "view" in marks else ("listRule", "viewRule", "updateRule", "deleteRule")
    )
    found = review_schema(_schema(**dict.fromkeys(names, rule)))
    assert [one.code for one in found if one.severity != "notice"] == []


def test_the_page_names_every_warning_and_the_limits() -> None:
    root = Path(__file__).parents[2] / "projects" / "rules" / "review"
    codes = set()
    for path in root.glob("*.py"):
        codes |= set(re.findall(r'RuleWarning\(\s*f?"([a-z_{}.]+)"', path.read_text()))
    assert len(codes) > 8
    for code in codes:
        for verb in ("update", "delete"):
            assert f"`{re.sub('{.*?}', verb, code)}`" in TEXT
    assert f"{MAX_FILTER_LENGTH:,} characters" in TEXT
    assert f"{MAX_RULE_LENGTH:,}" in TEXT
    assert f"{MAX_EXPRESSIONS} comparisons" in TEXT
    assert len(RULES) > 30
    assert all(parse_rule(rule) and parse_filter(rule) for _, rule in RULES)
