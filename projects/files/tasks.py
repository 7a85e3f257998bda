"""What is done about files in the background; ``mbaas.celery`` says when."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.db import close_old_connections

from projects.context import ProjectHandle
from projects.databases.sweeping import for_each_project
from projects.files.removal import needs_removal, remove_released
from projects.files.spool import remove_left_behind
from projects.models import Project

log = structlog.get_logger("mbaas.files")


@shared_task(name="projects.files.tasks.remove_files")  # type: ignore[untyped-decorator]
def remove_files(uid: str) -> None:
    """Remove the objects that records of the project let go of."""
    close_old_connections()
    project = Project.objects.select_related("placement").filter(pk=uid).first()
    if project is not None and project.status != Project.Status.DELETING:
        remove_released(project.handle())


@shared_task(name="projects.files.tasks.sweep_files")  # type: ignore[untyped-decorator]
def sweep_files() -> None:
    """Find what crashes left: objects without a record, uploads that nobody attached, half-received files."""
    if count := remove_left_behind():
        log.info("half-received files removed", count=count)
    for_each_project(_sweep, "files not swept")


def _sweep(project: ProjectHandle) -> None:
    if needs_removal(project):
        log.info("files removed", project=project.ref, count=remove_released(project))
