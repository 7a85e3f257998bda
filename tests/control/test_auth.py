"""Sessions of the console on Django's own machinery, while AUTH_USER_MODEL is somebody else."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY, get_user_model
from django.test import Client

from projects.accounts.models import EndUser
from projects.control import people as operations
from projects.control import throttle
from projects.control.actor import Actor
from projects.control.auth import ConsoleBackend, client_ip
from projects.errors import ApiError
from projects.models import AuditEntry, ConsoleUser
from tests.control.conftest import PASSWORD

HOME = "/admin/"
LOGIN = "/admin/login/"


def _sign_in(client: Client, role: str, password: str = PASSWORD, **extra: Any) -> Any:
    return client.post(LOGIN, {"username": f"{role}@example.com", "password": password}, **extra)


def test_a_person_signs_in_and_out(client: Client, people: dict[str, ConsoleUser]) -> None:
    assert _sign_in(client, "viewer").status_code == 302
    assert client.get(HOME).context["user"] == people["viewer"]
    assert AuditEntry.objects.get().action == "person.signed_in"
    people["viewer"].refresh_from_db()
    assert people["viewer"].last_login is not None
    client.post("/admin/logout/")
    assert client.get(HOME).status_code == 302


@pytest.mark.parametrize(("role", "password"), [("viewer", "wrong"), ("nobody", PASSWORD), ("viewer", "")])
def test_wrong_credentials_open_nothing(
    role: str, password: str, client: Client, people: dict[str, ConsoleUser]
) -> None:
    assert _sign_in(client, role, password).status_code == 200
    assert client.get(HOME).status_code == 302
    assert SESSION_KEY not in client.session


def test_deactivating_a_person_ends_their_session(client: Client, people: dict[str, ConsoleUser]) -> None:
    _sign_in(client, "viewer")
    ConsoleUser.objects.filter(pk=people["viewer"].pk).update(is_active=False)
    assert client.get(HOME).status_code == 302


def test_a_new_password_ends_other_sessions(
    client: Client, people: dict[str, ConsoleUser], actors: dict[str, Actor]
) -> None:
    _sign_in(client, "viewer")
    operations.change_password(actors["operator"], people["viewer"], password="another-battery-9")
    assert client.get(HOME).status_code == 302


def test_signing_in_needs_the_pages_csrf_token(people: dict[str, ConsoleUser]) -> None:
    assert _sign_in(Client(enforce_csrf_checks=True), "viewer").status_code == 403


@pytest.mark.parametrize(
    "target", ["https://evil.example.com/", "//evil.example.com/", "javascript:alert(1)"]
)
def test_sign_in_leads_nowhere_else(target: str, client: Client, people: dict[str, ConsoleUser]) -> None:
    answer = client.post(LOGIN, {"username": "viewer@example.com", "password": PASSWORD, "next": target})
    assert answer.status_code == 302
    assert answer["Location"] == HOME


def test_the_user_model_of_django_is_the_end_user_who_is_never_staff() -> None:
    assert get_user_model() is EndUser
    end_user = EndUser(id="users.abc")
    assert not end_user.is_staff and not end_user.is_superuser
    assert not isinstance(end_user, ConsoleUser)


@pytest.mark.parametrize(
    "user_id",
    ["", "users.abc", "abcdefghij12345", "-1", "1 OR 1=1", "１", "9" * 40, "1.0", None, [], {"id": 1}],
)
def test_an_end_users_id_in_a_session_opens_nothing(
    user_id: Any, client: Client, people: dict[str, ConsoleUser]
) -> None:
    assert ConsoleBackend().get_user(user_id) is None


def test_a_session_naming_another_backend_or_hash_opens_nothing(
    client: Client, people: dict[str, ConsoleUser]
) -> None:
    _sign_in(client, "operator")
    kept = dict(client.session)
    for key, value in (
        (BACKEND_SESSION_KEY, "django.contrib.auth.backends.ModelBackend"),
        (BACKEND_SESSION_KEY, "allauth.account.auth_backends.AuthenticationBackend"),
        (HASH_SESSION_KEY, "0" * 64),
        (SESSION_KEY, "users.abcdefghij12345"),
    ):
        session = client.session
        session.update({**kept, key: value})
        session.save()
        assert client.get(HOME).status_code == 302, (key, value)


def test_an_end_user_put_in_a_request_is_not_let_in(rf: Any, people: dict[str, ConsoleUser]) -> None:
    from django.contrib import admin

    request = rf.get(HOME)
    request.user = EndUser(id="users.abc")
    assert not admin.site.has_permission(request)
    request.user.is_staff = request.user.is_active = True
    assert not admin.site.has_permission(request)
    request.user = people["viewer"]
    assert admin.site.has_permission(request)


def test_guessing_is_stopped_for_person_and_address(
    client: Client, people: dict[str, ConsoleUser], settings: Any
) -> None:
    settings.MBAAS_CONSOLE_SIGN_IN_LIMIT = 3
    for _ in range(3):
        assert _sign_in(client, "viewer", "wrong").status_code == 200
    # Even the right password, from there; and everybody else is let in.
    assert _sign_in(client, "viewer").status_code == 429
    assert _sign_in(Client(), "owner").status_code == 302
    assert _sign_in(Client(), "viewer", REMOTE_ADDR="198.51.100.9").status_code == 302


def test_one_address_cannot_try_many_people(settings: Any, db: None) -> None:
    settings.MBAAS_CONSOLE_SIGN_IN_LIMIT = 2
    for number in range(20):
        throttle.begin_attempt("192.0.2.1", f"p{number}@example.com")
    with pytest.raises(ApiError) as refused:
        throttle.begin_attempt("192.0.2.1", "fresh@example.com")
    assert refused.value.status == 429
    assert 0 < int(refused.value.headers["Retry-After"]) <= settings.MBAAS_CONSOLE_SIGN_IN_WINDOW


def test_many_addresses_cannot_try_one_person(settings: Any, db: None) -> None:
    settings.MBAAS_CONSOLE_SIGN_IN_LIMIT = 2
    for number in range(20):
        throttle.begin_attempt(f"192.0.2.{number}", "viewer@example.com")
    with pytest.raises(ApiError):
        throttle.begin_attempt("198.51.100.1", "Viewer@example.com ")


def test_a_right_password_gives_its_own_attempts_back_and_no_others(settings: Any, db: None) -> None:
    settings.MBAAS_CONSOLE_SIGN_IN_LIMIT = 2
    for _ in range(30):
        throttle.begin_attempt("192.0.2.1", "viewer@example.com")
        throttle.attempt_succeeded("192.0.2.1", "viewer@example.com")
    for number in range(19):
        throttle.begin_attempt("192.0.2.1", f"p{number}@example.com")
        # Owning one account must not wash the guesses at the others away.
        throttle.begin_attempt("192.0.2.1", "viewer@example.com")
        throttle.attempt_succeeded("192.0.2.1", "viewer@example.com")
    throttle.begin_attempt("192.0.2.1", "p19@example.com")
    with pytest.raises(ApiError):
        throttle.begin_attempt("192.0.2.1", "fresh@example.com")


@pytest.mark.parametrize(
    ("header", "proxies", "forwarded", "expected"),
    [
        ("", 1, "203.0.113.5", "192.0.2.1"),  # no proxy is trusted: anybody can send the header
        ("X-Forwarded-For", 1, "203.0.113.5", "203.0.113.5"),
        ("X-Forwarded-For", 1, "6.6.6.6, 203.0.113.5", "203.0.113.5"),
        ("X-Forwarded-For", 2, "203.0.113.5, 198.51.100.1", "203.0.113.5"),
        ("X-Forwarded-For", 1, "", "192.0.2.1"),
        ("X-Forwarded-For", 1, "nonsense", ""),
    ],
)
def test_the_address_is_the_sockets_or_what_a_trusted_proxy_says(
    header: str, proxies: int, forwarded: str, expected: str, rf: Any, settings: Any
) -> None:
    settings.MBAAS_CLIENT_IP_HEADER, settings.MBAAS_TRUSTED_PROXIES = header, proxies
    request = rf.get("/", REMOTE_ADDR="192.0.2.1", HTTP_X_FORWARDED_FOR=forwarded)
    assert client_ip(request) == expected
