from __future__ import annotations

from collections.abc import Callable

import pytest
from django.test import Client

from projects.models import ConsoleUser
from tests.control.conftest import _clean, actors, local, people, shop

__all__ = ["_clean", "actors", "local", "people", "shop", "visit"]

Visit = Callable[[str], Client]


@pytest.fixture
def visit(people: dict[str, ConsoleUser]) -> Visit:
    """``visit("owner")``: a browser in which that person is signed in."""

    def as_person(role: str) -> Client:
        client = Client()
        client.force_login(people[role], backend="projects.control.auth.ConsoleBackend")
        return client

    return as_person
