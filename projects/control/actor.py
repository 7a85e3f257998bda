"""Who runs an operation of the control plane, for rights and for the audit."""

from __future__ import annotations

from dataclasses import dataclass

from projects.models import ConsoleUser


@dataclass(frozen=True, slots=True)
class Actor:
    """A person, or the installation itself (``user`` is None: a command or a background task)."""

    user: ConsoleUser | None
    label: str
    ip: str | None = None
    request_id: str = ""

    @property
    def may_everything(self) -> bool:
        return self.user is None or self.user.is_superuser

    @classmethod
    def person(cls, user: ConsoleUser, ip: str | None = None, request_id: str = "") -> Actor:
        return cls(user, user.email, ip or None, request_id)


COMMAND = Actor(None, "command")
SYSTEM = Actor(None, "system")
