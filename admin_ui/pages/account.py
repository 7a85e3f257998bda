"""My own account: name, password, personal tokens."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.contrib.auth import update_session_auth_hash
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.debug import sensitive_post_parameters
from django.views.decorators.http import require_POST

from admin_ui.forms import NameForm, PasswordForm, TokenForm
from admin_ui.pages.base import actor_of, refused, render, show_errors
from projects.control import people, throttle, tokens
from projects.control.auth import client_ip
from projects.errors import ApiError, not_found
from projects.models import ConsoleUser


def _me(request: HttpRequest) -> ConsoleUser:
    user = actor_of(request).user
    assert user is not None
    return user


def account(request: HttpRequest) -> HttpResponse:
    user = _me(request)
    form = NameForm(request.POST or None, initial={"name": user.name})
    if request.method == "POST" and form.is_valid():
        try:
            people.change_person(actor_of(request), user, name=form.cleaned_data["name"])
            messages.success(request, "Saved.")
            return HttpResponseRedirect(request.path)
        except ApiError as error:
            show_errors(form, error)
    return _page(request, form=form)


def _page(request: HttpRequest, **given: Any) -> HttpResponse:
    user = _me(request)
    context = {
        "form": NameForm(initial={"name": user.name}),
        "password_form": PasswordForm(),
        "token_form": TokenForm(),
        "tokens": user.tokens.all(),
        **given,
    }
    return render(request, "account.html", "My account", **context)


@sensitive_post_parameters()
@require_POST
def password(request: HttpRequest) -> HttpResponse:
    actor, user = actor_of(request), _me(request)
    form = PasswordForm(request.POST)
    if form.is_valid():
        try:
            throttle.begin_attempt(client_ip(request), user.email)
            new, current = form.cleaned_data["password"], form.cleaned_data["current"]
            user = people.change_password(actor, user, password=new, current=current)
        except ApiError as error:
            show_errors(form, error)
        else:
            throttle.attempt_succeeded(client_ip(request), user.email)
            update_session_auth_hash(request, user)  # type: ignore[arg-type]
            messages.success(request, "Your password is changed; other sessions are signed out.")
            return HttpResponseRedirect(reverse("admin:account"))
    return _page(request, password_form=form)


@require_POST
def create_token(request: HttpRequest) -> HttpResponse:
    form = TokenForm(request.POST)
    new = None
    if form.is_valid():
        try:
            new = tokens.create_token(actor_of(request), _me(request), **form.cleaned_data)
            form = TokenForm()
        except ApiError as error:
            show_errors(form, error)
    return _page(request, token_form=form, new=new)


@require_POST
def delete_token(request: HttpRequest, pk: int) -> HttpResponse:
    token = _me(request).tokens.select_related("user").filter(pk=pk).first()
    if token is None:
        return refused(request, not_found())
    tokens.delete_token(actor_of(request), token)
    messages.success(request, f"The token {token.name} is ended.")
    return HttpResponseRedirect(reverse("admin:account"))
