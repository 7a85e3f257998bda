"""Who calls the control API: a person by session or by personal token. Never an end user or a project's key."""

from __future__ import annotations

from typing import Any

from drf_spectacular.extensions import OpenApiAuthenticationExtension
from rest_framework.authentication import BaseAuthentication, SessionAuthentication, get_authorization_header
from rest_framework.exceptions import AuthenticationFailed
from rest_framework.permissions import BasePermission
from rest_framework.request import Request

from projects.control.auth import console_user
from projects.control.tokens import find_token_user
from projects.models import ConsoleUser


class PersonalTokenAuthentication(BaseAuthentication):
    """``Authorization: Bearer pt_…``. A header that is there and wrong is refused, not ignored."""

    def authenticate(self, request: Request) -> tuple[ConsoleUser, str] | None:
        header = get_authorization_header(request)
        if not header:
            return None
        scheme, _, token = header.partition(b" ")
        user = find_token_user(token.strip().decode("latin-1")) if scheme.lower() == b"bearer" else None
        if user is None:
            raise AuthenticationFailed("The token is not valid or has expired.")
        return user, "token"

    def authenticate_header(self, request: Request) -> str:
        return 'Bearer realm="mbaas"'


class ConsoleSessionAuthentication(SessionAuthentication):
    """The console's session cookie, with the CSRF check on everything that changes something."""

    def authenticate(self, request: Request) -> tuple[ConsoleUser, None] | None:
        user = console_user(request._request)
        if user is None:
            return None
        self.enforce_csrf(request)
        return user, None


class IsConsoleUser(BasePermission):
    message = "Sign in first."

    def has_permission(self, request: Request, view: Any) -> bool:
        return console_user(request) is not None


class IsSessionUser(IsConsoleUser):
    """For what a stolen token must not be able to do: make more tokens, change the password."""

    message = "Sign in with your password for this; a personal token is not enough."

    def has_permission(self, request: Request, view: Any) -> bool:
        return super().has_permission(request, view) and request.auth is None


class _TokenScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = PersonalTokenAuthentication
    name = "personalToken"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "http", "scheme": "bearer", "bearerFormat": "pt_…"}


class _SessionScheme(OpenApiAuthenticationExtension):  # type: ignore[no-untyped-call]
    target_class = ConsoleSessionAuthentication
    name = "session"

    def get_security_definition(self, auto_schema: Any) -> dict[str, str]:
        return {"type": "apiKey", "in": "cookie", "name": "mbaas_session"}
