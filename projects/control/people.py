"""The people of the console: added, changed and recognised by e-mail and password."""

from __future__ import annotations

from typing import Any, cast

from django.contrib.auth import password_validation
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ValidationError
from django.db import IntegrityError
from django.utils import timezone

from projects.control import audit
from projects.control.actor import Actor
from projects.control.database import control_transaction
from projects.control.roles import require_operator
from projects.control.validation import REQUIRED, check_text, clean_email
from projects.errors import FieldError, bad_request, forbidden, invalid_fields
from projects.models import ConsoleUser, normalize_email

EMAIL_TAKEN = FieldError("validation_not_unique", "Somebody has this e-mail already.")
# Hashing longer input only costs time; nobody types that much.
PASSWORD_MAX = 1024


def check_credentials(email: str, password: str) -> ConsoleUser | None:
    """The active person with this e-mail and password, else None after the same amount of work."""
    user = ConsoleUser.objects.filter(email=normalize_email(email)).first()
    if user is None or not user.is_active or len(password) > PASSWORD_MAX:
        make_password(password[:PASSWORD_MAX])
        return None
    return user if user.check_password(password) else None


def create_person(
    actor: Actor, *, email: str, password: str, name: str = "", is_operator: bool = False
) -> ConsoleUser:
    """Add somebody to the console. Operators only. Raises ApiError 400 by field, 403."""
    require_operator(actor)
    errors: dict[str, FieldError] = {}
    name = name.strip()
    email, email_error = clean_email(email)
    if email_error:
        errors["email"] = email_error
    elif ConsoleUser.objects.filter(email=email).exists():
        errors["email"] = EMAIL_TAKEN
    if error := check_text(name, 150, required=False):
        errors["name"] = error
    if error := check_password_strength(password, ConsoleUser(email=email, name=name)):
        errors["password"] = error
    if errors:
        raise invalid_fields("Failed to add person.", errors)
    try:
        with control_transaction():
            user = ConsoleUser.objects.create_user(email, password, name=name, is_operator=is_operator)
            audit.record(actor, "person.added", target=email, details={"is_operator": is_operator})
    except IntegrityError as error:
        raise invalid_fields("Failed to add person.", {"email": EMAIL_TAKEN}) from error
    return user


def change_person(
    actor: Actor,
    user: ConsoleUser,
    *,
    name: str | None = None,
    is_active: bool | None = None,
    is_operator: bool | None = None,
) -> ConsoleUser:
    """Change a person; everybody may change their own name, the rest is for operators.

    The last active operator stays one. Raises ApiError 400 by field, 403.
    """
    if is_active is not None or is_operator is not None or actor.user != user:
        require_operator(actor)
    wanted: dict[str, Any] = {"name": name, "is_active": is_active, "is_operator": is_operator}
    wanted = {key: value for key, value in wanted.items() if value is not None}
    if name is not None:
        wanted["name"] = name.strip()
        if error := check_text(wanted["name"], 150, required=False):
            raise invalid_fields("Failed to change person.", {"name": error})
    with control_transaction():
        operators = _locked_operators()
        user = ConsoleUser.objects.select_for_update().get(pk=user.pk)
        was_operator = user.is_superuser
        changes = {
            key: [getattr(user, key), value] for key, value in wanted.items() if getattr(user, key) != value
        }
        for key, value in wanted.items():
            setattr(user, key, value)
        if was_operator and not user.is_superuser and operators == [user]:
            raise bad_request("The installation keeps at least one operator.")
        if changes:
            user.save()
            audit.record(actor, "person.changed", target=user.email, details=changes)
    return user


def edit_person(actor: Actor, user: ConsoleUser, *, password: str = "", **values: Any) -> ConsoleUser:
    """``change_person`` and, with a ``password``, ``change_password``: both or neither."""
    with control_transaction():
        user = change_person(actor, user, **values)
        if password:
            user = change_password(actor, user, password=password)
    return user


def _locked_operators() -> list[ConsoleUser]:
    """All who can run the installation. Locked, always in one order: two of them who demote each other at
    once come one after the other, and neither waits for the other."""
    operators = ConsoleUser.objects.select_for_update().filter(is_operator=True, is_active=True)
    return list(operators.order_by("pk"))


def change_password(
    actor: Actor, user: ConsoleUser, *, password: str, current: str | None = None
) -> ConsoleUser:
    """Set a new password, which ends the person's sessions.

    A person gives the ``current`` one. An operator's or a command's reset needs none, and ends the
    person's tokens too: it is what one does when an account may be in other hands.
    Raises ApiError 400 by field, 403.
    """
    own = actor.user is not None and actor.user == user
    errors: dict[str, FieldError] = {}
    if not own:
        require_operator(actor)
    elif not current:
        errors["current"] = REQUIRED
    elif not user.check_password(current):
        errors["current"] = FieldError("validation_invalid_value", "Is not your current password.")
    if error := check_password_strength(password, user):
        errors["password"] = error
    if errors:
        raise invalid_fields("Failed to change password.", errors)
    with control_transaction():
        user = ConsoleUser.objects.select_for_update().get(pk=user.pk)
        user.set_password(password)
        user.save()
        if not own:
            user.tokens.all().delete()
        audit.record(actor, "person.password_changed", target=user.email, details={"own": own})
    return user


def check_password_strength(password: str, user: ConsoleUser) -> FieldError | None:
    """What AUTH_PASSWORD_VALIDATORS have against the password, in one sentence."""
    if not password:
        return REQUIRED
    if len(password) > PASSWORD_MAX:
        return FieldError(
            "validation_length_too_long",
            f"Must be no more than {PASSWORD_MAX} character(s).",
            {"max": PASSWORD_MAX},
        )
    try:
        password_validation.validate_password(password, cast(Any, user))
    except ValidationError as error:
        return FieldError("validation_weak_password", " ".join(error.messages))
    return None


def note_sign_in(actor: Actor, how: str) -> None:
    """Audit a sign-in (``how``: console, api) and keep its time."""
    if actor.user is None:
        raise forbidden()
    with control_transaction():
        ConsoleUser.objects.filter(pk=actor.user.pk).update(last_login=timezone.now())
        audit.record(actor, "person.signed_in", target=actor.user.email, details={"how": how})
