"""What settings need to know of the control API. Read before Django is set up, so it imports nothing."""

from __future__ import annotations

from typing import Any

REST_FRAMEWORK: dict[str, Any] = {
    "DEFAULT_AUTHENTICATION_CLASSES": [
        "projects.control.api.authentication.PersonalTokenAuthentication",
        "projects.control.api.authentication.ConsoleSessionAuthentication",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["projects.control.api.authentication.IsConsoleUser"],
    "DEFAULT_PARSER_CLASSES": ["rest_framework.parsers.JSONParser"],
    "DEFAULT_RENDERER_CLASSES": ["rest_framework.renderers.JSONRenderer"],
    "DEFAULT_SCHEMA_CLASS": "drf_spectacular.openapi.AutoSchema",
    "DEFAULT_PAGINATION_CLASS": "projects.control.api.pagination.Pages",
    "EXCEPTION_HANDLER": "projects.control.api.errors.answer_error",
}

SPECTACULAR_SETTINGS: dict[str, Any] = {
    "TITLE": "mbaas control API",
    "DESCRIPTION": (
        "Projects, members, keys and placements of this installation. Sign in with a session "
        "(`POST /api/v1/session/`) or send a personal token (`Authorization: Bearer pt_…`)."
    ),
    "VERSION": "1",
    "OAS_VERSION": "3.1.0",
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SCHEMA_PATH_PREFIX": "/api/v1",
    "COMPONENT_SPLIT_REQUEST": True,
    # The docs page's scripts come from the installation itself.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "SWAGGER_UI_SETTINGS": {"deepLinking": True, "persistAuthorization": False},
    "ENUM_NAME_OVERRIDES": {
        "ProjectStatus": "projects.models.Project.Status",
        "Role": "projects.models.Membership.Role",
        "KeyKind": "projects.models.ApiKey.Kind",
        "Engine": "projects.models.Placement.Engines",
    },
}
