"""Where things are, as people and apps see them."""

from __future__ import annotations

from typing import Any

from django.conf import settings

from projects.models import Project


def project_url(request: Any, project: Project) -> str:
    """The base URL of the project's API: under MBAAS_PUBLIC_URL, else where the request came in."""
    path = f"/p/{project.ref}"
    if settings.MBAAS_PUBLIC_URL:
        return f"{settings.MBAAS_PUBLIC_URL}{path}"
    url: str = request.build_absolute_uri(path)
    return url
