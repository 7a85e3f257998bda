"""A project's API keys over HTTP."""

from __future__ import annotations

from rest_framework.request import Request
from rest_framework.response import Response

from projects.control import keys
from projects.control.api.base import ControlView, documented
from projects.control.api.serializers import KeyIn, KeyOut, NewKeyOut
from projects.control.roles import Action
from projects.errors import not_found
from projects.models import ApiKey


class KeysView(ControlView):
    @documented("keys_list", "A project's keys, without their text", answer=KeyOut(many=True), tag="keys")
    def get(self, request: Request, ref: str) -> Response:
        project = self.project(Action.KEYS_VIEW)
        return self.pages(ApiKey.objects.filter(project=project).select_related("created_by"), KeyOut)

    @documented("keys_create", "Make a key", request=KeyIn, answer=NewKeyOut, status=201, tag="keys")
    def post(self, request: Request, ref: str) -> Response:
        project = self.project(Action.KEYS_VIEW)
        new = keys.create_key(self.actor, project, **self.read(KeyIn))
        return Response({**KeyOut(new.key).data, "key": new.text}, 201)


class KeyView(ControlView):
    @documented("keys_revoke", "End a key for good", answer=KeyOut, tag="keys")
    def delete(self, request: Request, ref: str, pk: int) -> Response:
        project = self.project(Action.KEYS_VIEW)
        key = ApiKey.objects.filter(project=project, pk=pk).select_related("project", "created_by").first()
        if key is None:
            raise not_found()
        return Response(KeyOut(keys.revoke_key(self.actor, key)).data)
