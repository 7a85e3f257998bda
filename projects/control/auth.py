"""Signing in to the console: Django's sessions, filled with ConsoleUsers.

AUTH_USER_MODEL is the end user of an app, in a project's database. The only authentication backend
answers ConsoleUsers, so what a session names is looked up among the people of the console, whatever
its text: an end user's id never opens the admin.
"""

from __future__ import annotations

from typing import Any

from django.contrib.auth import login
from django.contrib.auth.backends import BaseBackend
from django.http import HttpRequest

from projects.client_address import client_address
from projects.context import request_facts
from projects.control import throttle
from projects.control.actor import Actor
from projects.control.people import check_credentials, note_sign_in
from projects.errors import bad_request
from projects.models import ConsoleUser

BACKEND = "projects.control.auth.ConsoleBackend"


class ConsoleBackend(BaseBackend):
    """E-mail and password against the control plane."""

    def authenticate(  # type: ignore[override]
        self,
        request: HttpRequest | None,
        username: str | None = None,
        password: str | None = None,
        **credentials: Any,
    ) -> ConsoleUser | None:
        if not username or password is None:
            return None
        return check_credentials(username, password)

    def get_user(self, user_id: Any) -> ConsoleUser | None:  # type: ignore[override]
        # The id is read as EndUser's primary key (text) by Django; only digits can be a ConsoleUser's.
        text = str(user_id)
        if not (text.isascii() and text.isdigit() and len(text) < 19):
            return None
        return ConsoleUser.objects.filter(pk=int(text), is_active=True).first()


def console_user(request: Any) -> ConsoleUser | None:
    """The signed-in person of a request, or None (also for any user that is not of the console)."""
    user = getattr(request, "user", None)
    # The session's user is a lazy wrapper; isinstance looks through it.
    return user if isinstance(user, ConsoleUser) and user.is_active else None


def request_actor(request: Any, user: ConsoleUser) -> Actor:
    """The actor of a Django or DRF request. The request's id is the one in the answer and the logs."""
    request_id = (request_facts.get() or {}).get("request_id", "")
    return Actor.person(user, client_ip(request), str(request_id))


def client_ip(request: Any) -> str:
    """The address a Django or DRF request came from."""
    meta = request.META
    return client_address(
        str(meta.get("REMOTE_ADDR") or ""),
        lambda name: str(meta.get("HTTP_" + name.upper().replace("-", "_"), "")),
    )


def sign_in(request: HttpRequest, email: str, password: str, *, how: str) -> ConsoleUser:
    """Open a session for the person with this e-mail and password; ``how`` is for the audit.

    Raises ApiError 400 when they are wrong, 429 after too many wrong ones.
    """
    ip = client_ip(request)
    throttle.begin_attempt(ip, email)
    user = check_credentials(email, password)
    if user is None:
        raise bad_request("Failed to authenticate: e-mail or password is wrong.")
    throttle.attempt_succeeded(ip, email)
    login(request, user, backend=BACKEND)  # type: ignore[arg-type]
    note_sign_in(request_actor(request, user), how)
    return user
