"""Each operation by each role: who may, who is told 403, and who may not even know (404)."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from projects.control import collections, deletion, keys, members, people, placements, projects
from projects.control.actor import COMMAND, Actor
from projects.control.roles import RIGHTS, Action, find_project, visible_projects
from projects.errors import ApiError
from projects.models import ConsoleUser, Membership, Placement, Project
from tests.control.conftest import ROLES

Operation = Callable[[Actor, Project], Any]


def _member(project: Project, role: str) -> Membership:
    return project.memberships.get(user__email=f"{role}@example.com")


def _key(project: Project, kind: str) -> Any:
    return keys.create_key(COMMAND, project, kind=kind).key


OPERATIONS: dict[str, tuple[set[str], Operation]] = {
    "views the project": ({"owner", "developer", "viewer"}, lambda a, p: find_project(a, p.ref)),
    "lists collections": ({"owner", "developer", "viewer"}, collections.list_collections),
    "renames": ({"owner", "developer"}, lambda a, p: projects.change_project(a, p, name="New")),
    "configures": (
        {"owner", "developer"},
        lambda a, p: projects.change_project(a, p, settings={"corsOrigins": ["https://example.com"]}),
    ),
    "suspends": ({"owner"}, projects.suspend_project),
    "deletes": ({"owner"}, lambda a, p: deletion.request_deletion(a, p, typed_ref=p.ref)),
    "adds a member": (
        {"owner"},
        lambda a, p: members.add_member(a, p, email="stranger@example.com", role="viewer"),
    ),
    "raises a member": ({"owner"}, lambda a, p: members.change_member(a, _member(p, "viewer"), role="owner")),
    "removes a developer": (
        {"owner", "developer"},  # the developer leaves
        lambda a, p: members.remove_member(a, _member(p, "developer")),
    ),
    "makes a public key": ({"owner", "developer"}, lambda a, p: keys.create_key(a, p, kind="public")),
    "makes a service key": ({"owner"}, lambda a, p: keys.create_key(a, p, kind="service")),
    "revokes a public key": ({"owner", "developer"}, lambda a, p: keys.revoke_key(a, _key(p, "public"))),
    "revokes a service key": ({"owner"}, lambda a, p: keys.revoke_key(a, _key(p, "service"))),
    "creates a collection": (
        {"owner", "developer"},
        lambda a, p: collections.create_collection(a, p, {"name": "posts"}),
    ),
    "deletes a collection": (
        {"owner", "developer"},
        lambda a, p: collections.delete_collection(a, p, "users"),
    ),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", OPERATIONS)
def test_an_operation_is_for_its_roles_and_operators(
    name: str, role: str, shop: Project, actors: dict[str, Actor]
) -> None:
    allowed, run = OPERATIONS[name]
    if role in allowed | {"operator"}:
        run(actors[role], shop)
        return
    with pytest.raises(ApiError) as refused:
        run(actors[role], shop)
    assert refused.value.status == (404 if role == "stranger" else 403)


@pytest.mark.parametrize("name", OPERATIONS)
def test_a_deactivated_owner_is_a_stranger(name: str, shop: Project, people: dict[str, ConsoleUser]) -> None:
    owner = people["owner"]
    owner.is_active = False
    owner.save()
    with pytest.raises(ApiError) as refused:
        OPERATIONS[name][1](Actor.person(owner), shop)
    assert refused.value.status == 404


@pytest.mark.parametrize("name", OPERATIONS)
def test_an_owner_of_one_project_is_a_stranger_to_another(
    name: str, shop: Project, actors: dict[str, Actor]
) -> None:
    projects.create_project(actors["stranger"], "other-shop")
    with pytest.raises(ApiError) as refused:
        OPERATIONS[name][1](actors["stranger"], shop)
    assert refused.value.status == 404


OPERATOR_ONLY: dict[str, Operation] = {
    "registers a placement": lambda a, p: placements.create_placement(a, name="more", engine="sqlite"),
    "changes a placement": lambda a, p: placements.change_placement(a, p.placement, accepts_projects=False),
    "deletes a placement": lambda a, p: placements.delete_placement(
        a, Placement.objects.create(name="empty", engine="sqlite")
    ),
    "rotates the secrets": lambda a, p: placements.rotate_secrets(a),
    "adds a person": lambda a, p: people.create_person(
        a, email="new@example.com", password="correct-horse-battery-9"
    ),
    "makes an operator": lambda a, p: people.change_person(a, _member(p, "viewer").user, is_operator=True),
    "resets a password": lambda a, p: people.change_password(
        a, _member(p, "viewer").user, password="another-battery-9"
    ),
    "creates a project for somebody": lambda a, p: projects.create_project(
        a, "for-others", owner=_member(p, "viewer").user
    ),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", OPERATOR_ONLY)
def test_what_concerns_the_installation_is_for_operators(
    name: str, role: str, shop: Project, actors: dict[str, Actor], people: dict[str, ConsoleUser]
) -> None:
    # The viewer acts on somebody else, so that nothing is "their own".
    actor = actors[role] if role != "viewer" else Actor.person(_someone_else())
    if role == "operator":
        OPERATOR_ONLY[name](actor, shop)
        return
    with pytest.raises(ApiError) as refused:
        OPERATOR_ONLY[name](actor, shop)
    assert refused.value.status == 403


def _someone_else() -> ConsoleUser:
    return ConsoleUser.objects.create_user("someone@example.com", None)


def test_those_who_may_act_as_superuser_are_the_ones_the_app_api_lets_sign_in() -> None:
    from projects.accounts.superusers import ROLES as SIGNING_IN

    assert {role for role, rights in RIGHTS.items() if Action.DATA_SUPERUSER in rights} == set(SIGNING_IN)


def test_people_see_their_projects_and_operators_all(shop: Project, actors: dict[str, Actor]) -> None:
    projects.create_project(actors["stranger"], "other-shop")
    seen = {
        role: set(visible_projects(actor).values_list("ref", flat=True)) for role, actor in actors.items()
    }
    assert seen == {
        "operator": {"shop", "other-shop"},
        "owner": {"shop"},
        "developer": {"shop"},
        "viewer": {"shop"},
        "stranger": {"other-shop"},
    }


def test_only_operators_create_projects_where_the_setting_says_so(
    local: Placement, actors: dict[str, Actor], settings: Any
) -> None:
    settings.MBAAS_PROJECT_CREATION = "operators"
    with pytest.raises(ApiError) as refused:
        projects.create_project(actors["owner"], "shop")
    assert refused.value.status == 403
    assert projects.create_project(actors["operator"], "shop").ref == "shop"
