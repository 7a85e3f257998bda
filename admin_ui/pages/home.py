"""The first page, and making a project."""

from __future__ import annotations

from django.db.models import Count
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from admin_ui.forms import NewProjectForm
from admin_ui.pages.base import actor_of, page_of, refused, render, show_errors
from projects.control.projects import create_project, may_create, open_placements
from projects.control.roles import visible_projects
from projects.errors import ApiError
from projects.models import Membership


def home(request: HttpRequest) -> HttpResponse:
    """My projects; for an operator all of them."""
    actor = actor_of(request)
    found = visible_projects(actor)
    search = request.GET.get("q", "").strip()
    if search:
        found = found.filter(ref__icontains=search) | found.filter(name__icontains=search)
    # Counted apart: the filter on my own membership would count only me.
    page = page_of(request, found.order_by("name", "ref"))
    shown = [project.pk for project in page]
    counts = dict(
        Membership.objects.filter(project__in=shown)
        .order_by()
        .values_list("project_id")
        .annotate(Count("pk"))
    )
    mine = dict(
        Membership.objects.filter(project__in=shown, user=actor.user).values_list("project_id", "role")
    )
    roles = dict(Membership.Role.choices)
    cards = [
        {"project": p, "members": counts.get(p.pk, 0), "role": roles.get(mine.get(p.pk, ""), "Operator")}
        for p in page
    ]
    return render(
        request, "home.html", "Projects", page=page, cards=cards, search=search, may_create=may_create(actor)
    )


def new_project(request: HttpRequest) -> HttpResponse:
    actor = actor_of(request)
    if not may_create(actor):
        return refused(request, ApiError(403, "Only operators create projects on this installation."))
    form = NewProjectForm(request.POST or None, placements=open_placements())
    if request.method == "POST" and form.is_valid():
        try:
            project = create_project(actor, **form.cleaned_data)
            return HttpResponseRedirect(reverse("admin:project", args=[project.ref]))
        except ApiError as error:
            show_errors(form, error)
    return render(request, "project_new.html", "New project", form=form)
