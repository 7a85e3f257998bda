"""What every page of the console shares: who looks, at which project, and how refusals are shown."""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Any

import psycopg
from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.paginator import Page, Paginator
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from psycopg_pool import PoolTimeout

from projects.control.actor import Actor
from projects.control.auth import console_user, request_actor
from projects.control.roles import Action, find_project, rights_in
from projects.databases import DatabaseMissingError
from projects.errors import ApiError, ErrorTree, FieldError
from projects.models import Project

PAGE_SIZE = 50


def actor_of(request: HttpRequest) -> Actor:
    """The signed-in person; every page stands behind the site's sign-in, so there is one."""
    user = console_user(request)
    if user is None:
        raise PermissionDenied
    return request_actor(request, user)


def project_page(action: Action, *, post: Action | None = None) -> Callable[..., Callable[..., HttpResponse]]:
    """A page of one project: 404 for who is not a member, 403 for a role below ``action`` (``post`` for a POST).

    The operations check again; this keeps a page from being drawn for who may not see it.
    """

    def decorate(view: Callable[..., HttpResponse]) -> Callable[..., HttpResponse]:
        @wraps(view)
        def wrapped(request: HttpRequest, ref: str, **kwargs: Any) -> HttpResponse:
            actor = actor_of(request)
            needed = post if post is not None and request.method == "POST" else action
            try:
                project = find_project(actor, ref, needed)
                request.console_project = project  # type: ignore[attr-defined]
                request.console_rights = rights_in(actor, project)  # type: ignore[attr-defined]
                return view(request, actor, project, **kwargs)
            except ApiError as error:
                return refused(request, error)
            except (DatabaseMissingError, psycopg.OperationalError, PoolTimeout):
                return render(request, "unreachable.html", "Not reachable", status=503)

        return wrapped

    return decorate


def refused(request: HttpRequest, error: ApiError) -> HttpResponse:
    """The page for an operation's refusal that no form shows: 404, 403, or the message on the page before."""
    if error.status == 404:
        raise Http404 from error
    if error.status == 403:
        raise PermissionDenied(error.message) from error
    for message in _sentences(error):
        messages.error(request, message)
    # Never to where the browser claims to come from: an action's page is the folder it stands in.
    parent = request.path.rstrip("/").rpartition("/")[0] + "/"
    return HttpResponseRedirect(parent if request.method == "POST" else "/admin/")


def show_errors(form: forms.BaseForm, error: ApiError) -> None:
    """Put an operation's errors at the form's fields. 403 and 404 are not the form's: they go on."""
    if error.status in (403, 404):
        raise error
    if not error.data:
        form.add_error(None, error.message)
    for name, value in error.data.items():
        target = name if name in form.fields else None
        for message in _leaves(value):
            form.add_error(target, message if target else f"{name}: {message}")


def _sentences(error: ApiError) -> list[str]:
    return [message for value in error.data.values() for message in _leaves(value)] or [error.message]


def _leaves(value: FieldError | ErrorTree) -> list[str]:
    if isinstance(value, FieldError):
        return [value.message]
    return [f"{key}: {message}" for key, child in value.items() for message in _leaves(child)]


def render(
    request: HttpRequest, template: str, title: str, *, status: int = 200, **context: Any
) -> TemplateResponse:
    """A page in the console's frame."""
    project: Project | None = getattr(request, "console_project", None)
    rights: frozenset[Action] = getattr(request, "console_rights", frozenset())
    values = {
        **admin.site.each_context(request),
        "title": title,
        "project": project,
        # By name, for templates: {% if may.keys_service %}.
        "may": {action.name.lower(): action in rights for action in Action},
        **context,
    }
    request.current_app = admin.site.name
    return TemplateResponse(request, f"admin_ui/{template}", values, status=status)


def page_of(request: HttpRequest, rows: Any) -> Page[Any]:
    """The page of ``rows`` that ``?page=`` asks for; the nearest one where there is none.

    ``rows``: a query, or anything else with ``count()`` and slices.
    """
    return Paginator(rows, PAGE_SIZE).get_page(request.GET.get("page"))
