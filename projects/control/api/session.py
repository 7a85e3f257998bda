"""Who I am: session, profile, password, personal tokens."""

from __future__ import annotations

from typing import Any

from django.contrib.auth import logout, update_session_auth_hash
from django.middleware.csrf import get_token
from django.utils.decorators import method_decorator
from django.views.decorators.csrf import csrf_protect
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response

from projects.control import people, throttle, tokens
from projects.control.api.authentication import ConsoleSessionAuthentication, IsSessionUser
from projects.control.api.base import ControlView, documented
from projects.control.api.serializers import (
    MeIn,
    NewTokenOut,
    PasswordIn,
    PersonOut,
    SessionOut,
    SignInIn,
    TokenIn,
    TokenOut,
)
from projects.control.auth import client_ip, console_user, sign_in
from projects.errors import not_found
from projects.models import PersonalToken


class SessionView(ControlView):
    """The browser's session. Signing in needs a CSRF token too: else a page could sign others in as itself."""

    authentication_classes = (ConsoleSessionAuthentication,)
    permission_classes = (AllowAny,)

    @documented("session_read", "The session and its CSRF token", answer=SessionOut, tag="me")
    def get(self, request: Request) -> Response:
        return self._answer()

    @documented("session_create", "Sign in", request=SignInIn, answer=SessionOut, tag="me")
    @method_decorator(csrf_protect)
    def post(self, request: Request) -> Response:
        given = self.read(SignInIn)
        self.request.user = sign_in(request._request, given["email"], given["password"], how="api")  # type: ignore[assignment]
        return self._answer()

    @documented("session_delete", "Sign out", status=204, tag="me")
    def delete(self, request: Request) -> Response:
        logout(request._request)
        return Response(status=204)

    def _answer(self) -> Response:
        user = console_user(self.request)
        person = PersonOut(user).data if user else None
        return Response({"person": person, "csrfToken": get_token(self.request._request)})


class MeView(ControlView):
    @documented("me_read", "Who I am", answer=PersonOut, tag="me")
    def get(self, request: Request) -> Response:
        return Response(PersonOut(self.actor.user).data)

    @documented("me_change", "Change my name", request=MeIn, answer=PersonOut, tag="me")
    def patch(self, request: Request) -> Response:
        actor = self.actor
        assert actor.user is not None
        user = people.change_person(actor, actor.user, name=self.read(MeIn)["name"])
        return Response(PersonOut(user).data)


class PasswordView(ControlView):
    permission_classes = (IsSessionUser,)

    @documented("me_password", "Change my password", request=PasswordIn, status=204, tag="me")
    def post(self, request: Request) -> Response:
        given = self.read(PasswordIn)
        actor = self.actor
        assert actor.user is not None
        ip = client_ip(request)
        # A found-open session must not become a way to guess the password.
        throttle.begin_attempt(ip, actor.user.email)
        user = people.change_password(actor, actor.user, password=given["password"], current=given["current"])
        throttle.attempt_succeeded(ip, actor.user.email)
        update_session_auth_hash(request._request, user)  # type: ignore[arg-type]
        return Response(status=204)


class TokensView(ControlView):
    def get_permissions(self) -> list[Any]:
        return [IsSessionUser()] if self.request.method == "POST" else list(super().get_permissions())

    @documented("tokens_list", "My personal tokens", answer=TokenOut(many=True), tag="me")
    def get(self, request: Request) -> Response:
        return self.pages(PersonalToken.objects.filter(user=self.actor.user), TokenOut)

    @documented(
        "tokens_create", "Make a personal token", request=TokenIn, answer=NewTokenOut, status=201, tag="me"
    )
    def post(self, request: Request) -> Response:
        given = self.read(TokenIn)
        actor = self.actor
        assert actor.user is not None
        new = tokens.create_token(actor, actor.user, name=given["name"], days=given["days"])
        return Response({**TokenOut(new.token).data, "token": new.text}, 201)


class TokenView(ControlView):
    @documented("tokens_delete", "End a personal token", status=204, tag="me")
    def delete(self, request: Request, pk: int) -> Response:
        actor = self.actor
        token = PersonalToken.objects.select_related("user").filter(pk=pk, user=actor.user).first()
        if token is None:
            raise not_found()
        tokens.delete_token(actor, token)
        return Response(status=204)
