"""Projects over HTTP."""

from __future__ import annotations

from typing import Any

from rest_framework.request import Request
from rest_framework.response import Response

from projects.control import deletion, projects
from projects.control.api.base import ControlView, documented
from projects.control.api.serializers import ProjectChangeIn, ProjectIn, ProjectOut, SuspendIn
from projects.control.roles import visible_projects
from projects.models import Membership, Project


class _ProjectsBase(ControlView):
    def roles(self) -> dict[str, str]:
        """The caller's role by project, in one query for a whole list."""
        mine = Membership.objects.filter(user=self.actor.user)
        return dict(mine.values_list("project_id", "role"))

    def shown(self, project: Project) -> dict[str, Any]:
        context = {"request": self.request, "roles": self.roles()}
        return ProjectOut(project, context=context).data


class ProjectsView(_ProjectsBase):
    @documented("projects_list", "My projects (operators: all)", answer=ProjectOut(many=True), tag="projects")
    def get(self, request: Request) -> Response:
        return self.pages(visible_projects(self.actor), ProjectOut, {"roles": self.roles()})

    @documented(
        "projects_create",
        "Create a project",
        request=ProjectIn,
        answer=ProjectOut,
        status=201,
        tag="projects",
    )
    def post(self, request: Request) -> Response:
        project = projects.create_project(self.actor, **self.read(ProjectIn))
        return Response(self.shown(project), 201)


class ProjectView(_ProjectsBase):
    @documented("projects_read", "One project", answer=ProjectOut, tag="projects")
    def get(self, request: Request, ref: str) -> Response:
        return Response(self.shown(self.project()))

    @documented(
        "projects_change", "Rename or configure", request=ProjectChangeIn, answer=ProjectOut, tag="projects"
    )
    def patch(self, request: Request, ref: str) -> Response:
        project = self.project()
        return Response(
            self.shown(projects.change_project(self.actor, project, **self.read(ProjectChangeIn)))
        )

    @documented(
        "projects_delete",
        "Delete, after a grace period",
        query={"confirm": "The project's ref, typed."},
        answer=ProjectOut,
        tag="projects",
        status=202,
    )
    def delete(self, request: Request, ref: str) -> Response:
        project = self.project()
        typed = request.query_params.get("confirm", "")
        return Response(self.shown(deletion.request_deletion(self.actor, project, typed_ref=typed)), 202)


class SuspendView(_ProjectsBase):
    @documented(
        "projects_suspend", "Answer apps with 503", request=SuspendIn, answer=ProjectOut, tag="projects"
    )
    def post(self, request: Request, ref: str) -> Response:
        project = self.project()
        reason = self.read(SuspendIn)["reason"]
        return Response(self.shown(projects.suspend_project(self.actor, project, reason=reason)))


class ResumeView(_ProjectsBase):
    @documented("projects_resume", "Serve apps again", answer=ProjectOut, tag="projects")
    def post(self, request: Request, ref: str) -> Response:
        return Response(self.shown(projects.resume_project(self.actor, self.project())))


class KeepView(_ProjectsBase):
    @documented("projects_keep", "Cancel the deletion", answer=ProjectOut, tag="projects")
    def post(self, request: Request, ref: str) -> Response:
        return Response(self.shown(deletion.cancel_deletion(self.actor, self.project())))
