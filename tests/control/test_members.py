from __future__ import annotations

import pytest

from projects.control import members
from projects.control.actor import Actor
from projects.errors import ApiError
from projects.models import ConsoleUser, Membership, Project


def _of(project: Project, role: str) -> Membership:
    return project.memberships.get(user__email=f"{role}@example.com")


def test_a_member_is_found_by_e_mail_whatever_its_case(shop: Project, actors: dict[str, Actor]) -> None:
    member = members.add_member(actors["owner"], shop, email=" Stranger@Example.COM ", role="viewer")
    assert member.user.email == "stranger@example.com"


@pytest.mark.parametrize(
    ("email", "role", "field"),
    [
        ("", "viewer", "email"),
        ("not an address", "viewer", "email"),
        ("nobody@example.com", "viewer", "email"),
        ("viewer@example.com", "developer", "email"),  # a member already
        ("stranger@example.com", "king", "role"),
    ],
)
def test_what_cannot_be_a_member_is_refused(
    email: str, role: str, field: str, shop: Project, actors: dict[str, Actor]
) -> None:
    with pytest.raises(ApiError) as refused:
        members.add_member(actors["owner"], shop, email=email, role=role)
    assert set(refused.value.data) == {field}
    assert shop.memberships.count() == 3


def test_a_deactivated_person_is_nobody(
    shop: Project, actors: dict[str, Actor], people: dict[str, ConsoleUser]
) -> None:
    ConsoleUser.objects.filter(pk=people["stranger"].pk).update(is_active=False)
    with pytest.raises(ApiError):
        members.add_member(actors["owner"], shop, email="stranger@example.com", role="viewer")


def test_the_last_owner_stays(shop: Project, actors: dict[str, Actor]) -> None:
    owner = _of(shop, "owner")
    for attempt in (
        lambda: members.change_member(actors["owner"], owner, role="viewer"),
        lambda: members.remove_member(actors["owner"], owner),
        lambda: members.remove_member(actors["operator"], owner),
    ):
        with pytest.raises(ApiError, match="at least one owner"):
            attempt()
    members.change_member(actors["owner"], _of(shop, "developer"), role="owner")
    members.remove_member(actors["owner"], owner)
    assert [m.user.email for m in shop.memberships.filter(role="owner")] == ["developer@example.com"]


def test_an_owner_who_cannot_sign_in_does_not_count(
    shop: Project, actors: dict[str, Actor], people: dict[str, ConsoleUser]
) -> None:
    members.change_member(actors["owner"], _of(shop, "developer"), role="owner")
    ConsoleUser.objects.filter(pk=people["developer"].pk).update(is_active=False)
    with pytest.raises(ApiError, match="at least one owner"):
        members.remove_member(actors["owner"], _of(shop, "owner"))


def test_a_member_leaves_but_removes_nobody_else(shop: Project, actors: dict[str, Actor]) -> None:
    with pytest.raises(ApiError) as refused:
        members.remove_member(actors["viewer"], _of(shop, "developer"))
    assert refused.value.status == 403
    members.remove_member(actors["viewer"], _of(shop, "viewer"))
    assert shop.memberships.count() == 2


def test_a_viewer_cannot_raise_themselves(shop: Project, actors: dict[str, Actor]) -> None:
    with pytest.raises(ApiError) as refused:
        members.change_member(actors["viewer"], _of(shop, "viewer"), role="owner")
    assert refused.value.status == 403
