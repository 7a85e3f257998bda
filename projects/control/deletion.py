"""Delete a project in two steps: it stops at once, its data goes after a grace period."""

from __future__ import annotations

from datetime import datetime, timedelta

from django.conf import settings
from django.utils import timezone

from projects.control import audit
from projects.control.actor import Actor
from projects.control.database import control_transaction
from projects.control.projects import find_locked, locked, wrong_status
from projects.control.roles import Action, require, require_operator
from projects.databases import drop_database
from projects.errors import FieldError, bad_request, invalid_fields
from projects.files.removal import remove_everything
from projects.models import Project


def request_deletion(actor: Actor, project: Project, *, typed_ref: str) -> Project:
    """Take the project from its apps (they get 404) and keep its data for MBAAS_DELETE_GRACE_DAYS.

    ``typed_ref`` is what the person typed to confirm; it has to be the project's ref exactly.
    Raises ApiError 400, 403, 404.
    """
    require(actor, project, Action.PROJECT_DELETE)
    if typed_ref != project.ref:
        wrong = FieldError("validation_not_confirmed", f"Type {project.ref} to confirm.")
        raise invalid_fields("Failed to delete project.", {"confirm": wrong})
    with control_transaction():
        project = locked(project)
        if project.status == Project.Status.DELETING:
            raise wrong_status(project)
        before = project.status
        project.status = Project.Status.DELETING
        project.delete_after = timezone.now() + timedelta(days=settings.MBAAS_DELETE_GRACE_DAYS)
        project.save()
        details = {"delete_after": project.delete_after.isoformat(), "was": before}
        audit.record(
            actor, "project.deletion_requested", project=project, target=project.ref, details=details
        )
    return project


def cancel_deletion(actor: Actor, project: Project) -> Project:
    """Keep the project after all. It comes back suspended, so that its owner decides when apps see it.

    Raises ApiError 400, 403, 404.
    """
    require(actor, project, Action.PROJECT_DELETE)
    with control_transaction():
        project = locked(project)
        if project.status != Project.Status.DELETING:
            raise bad_request("The project is not being deleted.")
        if project.purging:
            raise bad_request("The project's data is being removed already.")
        project.status = Project.Status.SUSPENDED
        project.delete_after = None
        project.save()
        audit.record(actor, "project.deletion_cancelled", project=project, target=project.ref)
    return project


def due_for_purge(now: datetime | None = None) -> list[Project]:
    """The projects whose grace period is over, the longest due first."""
    deleting = Project.objects.filter(status=Project.Status.DELETING, delete_after__lte=now or timezone.now())
    return list(deleting.select_related("placement").order_by("delete_after"))


def purge_project(actor: Actor, project: Project, *, before_due: bool = False) -> None:
    """Remove the project's database and row for good; its ref is free afterwards, its uid never.

    Only a project in deletion, and only after its grace period unless ``before_due`` (operators).
    Safe to repeat after a crash. Raises ApiError 400, 403, StorageError when its files cannot be removed.
    """
    require_operator(actor)
    with control_transaction():
        project = _purgeable(project, before_due=before_due)
        project.purging = True
        project.save()
    # A bucket may take minutes, and the control plane waits for nothing; a cancellation is refused meanwhile.
    remove_everything(project.handle())
    with control_transaction():
        project = _purgeable(project, before_due=before_due)
        # A crash in between leaves the row, and the next purge drops what is left.
        drop_database(project.handle())
        audit.record(actor, "project.purged", project=project, target=project.ref)
        project.delete()


def _purgeable(project: Project, *, before_due: bool) -> Project:
    """The project's row, locked. Raises ApiError 400 when it may not be purged."""
    found = find_locked(project)
    if found is None:
        raise bad_request("The project is gone already.")
    if found.status != Project.Status.DELETING or found.delete_after is None:
        raise bad_request("The project is not being deleted.")
    if found.delete_after > timezone.now() and not before_due:
        raise bad_request("The project's grace period is not over.")
    return found
