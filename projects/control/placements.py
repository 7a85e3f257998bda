"""Placements: the servers that projects live on. Operators only."""

from __future__ import annotations

import contextlib
import re
from typing import Any
from urllib.parse import urlsplit

from projects import crypto
from projects.control import audit
from projects.control.actor import Actor
from projects.control.database import control_transaction
from projects.control.roles import require_operator
from projects.databases.placements import forget_placement
from projects.errors import FieldError, bad_request, invalid_fields
from projects.files.own_storage import rotate_file_storage
from projects.files.storages import SETTING as FILE_STORAGE
from projects.models import Placement, Project

_NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")


def create_placement(
    actor: Actor,
    *,
    name: str,
    engine: str,
    url: str = "",
    is_default: bool = False,
    accepts_projects: bool = True,
) -> Placement:
    """Register a place for projects. ``url`` is a PostgreSQL DSN, kept encrypted; SQLite has none.

    Raises ApiError 400 by field, 403.
    """
    require_operator(actor)
    errors: dict[str, FieldError] = {}
    if not _NAME.fullmatch(name):
        errors["name"] = FieldError(
            "validation_invalid_format", "Use 1 to 40 lower-case letters, digits and hyphens."
        )
    elif Placement.objects.filter(name=name).exists():
        errors["name"] = FieldError("validation_not_unique", "Another placement has this name.")
    if engine not in Placement.Engines.values:
        errors["engine"] = FieldError("validation_invalid_value", "Must be sqlite or postgresql.")
    elif error := _check_url(engine, url):
        errors["url"] = error
    if errors:
        raise invalid_fields("Failed to create placement.", errors)
    with control_transaction():
        if is_default:
            Placement.objects.filter(is_default=True).update(is_default=False)
        placement = Placement(
            name=name, engine=engine, is_default=is_default, accepts_projects=accepts_projects
        )
        placement.url = url
        placement.save(force_insert=True)
        details = {"engine": engine, "server": server_of(placement), "is_default": is_default}
        audit.record(actor, "placement.created", target=name, details=details)
    return placement


def change_placement(
    actor: Actor,
    placement: Placement,
    *,
    url: str | None = None,
    is_default: bool | None = None,
    accepts_projects: bool | None = None,
) -> Placement:
    """Change where a placement's server is reached or whether it takes new projects.

    Name and engine never change: they are part of every project's alias. Raises ApiError 400 by field, 403.
    """
    require_operator(actor)
    if url is not None and (error := _check_url(placement.engine, url)):
        raise invalid_fields("Failed to change placement.", {"url": error})
    changes: dict[str, Any] = {}
    with control_transaction():
        placement = Placement.objects.select_for_update().get(pk=placement.pk)
        if url is not None and url != placement_url(placement):
            before = server_of(placement)
            placement.url = url
            # Host and database only: the password belongs into no log.
            changes["server"] = [before, server_of(placement)]
        if accepts_projects is not None and accepts_projects != placement.accepts_projects:
            changes["accepts_projects"] = [placement.accepts_projects, accepts_projects]
            placement.accepts_projects = accepts_projects
        if is_default is not None and is_default != placement.is_default:
            changes["is_default"] = [placement.is_default, is_default]
            if is_default:
                Placement.objects.filter(is_default=True).update(is_default=False)
            placement.is_default = is_default
        if changes:
            placement.save()
            audit.record(actor, "placement.changed", target=placement.name, details=changes)
    if "server" in changes:
        forget_placement(placement.name)
    return placement


def delete_placement(actor: Actor, placement: Placement) -> None:
    """Forget a placement without projects. Raises ApiError 400, 403."""
    require_operator(actor)
    with control_transaction():
        placement = Placement.objects.select_for_update().get(pk=placement.pk)
        count = placement.projects.count()
        if count:
            raise bad_request(f"{count} project(s) live on this placement.")
        audit.record(actor, "placement.deleted", target=placement.name)
        placement.delete()
    forget_placement(placement.name)


def rotate_secrets(actor: Actor) -> int:
    """Encrypt every stored secret anew with the first of MBAAS_SECRET_KEYS; returns how many there were.

    Raises SecretUnreadableError, leaving all as they were, when one fits none of the keys.
    """
    require_operator(actor)
    with control_transaction():
        placements = list(Placement.objects.select_for_update().exclude(url_encrypted=""))
        for placement in placements:
            placement.url_encrypted = crypto.rotate(placement.url_encrypted)
            placement.save()
        count = len(placements)
        for project in Project.objects.select_for_update().filter(settings__has_key=FILE_STORAGE):
            project.settings[FILE_STORAGE] = rotate_file_storage(project.settings[FILE_STORAGE])
            project.save()
            count += 1
        audit.record(actor, "secrets.rotated", details={"count": count})
    return count


def placement_url(placement: Placement) -> str:
    """The DSN, or empty where no key reads it: then all one can do is to set it anew."""
    with contextlib.suppress(crypto.SecretUnreadableError):
        return placement.url
    return ""


def server_of(placement: Placement) -> str:
    """Where the placement is, without user and password: ``db.example.com:5432/mbaas``."""
    parts = urlsplit(placement_url(placement))
    return f"{parts.netloc.rpartition('@')[2]}{parts.path}" if parts.netloc or parts.path else ""


def _check_url(engine: str, url: str) -> FieldError | None:
    if engine == Placement.Engines.SQLITE:
        return FieldError("validation_must_be_blank", "SQLite has no URL.") if url else None
    if not url:
        return FieldError("validation_required", "Cannot be blank.")
    try:
        parts = urlsplit(url)
        named = parts.scheme in ("postgresql", "postgres") and len(parts.path) > 1 and parts.port != 0
    except ValueError:
        named = False
    if not named:
        return FieldError(
            "validation_invalid_format", "Must look like postgresql://user:password@host:5432/database."
        )
    return None
