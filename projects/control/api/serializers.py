"""What goes in and out of the control API. Only shape and type; the rules are the operations'."""

from __future__ import annotations

from typing import Any

from rest_framework import serializers

from projects.control.addresses import project_url
from projects.control.placements import server_of
from projects.control.project_settings import shown_settings
from projects.models import (
    ApiKey,
    AuditEntry,
    ConsoleUser,
    Membership,
    PersonalToken,
    Placement,
    Project,
)

# --- out --------------------------------------------------------------------------------------------


class PersonOut(serializers.ModelSerializer[ConsoleUser]):
    isOperator = serializers.BooleanField(source="is_operator")
    lastSignIn = serializers.DateTimeField(source="last_login", allow_null=True)

    class Meta:
        model = ConsoleUser
        fields = ("id", "email", "name", "isOperator", "lastSignIn", "created")


class ProjectOut(serializers.ModelSerializer[Project]):
    """``role`` is the caller's; null for an operator who is not a member."""

    placement = serializers.CharField(source="placement.name")
    engine = serializers.ChoiceField(source="placement.engine", choices=Placement.Engines.choices)
    settings = serializers.SerializerMethodField()
    deleteAfter = serializers.DateTimeField(source="delete_after", allow_null=True)
    url = serializers.SerializerMethodField()
    role = serializers.SerializerMethodField()

    class Meta:
        model = Project
        fields = (
            "uid",
            "ref",
            "name",
            "status",
            "placement",
            "engine",
            "settings",
            "deleteAfter",
            "url",
            "role",
            "created",
            "updated",
        )

    def get_settings(self, project: Project) -> dict[str, Any]:
        """Secrets are left out."""
        return shown_settings(project.settings)

    def get_url(self, project: Project) -> str:
        """The base URL for the app's SDK."""
        return project_url(self.context["request"], project)

    def get_role(self, project: Project) -> str | None:
        roles: dict[str, str] = self.context.get("roles", {})
        return roles.get(project.uid)


class MemberOut(serializers.ModelSerializer[Membership]):
    email = serializers.CharField(source="user.email")
    name = serializers.CharField(source="user.name")

    class Meta:
        model = Membership
        fields = ("id", "email", "name", "role", "created", "updated")


class KeyOut(serializers.ModelSerializer[ApiKey]):
    createdBy = serializers.CharField(source="created_by.email", default=None, allow_null=True)
    lastUsedAt = serializers.DateTimeField(source="last_used_at", allow_null=True)
    revokedAt = serializers.DateTimeField(source="revoked_at", allow_null=True)

    class Meta:
        model = ApiKey
        fields = ("id", "kind", "name", "prefix", "createdBy", "created", "lastUsedAt", "revokedAt")


class NewKeyOut(KeyOut):
    """``key`` is its text, in this answer only."""

    key = serializers.CharField()

    class Meta(KeyOut.Meta):
        fields = (*KeyOut.Meta.fields, "key")  # type: ignore[assignment]


class TokenOut(serializers.ModelSerializer[PersonalToken]):
    expiresAt = serializers.DateTimeField(source="expires_at")
    lastUsedAt = serializers.DateTimeField(source="last_used_at", allow_null=True)

    class Meta:
        model = PersonalToken
        fields = ("id", "name", "prefix", "created", "expiresAt", "lastUsedAt")


class NewTokenOut(TokenOut):
    """``token`` is its text, in this answer only."""

    token = serializers.CharField()

    class Meta(TokenOut.Meta):
        fields = (*TokenOut.Meta.fields, "token")  # type: ignore[assignment]


class PlacementOut(serializers.ModelSerializer[Placement]):
    """``server`` is host, port and database; the password never leaves."""

    server = serializers.SerializerMethodField()
    isDefault = serializers.BooleanField(source="is_default")
    acceptsProjects = serializers.BooleanField(source="accepts_projects")

    class Meta:
        model = Placement
        fields = ("name", "engine", "server", "isDefault", "acceptsProjects", "created", "updated")

    def get_server(self, placement: Placement) -> str:
        return server_of(placement)


class AuditOut(serializers.ModelSerializer[AuditEntry]):
    project = serializers.CharField(source="project_ref")
    projectUid = serializers.CharField(source="project_uid")
    details = serializers.DictField()
    requestId = serializers.CharField(source="request_id")

    class Meta:
        model = AuditEntry
        fields = (
            "id",
            "at",
            "actor",
            "action",
            "target",
            "project",
            "projectUid",
            "details",
            "ip",
            "requestId",
        )


class ErrorOut(serializers.Serializer[Any]):
    status = serializers.IntegerField()
    message = serializers.CharField()
    # DRF takes it for a field before it can hide Serializer.data.
    data = serializers.DictField()  # type: ignore[assignment]


class SessionOut(serializers.Serializer[Any]):
    """``person`` is null without a session. ``csrfToken`` goes into the ``X-CSRFToken`` header."""

    person = PersonOut(allow_null=True)
    csrfToken = serializers.CharField()


# --- in ---------------------------------------------------------------------------------------------


class SignInIn(serializers.Serializer[Any]):
    email = serializers.CharField(max_length=254)
    password = serializers.CharField(max_length=1024, trim_whitespace=False)


class MeIn(serializers.Serializer[Any]):
    name = serializers.CharField(allow_blank=True)


class PasswordIn(serializers.Serializer[Any]):
    current = serializers.CharField(trim_whitespace=False)
    password = serializers.CharField(trim_whitespace=False)


class ProjectIn(serializers.Serializer[Any]):
    ref = serializers.CharField()
    name = serializers.CharField(required=False, allow_blank=True, default="")
    placement = serializers.CharField(required=False, allow_blank=True, default="")


class ProjectChangeIn(serializers.Serializer[Any]):
    """``settings`` is merged; null sends one back to its default."""

    name = serializers.CharField(required=False, allow_blank=True)
    settings = serializers.DictField(required=False)


class SuspendIn(serializers.Serializer[Any]):
    reason = serializers.CharField(required=False, allow_blank=True, default="", max_length=300)


class MemberIn(serializers.Serializer[Any]):
    email = serializers.CharField()
    role = serializers.ChoiceField(choices=Membership.Role.choices)


class MemberChangeIn(serializers.Serializer[Any]):
    role = serializers.ChoiceField(choices=Membership.Role.choices)


class KeyIn(serializers.Serializer[Any]):
    kind = serializers.ChoiceField(choices=ApiKey.Kind.choices)
    name = serializers.CharField(required=False, allow_blank=True, default="")


class TokenIn(serializers.Serializer[Any]):
    name = serializers.CharField()
    days = serializers.IntegerField(required=False, default=90)


class PlacementIn(serializers.Serializer[Any]):
    name = serializers.CharField()
    engine = serializers.ChoiceField(choices=Placement.Engines.choices)
    url = serializers.CharField(required=False, allow_blank=True, default="")
    isDefault = serializers.BooleanField(required=False, default=False)
    acceptsProjects = serializers.BooleanField(required=False, default=True)


class PlacementChangeIn(serializers.Serializer[Any]):
    url = serializers.CharField(required=False)
    isDefault = serializers.BooleanField(required=False)
    acceptsProjects = serializers.BooleanField(required=False)
