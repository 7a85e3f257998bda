from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.databases import Session, close_thread, read_session, write_session
from projects.errors import ApiError
from projects.schema import collection_to_json, create_collection, load_schema, schema_version
from projects.schema.dates import parse_date
from projects.schema.index_checks import MAX_INDEXES
from projects.schema.validation import MAX_FIELDS
from tests.schema.helpers import (
    USERS_ID,
    any_rule,
    change,
    columns_of,
    errors,
    indexes_of,
    make,
    put,
    rule_of_fields,
)

TEXT = {"name": "a", "type": "text"}


def refusal(session: Session, data: dict[str, Any]) -> ApiError:
    """The answer to a creation that must be refused, and must leave nothing behind."""
    version, collections = schema_version(session), load_schema(session).collections
    with pytest.raises(ApiError) as caught:
        create_collection(session, data, validate_rule=rule_of_fields)
    assert caught.value.status == 400
    assert schema_version(session) == version
    assert load_schema(session).collections == collections
    return caught.value


def test_a_name_is_all_that_a_collection_needs(session: Session) -> None:
    made = create_collection(session, {"name": "posts"}, validate_rule=any_rule)
    shown = collection_to_json(made)
    assert parse_date(shown.pop("created")) == parse_date(shown.pop("updated")) != None  # noqa: E711
    (id_field,) = shown.pop("fields")
    assert (id_field["name"], id_field["primaryKey"], id_field["system"]) == ("id", True, True)
    assert shown == {
        "id": "pbc_1125843985", "listRule": None, "viewRule": None, "createRule": None, "updateRule": None,
        "deleteRule": None, "name": "posts", "type": "base", "indexes": [], "system": False,
    }  # fmt: skip
    assert columns_of(session, "posts") == {"id"}
    assert load_schema(session).get("posts") == made


def test_an_auth_collection_gets_its_fields_options_and_unique_indexes(session: Session) -> None:
    made = make(session, "members", TEXT, type="auth")
    assert [field.name for field in made.fields] == [
        "id", "a", "password", "tokenKey", "email", "emailVisibility", "verified",
    ]  # fmt: skip
    assert columns_of(session, "members") == {field.name for field in made.fields}
    assert indexes_of(session, "members") == {f"idx_tokenKey_{made.id}", f"idx_email_{made.id}"}
    other = make(session, "others", type="auth")
    assert made.options["authToken"]["secret"] != other.options["authToken"]["secret"]


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        (
            {"name": "email", "type": "email", "required": False, "hidden": True},
            {"required": False, "hidden": False},
        ),
        ({"name": "email", "type": "number"}, {"type": "email", "required": True}),
        ({"name": "password", "type": "password", "min": 12, "hidden": False}, {"min": 12, "hidden": True}),
        ({"name": "tokenKey", "type": "text", "hidden": False}, {"hidden": True, "required": True}),
        ({"name": "verified", "type": "bool", "hidden": True}, {"hidden": True, "system": True}),
        ({"name": "id", "type": "text", "min": 3, "max": 9}, {"min": 3, "max": 9, "pattern": "^[a-z0-9]+$"}),
    ],
)
def test_what_the_system_needs_of_a_system_field_is_forced(
    session: Session, sent: dict[str, Any], kept: dict[str, Any]
) -> None:
    made = make(session, "members", sent, type="auth")
    shown = next(field for field in collection_to_json(made)["fields"] if field["name"] == sent["name"])
    assert {key: shown[key] for key in kept} == kept
    assert shown["system"] is True


@pytest.mark.parametrize(
    ("data", "complaint"),
    [
        ({}, {"name": "validation_required"}),
        ({"name": None}, {"name": "validation_required"}),
        ({"name": "a b"}, {"name": "validation_match_invalid"}),
        ({"name": "USERS"}, {"name": "validation_collection_name_exists"}),
        ({"name": "_pb_users_auth_"}, {"name": "validation_collection_name_invalid"}),
        ({"name": "pbc_2279338944"}, {"name": "validation_collection_name_id_duplicate"}),
        ({"name": "_collections"}, {"name": "validation_collection_name_invalid"}),
        ({"name": "t", "id": USERS_ID}, {"id": "validation_invalid_or_existing_id"}),
        ({"name": "t", "id": "Users"}, {"id": "validation_invalid_or_existing_id"}),
        ({"name": "t", "id": "bad id!"}, {"id": "validation_match_invalid"}),
        ({"name": "t", "type": "nope"}, {"type": "validation_in_invalid"}),
        ({"name": "t", "listRule": "zzz"}, {"listRule": "validation_invalid_rule"}),
        ({"name": "t", "listRule": "a\0"}, {"listRule": "validation_invalid_rule"}),
        (
            {"name": "t", "type": "auth", "manageRule": ""},
            {"manageRule": "validation_nil_or_not_empty_required"},
        ),
        (
            {"name": "t", "type": "auth", "authRule": "zzz", "manageRule": "zzz"},
            {"authRule": "validation_invalid_rule", "manageRule": "validation_invalid_rule"},
        ),
    ],
)
def test_a_collection_is_refused_with(
    session: Session, data: dict[str, Any], complaint: dict[str, str]
) -> None:
    error = refusal(session, data)
    assert error.message == "Failed to create collection."
    assert {key: value["code"] for key, value in errors(error).items()} == complaint


