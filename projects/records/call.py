"""What every operation is given: the session it runs in, the schema it sees, who asks and how."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from projects.databases.session import Session
from projects.errors import not_found
from projects.principal import Principal, RequestInfo
from projects.schema.collection import CollectionSchema, ProjectSchema


@dataclass(frozen=True, slots=True)
class Call:
    """One operation's surroundings. ``request.principal`` is who asks."""

    session: Session
    schema: ProjectSchema
    request: RequestInfo = RequestInfo()

    @property
    def principal(self) -> Principal:
        return self.request.principal

    def collection(self, name_or_id: str) -> CollectionSchema:
        """The collection with that name or id. Raises 404."""
        found = self.schema.get(name_or_id)
        if found is None:
            raise not_found("Missing collection context.")
        return found

    def with_body(self, body: dict[str, Any]) -> Call:
        """The same call as rules see it with ``@request.body`` set to ``body``."""
        return Call(self.session, self.schema, self.request.with_body(body))

    def with_method(self, method: str) -> Call:
        """The same call as rules see it with ``@request.method``."""
        return Call(self.session, self.schema, self.request.with_method(method))

    def as_(self, principal: Principal) -> Call:
        return Call(self.session, self.schema, self.request.as_(principal))
