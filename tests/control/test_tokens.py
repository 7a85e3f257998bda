from __future__ import annotations

from datetime import timedelta

import pytest
from django.utils import timezone

from projects.control import tokens
from projects.control.actor import COMMAND, Actor
from projects.errors import ApiError
from projects.models import ConsoleUser, PersonalToken


def test_a_token_stands_for_its_person(actors: dict[str, Actor], people: dict[str, ConsoleUser]) -> None:
    new = tokens.create_token(actors["viewer"], people["viewer"], name="script")
    assert new.text.startswith("pt_") and new.text not in (new.token.hash, new.token.prefix)
    assert tokens.find_token_user(new.text) == people["viewer"]


def test_an_expired_token_is_worth_nothing(actors: dict[str, Actor], people: dict[str, ConsoleUser]) -> None:
    new = tokens.create_token(actors["viewer"], people["viewer"], name="script")
    PersonalToken.objects.update(expires_at=timezone.now() - timedelta(seconds=1))
    assert tokens.find_token_user(new.text) is None


def test_a_deactivated_persons_token_is_worth_nothing(
    actors: dict[str, Actor], people: dict[str, ConsoleUser]
) -> None:
    new = tokens.create_token(actors["viewer"], people["viewer"], name="script")
    ConsoleUser.objects.filter(pk=people["viewer"].pk).update(is_active=False)
    assert tokens.find_token_user(new.text) is None


def test_a_deleted_token_is_worth_nothing(actors: dict[str, Actor], people: dict[str, ConsoleUser]) -> None:
    new = tokens.create_token(actors["viewer"], people["viewer"], name="script")
    tokens.delete_token(actors["viewer"], new.token)
    assert tokens.find_token_user(new.text) is None


@pytest.mark.parametrize("other", ["operator", "owner"])
def test_nobody_makes_or_ends_anothers_token(
    other: str, actors: dict[str, Actor], people: dict[str, ConsoleUser]
) -> None:
    new = tokens.create_token(actors["viewer"], people["viewer"], name="script")
    for attempt in (
        lambda: tokens.create_token(actors[other], people["viewer"], name="mine"),
        lambda: tokens.delete_token(actors[other], new.token),
    ):
        with pytest.raises(ApiError) as refused:
            attempt()
        assert refused.value.status == 404
    assert PersonalToken.objects.count() == 1


@pytest.mark.parametrize(("name", "days", "field"), [("", 90, "name"), ("x", 0, "days"), ("x", 367, "days")])
def test_a_token_has_a_name_and_an_end(
    name: str, days: int, field: str, people: dict[str, ConsoleUser]
) -> None:
    with pytest.raises(ApiError) as refused:
        tokens.create_token(COMMAND, people["viewer"], name=name, days=days)
    assert set(refused.value.data) == {field}
