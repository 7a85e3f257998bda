from __future__ import annotations

from typing import Any

import pytest
from django.db import IntegrityError, transaction

from projects.control import projects
from projects.control.actor import COMMAND, Actor
from projects.databases import DatabaseMissingError, read_session
from projects.databases.aliases import project_folder
from projects.errors import ApiError
from projects.models import ApiKey, AuditEntry, ConsoleUser, Membership, Placement, Project, new_uid
from projects.schema import list_collections


def test_a_new_project_has_an_owner_and_a_database_with_the_system_collections(shop: Project) -> None:
    assert shop.memberships.get(role="owner").user.email == "owner@example.com"
    with read_session(shop.handle()) as session:
        names = {c.name for c in list_collections(session)}
    assert {"users", "_superusers"} <= names


def test_the_handle_says_where_the_project_lives(shop: Project) -> None:
    handle = shop.handle()
    assert (handle.uid, handle.ref, handle.engine) == (shop.uid, "shop", "sqlite")
    assert (handle.placement, handle.status) == ("local", "active")
    assert handle.alias == f"project:local:{shop.uid}"


def test_a_name_is_the_ref_unless_given(local: Placement, actors: dict[str, Actor]) -> None:
    assert projects.create_project(actors["owner"], "garden").name == "garden"


@pytest.mark.parametrize(
    "ref",
    [
        "",
        "ab",
        "a" * 41,
        "Shop",
        "shop_1",
        "-shop",
        "shop-",
        "sh--op",
        "shöp",
        "sh op",
        "shop\n",
        "../etc",
        "admin",
    ],
)
def test_a_ref_that_cannot_stand_in_an_address_is_refused(
    ref: str, local: Placement, actors: dict[str, Actor]
) -> None:
    with pytest.raises(ApiError) as refused:
        projects.create_project(actors["owner"], ref)
    assert refused.value.status == 400
    assert set(refused.value.data) == {"ref"}
    assert not Project.objects.exists()


@pytest.mark.parametrize("ref", ["abc", "a1-b2-c3", "0ab", "a" * 40])
def test_a_ref_of_letters_digits_and_single_hyphens_is_taken(
    ref: str, local: Placement, actors: dict[str, Actor]
) -> None:
    assert projects.create_project(actors["owner"], ref).ref == ref


def test_a_ref_is_one_projects_even_while_that_is_deleted(shop: Project, actors: dict[str, Actor]) -> None:
    from projects.control.deletion import request_deletion

    request_deletion(actors["owner"], shop, typed_ref="shop")
    with pytest.raises(ApiError) as refused:
        projects.create_project(actors["stranger"], "shop")
    assert refused.value.as_json()["data"]["ref"]["code"] == "validation_not_unique"


@pytest.mark.parametrize("name", ["x" * 101, "two\nlines", "nul\0"])
def test_a_name_is_one_short_line(name: str, local: Placement, actors: dict[str, Actor]) -> None:
    with pytest.raises(ApiError) as refused:
        projects.create_project(actors["owner"], "shop", name=name)
    assert set(refused.value.data) == {"name"}


def test_all_that_is_wrong_is_said_at_once(local: Placement, actors: dict[str, Actor]) -> None:
    with pytest.raises(ApiError) as refused:
        projects.create_project(actors["owner"], "A", name="x" * 101, placement="mars")
    assert set(refused.value.data) == {"ref", "name", "placement"}


def test_a_closed_placement_takes_no_new_project(local: Placement, actors: dict[str, Actor]) -> None:
    Placement.objects.update(accepts_projects=False)
    with pytest.raises(ApiError) as refused:
        projects.create_project(actors["owner"], "shop")
    assert set(refused.value.data) == {"placement"}


def test_the_default_placement_is_taken_first(local: Placement, actors: dict[str, Actor]) -> None:
    Placement.objects.create(name="aaa", engine="sqlite")
    assert projects.create_project(actors["owner"], "shop").placement.name == "local"


