from __future__ import annotations

from typing import Any

import pytest

from projects.control import deletion, keys, members, projects
from projects.control.actor import Actor
from projects.errors import ApiError
from projects.models import AppendOnlyError, AuditEntry, Project

MUTATIONS: dict[str, Any] = {
    "project.changed": lambda a, p: projects.change_project(a, p, name="New"),
    "project.suspended": projects.suspend_project,
    "project.deletion_requested": lambda a, p: deletion.request_deletion(a, p, typed_ref=p.ref),
    "member.added": lambda a, p: members.add_member(a, p, email="stranger@example.com", role="viewer"),
    "member.changed": lambda a, p: members.change_member(
        a, p.memberships.get(role="viewer"), role="developer"
    ),
    "member.removed": lambda a, p: members.remove_member(a, p.memberships.get(role="developer")),
    "key.created": lambda a, p: keys.create_key(a, p, kind="service"),
}


@pytest.mark.parametrize("action", MUTATIONS)
def test_one_change_is_one_entry_that_says_who_what_and_whence(
    action: str, shop: Project, actors: dict[str, Actor]
) -> None:
    before = AuditEntry.objects.count()
    MUTATIONS[action](actors["owner"], shop)
    assert AuditEntry.objects.count() == before + 1
    entry = AuditEntry.objects.first()
    assert entry is not None
    assert (entry.action, entry.actor, entry.project_ref) == (action, "owner@example.com", "shop")
    assert (entry.ip, entry.request_id, entry.project_uid) == ("192.0.2.7", "request-1", shop.uid)


@pytest.mark.parametrize("action", MUTATIONS)
def test_what_was_refused_is_no_entry(action: str, shop: Project, actors: dict[str, Actor]) -> None:
    before = AuditEntry.objects.count()
    with pytest.raises(ApiError):
        MUTATIONS[action](actors["viewer"], shop)
    assert AuditEntry.objects.count() == before


def test_a_change_that_changes_nothing_is_no_entry(shop: Project, actors: dict[str, Actor]) -> None:
    before = AuditEntry.objects.count()
    projects.change_project(actors["owner"], shop, name=shop.name, settings={})
    assert AuditEntry.objects.count() == before


def test_an_entry_is_never_changed_nor_removed(shop: Project) -> None:
    entry = AuditEntry.objects.get(action="project.created")
    for attempt in (
        entry.save,
        entry.delete,
        lambda: AuditEntry.objects.filter(pk=entry.pk).update(actor="somebody"),
        lambda: AuditEntry.objects.filter(pk=entry.pk).delete(),
    ):
        with pytest.raises(AppendOnlyError):
            attempt()
    assert AuditEntry.objects.get(pk=entry.pk).actor == "owner@example.com"


def test_no_secret_is_logged(shop: Project, actors: dict[str, Actor]) -> None:
    new = keys.create_key(actors["owner"], shop, kind="service")
    assert new.text not in repr(list(AuditEntry.objects.values()))
