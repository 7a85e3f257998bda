"""Sends each Django model to the database it belongs to, and refuses to guess."""

from __future__ import annotations

from typing import Any

from projects.context import current_project
from projects.databases.aliases import is_project_alias

# Apps whose tables live in every project's own database. All others live in the control plane.
PROJECT_APPS = frozenset({"tenant", "accounts"})
# Its log has a foreign key to AUTH_USER_MODEL (end users); the console keeps its own audit log.
NOWHERE = frozenset({"admin"})


class ProjectRouter:
    """A project app's models go to the current project's database; without a project they raise."""

    def db_for_read(self, model: Any, **hints: Any) -> str:
        if model._meta.app_label in PROJECT_APPS:
            instance = hints.get("instance")
            if instance is not None and is_project_alias(instance._state.db):
                return str(instance._state.db)
            return current_project().alias
        return "default"

    db_for_write = db_for_read

    def allow_relation(self, obj1: Any, obj2: Any, **hints: Any) -> bool:
        one, two = obj1._state.db, obj2._state.db
        return one is None or two is None or one == two

    def allow_migrate(self, db: str, app_label: str, **hints: Any) -> bool:
        if app_label in NOWHERE:
            return False
        return is_project_alias(db) == (app_label in PROJECT_APPS)
