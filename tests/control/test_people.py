from __future__ import annotations

import pytest
from django.db import IntegrityError, transaction

from projects.control import people, tokens
from projects.control.actor import COMMAND, Actor
from projects.errors import ApiError
from projects.models import ConsoleUser, PersonalToken
from tests.control.conftest import PASSWORD


def test_an_e_mail_is_one_persons_whatever_its_case(people: dict[str, ConsoleUser]) -> None:
    from projects.control.people import create_person

    with pytest.raises(ApiError) as refused:
        create_person(COMMAND, email="OWNER@Example.com", password=PASSWORD)
    assert set(refused.value.data) == {"email"}
    with pytest.raises(IntegrityError), transaction.atomic():
        ConsoleUser.objects.create(email="Owner@example.com")


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        ("", PASSWORD, "email"),
        ("nonsense", PASSWORD, "email"),
        ("new@example.com", "", "password"),
        ("new@example.com", "short", "password"),
        ("new@example.com", "password123", "password"),
        ("new@example.com", "x" * 1025, "password"),
    ],
)
@pytest.mark.django_db
def test_a_bad_e_mail_or_a_weak_password_is_refused(email: str, password: str, field: str) -> None:
    with pytest.raises(ApiError) as refused:
        people.create_person(COMMAND, email=email, password=password)
    assert set(refused.value.data) == {field}
    assert not ConsoleUser.objects.exists()


def test_the_right_password_finds_the_person(people: dict[str, ConsoleUser]) -> None:
    from projects.control.people import check_credentials

    assert check_credentials(" Owner@EXAMPLE.com", PASSWORD) == people["owner"]
    assert check_credentials("owner@example.com", "wrong") is None
    assert check_credentials("nobody@example.com", PASSWORD) is None
    ConsoleUser.objects.filter(pk=people["owner"].pk).update(is_active=False)
    assert check_credentials("owner@example.com", PASSWORD) is None


def test_an_unknown_person_costs_as_much_as_a_wrong_password(
    people: dict[str, ConsoleUser], monkeypatch: pytest.MonkeyPatch
) -> None:
    from projects.control import people as operations

    hashed: list[str] = []
    monkeypatch.setattr(operations, "make_password", hashed.append)
    operations.check_credentials("nobody@example.com", "guess")
    assert hashed == ["guess"]


def test_ones_own_password_is_changed_with_the_present_one(
    people: dict[str, ConsoleUser], actors: dict[str, Actor]
) -> None:
    from projects.control.people import change_password

    viewer = people["viewer"]
    for current in (None, "", "wrong"):
        with pytest.raises(ApiError) as refused:
            change_password(actors["viewer"], viewer, password="another-battery-9", current=current)
        assert set(refused.value.data) == {"current"}
    before = viewer.get_session_auth_hash()
    changed = change_password(actors["viewer"], viewer, password="another-battery-9", current=PASSWORD)
    assert changed.check_password("another-battery-9")
    assert changed.get_session_auth_hash() != before


def test_an_operators_reset_needs_no_password_and_ends_tokens(
    people: dict[str, ConsoleUser], actors: dict[str, Actor]
) -> None:
    from projects.control.people import change_password

    tokens.create_token(actors["viewer"], people["viewer"], name="script")
    change_password(actors["operator"], people["viewer"], password="another-battery-9")
    assert not PersonalToken.objects.exists()


def test_the_last_operator_stays_one(people: dict[str, ConsoleUser], actors: dict[str, Actor]) -> None:
    from projects.control.people import change_person

    operator = people["operator"]
    for change in ({"is_operator": False}, {"is_active": False}):
        with pytest.raises(ApiError, match="at least one operator"):
            change_person(actors["operator"], operator, **change)
    change_person(actors["operator"], people["owner"], is_operator=True)
    assert not change_person(actors["operator"], operator, is_operator=False).is_operator


def test_everybody_changes_their_own_name_and_no_more(
    people: dict[str, ConsoleUser], actors: dict[str, Actor]
) -> None:
    from projects.control.people import change_person

    assert change_person(actors["viewer"], people["viewer"], name=" Vi ").name == "Vi"
    for change in ({"is_operator": True}, {"is_active": True}):
        with pytest.raises(ApiError) as refused:
            change_person(actors["viewer"], people["viewer"], **change)
        assert refused.value.status == 403
    with pytest.raises(ApiError):
        change_person(actors["viewer"], people["owner"], name="Not yours")


def test_name_and_password_are_changed_together_or_not_at_all(
    people: dict[str, ConsoleUser], actors: dict[str, Actor]
) -> None:
    from projects.control.people import edit_person

    with pytest.raises(ApiError):
        edit_person(actors["operator"], people["viewer"], name="New", password="short")
    assert ConsoleUser.objects.get(pk=people["viewer"].pk).name == "Viewer"
