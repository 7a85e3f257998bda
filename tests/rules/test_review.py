"""The holes that the review of rules must find, each beside a near miss of which it must say nothing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.databases import write_session
from projects.principal import Principal, RequestInfo
from projects.records.auth_fields import PasswordWork, taken_for_granted
from projects.records.call import Call
from projects.records.create import create_record
from projects.records.queries import Query, fetch_page
from projects.rules import validate_rule
from projects.rules.review import overview, review_collections, review_schema
from projects.schema.collection import ProjectSchema
from projects.schema.operations import create_collection, draft_of_new, draft_of_update
from projects.schema.seed import system_collections
from projects.schema.store import load_schema

USERS = "_pb_users_auth_"
SIGNED_IN = '@request.auth.id != ""'


def relation(name: str, to: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": "relation", "collectionId": to, "maxSelect": 1, **options}


def text(name: str, **options: Any) -> dict[str, Any]:
    return {"name": name, "type": "text", **options}


TEAMS = {"id": "teams0000000001", "name": "teams", "fields": [text("name"), relation("lead", USERS)]}
POSTS = {
    "id": "posts0000000001",
    "name": "posts",
    "fields": [
        text("title"),
        text("token"),
        text("secret", required=True, hidden=True),
        {"name": "public", "type": "bool"},
        {"name": "n", "type": "number"},
        relation("owner", USERS),
        relation("author", USERS, required=True),
        relation("editors", USERS, maxSelect=9),
        relation("judges", USERS, maxSelect=9, required=True),
        relation("team", "teams0000000001"),
        relation("home", "teams0000000001", required=True),
    ],
}


def made(users: dict[str, Any] | None = None, **posts: Any) -> ProjectSchema:
    """A new project's collections with teams and posts; ``users`` changes the accounts' collection."""
    schema = ProjectSchema(1, system_collections())
    if users:
        old = schema.get("users")
        assert old is not None
        fields = [*(field.as_json() for field in old.fields), *users.pop("fields", ())]
        schema = schema.with_collection(draft_of_update(old, {**users, "fields": fields}))
    for data in (TEAMS, {**POSTS, **posts}):
        schema = schema.with_collection(draft_of_new(schema, data))
    for collection in schema.collections:
        for name in ("list_rule", "view_rule", "create_rule", "update_rule", "delete_rule"):
            if rule := getattr(collection, name):
                validate_rule(rule, schema, collection)
    return schema


def codes(schema: ProjectSchema) -> list[str]:
    return [warning.code for warning in review_schema(schema)]


def test_a_new_project_has_nothing_to_be_warned_of() -> None:
    assert codes(made()) == []


GUESTS = [
    ("a single relation that may be empty", "owner = @request.auth.id"),
    ("the other way round", "@request.auth.id = owner"),
    ("at least one", "owner ?= @request.auth.id"),
    ("many that may be none", "editors.id ?= @request.auth.id"),
    ("each of many that may be none", "editors:each ?= @request.auth.id"),
    ("beside a part that guests pass too", "public = true && owner = @request.auth.id"),
    ("where another way in is closed to guests", f"owner = @request.auth.id || ({SIGNED_IN} && public = true)"),
    ("a related record that may be missing", "team.lead = @request.auth.id"),
    ("a related record whose field may be empty", "home.lead = @request.auth.id"),
    ("records that point here, of which there may be none", "team.posts_via_team.author ?= @request.auth.id"),
    ("a collection that may have no records", "@collection.teams.id ?= @request.auth.id"),
    ("a part that refuses only what else is empty", 'title != "" && owner = @request.auth.id'),
    ("a check of the wrong side", "n > 0 && owner.id = @request.auth.id"),
    ("a text", "token = @request.auth.id"),
    ("another value of the account", "token = @request.auth.name"),
]  # fmt: skip
NO_GUESTS = [
    ("signed in first", f"{SIGNED_IN} && owner = @request.auth.id"),
    ("signed in last", f"owner = @request.auth.id && {SIGNED_IN}"),
    ("signed in around a group", f"{SIGNED_IN} && (owner = @request.auth.id || editors.id ?= @request.auth.id)"),
    ("signed in with null", "@request.auth.id != null && owner = @request.auth.id"),
    ("signed in to a collection", "@request.auth.collectionName = 'users' && owner = @request.auth.id"),
    ("a required relation", "author = @request.auth.id"),
    ("required many", "judges.id ?= @request.auth.id"),
    ("the id itself", "id = @request.auth.id"),
    ("the owner is not empty", 'owner != "" && owner = @request.auth.id'),
    ("the owner's id is not empty", 'owner.id != "" && owner = @request.auth.id'),
    ("there are editors", "editors:length > 0 && editors.id ?= @request.auth.id"),
    ("the team has a lead", 'team.lead != "" && team.lead = @request.auth.id'),
    ("whole lists, which are never null", "editors ?= @request.auth.id"),
    ("containing, which nothing does in nothing", "editors ~ @request.auth.id"),
    ("a number, which is never empty", "n = @request.auth.age"),
    ("verified accounts", "@request.auth.verified = true && owner = @request.auth.id"),
]  # fmt: skip


@pytest.mark.parametrize("rule", [rule for _, rule in GUESTS], ids=[name for name, _ in GUESTS])
def test_a_guest_who_equals_an_empty_relation_is_warned_of(rule: str) -> None:
    found = [one for one in review_schema(made(deleteRule=rule)) if one.code == "guest_equals_empty"]
    assert len(found) == 1
    assert found[0].rule == "deleteRule"
    assert rule[found[0].position :].startswith(("owner", "@", "editors", "team", "home", "token"))


@pytest.mark.parametrize("rule", [rule for _, rule in NO_GUESTS], ids=[name for name, _ in NO_GUESTS])
def test_a_guest_who_is_kept_out_is_not_warned_of(rule: str) -> None:
    assert codes(made(deleteRule=rule)) == []


def test_what_is_said_of_guests_is_so(project: Any) -> None:
    """On both engines: a guest finds the record that a hole gives away, and none where nothing is warned of."""
    with write_session(project) as session:
        as_superuser = Call(session, load_schema(session), RequestInfo(Principal("superuser")))
        alice = create_record(
            as_superuser,
            as_superuser.collection("users"),
            {"email": "a@example.com", "password": "correct horse", "passwordConfirm": "correct horse"},
            taken_for_granted(PasswordWork({"password": "correct horse"}, "_pb_users_auth_", "users")),
        )["id"]
        for data in (TEAMS, POSTS):
            create_collection(session, data, validate_rule=validate_rule)
        as_superuser = Call(session, load_schema(session), RequestInfo(Principal("superuser")))
        team = create_record(as_superuser, as_superuser.collection("teams"), {"name": "x"})["id"]
        posts = as_superuser.collection("posts")
        bare = {
            "author": alice,
            "judges": [alice],
            "home": team,
            "secret": "s",
            "title": "x",
            "n": 5,
            "public": True,
        }
        for more in ({}, {"owner": alice, "editors": [alice], "team": team, "token": "t"}):
            create_record(as_superuser, posts, {**bare, **more})
        as_guest = Call(session, as_superuser.schema, RequestInfo())
        for name, rule in GUESTS:
            if "no records" not in name:
                assert fetch_page(as_guest, Query(posts, rule), limit=1, offset=0), name
        for name, rule in NO_GUESTS:
            assert not fetch_page(as_guest, Query(posts, rule), limit=1, offset=0), name


def test_a_new_record_without_its_owner_is_warned_of_unless_the_field_is_required() -> None:
    assert codes(made(createRule="@request.body.owner = @request.auth.id")) == ["guest_equals_empty"]
    assert codes(made(createRule="owner = @request.auth.id")) == ["guest_equals_empty"]
    assert codes(made(createRule="@request.body.author = @request.auth.id")) == []
    # An update may leave a required field out.
    assert "guest_equals_empty" in codes(made(updateRule="@request.body.author = @request.auth.id"))


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        (f"{SIGNED_IN} && team = @request.auth.team", ["empty_equals_empty"]),
        (f'{SIGNED_IN} && @request.auth.team != "" && team = @request.auth.team', []),
        (f'{SIGNED_IN} && team != "" && team = @request.auth.team', []),
        (f"{SIGNED_IN} && home = @request.auth.team", []),
        (f"{SIGNED_IN} && owner = @request.auth.id", []),
        (f"{SIGNED_IN} && team = @request.auth.unit", []),
    ],
)
def test_an_account_without_a_team_equals_a_record_without_one(rule: str, expected: list[str]) -> None:
    fields = [
        relation("team", "teams0000000001", hidden=True),
        relation("unit", "teams0000000001", hidden=True, required=True),
    ]
    assert codes(made({"fields": fields}, listRule=rule, viewRule=rule)) == expected * 2


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("token = @request.query.token", ["left_out_equals_empty"]),
        ('token = @request.query.token && @request.query.token != ""', []),
        ('token != "" && token = @request.query.token', []),
        ("secret = @request.query.token", []),
        ("secret = @request.headers.x_token", []),
    ],
)
def test_a_shared_link_whose_secret_may_be_empty_is_warned_of(rule: str, expected: list[str]) -> None:
    assert codes(made(viewRule=rule)) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ("@request.headers.x_role = 'admin'", ["trusts_client_input"]),
        ("@request.query.admin = true", ["trusts_client_input"]),
        (f"{SIGNED_IN} && @request.headers.x_role = 'admin'", ["trusts_client_input"]),
        ("author = @request.headers.x_user", ["trusts_client_input"]),
        ("author = @request.auth.id || @request.headers.x_key ?= 'abc'", ["trusts_client_input"]),
        ("author = @request.auth.id && @request.headers.x_version >= '2'", []),
        ("@request.auth.role = 'admin' && @request.headers.x_version >= '2'", []),
        ("secret = @request.query.token", []),
    ],
)
def test_what_a_client_says_of_itself_is_no_proof(rule: str, expected: list[str]) -> None:
    assert codes(made(deleteRule=rule)) == expected


@pytest.mark.parametrize(
    ("rule", "expected"),
    [
        ('@request.auth.role != "banned"', ["guest_differs"]),
        ("author != @request.auth.id", ["guest_differs"]),
        (f'{SIGNED_IN} && @request.auth.role != "banned" && author = @request.auth.id', []),
        ("author = @request.auth.id && owner != @request.auth.id", []),
        ('@request.auth.role != "" && author = @request.auth.id', []),
    ],
)
def test_a_guest_differs_from_everything(rule: str, expected: list[str]) -> None:
    assert [c for c in codes(made(createRule=rule)) if c != "writable_privilege"] == expected


@pytest.mark.parametrize(
    ("rules", "expected"),
    [
        ({"deleteRule": ""}, ["open_delete"]),
        ({"deleteRule": " 1 = 1 "}, ["open_delete"]),
        ({"updateRule": ""}, ["open_update"]),
        ({"updateRule": "public = true"}, ["guests_update"]),
        ({"deleteRule": "n > 5 || author = @request.auth.id"}, ["guests_delete"]),
        ({"deleteRule": SIGNED_IN}, ["any_account_deletes"]),
        ({"updateRule": "@request.auth.collectionName = 'users'"}, ["any_account_updates"]),
        ({"deleteRule": None, "updateRule": "author = @request.auth.id"}, []),
        ({"deleteRule": f"{SIGNED_IN} && public = true"}, []),
        ({"deleteRule": "@request.auth.collectionName = '_superusers'"}, []),
        ({"createRule": "", "listRule": "", "viewRule": ""}, []),
    ],
)
def test_what_everybody_may_change_is_warned_of(rules: dict[str, Any], expected: list[str]) -> None:
    assert codes(made(**rules)) == expected


@pytest.mark.parametrize(
    ("list_rule", "view_rule", "warned"),
    [
        ("", None, True),
        (SIGNED_IN, None, True),
        ("", SIGNED_IN, True),
        ("public = true", "author = @request.auth.id", True),
        ("public = true", "public = true && n > 5", True),
        ("public = true || n > 5", "n > 5", True),
        ("public=true", "public = true  // the same", False),
        ("public = true && n > 5", "public = true", False),
        ("n > 5 && public = true", "public = true && n > 5", False),
        ("n > 5", "n > 3", False),
        (SIGNED_IN, "", False),
        (None, "", False),
        (None, None, False),
        ("", "1 = 1", False),
    ],
)
def test_a_list_rule_looser_than_the_view_rule_is_warned_of(
    list_rule: str | None, view_rule: str | None, warned: bool
) -> None:
    found = codes(made(listRule=list_rule, viewRule=view_rule))
    assert found == (["list_looser_than_view"] if warned else [])


@pytest.mark.parametrize(
    ("history_rule", "view_rule", "warned"),
    [
        ("", None, True),
        ("author = @request.auth.id", None, True),
        ("", SIGNED_IN, True),
        ("public = true", "author = @request.auth.id", True),
        ("author = @request.auth.id", "author = @request.auth.id", False),
        (SIGNED_IN, "", False),
        ("", "", False),
        (None, None, False),
    ],
)
def test_a_history_rule_looser_than_the_view_rule_is_warned_of(
    history_rule: str | None, view_rule: str | None, warned: bool
) -> None:
    found = codes(made(historyRule=history_rule, viewRule=view_rule))
    assert found == (["history_looser_than_view"] if warned else [])


ROLE = {"name": "role", "type": "select", "values": ["admin", "user"], "maxSelect": 1}
TRUSTING = {"deleteRule": "@request.auth.role = 'admin'"}


@pytest.mark.parametrize(
    ("users", "expected"),
    [
        ({}, ["createRule", "updateRule"]),
        ({"createRule": None}, ["updateRule"]),
        ({"createRule": "@request.body.role:isset = false"}, ["updateRule"]),
        ({"createRule": "@request.body.role = 'user'"}, ["updateRule"]),
        ({"createRule": "role = 'user'"}, ["updateRule"]),
        # An update rule sees the record as it was.
        ({"createRule": None, "updateRule": "id = @request.auth.id && role = 'user'"}, ["updateRule"]),
        ({"createRule": None, "updateRule": "id = @request.auth.id && @request.body.role:isset = false"}, []),
        ({"createRule": None, "updateRule": "id = @request.auth.id && @request.body.role:changed = false"}, []),
        ({"createRule": None, "updateRule": "id = @request.auth.id && @request.body.name:isset = false"}, ["updateRule"]),
        ({"createRule": None, "updateRule": "@request.auth.role = 'admin'"}, []),
        ({"createRule": None, "updateRule": "id = @request.auth.id || @request.auth.role = 'admin'"}, ["updateRule"]),
        ({"createRule": None, "updateRule": "id = @request.auth.id && @request.body.role:isset = false || @request.auth.role = 'admin'"}, []),
        ({"createRule": None, "updateRule": "@request.auth.collectionName = 'staff'"}, []),
    ],
)  # fmt: skip
def test_a_role_that_people_can_give_themselves_is_warned_of(
    users: dict[str, Any], expected: list[str]
) -> None:
    found = review_schema(made({"fields": [ROLE], **users}, **TRUSTING))
    assert [one.rule for one in found] == expected
    assert all(
        (one.code, one.field, one.collection) == ("writable_privilege", "role", "users") for one in found
    )


@pytest.mark.parametrize("guard", [{"hidden": True}, {"writeRule": "@request.auth.role = 'admin'"}])
def test_a_role_that_is_hidden_or_has_a_write_rule_is_not_warned_of(guard: dict[str, Any]) -> None:
    assert codes(made({"fields": [{**ROLE, **guard}]}, **TRUSTING)) == []


def test_a_write_rule_that_its_owner_passes_guards_nothing() -> None:
    field = {**ROLE, "writeRule": "id = @request.auth.id"}
    assert codes(made({"fields": [field], "createRule": None}, **TRUSTING)) == ["writable_privilege"]


def test_a_role_is_known_by_its_name_where_no_rule_trusts_it_yet() -> None:
    found = review_schema(made({"fields": [text("is_admin")], "createRule": None}))
    assert [(one.code, one.severity) for one in found] == [("writable_privilege", "warning")]
    assert codes(made({"fields": [text("motto")], "createRule": None})) == []


@pytest.mark.parametrize(
    ("create_rule", "expected"),
    [
        (SIGNED_IN, ["owner_not_checked"]),
        ("", ["owner_not_checked"]),
        ("title != ''", ["owner_not_checked"]),
        ("judges.id ?= @request.auth.id || public = true", ["owner_not_checked"]),
        ("author = @request.auth.id", []),
        (f"{SIGNED_IN} && @request.body.author = @request.auth.id", []),
        (f"{SIGNED_IN} && @request.body.author:isset = false", []),
        ("@request.auth.verified = true", []),
        (None, []),
    ],
)
def test_an_owner_whom_the_create_rule_does_not_ask_for_is_noticed(
    create_rule: str | None, expected: list[str]
) -> None:
    assert codes(made(createRule=create_rule, updateRule="author = @request.auth.id")) == expected
    assert codes(made(createRule=create_rule, updateRule=None)) == []


@pytest.mark.parametrize(
    ("create_rule", "expected"),
    [
        ("who = @request.auth.id", ["joins_itself"]),
        (f"{SIGNED_IN} && @request.body.who = @request.auth.id", ["joins_itself"]),
        ("team.lead = @request.auth.id", []),
        (f"{SIGNED_IN} && who = @request.auth.id && team.lead = @request.auth.id", []),
        ("who = @request.auth.id && team.name = 'open'", []),
        ("@request.auth.verified = true && by = @request.auth.id", []),
        (None, []),
    ],
)
def test_a_membership_that_everybody_gives_themselves_is_noticed(
    create_rule: str | None, expected: list[str]
) -> None:
    teams = relation("team", "teams0000000001", required=True)
    members = [teams, relation("who", USERS, required=True), relation("by", USERS, required=True)]
    rule = f'{SIGNED_IN} && home.members_via_team.who ?= @request.auth.id && home.members_via_team.who != ""'
    data = {"id": "members00000001", "name": "members", "fields": members, "createRule": create_rule}
    schema = made().with_collection(draft_of_new(made(), data))
    assert "joins_itself" not in codes(schema)
    posts = schema.get("posts")
    assert posts is not None
    found = codes(schema.with_collection(replace(posts, view_rule=rule)))
    assert [code for code in found if code == "joins_itself"] == expected


def test_accounts_that_manage_themselves_are_warned_of() -> None:
    assert codes(made({"manageRule": "id = @request.auth.id"})) == ["manages_itself"]
    assert codes(made({"manageRule": SIGNED_IN})) == ["manages_itself"]
    assert codes(made({"manageRule": "@request.auth.collectionName = 'staff'"})) == []
    assert codes(made({"manageRule": "id = @request.auth.id && verified = true"})) == []


def test_a_history_rule_is_reviewed_too() -> None:
    (found,) = review_schema(made(historyRule="owner = @request.auth.id", viewRule=""))
    assert (found.code, found.rule) == ("guest_equals_empty", "historyRule")


def test_a_rule_of_a_field_is_reviewed_too() -> None:
    fields = [*POSTS["fields"], text("note", readRule="owner = @request.auth.id")]  # type: ignore[misc]
    (found,) = review_schema(made(fields=fields))
    assert (found.code, found.rule, found.field) == ("guest_equals_empty", "readRule", "note")


def test_a_saved_collection_is_told_what_its_rules_make_of_others() -> None:
    schema = made({"fields": [ROLE], "createRule": None}, **TRUSTING)
    posts, teams = schema.get("posts"), schema.get("teams")
    assert posts is not None
    assert teams is not None
    assert [one.collection for one in review_collections(schema, [posts])] == ["users"]
    assert review_collections(schema, [teams]) == ()


def test_a_rule_that_cannot_be_understood_is_named_and_stops_nothing() -> None:
    schema = made(deleteRule="")
    posts = schema.get("posts")
    assert posts is not None
    broken = schema.with_collection(replace(posts, update_rule="gone = 1"))
    assert codes(broken) == ["invalid_rule", "open_delete"]
    (entry,) = [one for one in overview(broken) if one["name"] == "posts"]
    assert entry["rules"]["update"]["error"]


OPERANDS = [
    "title", "n", "public", "owner", "owner.id", "owner.name", "editors", "editors.id", "editors:each", "editors:length",
    "team.lead.name", "team.posts_via_team.n", "@collection.teams.lead", "@request.auth.id", "@request.auth.name",
    "@request.auth.posts_via_owner.n", "@request.auth.avatar:length", "@request.auth.nothing", "@request.body.owner",
    "@request.body.owner.name", "@request.body.editors:each", "@request.body.n:isset", "@request.body.n:changed",
    "@request.query.a", "@request.query.a:isset", "@request.headers.b:lower", "@request.method", "@now", "'x'", "''", "5",
    "null", "true", "strftime('%Y', title)", "strftime('%Y', @request.auth.created)", "geoDistance(n, 1, 2, 3)",
    "geoDistance(@request.query.a, 1, 2, 3)",
]  # fmt: skip
COMPARISONS = st.builds(
    lambda left, sign, right: f"{left} {sign} {right}",
    st.sampled_from(OPERANDS),
    st.sampled_from(["=", "!=", "?=", "?!=", "~", "!~", ">", "<="]),
    st.sampled_from(OPERANDS),
)


@settings(max_examples=150, deadline=None)
@given(parts=st.lists(COMPARISONS, min_size=1, max_size=4), sign=st.sampled_from([" && ", " || "]))
def test_every_rule_can_be_reviewed(parts: list[str], sign: str) -> None:
    rule = sign.join(parts)
    names = [f"{name}Rule" for name in ("list", "view", "create", "update", "delete")]
    schema = made(**dict.fromkeys(names, rule))
    for one in review_schema(schema):
        assert one.message and one.hint and 0 <= one.position < len(rule)
    (posts,) = [one for one in overview(schema) if one["name"] == "posts"]
    assert not any("error" in entry for entry in posts["rules"].values())


@pytest.mark.parametrize(
    ("rule", "audience", "guests"),
    [
        (None, "superusers", "never"),
        ("", "public", "always"),
        ("1 = 1", "public", "always"),
        (f"{SIGNED_IN} || 1 = 1", "public", "always"),
        (SIGNED_IN, "signed_in", "never"),
        (f"{SIGNED_IN} || author = @request.auth.id", "signed_in", "never"),
        ("@request.auth.collectionName = 'users'", "signed_in", "never"),
        ("author = @request.auth.id", "owner", "never"),
        ("author = @request.auth.id || @request.auth.role = 'admin'", "owner", "never"),
        ("home.lead = @request.auth.id && n > 5", "owner", "never"),
        ("public = true", "expression", "sometimes"),
        ("public = true || author = @request.auth.id", "expression", "sometimes"),
        ("@request.auth.role = 'admin'", "expression", "never"),
        (f"{SIGNED_IN} && public = true", "expression", "never"),
        ("secret = @request.query.token", "expression", "never"),
    ],
)
def test_the_overview_says_whom_a_rule_lets_through(rule: str | None, audience: str, guests: str) -> None:
    (posts,) = [one for one in overview(made(viewRule=rule)) if one["name"] == "posts"]
    assert posts["rules"]["view"] == {
        "rule": rule,
        "audience": audience,
        "guests": guests,
        "public": guests != "never",
    }
