"""What is forgotten by the clock; ``mbaas.celery`` says when."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.db import close_old_connections

from projects.context import ProjectHandle
from projects.databases import close_project, read_session
from projects.models import Project
from projects.records.retention import needs_pruning, prune

log = structlog.get_logger("mbaas.records")


@shared_task(name="projects.records.tasks.prune_change_logs")  # type: ignore[untyped-decorator]
def prune_change_logs() -> None:
    """Cut off what is too old of each project's change log; one that fails does not hold up the others."""
    close_old_connections()
    projects = Project.objects.select_related("placement").exclude(status=Project.Status.DELETING)
    for project in projects.iterator():
        handle = project.handle()
        try:
            _prune(handle)
        except Exception:
            # An unreachable placement, say: it is looked at again in an hour.
            log.exception("change log not pruned", project=handle.ref)


def _prune(project: ProjectHandle) -> None:
    try:
        with read_session(project) as session:
            needed = needs_pruning(session, project)
        if needed:
            log.info("change log pruned", project=project.ref, count=prune(project))
    finally:
        # So many projects are looked at that none of them may stay open.
        close_project(project)
