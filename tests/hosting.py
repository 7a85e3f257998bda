"""The control plane's row of a project that a fixture made without one."""

from __future__ import annotations

import os

from projects.context import ProjectHandle
from projects.models import Placement, Project
from tests.services import POSTGRES_VARIABLE


def host(handle: ProjectHandle) -> Project:
    """Make the row, and its placement's, so that what asks the control plane finds the project."""
    placement, _ = Placement.objects.get_or_create(
        name=handle.placement,
        defaults={
            "engine": handle.engine,
            "url": os.environ[POSTGRES_VARIABLE] if handle.engine == "postgresql" else "",
        },
    )
    return Project.objects.create(uid=handle.uid, ref=handle.ref, name=handle.ref, placement=placement)
