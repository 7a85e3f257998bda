"""The OpenAPI document of a project: valid, complete for its reader, and silent about the rest."""

from __future__ import annotations

import json
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from openapi_spec_validator import validate

from projects.records.list import DEFAULT_PER_PAGE, MAX_PER_PAGE
from projects.schema.fields.registry import field_types
from sdk_schemas import VERSIONS, Audience, openapi
from sdk_schemas.fields import is_portable
from tests.sdk_schemas.world import OPEN, SECRET_RULE, empty_world, with_change, with_new, world

AUDIENCES: list[Audience] = ["app", "superuser"]


def document(audience: Audience = "app", version: str = "3.1", schema: Any = None) -> dict[str, Any]:
    made = openapi(schema or world(), audience, title="demo", server="/p/demo", version=version)
    return json.loads(json.dumps(made))


def operations(made: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """By "method path"."""
    return {
        f"{method} {path}": operation
        for path, methods in made["paths"].items()
        for method, operation in methods.items()
    }


def ids(made: dict[str, Any]) -> set[str]:
    return {operation["operationId"] for operation in operations(made).values()}


def schema_of(made: dict[str, Any], name: str) -> dict[str, Any]:
    return made["components"]["schemas"][name]


def is_valid(made: dict[str, Any], name: str, value: Any) -> bool:
    whole = {"$ref": f"#/components/schemas/{name}", "components": made["components"]}
    return Draft202012Validator(whole).is_valid(value)


@pytest.mark.parametrize("audience", AUDIENCES)
@pytest.mark.parametrize("version", VERSIONS)
def test_the_document_is_valid(audience: Audience, version: str) -> None:
    validate(document(audience, version))


def test_the_document_of_a_new_project_is_valid() -> None:
    validate(document("app", schema=empty_world()))


def test_every_field_type_is_in_the_world() -> None:
    used = {field.type for collection in world().collections for field in collection.fields}
    assert used >= set(field_types())


@pytest.mark.parametrize("audience", AUDIENCES)
def test_operation_ids_are_unique_and_do_not_depend_on_the_reader(audience: Audience) -> None:
    every = [operation["operationId"] for operation in operations(document(audience)).values()]
    assert len(every) == len(set(every))
    assert ids(document("app")) <= ids(document("superuser"))


def test_a_new_collection_changes_no_name() -> None:
    before, after = document("superuser"), document("superuser", schema=with_new(world(), name="blogposts2"))
    assert ids(before) < ids(after)
    assert set(before["components"]["schemas"]) < set(after["components"]["schemas"])


def test_collections_whose_names_become_one_keep_types_of_their_own() -> None:
    names = document("superuser")["components"]["schemas"]
    assert {"BlogPostsRecord", "BlogPosts2Record", "_2faRecord"} <= set(names)


def test_a_collection_called_like_a_group_of_routes_collides_with_nothing() -> None:
    assert {"collections_list", "listCollections"} <= ids(document("superuser"))


def test_rules_are_written_out_for_nobody() -> None:
    for audience in AUDIENCES:
        assert "the-secret-of-the-rule" not in json.dumps(document(audience))
    assert any(collection.update_rule == SECRET_RULE for collection in world().collections)


def test_an_app_sees_no_hidden_fields() -> None:
    text = json.dumps(document("app"))
    assert "internal" not in text and "the-secret-of-the-field" not in text
    assert "internal" in schema_of(document("superuser"), "PostsRecord")["properties"]


def test_an_app_sees_nothing_of_a_collection_that_only_superusers_use() -> None:
    made = document("app")
    kept = schema_of(made, "BlogPostsRecord")["properties"]["kept"]
    # The relation's field is the reader's; where it leads is not.
    assert kept["type"] == "string"
    assert "vault" not in json.dumps(made).lower()
    assert "vault_list" in ids(document("superuser"))


def test_an_app_sees_no_action_that_only_superusers_may_take() -> None:
    app = ids(document("app"))
    assert {"posts_list", "posts_view", "posts_create", "posts_update"} <= app
    assert not {"posts_delete", "blog_posts_create", "_superusers_list", "listCollections"} & app
    assert {"posts_delete", "blog_posts_create", "_superusers_list", "listCollections"} <= ids(
        document("superuser")
    )


@pytest.mark.parametrize("audience", AUDIENCES)
def test_the_secrets_of_accounts_are_in_no_record(audience: Audience) -> None:
    made = document(audience)
    properties = schema_of(made, "UsersRecord")["properties"]
    assert not {"password", "tokenKey"} & set(properties)
    assert "tokenKey" not in schema_of(made, "UsersCreate")["properties"]
    assert {"password", "passwordConfirm"} <= set(schema_of(made, "UsersCreate")["required"])
    assert "oldPassword" in schema_of(made, "UsersUpdate")["properties"]


def test_an_account_may_be_without_its_email_except_for_superusers() -> None:
    assert "email" not in schema_of(document("app"), "UsersRecord")["required"]
    assert "email" in schema_of(document("superuser"), "UsersRecord")["required"]


def test_only_the_ways_to_sign_in_that_are_on_are_there() -> None:
    app = ids(document("app"))
    assert {"users_authWithPassword", "users_authRefresh", "2fa_authMethods"} <= app
    assert "2fa_authWithPassword" not in app
    closed = document("app", schema=with_change(world(), "users", authRule=None))
    assert not {"users_authWithPassword", "users_authRefresh"} & ids(closed)


@pytest.mark.parametrize("audience", AUDIENCES)
def test_examples_fit_their_schemas(audience: Audience) -> None:
    made = document(audience)
    checked = 0
    for name, schema in made["components"]["schemas"].items():
        for example in schema.get("examples", ()):
            whole = {"$ref": f"#/components/schemas/{name}", "components": made["components"]}
            Draft202012Validator(whole, format_checker=Draft202012Validator.FORMAT_CHECKER).validate(example)
            checked += 1
    assert checked > 20


def test_a_body_that_breaks_a_fields_bounds_does_not_fit() -> None:
    made = document("app")
    body = schema_of(made, "PostsCreate")["examples"][0]
    assert is_valid(made, "PostsCreate", body)
    for change in (
        {"title": "ab"}, {"title": "a" * 81}, {"code": "a1"}, {"count": 1.5}, {"count": 10}, {"mood": "other"},
        {"status": ""}, {"tags": ["a", "b", "c"]}, {"place": {"lon": 181, "lat": 0}}, {"contact": 5},
    ):  # fmt: skip
        assert not is_valid(made, "PostsCreate", {**body, **change}), change
    assert not is_valid(made, "PostsCreate", {k: v for k, v in body.items() if k != "title"})
    assert is_valid(made, "PostsCreate", {k: v for k, v in body.items() if k != "slug"})
    assert is_valid(made, "PostsCreate", {**body, "mood": ""})
    assert is_valid(made, "PostsUpdate", {})


def test_only_a_nullable_field_may_be_null() -> None:
    made = document("app")
    body = schema_of(made, "PostsCreate")["examples"][0]
    nothing = {"rating": None, "choice": None, "spot": None, "ended": None}
    assert is_valid(made, "PostsCreate", {**body, **nothing})
    assert is_valid(made, "PostsCreate", {**body, "choice": "x", "spot": {"lon": 1, "lat": 1}})
    for name in ("ratio", "mood", "place", "due"):
        assert not is_valid(made, "PostsCreate", {**body, name: None}), name
    older = schema_of(document("app", "3.0"), "PostsRecord")["properties"]
    assert older["spot"]["nullable"] is True and older["rating"]["nullable"] is True


def test_a_pattern_that_clients_would_read_otherwise_is_left_out() -> None:
    assert is_portable(r"^[a-z]+(?:-[a-z]+)*$") and is_portable("")
    for pattern in ("(?i)abc", r"\Aabc\z", "(?P<n>a)", "[[:alpha:]]+", r"\pL", r"\Qa.b\E"):
        assert not is_portable(pattern), pattern


def test_files_come_in_parts_and_are_read_as_names() -> None:
    made = document()
    body = operations(made)["post /api/collections/posts/records"]["requestBody"]["content"]
    parts = body["multipart/form-data"]["schema"]["properties"]
    assert parts["photo"]["format"] == "binary" and "image/png" in parts["photo"]["description"]
    assert parts["papers"]["items"]["format"] == "binary" and parts["papers"]["maxItems"] == 3
    assert schema_of(made, "PostsRecord")["properties"]["papers"]["items"] == {"type": "string"}
    assert (
        "multipart/form-data"
        not in operations(made)["post /api/collections/blogPosts/records"]["requestBody"]["content"]
    )
    assert "getFile" in ids(made)
    assert "getFile" not in ids(document(schema=with_change(empty_world(), "users", fields=[])))


def test_nullable_fields_take_and_hold_null() -> None:
    for version in VERSIONS:
        made = document(version=version)
        for kind in ("Record", "Create"):
            properties = schema_of(made, f"Posts{kind}")["properties"]
            if version == "3.0":
                assert all(properties[name]["nullable"] for name in ("score", "grade", "spot"))
            else:
                body = {"score": None, "grade": None, "spot": None}
                assert is_valid(made, "PostsUpdate", body)
                assert not is_valid(made, "PostsUpdate", {"count": None})
                assert None in properties["grade"]["enum"]


def test_a_view_is_read_and_nothing_else() -> None:
    made = document("superuser")
    assert {"summary_list", "summary_view"} <= ids(made)
    assert not {"summary_create", "summary_update", "summary_delete"} & ids(made)
    assert schema_of(made, "SummaryRecord")["properties"]["n"] == {"type": "integer"}
    assert "SummaryCreate" not in made["components"]["schemas"]


def test_expand_leads_to_the_types_of_what_it_loads() -> None:
    made = document("app")
    expand = schema_of(made, "PostsExpand")["properties"]
    assert expand["owner"] == {"$ref": "#/components/schemas/UsersRecord"}
    assert expand["readers"] == {"type": "array", "items": {"$ref": "#/components/schemas/UsersRecord"}}
    assert set(schema_of(made, "BlogPostsExpand")["properties"]) == {"post"}


def test_expand_leads_back_to_what_names_a_record_too() -> None:
    made = document("app")
    back = schema_of(made, "PostsExpand")["properties"]["blog_posts_via_post"]
    assert back == {"type": "array", "items": {"$ref": "#/components/schemas/BlogPostsRecord"}}
    assert {"posts_via_owner", "summary_via_owner"} <= set(schema_of(made, "UsersExpand")["properties"])
    one = with_change(world(), "blog_posts", indexes=["CREATE UNIQUE INDEX one ON blog_posts (post)"])
    back = schema_of(document(schema=one), "PostsExpand")["properties"]["blog_posts_via_post"]
    assert back == {"$ref": "#/components/schemas/BlogPostsRecord"}


def test_an_app_is_told_of_no_back_relation_that_it_cannot_follow() -> None:
    schema = with_new(
        world(),
        name="secrets",
        **OPEN,
        fields=[{"name": "post", "type": "relation", "collectionId": post_id(world()), "hidden": True}],
    )
    schema = with_new(
        schema, name="closed", fields=[{"name": "post", "type": "relation", "collectionId": post_id(world())}]
    )
    back = {"secrets_via_post", "closed_via_post"}
    assert not back & set(schema_of(document("app", schema=schema), "PostsExpand")["properties"])
    assert back <= set(schema_of(document("superuser", schema=schema), "PostsExpand")["properties"])


def post_id(schema: Any) -> str:
    return schema.get("posts").id


def test_what_goes_beyond_records_is_described_too() -> None:
    found = operations(document("app"))
    assert {"createUpload", "appendUpload", "headUpload", "deleteUpload", "presignUpload"} <= ids(
        document("app")
    )
    begun = found["post /api/files/uploads"]
    assert "Location" in begun["responses"]["201"]["headers"]
    assert begun["responses"]["412"] == {"$ref": "#/components/responses/OtherVersion"}
    summed = found["get /api/collections/posts/records/aggregate"]
    assert {"group", "select"} <= {parameter.get("name") for parameter in summed["parameters"]}
    assert "blog_posts_aggregate" in ids(document("app")) and "vault_aggregate" not in ids(document("app"))
    field = schema_of(document("superuser"), "CollectionField")["properties"]
    assert {"readRule", "writeRule", "nullable"} <= set(field)


def test_every_operation_says_how_it_refuses() -> None:
    for where, operation in operations(document("superuser")).items():
        assert {"429", "503"} <= set(operation["responses"]), where
        if "requestBody" in operation:
            assert {"400", "413"} <= set(operation["responses"]), where


def test_open_and_ruled_operations_need_no_token_and_those_of_superusers_do() -> None:
    found = operations(document("superuser"))
    assert {} in found["get /api/collections/posts/records"]["security"]
    assert found["get /api/collections/vault/records"]["security"] == [{"serviceKey": []}]
    assert found["delete /api/collections/{collection}/truncate"]["security"] == [{"serviceKey": []}]


def test_histories_are_for_superusers_and_for_those_whom_a_rule_lets() -> None:
    assert {"posts_history", "posts_restore", "restoreCollection"} <= ids(document("superuser"))
    assert not {"_superusers_history", "summary_history"} & ids(document("superuser"))
    assert not {"posts_history", "posts_restore", "restoreCollection"} & ids(document("app"))
    ruled = document("app", schema=with_change(world(), "posts", historyRule=SECRET_RULE))
    assert {"posts_history", "posts_restore"} <= ids(ruled)
    assert "the-secret-of-the-rule" not in json.dumps(ruled) and "removedFields" not in json.dumps(ruled)


def test_the_limits_of_pages_are_the_servers() -> None:
    size = document()["components"]["parameters"]["perPage"]["schema"]
    assert (size["default"], size["maximum"]) == (DEFAULT_PER_PAGE, MAX_PER_PAGE)


def test_the_older_version_uses_no_newer_word() -> None:
    made = document("superuser", "3.0")
    assert made["openapi"].startswith("3.0")
    rule = schema_of(made, "Collection")["properties"]["listRule"]
    assert rule["type"] == "string" and rule["nullable"] is True
    record = schema_of(made, "PostsRecord")
    assert "examples" not in record and record["example"]["title"] == "A text"
    # Fields that are called like words of the schema language stay fields.
    assert record["properties"]["const"]["type"] == record["properties"]["examples"]["type"] == "string"
    assert (
        "enum" in record["properties"]["collectionId"] and "const" not in record["properties"]["collectionId"]
    )


def test_search_is_offered_where_there_are_searchable_fields() -> None:
    for path in ("records", "records/aggregate"):
        found = {
            name: any(
                one.get("$ref", "").endswith("/search")
                for one in document()["paths"][f"/api/collections/{name}/{path}"]["get"]["parameters"]
            )
            for name in ("posts", "users")
        }
        assert found == {"posts": True, "users": False}
