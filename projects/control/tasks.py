"""What the control plane does by the clock; ``mbaas.celery`` says when."""

from __future__ import annotations

import structlog
from celery import shared_task
from django.contrib.sessions.backends.db import SessionStore
from django.db import close_old_connections

from projects.control import deletion
from projects.control.actor import SYSTEM
from projects.errors import ApiError

log = structlog.get_logger("mbaas.control")


@shared_task(name="projects.control.tasks.purge_deleted_projects")  # type: ignore[untyped-decorator]
def purge_deleted_projects() -> None:
    """Remove the projects whose grace period is over; one that fails does not hold up the others."""
    close_old_connections()
    for project in deletion.due_for_purge():
        try:
            deletion.purge_project(SYSTEM, project)
        except ApiError as error:
            # Kept after all, or purged by another process, since the list was read.
            log.info("project not purged", project=project.ref, reason=error.message)
        except Exception:
            # An unreachable placement, say: it is due again at the next run.
            log.exception("project not purged", project=project.ref)
        else:
            log.info("project purged", project=project.ref, uid=project.uid)


@shared_task(name="projects.control.tasks.forget_expired_sessions")  # type: ignore[untyped-decorator]
def forget_expired_sessions() -> None:
    """Remove the console's sessions that have ended."""
    close_old_connections()
    SessionStore.clear_expired()
