"""Who may work on a project, in which role."""

from __future__ import annotations

from projects.control import audit
from projects.control.actor import Actor
from projects.control.database import control_transaction
from projects.control.projects import locked
from projects.control.roles import Action, require
from projects.control.validation import clean_email
from projects.errors import FieldError, bad_request, invalid_fields, not_found
from projects.models import ConsoleUser, Membership, Project

OWNER = Membership.Role.OWNER


def _check_role(role: str) -> FieldError | None:
    if role not in Membership.Role.values:
        return FieldError("validation_invalid_value", "Must be owner, developer or viewer.")
    return None


def add_member(actor: Actor, project: Project, *, email: str, role: str) -> Membership:
    """Let a person of this installation work on the project. Raises ApiError 400 by field, 403, 404."""
    require(actor, project, Action.MEMBERS_EDIT)
    errors: dict[str, FieldError] = {}
    email, error = clean_email(email)
    if error:
        errors["email"] = error
    if error := _check_role(role):
        errors["role"] = error
    user = ConsoleUser.objects.filter(email=email, is_active=True).first()
    if user is None:
        unknown = FieldError(
            "validation_unknown_person", "Nobody here has this e-mail; an operator has to add them first."
        )
        errors.setdefault("email", unknown)
    elif Membership.objects.filter(project=project, user=user).exists():
        errors["email"] = FieldError("validation_not_unique", "Is a member already.")
    if errors or user is None:
        raise invalid_fields("Failed to add member.", errors)
    with control_transaction():
        member = Membership.objects.create(project=project, user=user, role=role)
        audit.record(actor, "member.added", project=project, target=user.email, details={"role": role})
    return member


def change_member(actor: Actor, member: Membership, *, role: str) -> Membership:
    """Give a member another role; never the last owner. Raises ApiError 400 by field, 403, 404."""
    require(actor, member.project, Action.MEMBERS_EDIT)
    if error := _check_role(role):
        raise invalid_fields("Failed to change member.", {"role": error})
    with control_transaction():
        member = _locked_member(member)
        before = member.role
        if before == role:
            return member
        if before == OWNER:
            _refuse_last_owner(member)
        member.role = role
        member.save()
        details = {"role": [before, role]}
        audit.record(
            actor, "member.changed", project=member.project, target=member.user.email, details=details
        )
    return member


def remove_member(actor: Actor, member: Membership) -> None:
    """Take a person from the project; anyone may take themselves. Never the last owner.

    Raises ApiError 400, 403, 404.
    """
    leaving = actor.user is not None and actor.user.is_active and actor.user == member.user
    if not leaving:
        require(actor, member.project, Action.MEMBERS_EDIT)
    with control_transaction():
        member = _locked_member(member)
        if member.role == OWNER:
            _refuse_last_owner(member)
        action = "member.left" if leaving else "member.removed"
        details = {"role": member.role}
        audit.record(actor, action, project=member.project, target=member.user.email, details=details)
        member.delete()


def _locked_member(member: Membership) -> Membership:
    # The project's row is the lock: two owners who remove each other at once come one after the other.
    locked(member.project)
    found = Membership.objects.select_related("user", "project__placement").filter(pk=member.pk).first()
    if found is None:
        raise not_found()
    return found


def _refuse_last_owner(member: Membership) -> None:
    others = Membership.objects.filter(project=member.project, role=OWNER, user__is_active=True)
    if not others.exclude(pk=member.pk).exists():
        raise bad_request("A project keeps at least one owner.")
