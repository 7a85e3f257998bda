"""How records were, and bringing that back: histories, one record, a whole collection."""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projects.api.bodies import read_body
from projects.api.collections import ROOT
from projects.api.dispatch import endpoint, read, write
from projects.api.guards import require_superuser
from projects.api.limits import limit_request
from projects.api.once import Once, answer_response
from projects.api.records import RECORD
from projects.api.requests import header, query_of
from projects.api.responses import json_response
from projects.api.tagged import Tagged, rendered, tagged_response
from projects.errors import FieldError, invalid_fields, tree_as_json
from projects.records.answers import Answer
from projects.records.call import Call
from projects.records.etags import record_tag
from projects.records.history import record_history
from projects.records.present import Shape, present_one
from projects.records.restore import Point, moment_of, restore_record
from projects.records.restore_collection import FAILED, Progress, restore_step, restore_tried


@endpoint
async def view_history(request: Request) -> Response:
    name, record_id = request.path_params["collection"], request.path_params["id"]
    params = query_of(request)
    await limit_request(request, "view", name)

    def work(call: Call) -> dict[str, Any]:
        return record_history(call, name, record_id, params)

    return tagged_response(request, Tagged(await read(request, work, length="long")))


@endpoint
async def restore(request: Request) -> Response:
    name, record_id = request.path_params["collection"], request.path_params["id"]
    await limit_request(request, "update", name)
    once = Once(request)
    body = await read_body(request)
    point, if_match = Point.of(body), header(request, b"if-match")
    shape = Shape.of(query_of(request))

    def work(call: Call) -> Answer:
        def restored() -> Answer:
            collection, back = restore_record(call, name, record_id, point, if_match)
            answer = {
                "record": present_one(call, collection, back.record, shape),
                "skipped": tree_as_json(back.skipped),
            }
            return rendered(Tagged(answer, record_tag(call, collection, back.record)))

        return once.do(call, body, restored)

    return answer_response(await write(request, work, body=body))


@endpoint
async def restore_collection(request: Request) -> Response:
    await limit_request(request)
    name = request.path_params["collection"]
    await read(request, require_superuser)
    body = await read_body(request)
    at, trying = moment_of(body, FAILED), body.get("dryRun", False)
    if not isinstance(trying, bool):
        error = FieldError("validation_invalid_value", "Must be true or false.")
        raise invalid_fields(FAILED, {"dryRun": error})
    progress = Progress(at)

    def try_it(call: Call) -> Progress:
        require_superuser(call)
        return restore_tried(call, name, at)

    def go_on(call: Call) -> Progress:
        require_superuser(call)
        return restore_step(call, name, progress)

    if trying:
        progress = await write(request, try_it)
    while not progress.finished:
        progress = await write(request, go_on)
    return json_response({"dryRun": trying, **progress.as_json()})


routes = [
    Route(f"{RECORD}/history", view_history, methods=["GET"]),
    Route(f"{RECORD}/restore", restore, methods=["POST"]),
    Route(f"{ROOT}/{{collection}}/restore", restore_collection, methods=["POST"]),
]
