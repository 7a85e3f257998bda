"""What describes a project to people and tools: ``/openapi.json``, ``/docs`` and ``/sdk/<language>``.

They are for superusers, who see all of it. The project's setting ``apiDocs`` "public" opens them to everybody, who
then see what an app can use: no hidden fields, nothing that only superusers may do, and no rules.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from hashlib import blake2b
from html import escape
from typing import Final

import orjson
from django.templatetags.static import static
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projects.api.dispatch import endpoint, read
from projects.api.guards import require_superuser
from projects.api.limits import limit_request
from projects.context import current_project
from projects.control.project_settings import API_DOCS
from projects.errors import FieldError, invalid_fields, not_found
from projects.records.call import Call
from projects.schema.collection import ProjectSchema
from sdk_schemas import VERSIONS, Audience, openapi, typescript

_UNKNOWN_VERSION: Final = FieldError("validation_in_invalid", f"Must be one of {', '.join(VERSIONS)}.")
_SWAGGER: Final = "drf_spectacular_sidecar/swagger-ui-dist/"
# Swagger UI writes style attributes; everything else comes from this server, and nothing else is spoken to.
_POLICY: Final = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; img-src 'self' data:;"
    " font-src 'self' data:; connect-src 'self'; base-uri 'none'; form-action 'none'; frame-ancestors 'self'"
)
_PAGE: Final = """\
<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<title>{title} · API</title>
<link rel="icon" href="{favicon}">
<link rel="stylesheet" href="{swagger_css}">
<link rel="stylesheet" href="{css}">
</head>
<body data-prefix="{prefix}">
<header>
<h1>{title}</h1>
<nav id="links" hidden>
<a href="{prefix}/openapi.json" data-file="openapi.json">OpenAPI 3.1</a>
<a href="{prefix}/openapi.json?version=3.0" data-file="openapi-3.0.json">OpenAPI 3.0</a>
<a href="{prefix}/sdk/typescript" data-file="{title}.ts">TypeScript</a>
</nav>
<button id="leave" type="button" hidden>Sign out</button>
</header>
<noscript><p class="note">This page needs JavaScript. The document itself is at {prefix}/openapi.json.</p></noscript>
<form id="enter" hidden>
<h2>Members only</h2>
<p>This project shows its API to its members. Sign in as you do in the console, or give a service key.</p>
<label>E-mail <input name="identity" type="email" autocomplete="username"></label>
<label>Password <input name="password" type="password" autocomplete="current-password"></label>
<p class="or">or</p>
<label>Service key <input name="key" type="password" autocomplete="off" placeholder="sk_…"></label>
<p id="refusal" role="alert"></p>
<button type="submit">Show the API</button>
</form>
<main id="docs"></main>
<script src="{swagger_js}"></script>
<script src="{js}"></script>
</body>
</html>
"""


@dataclass(frozen=True, slots=True)
class _Document:
    """A generated file; ``tag`` changes with its contents."""

    body: bytes
    tag: str

    @classmethod
    def of(cls, body: bytes) -> _Document:
        return cls(body, f'"{blake2b(body, digest_size=12).hexdigest()}"')


@endpoint
async def openapi_json(request: Request) -> Response:
    await limit_request(request)
    version = request.query_params.get("version", VERSIONS[0])
    if version not in VERSIONS:
        raise invalid_fields("There is no such version of the document.", {"version": _UNKNOWN_VERSION})
    prefix = _prefix(request)

    def make(schema: ProjectSchema, audience: Audience) -> bytes:
        title = current_project().ref
        return orjson.dumps(openapi(schema, audience, title=title, server=prefix, version=version))

    return await _answer(request, ("openapi", version, prefix), make, "application/json")


@endpoint
async def sdk(request: Request) -> Response:
    await limit_request(request)
    make = _LANGUAGES.get(request.path_params["language"])
    if make is None:
        raise not_found("There is no generated SDK for this language.")
    return await _answer(request, ("sdk", request.path_params["language"]), make, "text/plain; charset=utf-8")


def _typescript(schema: ProjectSchema, audience: Audience) -> bytes:
    return typescript(schema, audience, title=current_project().ref).encode()


_LANGUAGES: Final[Mapping[str, Callable[[ProjectSchema, Audience], bytes]]] = {"typescript": _typescript}


async def _answer(
    request: Request,
    key: tuple[str, ...],
    make: Callable[[ProjectSchema, Audience], bytes],
    content_type: str,
) -> Response:
    """The document for whoever asks, made once per schema version and audience. Raises 401, 403."""

    def work(call: Call) -> _Document:
        audience = _audience(call)
        return call.schema.derived.get((*key, audience), lambda: _Document.of(make(call.schema, audience)))

    document = await read(request, work)
    # The caller's copy is checked each time: a change of the schema shows at once.
    headers = {"ETag": document.tag, "Cache-Control": "private, no-cache", "Vary": "Authorization"}
    if request.headers.get("if-none-match") == document.tag:
        return Response(status_code=304, headers=headers)
    return Response(document.body, headers=headers, media_type=content_type)


def _audience(call: Call) -> Audience:
    if call.principal.is_superuser:
        return "superuser"
    if call.session.project.setting(API_DOCS) != "public":
        require_superuser(call)
    return "app"


@endpoint
async def docs(request: Request) -> Response:
    """The page says nothing of the project but its ref; its script fetches the document."""
    page = _PAGE.format(
        title=escape(current_project().ref),
        prefix=escape(_prefix(request)),
        favicon=static("admin_ui/favicon.svg"),
        swagger_css=static(f"{_SWAGGER}swagger-ui.css"),
        swagger_js=static(f"{_SWAGGER}swagger-ui-bundle.js"),
        css=static("projects/docs.css"),
        js=static("projects/docs.js"),
    )
    headers = {
        "Content-Security-Policy": _POLICY,
        "Referrer-Policy": "same-origin",
        "Cache-Control": "no-cache",
    }
    return Response(page, headers=headers, media_type="text/html")


def _prefix(request: Request) -> str:
    """Where the API begins on this host: ``/p/<ref>``."""
    return str(request.scope.get("mbaas.prefix", ""))


routes = [
    Route("/openapi.json", openapi_json, methods=["GET"]),
    Route("/docs", docs, methods=["GET"]),
    Route("/sdk/{language}", sdk, methods=["GET"]),
]
