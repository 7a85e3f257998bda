"""Who asks, and with what request: the two things every rule is decided on."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Literal

PrincipalKind = Literal["guest", "user", "superuser"]


@dataclass(frozen=True, slots=True)
class Principal:
    """A guest, an end user (record of an auth collection) or a superuser (service key, member).

    ``record`` is the whole row of the user, by field name, in API values (dates as strings, numbers
    as int or float, hidden fields included); ``None`` for guests.
    """

    kind: PrincipalKind
    collection_id: str = ""
    collection_name: str = ""
    record: Mapping[str, Any] | None = None

    @property
    def id(self) -> str:
        return str(self.record["id"]) if self.record else ""

    @property
    def is_superuser(self) -> bool:
        return self.kind == "superuser"


GUEST = Principal("guest")


@dataclass(frozen=True, slots=True)
class RequestInfo:
    """What ``@request.*`` reads.

    ``headers`` has lower-case names with ``_`` for ``-``; ``body`` holds the values as the operation
    understood them (modifiers resolved); ``context`` is default, batch, realtime, expand, oauth2, otp or password.
    """

    principal: Principal = GUEST
    method: str = "GET"
    context: str = "default"
    query: Mapping[str, str] = field(default_factory=dict)
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Mapping[str, Any] = field(default_factory=dict)
    ip: str = ""

    # Written out: dataclasses.replace takes 6 µs, and every request is asked for under a principal.
    def with_body(self, body: Mapping[str, Any]) -> RequestInfo:
        return RequestInfo(self.principal, self.method, self.context, self.query, self.headers, body, self.ip)

    def with_method(self, method: str) -> RequestInfo:
        return RequestInfo(self.principal, method, self.context, self.query, self.headers, self.body, self.ip)

    def as_(self, principal: Principal) -> RequestInfo:
        return RequestInfo(principal, self.method, self.context, self.query, self.headers, self.body, self.ip)
