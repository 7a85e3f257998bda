"""A project's members over HTTP."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from projects.control import members
from projects.control.api.base import ControlView, documented
from projects.control.api.serializers import MemberChangeIn, MemberIn, MemberOut
from projects.control.roles import Action
from projects.errors import not_found
from projects.models import Membership


class MembersView(ControlView):
    @documented("members_list", "A project's members", answer=MemberOut(many=True), tag="members")
    def get(self, request: Request, ref: str) -> Response:
        project = self.project(Action.MEMBERS_VIEW)
        rows = Membership.objects.filter(project=project).select_related("user").order_by("user__email")
        return self.pages(rows, MemberOut)

    @documented("members_add", "Add a member", request=MemberIn, answer=MemberOut, status=201, tag="members")
    def post(self, request: Request, ref: str) -> Response:
        project = self.project(Action.MEMBERS_EDIT)
        member = members.add_member(self.actor, project, **self.read(MemberIn))
        return Response(MemberOut(member).data, 201)


class MemberView(ControlView):
    def _member(self) -> Membership:
        rows = Membership.objects.filter(project=self.project(), pk=self.kwargs["pk"])
        member = rows.select_related("user", "project__placement").first()
        if member is None:
            raise not_found()
        return member

    @documented(
        "members_change", "Change a member's role", request=MemberChangeIn, answer=MemberOut, tag="members"
    )
    def patch(self, request: Request, ref: str, pk: int) -> Response:
        member = members.change_member(self.actor, self._member(), **self.read(MemberChangeIn))
        return Response(MemberOut(member).data)

    @documented("members_remove", "Remove a member, or leave", status=204, tag="members")
    def delete(self, request: Request, ref: str, pk: int) -> Response:
        members.remove_member(self.actor, self._member())
        return Response(status=204)
