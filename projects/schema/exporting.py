"""A project's collections as a file that ``import_collections`` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from projects.schema import store
from projects.schema.serialize import collection_to_json

if TYPE_CHECKING:
    from projects.databases import Session


def export_collections(session: Session) -> dict[str, Any]:
    """``{"collections": […]}``, the same for the same schema: without dates, and without any secret."""
    return {
        "collections": [
            {
                key: value
                for key, value in collection_to_json(collection).items()
                if key not in ("created", "updated")
            }
            for collection in store.load_schema(session).collections
        ]
    }