@pytest.mark.parametrize(
    ("fields", "at", "key", "code"),
    [
        ([{"type": "text"}], "1", "name", "validation_required"),
        ([{"name": "expand", "type": "bool"}], "1", "name", "validation_not_in_invalid"),
        ([TEXT, {"name": "A", "type": "bool"}], "2", "name", "validation_duplicated_field_name"),
        ([{"name": "ID", "type": "bool"}], "1", "name", "validation_duplicated_field_name"),
        ([{"name": "id", "type": "number"}], "1", "name", "validation_duplicated_field_name"),
        ([{**TEXT, "primaryKey": True}], "0", "primaryKey", "validation_unsupported_composite_pk"),
        ([{**TEXT, "id": "y" * 101}], "1", "id", "validation_length_out_of_range"),
        ([{**TEXT, "help": "x" * 301}], "1", "help", "validation_length_out_of_range"),
        ([{**TEXT, "min": -1}], "1", "min", "validation_min_greater_equal_than_required"),
        ([{"name": "r", "type": "relation"}], "1", "collectionId", "validation_required"),
        (
            [{"name": "r", "type": "relation", "collectionId": "users"}],
            "1", "collectionId", "validation_field_relation_missing_collection",
        ),
    ],
)  # fmt: skip
def test_a_field_is_refused_with(
    session: Session, fields: list[dict[str, Any]], at: str, key: str, code: str
) -> None:
    error = refusal(session, {"name": "t", "fields": fields})
    assert errors(error)["fields"][at][key]["code"] == code


def test_a_rule_is_refused_with_the_validators_reason(session: Session) -> None:
    error = refusal(session, {"name": "t", "listRule": "zzz"})
    message = 'Invalid rule. Raw error: unknown field "zzz".'
    assert errors(error) == {"listRule": {"code": "validation_invalid_rule", "message": message}}


def test_the_rule_of_mfa_counts_while_mfa_is_on(session: Session) -> None:
    options = {"otp": {"enabled": True}, "mfa": {"enabled": True, "rule": "zzz"}}
    error = refusal(session, {"name": "t", "type": "auth", **options})
    assert errors(error)["mfa"]["rule"]["code"] == "validation_invalid_rule"
    options["mfa"]["rule"] = "verified"
    create_collection(session, {"name": "t", "type": "auth", **options}, validate_rule=rule_of_fields)


def test_everything_that_is_wrong_is_told_at_once(session: Session) -> None:
    error = refusal(
        session,
        {
            "name": "a b",
            "listRule": "zzz",
            "fields": [
                {"name": "n", "type": "number", "min": 5, "max": 2},
                {"name": "expand", "type": "bool"},
            ],
            "indexes": ["nope"],
        },
    )
    found = errors(error)
    assert set(found) == {"name", "listRule", "fields", "indexes"}
    assert set(found["fields"]) == {"1", "2"}


@pytest.mark.parametrize(
    "data",
    [
        {"fields": "abc"}, {"fields": {}}, {"fields": [1]}, {"fields": [{"name": "a"}]}, {"indexes": "abc"},
        {"fields": [{"name": "a", "type": "nope"}]},
        {"fields": [{"name": "a", "type": ["text"]}]}, {"fields": [{**TEXT, "min": "x"}]},
        {"fields": [{**TEXT, "required": "yes"}]}, {"fields": [{**TEXT, "min": 2**70}]}, {"indexes": [1]},
        {"listRule": 5}, {"system": "x"}, {"id": 5}, {"type": "auth", "otp": "x"}, {"type": "auth", "otp": []},
        {"type": "auth", "authToken": {"duration": 1.5}}, {"type": "auth", "authRule": 5},
        {"type": "auth", "oauth2": {"providers": [1]}}, {"type": "auth", "oauth2": {"providers": {}}},
        {"type": "auth", "passwordAuth": {"identityFields": "email"}},
    ],
)  # fmt: skip
def test_json_of_the_wrong_type_is_malformed(session: Session, data: dict[str, Any]) -> None:
    error = refusal(session, {"name": "t", **data})
    assert error.message == "Failed to load the submitted data due to invalid formatting."
    assert errors(error) == {}


