"""``/api/collections``: modelling a project's data. For superusers."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projects.api.bodies import read_body
from projects.api.browsing import browse
from projects.api.dispatch import endpoint, read, write
from projects.api.guards import require_superuser
from projects.api.limits import limit_request
from projects.api.responses import json_response, no_content
from projects.context import current_project
from projects.databases.deadline import TimedOutError
from projects.databases.lane import ShuttingDownError
from projects.databases.lanes import TooBusyError
from projects.records.call import Call
from projects.records.dry_run_view import dry_run
from projects.records.list import Page
from projects.records.pick import parse_pick
from projects.records.truncate import truncate_step
from projects.rules import validate_rule
from projects.rules.review import review_collections
from projects.schema.collection import CollectionSchema
from projects.schema.exporting import export_collections
from projects.schema.import_diff import import_diff
from projects.schema.importing import MALFORMED_IMPORT, import_collections, plan_import
from projects.schema.oauth2_providers import providers_json
from projects.schema.operations import (
    MALFORMED,
    MALFORMED_TYPE,
    create_collection,
    delete_collection,
    list_collections,
    update_collection,
    view_collection,
)
from projects.schema.progress import running_steps
from projects.schema.serialize import collection_to_json, scaffolds_json

ROOT = "/api/collections"


def _confirmed(request: Request) -> bool:
    """Whether the caller said that stored values may be lost."""
    return _is_yes(request.query_params.get("confirm", "")) or _is_yes(request.headers.get("x-confirm", ""))


def _is_yes(value: str) -> bool:
    return value.lower() in ("true", "1")


def _answer(
    request: Request, collection: CollectionSchema, warnings: Sequence[dict[str, Any]] = ()
) -> Response:
    pick = parse_pick(request.query_params.get("fields", ""))
    data = collection_to_json(collection)
    # The wire contract has no such key: it is there only where there is something to say.
    if warnings:
        data["warnings"] = warnings
    return json_response(pick(data) if pick else data)


async def _saved(request: Request, collection: CollectionSchema) -> Response:
    """The collection, with what its rules let happen: looked for when it is stored and nobody waits for its lock."""

    def review(call: Call) -> list[dict[str, Any]]:
        return [warning.as_json() for warning in review_collections(call.schema, [collection])]

    try:
        warnings = await read(request, review, length="long")
    except (TooBusyError, TimedOutError, ShuttingDownError):
        # It is stored: who is told so must not hear of a failure.
        warnings = []
    return _answer(request, collection, warnings)


@endpoint
async def list_or_create(request: Request) -> Response:
    await limit_request(request)
    return await (_create(request) if request.method == "POST" else _list(request))


async def _list(request: Request) -> Response:
    params = request.query_params

    def work(call: Call) -> dict[str, Any]:
        require_superuser(call)
        page = Page.of(params)
        found = browse(call, list_collections(call.session), params)
        items = [collection_to_json(c) for c in found[page.offset : page.offset + page.size]]
        pick = parse_pick(params.get("fields", ""))
        return page.answer(-1 if page.skip_total else len(found), [pick(i) for i in items] if pick else items)

    return json_response(await read(request, work))


async def _create(request: Request) -> Response:
    body = await read_body(request, MALFORMED_TYPE)

    def work(call: Call) -> CollectionSchema:
        require_superuser(call)
        return create_collection(call.session, body, validate_rule=validate_rule)

    return await _saved(request, await write(request, work, body=body))


@endpoint
async def view_update_or_delete(request: Request) -> Response:
    await limit_request(request)
    if request.method == "PATCH":
        return await _update(request)
    return await (_delete(request) if request.method == "DELETE" else _view(request))


async def _view(request: Request) -> Response:
    def work(call: Call) -> CollectionSchema:
        require_superuser(call)
        return view_collection(call.session, request.path_params["collection"])

    return _answer(request, await read(request, work))


async def _update(request: Request) -> Response:
    body = await read_body(request, MALFORMED)

    def work(call: Call) -> CollectionSchema:
        require_superuser(call)
        return update_collection(
            call.session,
            request.path_params["collection"],
            body,
            validate_rule=validate_rule,
            confirm=_confirmed(request),
        )

    return await _saved(request, await write(request, work, body=body))


async def _delete(request: Request) -> Response:
    def work(call: Call) -> None:
        require_superuser(call)
        # DELETE names the whole collection: no SDK could say it more clearly. What asks for confirmation
        # is the loss that hides in an update or an import.
        delete_collection(call.session, request.path_params["collection"], confirm=True)

    await write(request, work)
    return no_content()


@endpoint
async def truncate(request: Request) -> Response:
    await limit_request(request)
    name = request.path_params["collection"]
    last: int | None = None

    def work(call: Call) -> int | None:
        require_superuser(call)
        return truncate_step(call, name, last)

    while (last := await write(request, work)) is not None:
        pass
    return no_content()


@endpoint
async def import_(request: Request) -> Response:
    await limit_request(request)
    body = await read_body(request, MALFORMED_IMPORT)

    def plan(call: Call) -> dict[str, Any]:
        require_superuser(call)
        planned = plan_import(call.session, body, validate_rule=validate_rule)
        new = [change.new for change in planned.changes]
        warnings = review_collections(planned.settled.schema, new)
        diff = import_diff(call.session, planned)
        return {**diff, "warnings": [warning.as_json() for warning in warnings]}

    def work(call: Call) -> None:
        require_superuser(call)
        import_collections(call.session, body, validate_rule=validate_rule, confirm=_confirmed(request))

    if _is_yes(request.query_params.get("dryRun", "")):
        return json_response(await read(request, plan, body=body, length="long"))
    await write(request, work, body=body)
    return no_content()


@endpoint
async def export(request: Request) -> Response:
    await limit_request(request)

    def work(call: Call) -> dict[str, Any]:
        require_superuser(call)
        return export_collections(call.session)

    return json_response(await read(request, work))


@endpoint
async def progress(request: Request) -> Response:
    await limit_request(request)
    await read(request, require_superuser)
    return json_response({"running": running_steps(current_project().uid)})


@endpoint
async def dry_run_view(request: Request) -> Response:
    await limit_request(request)
    body = await read_body(request, MALFORMED_IMPORT)

    def work(call: Call) -> dict[str, Any]:
        require_superuser(call)
        return dry_run(call, body)

    return json_response(await read(request, work, body=body, length="long"))


@endpoint
async def oauth2_providers(request: Request) -> Response:
    await limit_request(request)
    await read(request, require_superuser)
    return json_response(providers_json())


@endpoint
async def scaffolds(request: Request) -> Response:
    await limit_request(request)
    await read(request, require_superuser)
    return json_response(scaffolds_json())


routes = [
    Route(ROOT, list_or_create, methods=["GET", "POST"]),
    Route(f"{ROOT}/import", import_, methods=["PUT"]),
    Route(f"{ROOT}/meta/progress", progress, methods=["GET"]),
    Route(f"{ROOT}/meta/dry-run-view", dry_run_view, methods=["POST"]),
    Route(f"{ROOT}/meta/export", export, methods=["GET"]),
    Route(f"{ROOT}/meta/scaffolds", scaffolds, methods=["GET"]),
    Route(f"{ROOT}/meta/oauth2-providers", oauth2_providers, methods=["GET"]),
    Route(f"{ROOT}/{{collection}}", view_update_or_delete, methods=["GET", "PATCH", "DELETE"]),
    Route(f"{ROOT}/{{collection}}/truncate", truncate, methods=["DELETE"]),
]
