"""``/api/collections/{collection}/records``: the Records API."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projects.accounts import superusers
from projects.accounts.record_parts import AuthWrite, prepare_auth_write
from projects.api import limits
from projects.api.bodies import read_body
from projects.api.dispatch import client_ip, endpoint, in_password_pool, read, write
from projects.api.responses import json_response, no_content
from projects.records.call import Call
from projects.records.create import create_record
from projects.records.delete import delete_record
from projects.records.list import list_records
from projects.records.present import Shape, present_one
from projects.records.update import update_record
from projects.records.view import view_record

COLLECTION = "/api/collections/{collection}/records"
RECORD = "/api/collections/{collection}/records/{id}"


@endpoint
async def list_or_create(request: Request) -> Response:
    return await (_create(request) if request.method == "POST" else _list(request))


@endpoint
async def view_update_or_delete(request: Request) -> Response:
    if request.method == "PATCH":
        return await _update(request)
    return await (_delete(request) if request.method == "DELETE" else _view(request))


async def _list(request: Request) -> Response:
    name, params = request.path_params["collection"], request.query_params

    def work(call: Call) -> dict[str, Any]:
        if superusers.is_superusers(call, name):
            return superusers.list_records(call, params)
        return list_records(call, name, params)

    return json_response(await read(request, work))


async def _view(request: Request) -> Response:
    name, record_id = request.path_params["collection"], request.path_params["id"]
    params = request.query_params

    def work(call: Call) -> dict[str, Any]:
        if superusers.is_superusers(call, name):
            return superusers.view_record(call, record_id, params)
        return view_record(call, name, record_id, params)

    return json_response(await read(request, work))


async def _create(request: Request) -> Response:
    name = request.path_params["collection"]
    body = await read_body(request)
    prepared = await _hashed(request, name, body, "create")

    def work(call: Call) -> dict[str, Any]:
        superusers.refuse_write(call, name)
        collection = call.collection(name)
        auth = prepared.on_create(call, collection, body)
        record = create_record(call, collection, body, auth)
        return present_one(call, collection, record, _shape(request.query_params))

    return json_response(await write(request, work, body=body))


async def _update(request: Request) -> Response:
    name, record_id = request.path_params["collection"], request.path_params["id"]
    body = await read_body(request)
    prepared = await _hashed(request, name, body, "update")

    def work(call: Call) -> dict[str, Any]:
        superusers.refuse_write(call, name)
        collection = call.collection(name)
        record = update_record(call, collection, record_id, body, prepared.on_update(call, collection, body))
        return present_one(call, collection, record, _shape(request.query_params))

    return json_response(await write(request, work, body=body))


async def _delete(request: Request) -> Response:
    name, record_id = request.path_params["collection"], request.path_params["id"]

    def work(call: Call) -> None:
        superusers.refuse_write(call, name)
        delete_record(call, call.collection(name), record_id)

    await write(request, work)
    return no_content()


async def _hashed(request: Request, name: str, body: Mapping[str, Any], action: str) -> AuthWrite:
    raise NotImplementedError


def _shape(params: Mapping[str, str]) -> Shape:
    return Shape.of(params)


routes = [
    Route(COLLECTION, list_or_create, methods=["GET", "POST"]),
    Route(RECORD, view_update_or_delete, methods=["GET", "PATCH", "DELETE"]),
]
