"""``/api/collections/{collection}/records``: the Records API."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projects.accounts.superusers import is_superusers_name, list_superusers, view_superuser
from projects.api.dispatch import endpoint, read, write
from projects.api.limits import limit_request
from projects.api.matching import write_matching
from projects.api.once import Once, answer_response
from projects.api.passwords import write_hashing
from projects.api.record_writes import Action, RecordWrite, perform
from projects.api.requests import header, query_of
from projects.api.tagged import Tagged, rendered, show, tagged_response
from projects.api.uploads import Reserved, Wrap, read_submission, write_storing
from projects.errors import not_found
from projects.records.aggregate import aggregate_records
from projects.records.answers import Answer
from projects.records.auth_fields import NOTHING_HASHED, HashedPasswords
from projects.records.call import Call
from projects.records.list import length_of, list_records
from projects.records.present import Shape
from projects.records.view import find_viewable, length_of_view, view_record

COLLECTION = "/api/collections/{collection}/records"
RECORD = "/api/collections/{collection}/records/{id}"


@endpoint
async def list_or_write(request: Request) -> Response:
    if request.method == "POST":
        return await _create(request)
    return await (write_matching(request) if request.method in ("PATCH", "DELETE") else _list(request))


@endpoint
async def view_update_or_delete(request: Request) -> Response:
    if request.method == "PATCH":
        return await _update(request)
    return await (_delete(request) if request.method == "DELETE" else _view(request))


async def _list(request: Request) -> Response:
    name, params = request.path_params["collection"], query_of(request)
    await limit_request(request, "list", name)

    def work(call: Call) -> dict[str, Any]:
        if is_superusers_name(call, name):
            return list_superusers(call, params)
        return list_records(call, name, params)

    return tagged_response(request, Tagged(await read(request, work, length=length_of(params))))


async def _view(request: Request) -> Response:
    name, record_id = request.path_params["collection"], request.path_params["id"]
    params = query_of(request)
    await limit_request(request, "view", name)

    shape = Shape.of(params)

    def work(call: Call) -> Tagged:
        if is_superusers_name(call, name):
            return Tagged(view_superuser(call, record_id, params))
        if shape.is_plain:
            return Tagged(view_record(call, name, record_id, params))
        return show(call, *find_viewable(call, name, record_id), shape)

    return tagged_response(request, await read(request, work, length=length_of_view(params)))


@endpoint
async def aggregate(request: Request) -> Response:
    name, params = request.path_params["collection"], query_of(request)
    await limit_request(request, "list", name)

    def work(call: Call) -> dict[str, Any]:
        if is_superusers_name(call, name):
            raise not_found()
        return aggregate_records(call, name, params)

    return tagged_response(request, Tagged(await read(request, work, length="long")))


async def _create(request: Request) -> Response:
    name = request.path_params["collection"]
    await limit_request(request, "create", name)
    return await _write(request, "create", name)


async def _update(request: Request) -> Response:
    name = request.path_params["collection"]
    await limit_request(request, "update", name)
    return await _write(request, "update", name, request.path_params["id"])


async def _write(request: Request, action: Action, name: str, record_id: str = "") -> Response:
    shape = Shape.of(query_of(request))
    once = Once(request)
    submission = await read_submission(request, name)
    values = submission.values
    if_match = header(request, b"if-match")
    wanted = RecordWrite(action, name, record_id, values, shape, if_match)

    async def run(wrap: Wrap[Answer]) -> Answer | Reserved:
        def work(call: Call, hashed: HashedPasswords) -> Answer | Reserved:
            # Nothing else is written, and nothing can be wrong with how it is shown.
            call.session.writes_once = action == "create" and shape.is_plain and not once.has_key

            def write_once(asked: Call) -> Answer:
                return once.do(asked, values, lambda: rendered(perform(asked, wanted, hashed)))

            return wrap(write_once)(call)

        return await write_hashing(request, work, body=values)

    return answer_response(await write_storing(request, submission.files, run))


async def _delete(request: Request) -> Response:
    name, record_id = request.path_params["collection"], request.path_params["id"]
    await limit_request(request, "delete", name)
    once = Once(request)
    wanted = RecordWrite("delete", name, record_id, if_match=header(request, b"if-match"))

    def work(call: Call) -> Answer:
        return once.do(call, None, lambda: rendered(perform(call, wanted, NOTHING_HASHED)))

    return answer_response(await write(request, work))


routes = [
    Route(COLLECTION, list_or_write, methods=["GET", "POST", "PATCH", "DELETE"]),
    Route(f"{COLLECTION}/aggregate", aggregate, methods=["GET"]),
    Route(RECORD, view_update_or_delete, methods=["GET", "PATCH", "DELETE"]),
]
