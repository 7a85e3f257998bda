"""What is done about files in the background; ``mbaas.celery`` says when."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.db import close_old_connections

from projects.context import ProjectHandle
from projects.databases import close_project
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
    close_old_connections()
    if count := remove_left_behind():
        log.info("half-received files removed", count=count)
    projects = Project.objects.select_related("placement").exclude(status=Project.Status.DELETING)
    for project in projects.iterator():
        handle = project.handle()
        try:
            _sweep(handle)
        except Exception:
            # An unreachable placement, say: it is looked at again in an hour.
            log.exception("files not swept", project=handle.ref)


def _sweep(handle: ProjectHandle) -> None:
    try:
        if needs_removal(handle):
            log.info("files removed", project=handle.ref, count=remove_released(handle))
    finally:
        # So many projects are looked at that none of them may stay open.
        close_project(handle)
