from __future__ import annotations

import pytest

from projects.schema.names import (
    collection_name_complaint,
    field_name_complaint,
    id_complaint,
    taken_name_complaint,
)


@pytest.mark.parametrize("name", ["posts", "1abc", "select", "null", "a" * 63, "Posts_2"])
def test_a_collection_may_be_called(name: str) -> None:
    assert collection_name_complaint(name) is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "validation_required"),
        ("a b", "validation_match_invalid"),
        ("abc-d", "validation_match_invalid"),
        ("ünï", "validation_match_invalid"),
        ('a"b', "validation_match_invalid"),
        ("a\n", "validation_match_invalid"),
        ("a" * 64, "validation_length_out_of_range"),
        ("a_via_b", "validation_found_via"),
        ("_abc", "validation_collection_name_invalid"),
        ("_collections", "validation_collection_name_invalid"),
        ("sqlite_x", "validation_collection_name_invalid"),
        ("SQLITE_x", "validation_collection_name_invalid"),
        ("pg_class", "validation_collection_name_invalid"),
        ("django_migrations", "validation_collection_name_invalid"),
        ("account_emailaddress", "validation_collection_name_invalid"),
        ("socialaccount_x", "validation_collection_name_invalid"),
        ("mfa_authenticator", "validation_collection_name_invalid"),
        ("usersessions_x", "validation_collection_name_invalid"),
    ],
)
def test_a_collection_may_not_be_called(name: str, code: str) -> None:
    complaint = collection_name_complaint(name)
    assert complaint is not None
    assert complaint.code == code


def test_only_system_collections_begin_with_an_underscore() -> None:
    assert collection_name_complaint("_otps", system=True) is None
    assert collection_name_complaint("sqlite_x", system=True) is not None


def test_a_name_is_taken_whatever_its_case() -> None:
    complaint = taken_name_complaint("POSTS", ["posts"], [])
    assert complaint is not None
    assert complaint.code == "validation_collection_name_exists"


def test_a_name_may_not_be_another_collections_id() -> None:
    complaint = taken_name_complaint("PBC_1", ["posts"], ["pbc_1"])
    assert complaint is not None
    assert complaint.code == "validation_collection_name_id_duplicate"
    assert taken_name_complaint("pbc_2", ["posts"], ["pbc_1"]) is None


@pytest.mark.parametrize(
    "name", ["title", "_a", "1a", "rowid", "oid", "order", "via", "constructor", "a" * 63]
)
def test_a_field_may_be_called(name: str) -> None:
    assert field_name_complaint(name, "base") is None


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("", "validation_required"),
        ("a b", "validation_match_invalid"),
        ("é", "validation_match_invalid"),
        ("a" * 64, "validation_length_out_of_range"),
        ("a_via_b", "validation_found_via"),
        ("collectionId", "validation_not_in_invalid"),
        ("collectionName", "validation_not_in_invalid"),
        ("expand", "validation_not_in_invalid"),
        ("null", "validation_not_in_invalid"),
        ("true", "validation_not_in_invalid"),
        ("_rowid_", "validation_not_in_invalid"),
        ("xmin", "validation_not_in_invalid"),
        ("CTID", "validation_not_in_invalid"),
        ("_mbaas_tmp_1", "validation_not_in_invalid"),
    ],
)
def test_a_field_may_not_be_called(name: str, code: str) -> None:
    complaint = field_name_complaint(name, "base")
    assert complaint is not None
    assert complaint.code == code


def test_what_a_sign_up_sends_beside_fields_cannot_be_a_field_of_an_auth_collection() -> None:
    for name in ("passwordConfirm", "oldPassword"):
        assert field_name_complaint(name, "base") is None
        complaint = field_name_complaint(name, "auth")
        assert complaint is not None
        assert complaint.code == "validation_reserved_field_name"


@pytest.mark.parametrize(
    ("given", "code"),
    [
        ("", "validation_required"),
        ("bad id!", "validation_match_invalid"),
        ("x" * 101, "validation_length_out_of_range"),
    ],
)
def test_a_collection_id_may_not_be(given: str, code: str) -> None:
    complaint = id_complaint(given)
    assert complaint is not None
    assert complaint.code == code
    assert id_complaint("x" * 100) is None