@pytest.mark.parametrize("data", [{"name": 12}, {"name": "t", "type": 5}])
def test_a_name_or_type_that_is_no_text_is_malformed(session: Session, data: dict[str, Any]) -> None:
    message = "Failed to load the collection type data due to invalid formatting."
    assert refusal(session, data).message == message


def test_nulls_and_unknown_keys_are_as_if_absent(session: Session) -> None:
    made = make(session, "t", {**TEXT, "bogus": 1, "max": None}, bogus=1, indexes=None, type=None, id="")
    assert [field.name for field in made.fields] == ["id", "a"]
    assert made.id == "pbc_3206528920"


def test_a_field_sent_twice_counts_once_as_sent_last(session: Session) -> None:
    made = make(session, "t", TEXT, {"name": "a", "type": "number"}, {"name": "b", "type": "text", "id": "x"},
                {"name": "c", "type": "text", "id": "x"})  # fmt: skip
    assert [(field.name, field.type) for field in made.fields] == [
        ("id", "text"),
        ("a", "number"),
        ("c", "text"),
    ]


def test_a_derived_id_that_is_taken_gives_way_to_a_random_one(session: Session) -> None:
    first = make(session, "posts")
    change(session, "posts", name="articles")
    second = make(session, "posts")
    assert second.id != first.id
    assert load_schema(session).get("posts") == second


def test_a_table_of_the_platform_is_out_of_reach(session: Session) -> None:
    session.execute('CREATE TABLE "tool_table" (x INTEGER)')
    for name in ("tool_table", "TOOL_table"):
        error = refusal(session, {"name": name})
        assert errors(error)["name"]["code"] == "validation_collection_name_invalid"


@pytest.mark.parametrize("name", ["select", "order", "null", "1abc", "Group", "a" * 63])
def test_words_of_sql_are_names_like_any_other(session: Session, name: str) -> None:
    made = make(session, name, {"name": "select", "type": "text"}, {"name": "from", "type": "number"},
                indexes=[f"CREATE INDEX where_x ON `{name}` (`select`, `from`)"])  # fmt: skip
    put(session, made, **{"select": "x", "from": 1})
    assert indexes_of(session, name) == {"where_x"}


# --- indexes ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("sent", "kept"),
    [
        ("CREATE INDEX i ON t (a)", "CREATE INDEX i ON t (a)"),
        ("CREATE INDEX i ON other (a)", "CREATE INDEX `i` ON `t` (`a`)"),
        ("create unique index if not exists i on t (a COLLATE NOCASE DESC, n) where a != ''", None),
        ("CREATE INDEX i ON t (lower(a), abs(n) DESC)", None),
        ("CREATE INDEX i ON t (A)", None),
        ("CREATE INDEX i ON t (a) WHERE b = 1 OR (b = 0 AND n IN (1, -2.5) AND NOT a IS NULL)", None),
        ("CREATE INDEX i ON t (a) WHERE b", None),
        ("CREATE INDEX i ON t (a) WHERE a == 'it''s 100% ?'", None),
        ("CREATE INDEX `i-1 %` ON t (a)", None),
        ("CREATE INDEX i ON t (j, s)", None),
    ],
)
def test_an_index_is_built(session: Session, sent: str, kept: str | None) -> None:
    made = make(
        session, "t", TEXT, {"name": "n", "type": "number"}, {"name": "b", "type": "bool"},
        {"name": "j", "type": "json"}, {"name": "s", "type": "select", "values": ["x", "y"], "maxSelect": 2},
        indexes=[sent],
    )  # fmt: skip
    assert made.indexes == (kept or sent,)
    assert len(indexes_of(session, "t")) == 1
    put(session, made, a="x", n=1, b=True, s=["x"])


