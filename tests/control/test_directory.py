"""Which project an address names: looked up seldom, and together with the others that are in use."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from typing import Any

import pytest
from django.utils import timezone

from projects import directory
from projects.control import projects
from projects.control.actor import Actor
from projects.directory import _look_up, find_project, known_project
from projects.models import Placement, Project


@pytest.fixture(autouse=True)
def nothing_known(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    # Look-ups have a thread, and a connection, of their own; here they share the test's.
    monkeypatch.setattr(directory, "close_old_connections", lambda: None)
    directory._known.clear()
    yield
    directory._known.clear()


@pytest.fixture
def garden(local: Placement, actors: dict[str, Actor]) -> Project:
    return projects.create_project(actors["owner"], "garden")


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Callable[[float], None]:
    """Lets so many seconds pass."""
    now = [1000.0]
    monkeypatch.setattr(directory.time, "monotonic", lambda: now[0])

    def passing(seconds: float) -> None:
        now[0] += seconds

    return passing


def test_a_project_is_known_for_a_moment_once_it_was_looked_up(
    shop: Project, clock: Callable[[float], None], settings: Any
) -> None:
    assert known_project("shop") is None
    assert _look_up("shop") == known_project("shop") == shop.handle()
    clock(settings.MBAAS_PROJECT_CACHE_SECONDS)
    assert known_project("shop") is None


def test_those_in_use_are_looked_up_together(
    shop: Project, garden: Project, clock: Callable[[float], None], django_assert_num_queries: Any
) -> None:
    _look_up("shop")
    _look_up("garden")
    clock(10)
    with django_assert_num_queries(1):
        _look_up("shop")
    assert known_project("shop") == shop.handle() and known_project("garden") == garden.handle()


def test_one_that_nobody_asks_for_is_looked_up_with_others_once_and_then_forgotten(
    shop: Project, garden: Project, clock: Callable[[float], None]
) -> None:
    _look_up("garden")
    for known in (True, False):
        clock(10)
        _look_up("shop")
        assert ("garden" in directory._known) == known


def test_what_another_process_changed_is_seen_by_all_that_are_looked_up_together(
    shop: Project, garden: Project, clock: Callable[[float], None]
) -> None:
    for ref in ("shop", "garden", "nowhere"):
        _look_up(ref)
    # As another process does it: without a word to this one.
    Project.objects.filter(ref="garden").update(status=Project.Status.SUSPENDED)
    Project.objects.filter(ref="shop").update(status=Project.Status.DELETING, delete_after=timezone.now())
    clock(10)
    assert _look_up("shop") is None
    found = known_project("garden")
    assert found is not None and found.status == "suspended"
    assert known_project("nowhere") is None


def test_a_change_of_this_process_holds_at_once(
    shop: Project, actors: dict[str, Actor], django_capture_on_commit_callbacks: Any
) -> None:
    _look_up("shop")
    with django_capture_on_commit_callbacks(execute=True):
        shop.status = Project.Status.SUSPENDED
        shop.save()
    assert known_project("shop") is None


def test_many_who_ask_at_once_cost_one_question(shop: Project, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[str] = []

    def look_up(ref: str) -> Any:
        asked.append(ref)
        return shop.handle()

    monkeypatch.setattr(directory, "_look_up", look_up)

    async def ask() -> list[Any]:
        return await asyncio.gather(*(find_project("shop") for _ in range(20)))

    assert asyncio.run(ask()) == [shop.handle()] * 20
    assert asked == ["shop"]
