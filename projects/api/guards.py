"""Who may call a route at all."""

from __future__ import annotations

from projects.errors import forbidden, unauthorized
from projects.records.call import Call


def require_superuser(call: Call) -> None:
    """Raises 401 for guests, 403 for end users."""
    if call.principal.kind == "guest":
        raise unauthorized()
    if not call.principal.is_superuser:
        raise forbidden("The authorized record is not allowed to perform this action.")
