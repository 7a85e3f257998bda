from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from projects.control import deletion, projects, tasks
from projects.control.actor import SYSTEM, Actor
from projects.databases.aliases import sqlite_path
from projects.errors import ApiError
from projects.models import ApiKey, AuditEntry, Membership, Placement, Project


@pytest.fixture(autouse=True)
def _one_connection(monkeypatch: pytest.MonkeyPatch) -> None:
    # A task closes what it finds open: here the connection whose transaction the test is.
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)


def _deleted(shop: Project, actors: dict[str, Actor], *, days_ago: int = 0) -> Project:
    project = deletion.request_deletion(actors["owner"], shop, typed_ref="shop")
    if days_ago:
        Project.objects.filter(pk=shop.pk).update(delete_after=timezone.now() - timedelta(days=days_ago))
        project.refresh_from_db()
    return project


@pytest.mark.parametrize("typed", ["", "Shop", "shop ", "other"])
def test_deleting_asks_for_the_ref_exactly(typed: str, shop: Project, actors: dict[str, Actor]) -> None:
    with pytest.raises(ApiError) as refused:
        deletion.request_deletion(actors["owner"], shop, typed_ref=typed)
    assert set(refused.value.data) == {"confirm"}
    shop.refresh_from_db()
    assert shop.status == "active"


def test_deleting_keeps_the_data_for_the_grace_period(
    shop: Project, actors: dict[str, Actor], settings: Any
) -> None:
    settings.MBAAS_DELETE_GRACE_DAYS = 3
    project = _deleted(shop, actors)
    assert project.status == "deleting"
    assert project.delete_after is not None
    assert abs(project.delete_after - timezone.now() - timedelta(days=3)) < timedelta(minutes=1)
    assert sqlite_path(shop.uid).exists()
    assert deletion.due_for_purge() == []
    with pytest.raises(ApiError):
        deletion.purge_project(SYSTEM, project)
    assert sqlite_path(shop.uid).exists()


def test_a_cancelled_deletion_brings_the_project_back_suspended(
    shop: Project, actors: dict[str, Actor]
) -> None:
    project = deletion.cancel_deletion(actors["owner"], _deleted(shop, actors))
    assert (project.status, project.delete_after) == ("suspended", None)
    assert projects.resume_project(actors["owner"], project).status == "active"
    with pytest.raises(ApiError):
        deletion.cancel_deletion(actors["owner"], project)


def test_after_the_grace_period_row_and_database_go_and_the_ref_is_free(
    shop: Project, actors: dict[str, Actor]
) -> None:
    from projects.control.keys import create_key

    create_key(actors["owner"], shop, kind="service")
    _deleted(shop, actors, days_ago=1)
    tasks.purge_deleted_projects()
    assert not Project.objects.exists() and not Membership.objects.exists() and not ApiKey.objects.exists()
    assert not sqlite_path(shop.uid).parent.exists()
    again = projects.create_project(actors["stranger"], "shop")
    assert again.uid != shop.uid


def test_the_audit_outlives_the_project(shop: Project, actors: dict[str, Actor]) -> None:
    _deleted(shop, actors, days_ago=1)
    tasks.purge_deleted_projects()
    entries = AuditEntry.objects.filter(project_uid=shop.uid)
    assert entries.first() is not None
    assert {"project.created", "project.deletion_requested", "project.purged"} <= {e.action for e in entries}
    assert entries.get(action="project.purged").actor == "system"


def test_one_failing_purge_does_not_hold_up_the_others(
    shop: Project, actors: dict[str, Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    other = projects.create_project(actors["owner"], "other")
    deletion.request_deletion(actors["owner"], other, typed_ref="other")
    _deleted(shop, actors, days_ago=2)
    Project.objects.filter(pk=other.pk).update(delete_after=timezone.now() - timedelta(days=1))
    dropped = deletion.drop_database

    def drop(handle: Any) -> None:
        if handle.ref == "shop":
            raise OSError("the server is away")
        dropped(handle)

    monkeypatch.setattr(deletion, "drop_database", drop)
    tasks.purge_deleted_projects()
    assert list(Project.objects.values_list("ref", flat=True)) == ["shop"]
    monkeypatch.setattr(deletion, "drop_database", dropped)
    tasks.purge_deleted_projects()
    assert not Project.objects.exists()


def test_a_purge_can_be_repeated_after_a_crash(shop: Project, actors: dict[str, Actor]) -> None:
    project = _deleted(shop, actors, days_ago=1)
    # The crash came after the database was dropped and before the row went.
    deletion.drop_database(project.handle())
    deletion.purge_project(SYSTEM, project)
    assert not Project.objects.exists()
    with pytest.raises(ApiError):
        deletion.purge_project(SYSTEM, project)


def test_a_project_that_was_kept_in_between_is_not_purged(shop: Project, actors: dict[str, Actor]) -> None:
    project = _deleted(shop, actors, days_ago=1)
    deletion.cancel_deletion(actors["owner"], project)
    with pytest.raises(ApiError):
        deletion.purge_project(SYSTEM, project)
    assert sqlite_path(shop.uid).exists()


def test_no_owner_purges_before_the_time(shop: Project, actors: dict[str, Actor], local: Placement) -> None:
    project = _deleted(shop, actors, days_ago=1)
    with pytest.raises(ApiError) as refused:
        deletion.purge_project(actors["owner"], project, before_due=True)
    assert refused.value.status == 403
    assert Project.objects.exists()
