"""What clients are generated from: a project's API as OpenAPI, its collections as types of a language.

Everything here is a pure function of a ``ProjectSchema`` and an audience; it knows neither HTTP nor a database::

    document = openapi(schema, "app", title="demo", server="/p/demo")              # a dict, OpenAPI 3.1
    document = openapi(schema, "superuser", title="demo", server="/p/demo", version="3.0")
    text = typescript(schema, "app", title="demo")

Adding a route to the document: describe it as an ``Operation`` in the file of its group under ``routes/``. A new
group is a function ``(api) -> Iterable[Operation]`` and one entry of ``openapi.GROUPS``.
"""

from __future__ import annotations

from sdk_schemas.audience import Audience
from sdk_schemas.openapi import VERSIONS, openapi
from sdk_schemas.typescript import typescript

__all__ = ["VERSIONS", "Audience", "openapi", "typescript"]
