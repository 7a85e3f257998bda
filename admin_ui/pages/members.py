"""A project's members."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from admin_ui.forms import MemberForm
from admin_ui.pages.base import project_page, render, show_errors
from projects.control import members as operations
from projects.control.actor import Actor
from projects.control.roles import Action
from projects.errors import ApiError, not_found
from projects.models import Membership, Project


@project_page(Action.MEMBERS_VIEW, post=Action.MEMBERS_EDIT)
def members(request: HttpRequest, actor: Actor, project: Project) -> HttpResponse:
    form = MemberForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        try:
            member = operations.add_member(actor, project, **form.cleaned_data)
            messages.success(request, f"{member.user.email} is a member now.")
            return HttpResponseRedirect(request.path)
        except ApiError as error:
            show_errors(form, error)
    rows = project.memberships.select_related("user").order_by("user__email")
    return render(request, "members.html", "Members", form=form, rows=rows, roles=Membership.Role.choices)


def _member(project: Project, pk: int) -> Membership:
    member = project.memberships.select_related("user", "project__placement").filter(pk=pk).first()
    if member is None:
        raise not_found()
    return member


@require_POST
@project_page(Action.MEMBERS_EDIT)
def change(request: HttpRequest, actor: Actor, project: Project, pk: int) -> HttpResponse:
    member = operations.change_member(actor, _member(project, pk), role=request.POST.get("role", ""))
    messages.success(request, f"{member.user.email}: {member.get_role_display().lower()}.")
    return HttpResponseRedirect(reverse("admin:members", args=[project.ref]))


@require_POST
@project_page(Action.PROJECT_VIEW)
def remove(request: HttpRequest, actor: Actor, project: Project, pk: int) -> HttpResponse:
    member = _member(project, pk)
    try:
        operations.remove_member(actor, member)
    except ApiError as error:
        if error.status != 400:
            raise
        messages.error(request, error.message)
        return HttpResponseRedirect(reverse("admin:members", args=[project.ref]))
    if member.user == actor.user and not actor.may_everything:
        messages.success(request, f"You left {project.name}.")
        return HttpResponseRedirect(reverse("admin:index"))
    messages.success(request, f"{member.user.email} is no longer a member.")
    return HttpResponseRedirect(reverse("admin:members", args=[project.ref]))