@pytest.mark.parametrize("stage", ["create_database", "seed_system_collections"])
def test_a_failed_creation_leaves_nothing(
    stage: str, local: Placement, actors: dict[str, Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    handles: list[Any] = []
    made = projects.create_database

    def note(handle: Any) -> None:
        handles.append(handle)
        made(handle)
        if stage == "create_database":
            raise RuntimeError("the disk is full")

    def fail(session: Any) -> None:
        raise RuntimeError("the disk is full")

    monkeypatch.setattr(projects, "create_database", note)
    if stage != "create_database":
        monkeypatch.setattr(projects, stage, fail)
    with pytest.raises(RuntimeError, match="the disk is full"):
        projects.create_project(actors["owner"], "shop")
    assert not Project.objects.exists() and not Membership.objects.exists()
    assert not AuditEntry.objects.exists()
    assert not project_folder(handles[0].uid).exists()
    with pytest.raises(DatabaseMissingError), read_session(handles[0]):
        pass


def test_two_at_once_with_one_ref_make_one_project(
    shop: Project, actors: dict[str, Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    # As if the other one had been committed between our look and our insert.
    monkeypatch.setattr(projects, "is_taken", lambda ref: False)
    with pytest.raises(ApiError) as refused:
        projects.create_project(actors["stranger"], "shop")
    assert refused.value.as_json()["data"]["ref"]["code"] == "validation_not_unique"
    assert Project.objects.count() == 1


def test_a_command_creates_for_an_owner_or_for_nobody(
    local: Placement, people: dict[str, ConsoleUser]
) -> None:
    assert projects.create_project(COMMAND, "one", owner=people["viewer"]).memberships.get().role == "owner"
    assert not projects.create_project(COMMAND, "two").memberships.exists()


def test_settings_are_merged_and_null_goes_back_to_the_default(
    shop: Project, actors: dict[str, Actor]
) -> None:
    owner = actors["owner"]
    changed = projects.change_project(owner, shop, settings={"corsOrigins": ["https://app.example.com"]})
    assert changed.handle().setting("corsOrigins") == ["https://app.example.com"]
    changed = projects.change_project(owner, changed, name="Renamed")
    assert changed.settings == {"corsOrigins": ["https://app.example.com"]}
    assert projects.change_project(owner, changed, settings={"corsOrigins": None}).settings == {}


@pytest.mark.parametrize(
    "settings",
    [
        {"unknown": 1},
        {"corsOrigins": "*"},
        {"corsOrigins": ["example.com"]},
        {"corsOrigins": ["https://a/b"]},
    ],
)
def test_settings_that_make_no_sense_are_refused_by_name(
    settings: dict[str, Any], shop: Project, actors: dict[str, Actor]
) -> None:
    with pytest.raises(ApiError) as refused:
        projects.change_project(actors["owner"], shop, settings=settings)
    assert list(refused.value.as_json()["data"]["settings"]) == list(settings)
    assert Project.objects.get().settings == {}


def test_suspending_and_resuming_change_the_status(shop: Project, actors: dict[str, Actor]) -> None:
    owner = actors["owner"]
    assert projects.suspend_project(owner, shop, reason="late").status == "suspended"
    with pytest.raises(ApiError):
        projects.suspend_project(owner, shop)
    assert projects.resume_project(owner, shop).status == "active"
    with pytest.raises(ApiError):
        projects.resume_project(owner, shop)


def test_uids_begin_with_a_letter_and_have_fifteen_characters() -> None:
    uids = {new_uid() for _ in range(200)}
    assert len(uids) == 200
    assert all(len(uid) == 15 and uid[0].isalpha() and uid.isalnum() and uid.islower() for uid in uids)


def test_the_database_itself_refuses_a_deleting_project_without_a_date(shop: Project) -> None:
    with pytest.raises(IntegrityError), transaction.atomic():
        Project.objects.filter(pk=shop.pk).update(status="deleting")


def test_a_placement_with_projects_cannot_go(shop: Project) -> None:
    from django.db.models import ProtectedError

    with pytest.raises(ProtectedError):
        shop.placement.delete()
    assert not ApiKey.objects.exists()
