"""A project's overview, its settings, and what stops or removes it."""

from __future__ import annotations

from django.conf import settings
from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from admin_ui.forms import DeleteProjectForm, ProjectForm, SuspendForm
from admin_ui.pages.base import project_page, render, show_errors
from projects.control import deletion, projects
from projects.control.actor import Actor
from projects.control.addresses import project_url
from projects.control.roles import Action
from projects.errors import ApiError
from projects.models import Project


@project_page(Action.PROJECT_VIEW)
def overview(request: HttpRequest, _actor: Actor, project: Project) -> HttpResponse:
    keys = project.keys.filter(revoked_at=None)
    return render(
        request,
        "project.html",
        project.name,
        url=project_url(request, project),
        members=project.memberships.count(),
        keys=keys.count(),
    )


@project_page(Action.PROJECT_VIEW, post=Action.PROJECT_EDIT)
def settings_page(request: HttpRequest, actor: Actor, project: Project) -> HttpResponse:
    form = ProjectForm.of(project)
    if request.method == "POST":
        form = ProjectForm(request.POST)
        if form.is_valid():
            try:
                name = form.cleaned_data["name"]
                projects.change_project(actor, project, name=name, settings=form.settings())
                messages.success(request, "Saved.")
                return HttpResponseRedirect(request.path)
            except ApiError as error:
                _flatten(error)
                show_errors(form, error)
    return _settings(request, form=form)


def _flatten(error: ApiError) -> None:
    """The form shows one project setting as one field."""
    nested = error.data.get("settings")
    if isinstance(nested, dict):
        error.data = {**{k: v for k, v in error.data.items() if k != "settings"}, **nested}


def _settings(
    request: HttpRequest, form: ProjectForm, delete_form: DeleteProjectForm | None = None
) -> HttpResponse:
    return render(
        request,
        "project_settings.html",
        "Settings",
        form=form,
        suspend_form=SuspendForm(),
        delete_form=delete_form or DeleteProjectForm(),
        grace_days=settings.MBAAS_DELETE_GRACE_DAYS,
    )


@require_POST
@project_page(Action.PROJECT_SUSPEND)
def suspend(request: HttpRequest, actor: Actor, project: Project) -> HttpResponse:
    reason = request.POST.get("reason", "").strip()[:300]
    projects.suspend_project(actor, project, reason=reason)
    messages.success(request, "Suspended: apps are answered with 503.")
    return HttpResponseRedirect(reverse("admin:project-settings", args=[project.ref]))


@require_POST
@project_page(Action.PROJECT_SUSPEND)
def resume(request: HttpRequest, actor: Actor, project: Project) -> HttpResponse:
    projects.resume_project(actor, project)
    messages.success(request, "The project is served again.")
    return HttpResponseRedirect(reverse("admin:project-settings", args=[project.ref]))


@require_POST
@project_page(Action.PROJECT_DELETE)
def delete(request: HttpRequest, actor: Actor, project: Project) -> HttpResponse:
    form = DeleteProjectForm(request.POST)
    form.is_valid()
    try:
        deletion.request_deletion(actor, project, typed_ref=form.cleaned_data.get("confirm", ""))
    except ApiError as error:
        show_errors(form, error)
        return _settings(request, ProjectForm.of(project), form)
    messages.warning(request, "The project is being deleted.")
    return HttpResponseRedirect(reverse("admin:project-settings", args=[project.ref]))


@require_POST
@project_page(Action.PROJECT_DELETE)
def keep(request: HttpRequest, actor: Actor, project: Project) -> HttpResponse:
    deletion.cancel_deletion(actor, project)
    messages.success(request, "The project stays. It is suspended until you resume it.")
    return HttpResponseRedirect(reverse("admin:project-settings", args=[project.ref]))
