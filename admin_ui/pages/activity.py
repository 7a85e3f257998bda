"""What happened to a project."""

from __future__ import annotations

from django.http import HttpRequest, HttpResponse

from admin_ui.pages.base import page_of, project_page, render
from projects.control.actor import Actor
from projects.control.roles import Action
from projects.models import AuditEntry, Project


@project_page(Action.AUDIT_VIEW)
def activity(request: HttpRequest, _actor: Actor, project: Project) -> HttpResponse:
    page = page_of(request, AuditEntry.objects.filter(project_uid=project.uid))
    return render(request, "activity.html", "Activity", page=page)
