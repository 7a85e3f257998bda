"""People of every role around one project."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from django.core.cache import cache

from projects.control.actor import Actor
from projects.control.members import add_member
from projects.control.projects import create_project
from projects.databases import close_thread
from projects.models import ConsoleUser, Placement, Project

PASSWORD = "correct-horse-battery-9"
ROLES = ("operator", "owner", "developer", "viewer", "stranger")


@pytest.fixture(autouse=True)
def _clean() -> Iterator[None]:
    cache.clear()
    yield
    close_thread()
    cache.clear()


@pytest.fixture
def local(db: None) -> Placement:
    """Another may be the default one: tests also run with a PostgreSQL placement."""
    return Placement.objects.create(name="local", engine="sqlite", is_default=True)


@pytest.fixture
def people(db: None) -> dict[str, ConsoleUser]:
    """A person for each role; ``stranger`` is a member of nothing."""
    return {
        role: ConsoleUser.objects.create_user(
            f"{role}@example.com", PASSWORD, name=role.title(), is_operator=role == "operator"
        )
        for role in ROLES
    }


@pytest.fixture
def actors(people: dict[str, ConsoleUser]) -> dict[str, Actor]:
    return {role: Actor.person(user, "192.0.2.7", "request-1") for role, user in people.items()}


@pytest.fixture
def shop(local: Placement, actors: dict[str, Actor], people: dict[str, ConsoleUser]) -> Project:
    """A project with an owner, a developer and a viewer."""
    project = create_project(actors["owner"], "shop", name="Corner shop")
    for role in ("developer", "viewer"):
        add_member(actors["owner"], project, email=people[role].email, role=role)
    return project
