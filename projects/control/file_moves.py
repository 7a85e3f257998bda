"""Taking a project's files to another storage: where new ones go from now on, and the audit of it."""

from __future__ import annotations

from projects.control import audit
from projects.control.actor import Actor
from projects.control.projects import change_project
from projects.control.roles import require_operator
from projects.files.storages import PLACEMENT, StorageName, storage_of, usual_storage
from projects.models import Project


def begin_move(actor: Actor, project: Project, target: StorageName) -> tuple[Project, bool]:
    """New files go to ``target`` from now on; the project, and whether that is a change. Raises ApiError 403."""
    require_operator(actor)
    if storage_of(project.handle()) == target:
        return project, False
    # Nothing is said where it would go there anyway: the setting of the installation then still counts.
    chosen = None if usual_storage(project.handle()) == target else target
    return change_project(actor, project, settings={PLACEMENT: chosen}), True


def record_move(
    actor: Actor, project: Project, target: StorageName, *, files: int, size: int, left: int
) -> None:
    """Note in the audit what a run of the move has done."""
    details = {"to": target, "files": files, "bytes": size, "left": left}
    audit.record(actor, "files.moved", project=project, target=project.ref, details=details)
