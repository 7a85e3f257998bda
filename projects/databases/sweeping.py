"""Work that the clock asks for, done for one project after another."""

from __future__ import annotations

from collections.abc import Callable

import structlog
from django.db import close_old_connections

from projects.context import ProjectHandle
from projects.databases.session import close_project
from projects.models import Project

log = structlog.get_logger("mbaas.sweeping")


def for_each_project(work: Callable[[ProjectHandle], None], failure: str) -> None:
    """``work(project)`` for every project that is not being deleted.

    One that raises (an unreachable placement, say) is logged as ``failure`` and does not hold up the others: it is
    looked at again the next time.
    """
    close_old_connections()
    projects = Project.objects.select_related("placement").exclude(status=Project.Status.DELETING)
    for project in projects.iterator():
        handle = project.handle()
        try:
            work(handle)
        except Exception:
            log.exception(failure, project=handle.ref)
        finally:
            # So many projects are looked at that none of them may stay open.
            close_project(handle)
