from __future__ import annotations

from typing import Any

import pytest

from projects.databases import Session
from projects.errors import ApiError, FieldError
from projects.schema import (
    CollectionSchema,
    delete_collection,
    list_collections,
    load_schema,
    schema_version,
    truncate_collection,
    view_collection,
)
from tests.schema.helpers import USERS_ID, columns_of, errors, make, put, records


def refusal(session: Session, name: str, confirm: bool = False) -> ApiError:
    version, collections = schema_version(session), load_schema(session).collections
    with pytest.raises(ApiError) as caught:
        delete_collection(session, name, confirm=confirm)
    assert schema_version(session) == version
    assert load_schema(session).collections == collections
    return caught.value


def test_an_empty_collection_goes_at_once(session: Session) -> None:
    make(session, "posts")
    delete_collection(session, "POSTS")
    assert load_schema(session).get("posts") is None
    assert columns_of(session, "posts") == set()
    make(session, "posts")


def test_a_collection_with_records_goes_once_confirmed(session: Session) -> None:
    made = make(session, "posts")
    put(session, made)
    error = refusal(session, "posts")
    assert (error.status, error.message) == (400, "Failed to delete collection.")
    assert errors(error)["posts"]["code"] == "confirmation_required"
    delete_collection(session, made.id, confirm=True)
    assert columns_of(session, "posts") == set()


def test_a_collection_that_others_point_to_stays(session: Session) -> None:
    target = make(session, "target")
    for holder in ("holder", "other"):
        make(session, holder, {"name": "r", "type": "relation", "collectionId": target.id})
    error = refusal(session, "target", confirm=True)
    message = "Failed to delete collection probably due to existing reference in holder, other."
    assert (error.status, error.message, errors(error)) == (400, message, {})
    delete_collection(session, "holder")
    delete_collection(session, "other")
    delete_collection(session, "target")


@pytest.mark.parametrize("name", ["_superusers", "_mfas", "_otps", "_externalAuths", "_authOrigins"])
def test_a_system_collection_stays(session: Session, name: str) -> None:
    error = refusal(session, name, confirm=True)
    assert (error.status, error.message) == (400, "Failed to delete collection.")


def test_what_is_not_there_is_404(session: Session) -> None:
    assert refusal(session, "nope").status == 404
    with pytest.raises(ApiError) as caught:
        view_collection(session, "nope")
    assert caught.value.status == 404


def test_what_sign_in_flows_wrote_about_users_goes_with_their_collection(session: Session) -> None:
    members = make(session, "members", type="auth")
    mfas = view_collection(session, "_mfas")
    put(session, mfas, collectionRef=members.id, recordRef="x", method="password")
    put(session, mfas, collectionRef=USERS_ID, recordRef="x", method="password")
    delete_collection(session, "members")
    assert [record["collectionRef"] for record in records(session, "_mfas")] == [USERS_ID]


def test_collections_are_listed_in_the_order_of_their_creation(session: Session) -> None:
    make(session, "zzz")
    make(session, "aaa")
    assert [made.name for made in list_collections(session)][-3:] == ["users", "zzz", "aaa"]


def test_a_collection_is_found_by_name_or_id(session: Session) -> None:
    assert view_collection(session, "USERS") is view_collection(session, USERS_ID)


def delete_rows(session: Session, collection: CollectionSchema) -> None:
    session.execute(f'DELETE FROM "{collection.table}"')


def test_truncating_hands_the_records_to_their_deleter(session: Session) -> None:
    made = make(session, "posts")
    put(session, made)
    version = schema_version(session)
    truncate_collection(session, "posts", delete_records=delete_rows)
    assert records(session, "posts") == []
    assert schema_version(session) == version


def test_what_a_failed_truncation_deleted_is_back(session: Session) -> None:
    made = make(session, "posts")
    put(session, made)

    def fail_late(session: Session, collection: CollectionSchema) -> None:
        delete_rows(session, collection)
        raise ApiError(400, "A record is needed elsewhere.", {"x": FieldError("x", "x")})

    with pytest.raises(ApiError):
        truncate_collection(session, "posts", delete_records=fail_late)
    assert len(records(session, "posts")) == 1


def test_members_cannot_be_truncated(session: Session) -> None:
    called: list[Any] = []
    with pytest.raises(ApiError) as caught:
        truncate_collection(session, "_superusers", delete_records=lambda *sent: called.append(sent))
    assert (caught.value.status, called) == (400, [])
