"""Explain: what each part of a rule comes to, and that it says what the permission evaluator says."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from projects.databases import Session, read_session, write_session
from projects.errors import ApiError
from projects.principal import GUEST, Principal
from projects.records.access import part_satisfies, satisfies
from projects.records.call import Call
from projects.records.explain import explain_rule
from projects.records.explain.question import Question
from projects.records.explain.verdicts import verdicts_of
from projects.records.queries import fetch_one
from projects.rules import Parsed, parse_rule, validate_rule
from projects.rules.ast import nodes
from projects.rules.review.stored import StoredRule
from tests.accounts.helpers import sign_up
from tests.records.support import call, collection, create, number, relation, text

RULE = "public = true || (author = @request.auth.id && n > 5)"


class World:
    """Two users, two teams, three posts."""

    def __init__(self, session: Session) -> None:
        users = call(session).collection("users")
        self.alice = sign_up(session, "alice@example.com", "users", name="alice")
        self.bob = sign_up(session, "bob@example.com", "users")
        teams = collection(session, "teams", text("name"), relation("lead", users))
        collection(
            session,
            "posts",
            text("title"),
            number("n"),
            {"name": "public", "type": "bool"},
            {"name": "tags", "type": "select", "values": ["a", "b", "c"], "maxSelect": 3},
            {"name": "data", "type": "json"},
            relation("author", users),
            relation("team", teams),
            relation("editors", users, maxSelect=5),
            updateRule=RULE,
            viewRule=None,
            createRule="@request.body.author = @request.auth.id && title != ''",
            indexes=["CREATE INDEX `idx_n` ON `posts` (`n`)"],
        )
        teams, posts = (call(session).collection(name) for name in ("teams", "posts"))
        red = create(session, teams, name="red", lead=self.alice["id"])
        blue = create(session, teams, name="blue")
        alice, bob = self.alice["id"], self.bob["id"]
        self.posts = [
            create(session, posts, title="one", n=3, author=alice, team=red["id"], editors=[alice, bob], tags=["a", "b"]),
            create(session, posts, title="two", n=9, author=alice, team=blue["id"], editors=[bob], data={"k": [1, "x"]}),
            create(session, posts, public=True),
        ]  # fmt: skip


@pytest.fixture
def world(project: Any) -> World:
    with write_session(project) as session:
        return World(session)


@pytest.fixture
def session(project: Any, world: World) -> Iterator[Session]:
    with read_session(project) as session:
        yield session


def ask(session: Session, **body: Any) -> dict[str, Any]:
    return explain_rule(call(session), {"collection": "posts", **body})


def texts(answer: dict[str, Any]) -> list[str]:
    return [part["text"] for part in answer["failed"]]


def leaf(answer: dict[str, Any], *path: int) -> dict[str, Any]:
    node = answer["tree"]
    for at in path:
        node = node["items"][at]
    return dict(node)


def test_each_part_has_its_verdict_its_place_and_the_values_that_were_compared(
    session: Session, world: World
) -> None:
    alice = world.alice["id"]
    answer = ask(session, operation="update", user=f"users/{alice}", record=world.posts[0]["id"])
    assert answer["verdict"] is False
    assert texts(answer) == ["public = true", "n > 5"]
    assert leaf(answer)["type"] == "or"
    assert leaf(answer, 1)["verdict"] is False
    author = leaf(answer, 1, 0)
    assert author["verdict"] is True
    assert RULE[author["start"] : author["end"]] == "author = @request.auth.id"
    assert author["left"] == {"type": "identifier", "name": "author", "start": 18, "end": 24, "value": alice}
    assert author["right"]["value"] == alice
    n = leaf(answer, 1, 1)
    assert (n["verdict"], n["left"]["value"], n["right"]["value"]) == (False, 3, 5)


def test_the_same_rule_lets_where_it_holds(session: Session, world: World) -> None:
    answer = ask(session, operation="update", user=f"users/{world.alice['id']}", record=world.posts[1]["id"])
    assert (answer["verdict"], answer["failed"]) == (True, [])
    assert ask(session, operation="update", record=world.posts[2]["id"])["verdict"] is True
    assert ask(session, operation="update", record=world.posts[1]["id"])["verdict"] is False


def test_without_a_record_what_depends_on_it_is_unknown(session: Session, world: World) -> None:
    rule = '@request.auth.id != "" && author = @request.auth.id'
    answer = ask(session, rule=rule, user=f"users/{world.bob['id']}")
    assert answer["verdict"] is None
    assert (leaf(answer, 0)["verdict"], leaf(answer, 1)["verdict"]) == (True, None)
    refused = ask(session, rule=rule)
    assert refused["verdict"] is False
    assert texts(refused) == ['@request.auth.id != ""']
    through = ask(session, rule='@request.auth.id != "" && team.lead = @request.auth.id')
    assert through["verdict"] is False


def test_null_and_empty_rules_say_so(session: Session) -> None:
    locked = ask(session, operation="view")
    assert (locked["verdict"], locked["reason"]) == (False, "The rule is null: only superusers may.")
    assert ask(session, operation="delete")["verdict"] is True


def test_a_related_value_is_looked_up(session: Session, world: World) -> None:
    record, user = world.posts[0]["id"], f"users/{world.bob['id']}"
    answer = ask(session, rule="team.lead.name = 'bob' && team.name ~ 're'", record=record, user=user)
    assert answer["verdict"] is False
    assert leaf(answer, 0)["left"]["values"] == ["alice"]
    assert leaf(answer, 1)["left"]["values"] == ["red"]
    missing = ask(session, rule="team.lead.name = 'bob'", record=world.posts[2]["id"])
    assert missing["tree"]["left"]["values"] == [None]


def test_many_values_are_shown_and_how_many_must_fit(session: Session, world: World) -> None:
    record, bob = world.posts[0]["id"], world.bob["id"]
    some = ask(session, rule="editors.id ?= @request.auth.id", record=record, user=f"users/{bob}")
    assert (some["verdict"], some["tree"]["values"]) == (True, "some")
    assert sorted(some["tree"]["left"]["values"]) == sorted([world.alice["id"], bob])
    every = ask(session, rule="editors.name = 'alice'", record=record)
    assert (every["verdict"], every["tree"]["values"]) == (False, "all")
    assert sorted(every["tree"]["left"]["values"]) == ["", "alice"]
    own = ask(session, rule="tags:each ?= 'b'", record=record)
    assert own["tree"]["left"] | {"start": 0, "end": 0} == {
        "type": "identifier", "name": "tags:each", "modifier": "each", "values": ["a", "b"], "more": False,
        "start": 0, "end": 0,
    }  # fmt: skip


def test_parts_that_no_one_record_satisfies_together_are_each_true_and_the_whole_is_false(
    session: Session, world: World
) -> None:
    rule = "editors.name ?= 'alice' && editors.email ?= 'bob@example.com'"
    answer = ask(session, rule=rule, record=world.posts[0]["id"])
    assert [leaf(answer, at)["verdict"] for at in (0, 1)] == [True, True]
    assert answer["verdict"] is False


def test_a_create_rule_sees_the_body(session: Session, world: World) -> None:
    user = f"users/{world.alice['id']}"
    good = ask(session, operation="create", user=user, body={"author": world.alice["id"], "title": "x"})
    assert good["verdict"] is True
    answer = ask(session, operation="create", user=user, body={"author": world.bob["id"], "title": "x"})
    assert answer["verdict"] is False
    assert texts(answer) == ["@request.body.author = @request.auth.id"]
    assert leaf(answer, 0)["left"]["value"] == world.bob["id"]
    assert texts(ask(session, operation="create", user=user, body={"author": world.alice["id"]})) == [
        "title != ''"
    ]


def test_an_update_rule_sees_the_stored_record_and_the_body(session: Session, world: World) -> None:
    rule = "@request.body.n:changed = false && n = 3"
    same = ask(session, rule=rule, operation="update", record=world.posts[0]["id"], body={"n": 3})
    assert same["verdict"] is True
    other = ask(session, rule=rule, operation="update", record=world.posts[0]["id"], body={"n+": 1})
    assert texts(other) == ["@request.body.n:changed = false"]


def test_query_headers_method_and_context_are_those_given(session: Session) -> None:
    rule = (
        "@request.query.a = 'b' && @request.headers.x_y = 'z' && @request.method = 'PUT'"
        " && @request.context = 'batch'"
    )
    asked: dict[str, Any] = {
        "query": {"a": "b"},
        "headers": {"X-Y": "z"},
        "method": "put",
        "context": "batch",
    }
    assert ask(session, rule=rule, **asked)["verdict"] is True
    assert len(ask(session, rule=rule)["failed"]) == 4


def test_the_sql_is_this_engines_with_its_parameters_and_what_it_reads(
    session: Session, world: World
) -> None:
    rule = "n = 5 && team.lead = @request.auth.id"
    answer = ask(session, rule=rule, user=f"users/{world.bob['id']}")
    assert answer["sql"]["engine"] == session.engine
    assert answer["sql"]["text"].startswith('SELECT "r"."id"')
    assert world.bob["id"] in answer["sql"]["parameters"] and 5 in answer["sql"]["parameters"]
    assert answer["reads"] == {"collections": ["posts", "teams"], "request": ["@request.auth.id"]}
    assert session.rows(answer["sql"]["text"], answer["sql"]["parameters"]) == []


def test_the_plan_says_what_is_read_and_that_no_index_serves(session: Session) -> None:
    (scan,) = ask(session, rule="title = 'x'")["plan"]
    assert (scan["collection"], scan["access"], scan["index"]) == ("posts", "scan", None)
    assert scan["sentence"] == "Goes through all of posts: no index begins with title."
    if session.engine == "sqlite":
        (search,) = ask(session, rule="n = 5")["plan"]
        assert (search["access"], search["index"]) == ("index", "idx_n")
        tables = [step["collection"] for step in ask(session, rule="editors.name ?= 'x'")["plan"]]
        assert set(tables) == {"posts", "users"}


def test_hashes_and_token_keys_are_shown_to_nobody(session: Session, world: World) -> None:
    user = f"users/{world.alice['id']}"
    rule = (
        "@request.auth.tokenKey = title && author.tokenKey = '' && author.password != @request.auth.password"
    )
    shown = str(ask(session, rule=rule, user=user, record=world.posts[0]["id"]))
    assert world.alice["tokenKey"] not in shown
    assert world.alice["password"] not in shown
    assert shown.count("(hidden)") >= 4
    own = str(
        explain_rule(
            call(session), {"collection": "users", "rule": "tokenKey = password", "record": world.alice["id"]}
        )
    )
    assert world.alice["tokenKey"] not in own


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ({"collection": "nope"}, "collection"),
        ({"collection": "_superusers", "rule": "id = 'x'"}, "collection"),
        ({"collection": 5}, "collection"),
        ({}, "rule"),
        ({"operation": "manage"}, "operation"),
        ({"operation": ["list"]}, "operation"),
        ({"rule": 5}, "rule"),
        ({"rule": "n ="}, "rule"),
        ({"rule": "nope = 1"}, "rule"),
        ({"rule": "\0"}, "rule"),
        ({"rule": "n = 1", "user": "users"}, "user"),
        ({"rule": "n = 1", "user": "posts/x"}, "user"),
        ({"rule": "n = 1", "user": "users/nobody"}, "user"),
        ({"rule": "n = 1", "user": {"collection": "users", "id": 5}}, "user"),
        ({"rule": "n = 1", "record": "nothing"}, "record"),
        ({"rule": "n = 1", "record": 5}, "record"),
        ({"rule": "n = 1", "query": {"a": 1}}, "query"),
        ({"rule": "n = 1", "headers": []}, "headers"),
        ({"rule": "n = 1", "body": "x"}, "body"),
        ({"rule": "n = 1", "method": 1}, "method"),
        ({"rule": "n = 1", "context": "nope"}, "context"),
    ],
)
def test_a_question_that_makes_no_sense_is_refused_by_field(
    session: Session, body: dict[str, Any], field: str
) -> None:
    with pytest.raises(ApiError) as refused:
        ask(session, **body)
    assert refused.value.status == 400
    assert list(refused.value.data) == [field]


def test_a_wrong_rule_is_refused_with_its_position_and_what_could_stand_there(session: Session) -> None:
    with pytest.raises(ApiError) as refused:
        ask(session, rule="n > 5 && title")
    assert refused.value.as_json()["data"]["rule"] == {
        "code": "validation_invalid_rule",
        "message": "incomplete: the text ends, expected an operator.",
        "params": {"position": 14, "expected": ["an operator"]},
    }


def test_a_record_need_not_be_stored(session: Session) -> None:
    assert ask(session, rule="n > 5", record={"n": 7})["verdict"] is True
    assert ask(session, rule="editors.id ?= 'x'", record={"n": 7})["verdict"] is False


LEAVES = [
    "public = true", "n > 5", "title ~ 'o'", "author = @request.auth.id", "author.name = 'alice'", "team.lead = @request.auth.id",
    "editors.name ?= 'alice'", "editors.id = @request.auth.id", "editors.email ?~ 'bob'", "tags:each ?= 'a'", "tags:length > 1",
    "team.name != 'red'", "@request.auth.id != ''", "@collection.teams.lead ?= author", "data.k.1 = 'x'", "'a' = 'a'",
    "author.posts_via_author.n ?> 5", "strftime('%Y', '2024-01-01') = '2024'", "@request.auth.name ~ title", "1 = 2 // no\n",
    "author.posts_via_editors.title ?= 'two'", "team.lead.email !~ 'alice'", "@now > ''",
]  # fmt: skip
RULES = st.recursive(
    st.sampled_from(LEAVES),
    lambda rules: st.builds(
        lambda sign, items: "(" + sign.join(items) + ")",
        st.sampled_from([" && ", " || ", "&&", " // or\n || "]),
        st.lists(rules, min_size=2, max_size=3),
    ),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rule=RULES, who=st.sampled_from(["", "alice", "bob"]), which=st.integers(0, 2))
def test_the_verdict_is_the_permission_evaluators(
    session: Session, world: World, rule: str, who: str, which: int
) -> None:
    record = world.posts[which]
    account = getattr(world, who) if who else None
    answer = ask(session, rule=rule, record=record["id"], user=f"users/{account['id']}" if account else None)
    principal = Principal("user", "_pb_users_auth_", "users", account) if account else GUEST
    asked: Call = call(session, principal)
    posts = asked.collection("posts")
    assert answer["verdict"] is satisfies(asked, posts, rule, record)
    assert answer["verdict"] is (fetch_one(asked, posts, rule, record["id"]) is not None)
    assert bool(answer["failed"]) is False or answer["verdict"] is False
    # What is known without the record is so for it too.
    known = ask(session, rule=rule, user=f"users/{account['id']}" if account else None)["verdict"]
    assert known in (None, answer["verdict"])
    _check_places(answer["tree"], rule, asked, record)


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(rule=RULES, which=st.integers(0, 2))
def test_each_groups_verdict_is_the_evaluators_too(
    session: Session, world: World, rule: str, which: int
) -> None:
    asked = call(session, Principal("user", "_pb_users_auth_", "users", world.bob))
    posts, parsed = asked.collection("posts"), parse_rule(rule)
    stored = StoredRule(asked.schema, posts, "view", "rule", rule)
    found = verdicts_of(Question(asked, stored, world.posts[which]), stored.parsed)
    for node in nodes(parsed.ast):
        part = Parsed(parsed.key, node, parsed.constants, True, rule)
        assert found[id(node)] is part_satisfies(asked, posts, part, world.posts[which])


def test_a_rule_of_many_groups_in_one_another_is_not_asked_over_and_over(
    session: Session, world: World
) -> None:
    rule = "editors.name ?= 'alice'"
    for _ in range(99):
        rule = f"({rule} && editors.id ?!= 'x')"
    with patch("projects.records.explain.verdicts.MOST_ASKED", 50):
        answer = ask(session, rule=rule, record=world.posts[0]["id"])
    assert answer["verdict"] is True
    inner: list[Any] = [answer["tree"]]
    while inner[-1]["type"] == "and":
        inner.append(inner[-1]["items"][0])
    # The innermost are asked, those around them no more.
    assert [node["verdict"] for node in inner].count(None) > 80
    assert inner[-1]["verdict"] is True


def _check_places(tree: dict[str, Any], rule: str, asked: Call, record: dict[str, Any]) -> None:
    """The text of each comparison is that comparison, and comes to the same alone."""
    pending = [tree]
    while pending:
        node = pending.pop()
        if node["type"] != "comparison":
            pending.extend(node["items"])
            continue
        part = rule[node["start"] : node["end"]]
        assert part in [leaf.partition(" //")[0] for leaf in LEAVES]
        assert node["verdict"] is satisfies(asked, asked.collection("posts"), part, record)


@pytest.mark.parametrize(
    "rule",
    [
        "geoDistance(n, n, 1, 2) < 5",
        "geoDistance(team.posts_via_team.n, n, 1, 2) < 5",
        "strftime('%Y', title) = '1' // why",
        "strftime('%Y' ) != ''",
        "@request.body.n:isset = true",
        "@request.body.n:changed = true",
        "@request.body.team.name ?= 'x'",
        "@request.body.editors:each ?= @request.auth.id",
        "@request.auth.posts_via_author.title ?= title",
        "data:each = 1",
        "title:lower = 'x'",
        "editors.name:lower ?= 'x'",
        "editors = tags",
    ],
)
def test_every_kind_of_operand_is_explained_with_and_without_a_record(
    session: Session, world: World, rule: str
) -> None:
    validate_rule(rule, call(session).schema, call(session).collection("posts"))
    user = f"users/{world.alice['id']}"
    for asked in ({}, {"record": world.posts[0]["id"]}, {"record": world.posts[0]["id"], "user": user}):
        assert ask(session, rule=rule, **asked)["tree"]["start"] == 0
