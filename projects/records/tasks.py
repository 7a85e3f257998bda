"""What is forgotten by the clock; ``mbaas.celery`` says when."""

from __future__ import annotations

import structlog
from celery import shared_task

from projects.context import ProjectHandle
from projects.databases import read_session
from projects.databases.sweeping import for_each_project
from projects.records.retention import needs_pruning, prune

log = structlog.get_logger("mbaas.records")


@shared_task(name="projects.records.tasks.prune_change_logs")  # type: ignore[untyped-decorator]
def prune_change_logs() -> None:
    """Cut off what is too old of each project's change log."""
    for_each_project(_prune, "change log not pruned")


def _prune(project: ProjectHandle) -> None:
    with read_session(project) as session:
        needed = needs_pruning(session, project)
    if needed:
        log.info("change log pruned", project=project.ref, count=prune(project))
