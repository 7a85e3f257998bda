"""API keys of a project: made and revoked. Requests recognise them in ``projects.accounts``."""

from __future__ import annotations

from dataclasses import dataclass

from django.utils import timezone

from projects.control import audit
from projects.control.actor import Actor
from projects.control.database import control_transaction
from projects.control.projects import locked
from projects.control.roles import Action, require
from projects.control.secrets import new_secret
from projects.control.validation import check_text
from projects.errors import FieldError, invalid_fields, not_found
from projects.models import ApiKey, Project

PREFIXES = {ApiKey.Kind.SERVICE.value: "sk", ApiKey.Kind.PUBLIC.value: "pk"}
_RIGHTS = {
    ApiKey.Kind.SERVICE.value: Action.KEYS_SERVICE,
    ApiKey.Kind.PUBLIC.value: Action.KEYS_PUBLIC,
}


@dataclass(frozen=True, slots=True)
class NewKey:
    """A key just made. ``text`` is nowhere else: who loses it makes another."""

    key: ApiKey
    text: str


def create_key(actor: Actor, project: Project, *, kind: str, name: str = "") -> NewKey:
    """A new key. A service key is the project's superuser, so only owners make one.

    Raises ApiError 400 by field, 403, 404.
    """
    name = name.strip()
    errors: dict[str, FieldError] = {}
    # Not even a wrong kind is answered before it is clear that the actor may see keys at all.
    require(actor, project, Action.KEYS_VIEW)
    if kind not in PREFIXES:
        errors["kind"] = FieldError("validation_invalid_value", "Must be service or public.")
    if error := check_text(name, 100, required=False):
        errors["name"] = error
    if errors:
        raise invalid_fields("Failed to create key.", errors)
    require(actor, project, _RIGHTS[kind])
    secret = new_secret(PREFIXES[kind])
    with control_transaction():
        key = ApiKey.objects.create(
            project=project,
            kind=kind,
            name=name,
            prefix=secret.prefix,
            hash=secret.hash,
            created_by=actor.user,
        )
        details = {"kind": kind, "prefix": secret.prefix}
        audit.record(actor, "key.created", project=project, target=name or secret.prefix, details=details)
    return NewKey(key, secret.text)


def revoke_key(actor: Actor, key: ApiKey) -> ApiKey:
    """End a key at once and for good; a second time does nothing. Raises ApiError 403, 404."""
    require(actor, key.project, Action.KEYS_VIEW)
    require(actor, key.project, _RIGHTS[key.kind])
    with control_transaction():
        locked(key.project)
        found = ApiKey.objects.select_related("project").filter(pk=key.pk).first()
        if found is None:
            raise not_found()
        if found.revoked_at is None:
            found.revoked_at = timezone.now()
            found.save(update_fields=["revoked_at"])
            details = {"kind": found.kind, "prefix": found.prefix}
            audit.record(actor, "key.revoked", project=found.project, target=str(found), details=details)
    return found
