"""Create, rename, configure, suspend and resume a project."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping
from typing import Any

from django.conf import settings
from django.db import IntegrityError

from projects.control import audit
from projects.control.actor import Actor
from projects.control.database import control_transaction
from projects.control.project_settings import SETTINGS, check_settings, sealed_settings, shown_settings
from projects.control.roles import Action, require, require_operator
from projects.control.validation import check_ref, check_text
from projects.databases import Session, create_database, drop_database, write_session
from projects.errors import ApiError, FieldError, bad_request, forbidden, invalid_fields, not_found
from projects.files.own_storage import check_move, is_same_place
from projects.files.storages import PLACEMENT
from projects.files.storages import SETTING as FILE_STORAGE
from projects.models import ConsoleUser, Membership, Placement, Project
from projects.schema import seed_system_collections

REF_TAKEN = FieldError("validation_not_unique", "Another project has this ref.")


def may_create(actor: Actor) -> bool:
    """Whether the actor may create projects: everyone, or operators only (MBAAS_PROJECT_CREATION)."""
    if actor.may_everything:
        return True
    return bool(actor.user and actor.user.is_active and settings.MBAAS_PROJECT_CREATION == "everyone")


def open_placements() -> list[Placement]:
    """Where a new project can live, the default one first."""
    return list(Placement.objects.filter(accepts_projects=True).order_by("-is_default", "name"))


def create_project(
    actor: Actor,
    ref: str,
    *,
    name: str = "",
    placement: str = "",
    owner: ConsoleUser | None = None,
    fill: Callable[[Session], None] | None = None,
) -> Project:
    """A new project with its own database on ``placement`` (by name; empty for the default one).

    The actor becomes its owner, or ``owner`` where the actor is an operator or a command. The database
    holds the system collections and what ``fill`` puts there. On any failure neither row nor database is
    left. Raises ApiError 400 by field, 403.
    """
    if not may_create(actor):
        raise forbidden("Only operators create projects on this installation.")
    if owner is not None and owner != actor.user and not actor.may_everything:
        raise forbidden("Only operators create projects for others.")
    owner = owner or actor.user
    name = name.strip()
    errors: dict[str, FieldError] = {}
    if error := check_ref(ref):
        errors["ref"] = error
    elif is_taken(ref):
        errors["ref"] = REF_TAKEN
    if error := check_text(name, 100, required=False):
        errors["name"] = error
    chosen = _placement(placement)
    if isinstance(chosen, FieldError):
        errors["placement"] = chosen
    if errors or isinstance(chosen, FieldError):
        raise invalid_fields("Failed to create project.", errors)

    project = Project(ref=ref, name=name or ref, placement=chosen)
    try:
        with control_transaction():
            project.save(force_insert=True)
            if owner is not None:
                Membership.objects.create(project=project, user=owner, role=Membership.Role.OWNER)
            audit.record(
                actor,
                "project.created",
                project=project,
                target=ref,
                details={
                    "name": project.name,
                    "placement": chosen.name,
                    "owner": owner.email if owner else None,
                },
            )
            # Last, so that whatever the control plane refuses is refused before a database is made.
            _make_database(project, fill)
    except IntegrityError as error:
        raise invalid_fields("Failed to create project.", {"ref": REF_TAKEN}) from error
    except BaseException:
        with contextlib.suppress(Exception):
            drop_database(project.handle())
        raise
    return project


def is_taken(ref: str) -> bool:
    """Whether a project has this ref, be it one in deletion."""
    return Project.objects.filter(ref=ref).exists()


def _make_database(project: Project, fill: Callable[[Session], None] | None) -> None:
    handle = project.handle()
    create_database(handle)
    with write_session(handle) as session:
        seed_system_collections(session)
        if fill is not None:
            fill(session)


def _placement(name: str) -> Placement | FieldError:
    found = open_placements()
    if name:
        found = [p for p in found if p.name == name]
        if not found:
            return FieldError(
                "validation_unknown_placement", "No placement of that name accepts new projects."
            )
    if not found:
        return FieldError("validation_unknown_placement", "No placement accepts new projects.")
    return found[0]


def change_project(
    actor: Actor, project: Project, *, name: str | None = None, settings: Mapping[str, Any] | None = None
) -> Project:
    """Rename and configure. ``settings`` is merged into those there are; a None value goes back to the
    default. Raises ApiError 400 by field, 403, 404."""
    require(actor, project, Action.PROJECT_EDIT)
    errors: dict[str, Any] = {}
    if name is not None:
        name = name.strip()
        if error := check_text(name, 100):
            errors["name"] = error
    if settings is not None and (by_name := check_settings(settings)):
        errors["settings"] = by_name
    elif any(SETTINGS[key].operators_only for key in settings or ()):
        require_operator(actor)
    if errors:
        raise invalid_fields("Failed to update project.", errors)
    with control_transaction():
        project = locked(project)
        before = {"name": project.name, "settings": shown_settings(project.settings)}
        kept = project.settings
        if name is not None:
            project.name = name
        if settings is not None:
            merged = {**kept, **sealed_settings(settings, kept)}
            project.settings = {key: value for key, value in merged.items() if value is not None}
            now = project.settings.get(FILE_STORAGE)
            if now and PLACEMENT not in settings and not is_same_place(kept.get(FILE_STORAGE), now):
                # Who names a bucket wants files in it, wherever an earlier move took them.
                project.settings.pop(PLACEMENT, None)
            if error := check_move(project.handle(), kept.get(FILE_STORAGE), now):
                raise invalid_fields("Failed to update project.", {"settings": {FILE_STORAGE: error}})
        after = {"name": project.name, "settings": shown_settings(project.settings)}
        changes = {key: [before[key], after[key]] for key in before if before[key] != after[key]}
        if changes or project.settings != kept:
            project.save()
            audit.record(actor, "project.changed", project=project, target=project.ref, details=changes)
    return project


def suspend_project(actor: Actor, project: Project, *, reason: str = "") -> Project:
    """Apps get 503 until it is resumed; nothing is lost. Raises ApiError 400, 403, 404."""
    return _change_status(
        actor, project, Project.Status.ACTIVE, Project.Status.SUSPENDED, "project.suspended", reason=reason
    )


def resume_project(actor: Actor, project: Project) -> Project:
    """Serve a suspended project again. Raises ApiError 400, 403, 404."""
    return _change_status(actor, project, Project.Status.SUSPENDED, Project.Status.ACTIVE, "project.resumed")


def _change_status(
    actor: Actor, project: Project, expected: str, status: str, action: str, **details: str
) -> Project:
    require(actor, project, Action.PROJECT_SUSPEND)
    with control_transaction():
        project = locked(project)
        if project.status != expected:
            raise wrong_status(project)
        project.status = status
        project.save()
        kept = {key: value for key, value in details.items() if value}
        audit.record(actor, action, project=project, target=project.ref, details=kept)
    return project


def locked(project: Project) -> Project:
    """The project's row as it is now, locked until the transaction ends (SQLite locks everything).

    Raises ApiError 404 when it is gone.
    """
    found = find_locked(project)
    if found is None:
        raise not_found()
    return found


def find_locked(project: Project) -> Project | None:
    """``locked``, or None when the row is gone."""
    rows = Project.objects.select_for_update(of=("self",)).select_related("placement")
    return rows.filter(pk=project.pk).first()


def wrong_status(project: Project) -> ApiError:
    return bad_request(f"The project is {project.get_status_display().lower()}.")
