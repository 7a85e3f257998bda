"""Personal tokens: a person's own access to the control API, for scripts."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.utils import timezone

from projects.control import audit
from projects.control.actor import Actor
from projects.control.database import control_transaction
from projects.control.secrets import new_secret
from projects.control.validation import check_text
from projects.crypto import hash_secret
from projects.errors import FieldError, invalid_fields, not_found
from projects.models import ConsoleUser, PersonalToken

PREFIX = "pt"
_TOUCH_EVERY = timedelta(minutes=1)


@dataclass(frozen=True, slots=True)
class NewToken:
    token: PersonalToken
    text: str


def create_token(actor: Actor, user: ConsoleUser, *, name: str, days: int = 90) -> NewToken:
    """A token that acts as ``user`` for ``days`` (at most MBAAS_PERSONAL_TOKEN_MAX_DAYS).

    A person makes their own only; a command makes anyone's. Raises ApiError 400 by field, 404.
    """
    if actor.user is not None and actor.user != user:
        raise not_found()
    name = name.strip()
    errors: dict[str, FieldError] = {}
    if error := check_text(name, 100):
        errors["name"] = error
    longest: int = settings.MBAAS_PERSONAL_TOKEN_MAX_DAYS
    if not 1 <= days <= longest:
        errors["days"] = FieldError(
            "validation_out_of_range", f"Must be between 1 and {longest}.", {"min": 1, "max": longest}
        )
    if errors:
        raise invalid_fields("Failed to create token.", errors)
    secret = new_secret(PREFIX)
    expires = timezone.now() + timedelta(days=days)
    with control_transaction():
        token = PersonalToken.objects.create(
            user=user, name=name, prefix=secret.prefix, hash=secret.hash, expires_at=expires
        )
        details = {"prefix": secret.prefix, "expires_at": expires.isoformat(), "of": user.email}
        audit.record(actor, "token.created", target=name, details=details)
    return NewToken(token, secret.text)


def delete_token(actor: Actor, token: PersonalToken) -> None:
    """End a token at once. People end their own only. Raises ApiError 404."""
    if actor.user is not None and actor.user.pk != token.user_id:
        raise not_found()
    with control_transaction():
        details = {"prefix": token.prefix, "of": token.user.email}
        audit.record(actor, "token.deleted", target=token.name, details=details)
        token.delete()


def find_token_user(text: str) -> ConsoleUser | None:
    """Whom a valid token stands for, noting its use; None for any other text."""
    if not text.startswith(f"{PREFIX}_"):
        return None
    now = timezone.now()
    found = PersonalToken.objects.select_related("user").filter(
        hash=hash_secret(text), expires_at__gt=now, user__is_active=True
    )
    token = found.first()
    if token is None:
        return None
    if token.last_used_at is None or now - token.last_used_at > _TOUCH_EVERY:
        PersonalToken.objects.filter(pk=token.pk).update(last_used_at=now)
    return token.user
