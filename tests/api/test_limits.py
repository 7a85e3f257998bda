from __future__ import annotations

import asyncio
from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from projects.api.limits import check, matching_rules, tags
from projects.context import ProjectHandle
from projects.errors import ApiError
from projects.principal import GUEST, Principal

USER = Principal("user", "c", "users", {"id": "alice"})
OTHER = Principal("user", "c", "users", {"id": "bob"})
SUPERUSER = Principal("superuser")
SIGN_IN = (*tags("authWithPassword", "users"), "POST /api/x", "/api/x")
LIST = (*tags("list", "posts"), "GET /api/collections/posts/records", "/api/collections/posts/records")


def project(*rules: dict[str, Any], uid: str = "a" * 15) -> ProjectHandle:
    setting = {"enabled": True, "rules": list(rules)}
    return ProjectHandle(uid, "demo", "sqlite", "local", settings=(("rateLimits", setting),))


def rule(label: str, most: int, **more: Any) -> dict[str, Any]:
    return {"label": label, "duration": 60, "maxRequests": most, **more}


async def passed(
    handle: ProjectHandle, labels: Any, times: int, ip: str = "192.0.2.1", principal: Principal = GUEST
) -> int:
    count = 0
    for _ in range(times):
        try:
            await check(handle, labels, ip, principal)
            count += 1
        except ApiError as error:
            if error.status != 429 or not 0 < int(error.headers["Retry-After"]) <= 600:
                raise
    return count


@pytest.mark.parametrize(
    ("labels", "most"),
    [
        (SIGN_IN, 300),
        (tags("signUp", "users"), 100),
        (tags("requestPasswordReset", "users"), 30),
        (LIST, 1000),
        (tags("create", "users"), 1000),
        (tags("authRefresh", "users"), 1000),
    ],
)
def test_by_default_sign_in_sign_up_and_mail_are_limited_and_nothing_else(labels: Any, most: int) -> None:
    assert asyncio.run(passed(project(), labels, 1000)) == most


@pytest.mark.parametrize(
    ("rules", "labels", "label"),
    [
        ([rule("posts:list", 1), rule("*:list", 2), rule("/api/", 3)], LIST, "posts:list"),
        ([rule("*:list", 2), rule("/api/", 3)], LIST, "*:list"),
        ([rule("/api/", 3), rule("/api/collections/posts/", 4)], LIST, "/api/collections/posts/"),
        ([rule("GET /api/", 3)], LIST, "GET /api/"),
        ([rule("POST /api/", 3)], LIST, None),
        (
            [rule("/api/collections/posts/records", 3), rule("/api/", 1)],
            LIST,
            "/api/collections/posts/records",
        ),
        ([rule("/api/collections", 3)], LIST, None),
        ([rule("users:list", 1), rule("*:create", 1)], LIST, None),
        ([rule("*:auth", 5)], tags("authWithPassword", "users"), "*:auth"),
        ([rule("*:authWithPassword", 5)], tags("authWithPassword", "users"), "*:authWithPassword"),
    ],
)
def test_the_narrowest_rule_of_the_project_holds(rules: Any, labels: Any, label: str | None) -> None:
    own = [one.label for one in matching_rules(project(*rules), labels) if one.requests < 10]
    assert own == ([label] if label else [])


def test_a_projects_wide_rule_leaves_the_strict_defaults_standing() -> None:
    handle = project(rule("/api/", 100_000))
    assert asyncio.run(passed(handle, SIGN_IN, 400)) == 300


@pytest.mark.parametrize(("most", "let_through"), [(5, 5), (1000, 400), (0, 400)])
def test_a_projects_rule_replaces_the_default_of_its_label(most: int, let_through: int) -> None:
    assert asyncio.run(passed(project(rule("*:auth", most)), SIGN_IN, 400)) == let_through


def test_each_address_and_each_project_has_its_own_count() -> None:
    async def test() -> None:
        first, second = project(rule("*:list", 3)), project(rule("*:list", 3), uid="b" * 15)
        assert await passed(first, LIST, 5) == 3
        assert await passed(first, LIST, 5, ip="192.0.2.2") == 3
        assert await passed(second, LIST, 5) == 3
        assert await passed(first, LIST, 1, principal=USER) == 0

    asyncio.run(test())


def test_a_rule_by_user_counts_people_and_guests_by_address() -> None:
    async def test() -> None:
        handle = project(rule("*:list", 3, by="user"))
        for principal in (USER, OTHER, GUEST):
            assert await passed(handle, LIST, 5, principal=principal) == 3
        assert await passed(handle, LIST, 5, ip="192.0.2.2", principal=USER) == 0

    asyncio.run(test())


def test_a_rule_may_be_for_guests_or_for_users_alone() -> None:
    async def test() -> None:
        guests = project(rule("*:list", 2, audience="@guest"))
        assert await passed(guests, LIST, 5) == 2 and await passed(guests, LIST, 5, principal=USER) == 5
        users = project(rule("*:list", 2, audience="@auth"), uid="b" * 15)
        assert await passed(users, LIST, 5) == 5 and await passed(users, LIST, 5, principal=USER) == 2

    asyncio.run(test())


def test_superusers_have_no_limit() -> None:
    assert asyncio.run(passed(project(rule("*:list", 1)), LIST, 50, principal=SUPERUSER)) == 50


def test_all_of_it_can_be_switched_off(settings: Any) -> None:
    settings.MBAAS_RATE_LIMITS = False
    assert asyncio.run(passed(project(rule("*:list", 1)), LIST, 50)) == 50


def test_a_wrong_setting_is_named(settings: Any) -> None:
    settings.MBAAS_RATE_LIMIT_RULES = ["*:auth many"]
    with pytest.raises(ImproperlyConfigured, match=r"MBAAS_RATE_LIMIT_RULES: .*\*:auth many"):
        list(matching_rules(project(), SIGN_IN))
