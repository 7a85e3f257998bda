"""The audit: what happened on the control plane, appended in the transaction of the change itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from projects.control.actor import Actor
from projects.models import AuditEntry, Project


def record(
    actor: Actor,
    action: str,
    *,
    project: Project | None = None,
    target: str = "",
    details: Mapping[str, Any] | None = None,
) -> AuditEntry:
    """Append one entry. ``details`` is JSON and never holds a secret."""
    return AuditEntry.objects.create(
        actor_id=actor.user.pk if actor.user else None,
        actor=actor.label,
        project_uid=project.uid if project else "",
        project_ref=project.ref if project else "",
        action=action,
        target=target[:300],
        details=dict(details or {}),
        ip=actor.ip,
        request_id=actor.request_id[:64],
    )