def test_a_unique_index_without_case_is_so_on_both_engines(session: Session) -> None:
    made = make(session, "t", TEXT, indexes=["CREATE UNIQUE INDEX i ON t (a COLLATE NOCASE) WHERE a != ''"])
    put(session, made, a="Abc")
    put(session, made, a="")
    put(session, made, a="")
    put(session, made, a="Éa")
    put(session, made, a="éa")
    with pytest.raises(Exception, match=r"(?i)unique"), session.savepoint():
        put(session, made, a="aBC")


@pytest.mark.parametrize(
    ("indexes", "at", "code", "message"),
    [
        (["nope"], "0", "validation_invalid_index_expression", "Invalid CREATE INDEX expression."),
        ([""], "0", "validation_invalid_index_expression", "Invalid CREATE INDEX expression."),
        (["CREATE INDEX i ON t (a); DROP TABLE users"], "0", "validation_invalid_index_expression", None),
        (
            ["CREATE INDEX i ON t (nope)"], "0", "validation_invalid_index_expression",
            "Failed to create index i - SQL logic error: no such column: nope (1).",
        ),
        (["CREATE INDEX i ON t (a) WHERE nope = 1"], "0", "validation_invalid_index_expression", None),
        (["CREATE INDEX i ON t (random(a))"], "0", "validation_invalid_index_expression", None),
        (
            ["CREATE INDEX i ON t (a)", "CREATE INDEX I ON t (b)"], "1",
            "validation_duplicated_index_name", "The index name already exists.",
        ),
        (
            ["CREATE INDEX i ON t (a)", "CREATE INDEX k ON t (a)"], "1",
            "validation_duplicated_index_definition", "The index definition already exists.",
        ),
        (
            ["CREATE INDEX taken ON t (a)"], "0",
            "validation_existing_index_name", "The index name is already used in first collection.",
        ),
        ([f"CREATE INDEX {'i' * 64} ON t (a)"], "0", "validation_invalid_index_expression", None),
        (["CREATE INDEX sqlite_i ON t (a)"], "0", "validation_invalid_index_expression", None),
        (["CREATE INDEX users ON t (a)"], "0", "validation_invalid_index_expression", None),
    ],
)  # fmt: skip
def test_an_index_is_refused_with(
    session: Session, indexes: list[str], at: str, code: str, message: str | None
) -> None:
    make(session, "first", TEXT, indexes=["CREATE INDEX taken ON first (a)"])
    error = refusal(
        session, {"name": "t", "fields": [TEXT, {"name": "b", "type": "text"}], "indexes": indexes}
    )
    (found,) = errors(error)["indexes"].items()
    assert (found[0], found[1]["code"]) == (at, code)
    assert message is None or found[1]["message"] == message
    assert columns_of(session, "t") == set()


def test_the_unique_indexes_of_an_auth_collection_are_not_doubled(session: Session) -> None:
    made = make(
        session, "members", type="auth",
        indexes=["CREATE UNIQUE INDEX mine ON members (tokenKey)", "CREATE UNIQUE INDEX em ON x (email, tokenKey)"],
    )  # fmt: skip
    assert [text.split()[3].strip("`") for text in made.indexes] == ["mine", "em", f"idx_email_{made.id}"]


# --- limits and races ---------------------------------------------------------------------------------


def test_the_most_fields_that_are_allowed_fit_on_both_engines(session: Session) -> None:
    fields = [{"name": f"f{number}", "type": "text"} for number in range(MAX_FIELDS)]
    error = refusal(session, {"name": "wide", "fields": fields})
    assert errors(error)["fields"]["code"] == "validation_length_out_of_range"
    put(session, make(session, "wide", *fields[1:]), f1="x")


def test_more_indexes_than_allowed_are_refused(session: Session) -> None:
    texts = [f"CREATE INDEX i{number} ON t (id, id)" for number in range(MAX_INDEXES + 1)]
    error = refusal(session, {"name": "t", "indexes": texts})
    assert errors(error)["indexes"]["code"] == "validation_length_out_of_range"


def test_of_two_creations_of_one_name_at_once_one_wins(project: ProjectHandle) -> None:
    start = threading.Barrier(2)

    def create() -> bool:
        try:
            start.wait()
            with write_session(project) as session:
                make(session, "posts")
        except ApiError:
            return False
        else:
            return True
        finally:
            close_thread()

    with ThreadPoolExecutor(2) as pool:
        assert sorted(future.result() for future in [pool.submit(create), pool.submit(create)]) == [
            False,
            True,
        ]
    with read_session(project) as session:
        assert [made.name for made in load_schema(session).collections].count("posts") == 1
