"""What each role may do in a project. The one table of rights; ``docs/control-api.md`` shows it.

An operator (and the installation itself) may do everything in every project.
"""

from __future__ import annotations

from enum import StrEnum

from django.db.models import QuerySet

from projects.control.actor import Actor
from projects.errors import forbidden, not_found
from projects.models import Membership, Project

Role = Membership.Role


class Action(StrEnum):
    PROJECT_VIEW = "project.view"
    PROJECT_EDIT = "project.edit"
    PROJECT_SUSPEND = "project.suspend"
    PROJECT_DELETE = "project.delete"
    SCHEMA_VIEW = "schema.view"
    SCHEMA_EDIT = "schema.edit"
    DATA_SUPERUSER = "data.superuser"
    MEMBERS_VIEW = "members.view"
    MEMBERS_EDIT = "members.edit"
    KEYS_VIEW = "keys.view"
    KEYS_PUBLIC = "keys.public"
    KEYS_SERVICE = "keys.service"
    AUDIT_VIEW = "audit.view"


_VIEWER = frozenset({Action.PROJECT_VIEW, Action.SCHEMA_VIEW, Action.MEMBERS_VIEW})
_DEVELOPER = _VIEWER | {
    Action.PROJECT_EDIT,
    Action.SCHEMA_EDIT,
    Action.DATA_SUPERUSER,
    Action.KEYS_VIEW,
    Action.KEYS_PUBLIC,
    Action.AUDIT_VIEW,
}
RIGHTS: dict[str, frozenset[Action]] = {
    Role.VIEWER: _VIEWER,
    Role.DEVELOPER: _DEVELOPER,
    # Every action, also those still to come: an owner is never locked out of what is theirs.
    Role.OWNER: frozenset(Action),
}


def role_in(actor: Actor, project: Project) -> str | None:
    """The actor's role as a member; None without membership (an operator may lack one too)."""
    if actor.user is None or not actor.user.is_active:
        return None
    return Membership.objects.filter(project=project, user=actor.user).values_list("role", flat=True).first()


def rights_in(actor: Actor, project: Project) -> frozenset[Action]:
    """All that the actor may do in the project; empty for who is not a member."""
    if actor.may_everything:
        return frozenset(Action)
    role = role_in(actor, project)
    return RIGHTS[role] if role else frozenset()


def require(actor: Actor, project: Project, action: Action) -> None:
    """Raise ApiError 404 for who may not even know of the project, 403 for a role too low."""
    rights = rights_in(actor, project)
    if not rights:
        raise not_found()
    if action not in rights:
        raise forbidden()


def require_operator(actor: Actor) -> None:
    """Raise ApiError 403 unless the actor runs the installation."""
    if not actor.may_everything:
        raise forbidden()


def visible_projects(actor: Actor) -> QuerySet[Project]:
    """The projects the actor is a member of; for operators all. Placements are read along."""
    projects = Project.objects.select_related("placement")
    if actor.may_everything:
        return projects
    if actor.user is None or not actor.user.is_active:
        return projects.none()
    return projects.filter(memberships__user=actor.user)


def find_project(actor: Actor, ref: str, action: Action = Action.PROJECT_VIEW) -> Project:
    """The project with this ref, if the actor may do ``action`` there. Raises ApiError 404 or 403."""
    project = visible_projects(actor).filter(ref=ref).first()
    if project is None:
        raise not_found()
    require(actor, project, action)
    return project
