"""Audit and placements over HTTP."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from projects.control import placements
from projects.control.api.base import ControlView, documented
from projects.control.api.serializers import AuditOut, PlacementChangeIn, PlacementIn, PlacementOut
from projects.control.roles import Action, require_operator
from projects.errors import not_found
from projects.models import AuditEntry, Placement


class ProjectAuditView(ControlView):
    @documented("audit_project", "What happened to a project", answer=AuditOut(many=True), tag="audit")
    def get(self, request: Request, ref: str) -> Response:
        project = self.project(Action.AUDIT_VIEW)
        return self.pages(AuditEntry.objects.filter(project_uid=project.uid), AuditOut)


class AuditView(ControlView):
    @documented(
        "audit_list", "What happened to the installation (operators)", answer=AuditOut(many=True), tag="audit"
    )
    def get(self, request: Request) -> Response:
        require_operator(self.actor)
        return self.pages(AuditEntry.objects.all(), AuditOut)


class PlacementsView(ControlView):
    @documented("placements_list", "Placements (operators)", answer=PlacementOut(many=True), tag="placements")
    def get(self, request: Request) -> Response:
        require_operator(self.actor)
        return self.pages(Placement.objects.all(), PlacementOut)

    @documented(
        "placements_create",
        "Register a placement (operators)",
        request=PlacementIn,
        answer=PlacementOut,
        status=201,
        tag="placements",
    )
    def post(self, request: Request) -> Response:
        given = self.read(PlacementIn)
        placement = placements.create_placement(
            self.actor,
            name=given["name"],
            engine=given["engine"],
            url=given["url"],
            is_default=given["isDefault"],
            accepts_projects=given["acceptsProjects"],
        )
        return Response(PlacementOut(placement).data, 201)


class PlacementView(ControlView):
    def _placement(self) -> Placement:
        require_operator(self.actor)
        placement = Placement.objects.filter(name=self.kwargs["name"]).first()
        if placement is None:
            raise not_found()
        return placement

    @documented("placements_read", "One placement (operators)", answer=PlacementOut, tag="placements")
    def get(self, request: Request, name: str) -> Response:
        return Response(PlacementOut(self._placement()).data)

    @documented(
        "placements_change",
        "Change a placement (operators)",
        request=PlacementChangeIn,
        answer=PlacementOut,
        tag="placements",
    )
    def patch(self, request: Request, name: str) -> Response:
        given = self.read(PlacementChangeIn)
        placement = placements.change_placement(
            self.actor,
            self._placement(),
            url=given.get("url"),
            is_default=given.get("isDefault"),
            accepts_projects=given.get("acceptsProjects"),
        )
        return Response(PlacementOut(placement).data)

    @documented("placements_delete", "Forget a placement without projects", status=204, tag="placements")
    def delete(self, request: Request, name: str) -> Response:
        placements.delete_placement(self.actor, self._placement())
        return Response(status=204)
