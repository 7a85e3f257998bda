"""A project's API as an OpenAPI document: https://spec.openapis.org/oas/v3.1.1.html."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from typing import Final

from projects.schema.collection import ProjectSchema
from sdk_schemas import components
from sdk_schemas.audience import Api, Audience, Offer, offers_of
from sdk_schemas.fields import Json
from sdk_schemas.openapi30 import downgraded
from sdk_schemas.operation import Operation
from sdk_schemas.records import collection_schemas
from sdk_schemas.routes import (
    auth,
    batch,
    collections,
    files,
    health,
    history,
    imports,
    realtime,
    records,
    rules,
)

VERSIONS: Final = ("3.1", "3.0")

Group = Callable[[Api], Iterable[Operation]]
# The order is the document's.
GROUPS: Final[tuple[Group, ...]] = (
    auth.operations,
    records.operations,
    history.operations,
    batch.operations,
    files.operations,
    realtime.operations,
    health.operations,
    collections.operations,
    rules.operations,
    imports.operations,
)
_TAGS: Final[Mapping[str, str]] = {
    "batch": "Several writes in one transaction.",
    "files": "Files of records.",
    "realtime": "Events as records change.",
    "health": "Whether the project answers.",
    "collections": "Modelling the project's data.",
    "rules": "Looking into what rules let happen.",
}
_DESCRIPTION: Final = (
    "The API of one project. It speaks the PocketBase wire contract: the official SDKs work with this address as "
    "their base URL. Every answer has the header `X-Request-Id`; the same id stands in the server's logs."
)


def openapi(
    schema: ProjectSchema, audience: Audience, *, title: str, server: str, version: str = "3.1"
) -> Json:
    """The document of that audience; ``server`` is the API's address, absolute or from the host's root.

    ``version`` is one of VERSIONS.
    """
    api = Api(offers_of(schema, audience), audience == "superuser")
    operations = [operation for group in GROUPS for operation in group(api)]
    document: Json = {
        "openapi": "3.1.1",
        "info": {"title": title, "version": _when(schema.version), "description": _DESCRIPTION},
        "servers": [{"url": server or "/"}],
        "tags": _tags(api.offers, operations),
        "paths": _paths(operations),
        "components": {
            "schemas": _schemas(api),
            "parameters": components.PARAMETERS,
            "responses": components.RESPONSES,
            "headers": components.HEADERS,
            "securitySchemes": components.SECURITY_SCHEMES,
        },
    }
    return downgraded(document) if version == "3.0" else document


def _when(version: int) -> str:
    """A schema version, which is a time in microseconds, as people read it."""
    return datetime.fromtimestamp(version / 1_000_000, UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def _tags(offers: Sequence[Offer], operations: Sequence[Operation]) -> list[Json]:
    """A tag for each collection, then one for each further group."""
    used = dict.fromkeys(operation.tag for operation in operations)
    kinds = {offer.name: f"Records of the {offer.collection.type} collection." for offer in offers}
    about = {**_TAGS, **kinds}
    ordered = [*(name for name in kinds if name in used), *(name for name in used if name not in kinds)]
    return [{"name": name, "description": about[name]} for name in ordered]


def _paths(operations: Sequence[Operation]) -> Json:
    paths: Json = {}
    for operation in operations:
        paths.setdefault(operation.path, {})[operation.method] = operation.as_json()
    return paths


def _schemas(api: Api) -> Json:
    schemas: Json = {**components.SCHEMAS}
    if any(offer.is_auth for offer in api.offers):
        schemas["AuthMethods"] = auth.METHODS
    if api.superuser:
        schemas |= collections.SCHEMAS | rules.SCHEMAS
    for offer in api.offers:
        schemas |= collection_schemas(offer)
    return schemas
