"""What two people do at the same moment comes one after the other. On both engines of the control plane."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Any

import pytest
from django.db import connections

from projects.control import deletion, members, people, projects
from projects.control.actor import COMMAND, Actor
from projects.databases import close_thread
from projects.errors import ApiError
from projects.models import ConsoleUser, Membership, Placement, Project

pytestmark = pytest.mark.django_db(transaction=True)


def _at_once(*calls: Callable[[], Any]) -> list[Any]:
    """Run the calls on threads that start together; what each returned or raised."""
    start = threading.Barrier(len(calls))
    outcomes: list[Any] = [None] * len(calls)

    def run(at: int) -> None:
        start.wait()
        try:
            outcomes[at] = calls[at]()
        except Exception as error:  # noqa: BLE001 (it is the outcome)
            outcomes[at] = error
        finally:
            close_thread()
            connections.close_all()

    threads = [threading.Thread(target=run, args=(at,)) for at in range(len(calls))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return outcomes


def _owners(*emails: str) -> tuple[Project, list[ConsoleUser]]:
    Placement.objects.get_or_create(name="local", engine="sqlite", is_default=True)
    users = [ConsoleUser.objects.create_user(email, None) for email in emails]
    project = projects.create_project(Actor.person(users[0]), "shop")
    for user in users[1:]:
        members.add_member(COMMAND, project, email=user.email, role="owner")
    return project, users


@pytest.mark.parametrize("attempt", range(3))
def test_two_owners_who_remove_each_other_leave_one(attempt: int) -> None:
    project, (one, two) = _owners("one@example.com", "two@example.com")
    first, second = project.memberships.get(user=one), project.memberships.get(user=two)
    outcomes = _at_once(
        lambda: members.remove_member(Actor.person(one), second),
        lambda: members.remove_member(Actor.person(two), first),
    )
    assert Membership.objects.filter(project=project, role="owner").count() == 1
    assert sorted(isinstance(outcome, ApiError) for outcome in outcomes) == [False, True]


def test_two_operators_who_demote_each_other_leave_one() -> None:
    one, two = (ConsoleUser.objects.create_user(f"{n}@example.com", None, is_operator=True) for n in "ab")
    outcomes = _at_once(
        lambda: people.change_person(Actor.person(one), two, is_operator=False),
        lambda: people.change_person(Actor.person(two), one, is_operator=False),
    )
    assert sorted(isinstance(outcome, ApiError) for outcome in outcomes) == [False, True]
    assert any(isinstance(outcome, ConsoleUser) for outcome in outcomes)
    assert ConsoleUser.objects.filter(is_operator=True).count() == 1


def test_one_ref_makes_one_project_and_one_database() -> None:
    Placement.objects.get_or_create(name="local", engine="sqlite", is_default=True)
    users = [ConsoleUser.objects.create_user(f"{n}@example.com", None) for n in "abcd"]
    outcomes = _at_once(
        *(lambda user=user: projects.create_project(Actor.person(user), "shop") for user in users)  # type: ignore[misc]
    )
    made = [outcome for outcome in outcomes if isinstance(outcome, Project)]
    assert len(made) == 1 and Project.objects.get() == made[0]
    assert {o.as_json()["data"]["ref"]["code"] for o in outcomes if isinstance(o, ApiError)} == {
        "validation_not_unique"
    }


def test_a_project_that_is_kept_while_it_is_purged_is_either_whole_or_gone() -> None:
    from datetime import timedelta

    from django.utils import timezone

    from projects.databases.aliases import sqlite_path

    project, (owner,) = _owners("one@example.com")
    deletion.request_deletion(COMMAND, project, typed_ref="shop")
    Project.objects.update(delete_after=timezone.now() - timedelta(seconds=1))
    project.refresh_from_db()
    _at_once(
        lambda: deletion.purge_project(COMMAND, project),
        lambda: deletion.cancel_deletion(Actor.person(owner), project),
    )
    assert Project.objects.exists() == sqlite_path(project.uid).exists()
