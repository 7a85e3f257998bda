from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from django.utils import timezone

from projects.accounts import service_keys
from projects.accounts.short_cache import ShortCache
from projects.control.actor import COMMAND
from projects.control.keys import create_key, revoke_key
from projects.models import ApiKey, Project
from projects.principal import GUEST
from tests.accounts.helpers import who
from tests.hosting import host

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def hosted(session: Any) -> Project:
    return host(session.project)


@pytest.mark.parametrize("form", ["{}", "Bearer {}"])
def test_a_service_key_is_a_superuser_without_a_record(session: Any, hosted: Project, form: str) -> None:
    made = create_key(COMMAND, hosted, kind="service")
    principal = who(session, form.format(made.text))
    assert principal.is_superuser and principal.record is None and principal.id == ""


def test_a_public_key_names_the_app_and_nobody(session: Any, hosted: Project) -> None:
    made = create_key(COMMAND, hosted, kind="public")
    assert who(session, made.text) is GUEST
    # Not even under the other prefix.
    ApiKey.objects.filter(pk=made.key.pk).update(hash=service_keys.hash_secret("sk" + made.text[2:]))
    assert who(session, "sk" + made.text[2:]) is GUEST


@pytest.mark.parametrize(
    "text", ["sk_", "sk_nope", "sk_\ud800", "sk_" + "x" * 10_000, "sk_' OR 1=1 --", "sk_\0"]
)
def test_an_unknown_key_is_a_guest(session: Any, hosted: Project, text: str) -> None:
    create_key(COMMAND, hosted, kind="service")
    assert who(session, text) is GUEST


def test_a_revoked_key_ends_at_once_also_where_it_was_in_use(session: Any, hosted: Project) -> None:
    made = create_key(COMMAND, hosted, kind="service")
    assert who(session, made.text).is_superuser
    revoke_key(COMMAND, made.key)
    assert who(session, made.text) is GUEST


def test_a_key_that_was_unknown_works_as_soon_as_it_is_made(
    session: Any, hosted: Project, monkeypatch: Any
) -> None:
    from projects.control.secrets import new_secret

    secret = new_secret("sk")
    assert who(session, secret.text) is GUEST
    ApiKey.objects.create(project=hosted, kind="service", prefix=secret.prefix, hash=secret.hash)
    assert who(session, secret.text).is_superuser


def test_a_key_opens_its_own_project_alone(make_project: Any) -> None:
    from projects.databases import read_session

    first, second = make_project("first"), make_project("second")
    made = create_key(COMMAND, host(first), kind="service")
    host(second)
    with read_session(first) as session:
        assert who(session, made.text).is_superuser
    with read_session(second) as session:
        assert who(session, made.text) is GUEST


def test_the_use_of_a_key_is_noted(session: Any, hosted: Project, touched: list[int]) -> None:
    made = create_key(COMMAND, hosted, kind="service")
    who(session, made.text)
    who(session, "sk_nope")
    assert touched == [made.key.pk]


def test_its_time_is_written_at_most_once_a_minute(session: Any, hosted: Project) -> None:
    key = create_key(COMMAND, hosted, kind="service").key

    def last_used() -> Any:
        return ApiKey.objects.values_list("last_used_at", flat=True).get(pk=key.pk)

    service_keys.touch(key.pk)
    first = last_used()
    assert abs(first - timezone.now()) < timedelta(seconds=10)
    service_keys.touch(key.pk)
    assert last_used() == first
    ApiKey.objects.filter(pk=key.pk).update(last_used_at=first - timedelta(minutes=2))
    service_keys.touch(key.pk)
    assert last_used() >= first


def test_a_thread_is_asked_once_a_minute_and_key(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[int] = []

    class Thread:
        def submit(self, _work: Any, key: int) -> None:
            asked.append(key)

    monkeypatch.setattr(service_keys, "_thread", Thread)
    touches = service_keys._Touches()
    for key in (1, 1, 2, 1):
        touches.note(key)
    assert asked == [1, 2]


def test_a_use_costs_no_query_while_the_key_is_remembered(
    session: Any, hosted: Project, django_assert_num_queries: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = create_key(COMMAND, hosted, kind="service")
    monkeypatch.setattr(service_keys._cache, "_keep_from", 0.0)
    with django_assert_num_queries(1):
        who(session, made.text)
        who(session, made.text)
        assert who(session, made.text).is_superuser


def test_a_fact_is_remembered_for_seconds_and_forgotten_at_a_change(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = [1000.0]
    monkeypatch.setattr("projects.accounts.short_cache.time.monotonic", lambda: clock[0])
    cache: ShortCache[int] = ShortCache(limit=2)
    loads: list[str] = []

    def load(key: str) -> int:
        return cache.get(key, lambda: loads.append(key) or len(loads))

    assert load("a") == load("a") == 1
    clock[0] += 2.1
    assert load("a") == 2
    cache.forget()
    # The change may still be uncommitted: what is read now is not kept.
    assert [load("a"), load("a")] == [3, 4]
    clock[0] += 2.1
    assert [load("a"), load("a")] == [5, 5]
    load("b"), load("c")
    assert load("a") == 8
