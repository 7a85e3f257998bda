"""What every view of the control API shares."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from django.db.models import Model, QuerySet
from drf_spectacular.utils import OpenApiParameter, OpenApiResponse, extend_schema
from rest_framework.generics import GenericAPIView
from rest_framework.response import Response
from rest_framework.serializers import BaseSerializer, Serializer

from projects.control.actor import Actor
from projects.control.api.serializers import ErrorOut
from projects.control.auth import console_user, request_actor
from projects.control.roles import Action, find_project
from projects.errors import unauthorized
from projects.models import Project

View = TypeVar("View", bound=Callable[..., Any])


class ControlView(GenericAPIView[Any]):
    """A view acts as somebody: ``self.actor`` is who may be refused and whom the audit names."""

    @property
    def actor(self) -> Actor:
        user = console_user(self.request)
        if user is None:
            raise unauthorized("Sign in first.")
        return request_actor(self.request, user)

    def project(self, action: Action = Action.PROJECT_VIEW) -> Project:
        """The project named in the URL. Raises 404 for who is not a member, 403 for a role too low."""
        return find_project(self.actor, self.kwargs["ref"], action)

    def read(self, serializer: type[Serializer[Any]]) -> dict[str, Any]:
        """The request's body, checked for shape and type."""
        given = serializer(data=self.request.data)
        given.is_valid(raise_exception=True)
        values: dict[str, Any] = given.validated_data
        return values

    def pages(
        self,
        rows: QuerySet[Any],
        serializer: type[BaseSerializer[Any]],
        context: dict[str, Any] | None = None,
    ) -> Response:
        page: list[Model] = self.paginate_queryset(rows) or []
        shown = serializer(page, many=True, context={"request": self.request, **(context or {})})
        return self.get_paginated_response(shown.data)


def _refusals(*statuses: int) -> dict[int, OpenApiResponse]:
    return {status: OpenApiResponse(ErrorOut) for status in statuses}


def documented(
    operation: str,
    summary: str,
    *,
    tag: str,
    request: Any = None,
    query: Mapping[str, str] | None = None,
    answer: Any = None,
    status: int = 200,
) -> Callable[[View], View]:
    """``extend_schema`` with this API's usual refusals; ``query`` names required parameters with their help."""
    refusals = (400, 401, 403, 404) if request is not None or query else (401, 403, 404)
    answers: dict[int, Any] = {status: OpenApiResponse(answer) if answer else None, **_refusals(*refusals)}
    parameters = [
        OpenApiParameter(name, str, required=True, description=text) for name, text in (query or {}).items()
    ]
    decorate: Callable[[View], View] = extend_schema(
        operation_id=operation,
        summary=summary,
        # Else the docstring of the view class, which speaks to its maintainers.
        description=f"{summary}.",
        parameters=parameters,
        request=request,
        responses=answers,
        tags=[tag],
    )
    return decorate
