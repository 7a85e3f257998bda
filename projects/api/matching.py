"""``PATCH`` and ``DELETE`` of ``…/records?filter=``: many records at once."""

from __future__ import annotations

from collections.abc import Mapping

from django.conf import settings
from starlette.requests import Request
from starlette.responses import Response

from projects.api.bodies import read_body
from projects.api.dispatch import write
from projects.api.limits import limit_request
from projects.api.once import Once, answer_response
from projects.api.record_writes import refuse_if_unwritable
from projects.api.requests import query_of
from projects.api.responses import as_json
from projects.context import current_project
from projects.databases.deadline import bound_transaction
from projects.errors import FieldError, invalid_fields, not_found
from projects.records.answers import Answer
from projects.records.batch_limits import BatchLimits
from projects.records.call import Call
from projects.records.matching import delete_matching, update_matching


async def write_matching(request: Request) -> Response:
    """The answer ``{"count": …}``. Without a filter it is an address that there is not."""
    query = query_of(request)
    if "filter" not in query:
        raise not_found()
    if query.get("search"):
        # To leave it unread would write to more records than were meant.
        error = FieldError(
            "validation_invalid_search", "A search chooses no records to write to: use a filter."
        )
        raise invalid_fields("The search is invalid.", {"search": error})
    name, updates = request.path_params["collection"], request.method == "PATCH"
    await limit_request(request, "update" if updates else "delete", name)
    once, limit = Once(request), _limit(query)
    body = await read_body(request) if updates else {}
    milliseconds = BatchLimits.of(current_project()).milliseconds

    def count(call: Call) -> int:
        collection = call.collection(name)
        refuse_if_unwritable(call, collection)
        deadline, most = bound_transaction(call.session, milliseconds), settings.MBAAS_FILTERED_WRITES_MAX
        if updates:
            return update_matching(call, collection, query["filter"], body, most, deadline, limit)
        return delete_matching(call, collection, query["filter"], most, limit)

    def work(call: Call) -> Answer:
        return once.do(call, body, lambda: Answer(200, as_json({"count": count(call)})))

    return answer_response(await write(request, work, body=body))


def _limit(query: Mapping[str, str]) -> int | None:
    text, most = query.get("limit", ""), settings.MBAAS_FILTERED_WRITES_MAX
    if not text:
        return None
    if not (text.isascii() and text.isdigit()) or len(text) > 9 or not 1 <= int(text) <= most:
        error = FieldError(
            "validation_invalid_limit", f"Must be a whole number from 1 to {most}.", {"max": most}
        )
        raise invalid_fields("The limit is invalid.", {"limit": error})
    return int(text)
