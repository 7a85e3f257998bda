"""``/api/batch``: several writes of records in one transaction."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projects.api.batch_body import UNREADABLE, Part, part_failed, put_into_part, read_parts
from projects.api.bodies import read_body
from projects.api.dispatch import endpoint, write
from projects.api.limits import limit_parts, limit_request
from projects.api.once import Once, answer_response
from projects.api.passwords import hash_now
from projects.api.record_writes import perform
from projects.api.requests import query_of
from projects.api.responses import as_api_error, as_json
from projects.api.uploads import (
    Reserved,
    Submission,
    Wrap,
    discard,
    is_multipart,
    read_form,
    write_storing,
)
from projects.context import current_project
from projects.databases.deadline import bound_transaction
from projects.errors import ApiError, bad_request, forbidden
from projects.records.answers import Answer
from projects.records.auth_fields import HashedPasswords
from projects.records.batch import Progress, Step, UnhashedSteps, lock_records, run_steps
from projects.records.batch_limits import BatchLimits
from projects.records.call import Call
from projects.records.pick import Pick, parse_pick
from projects.records.upsert import exists, upserted_id
from projects.schema.collection import CollectionSchema

# One to find what is to be hashed, one to write; one more for an account that changed in between.
_TRIES = 3


@endpoint
async def batch(request: Request) -> Response:
    await limit_request(request)
    project = current_project()
    limits = BatchLimits.of(project)
    if not limits.enabled:
        raise forbidden("Batch requests are not allowed.")
    pick = parse_pick(query_of(request).get("fields", ""))
    once = Once(request)
    submission = await _read(request, limits.body_bytes)
    try:
        parts = read_parts(submission.values, project.ref, limits.requests)
        answer = await _Batch(request, submission, parts, limits, pick, once).answer()
    finally:
        if submission.files:
            await discard(submission.files)
    return answer_response(answer)


async def _read(request: Request, limit: int) -> Submission:
    """The batch's body; its files, under ``requests.N.field``, stand in the bodies of its requests."""
    try:
        if is_multipart(request):
            return await read_form(request, limit, limit, lambda part: limit, put_into_part)
        return Submission(await read_body(request, limit=limit))
    except ApiError as error:
        raise bad_request(UNREADABLE) if error.status == 400 else error from None


@dataclass(slots=True)
class _Batch:
    request: Request
    submission: Submission
    parts: Sequence[Part]
    limits: BatchLimits
    pick: Pick | None
    once: Once
    progress: Progress = field(default_factory=Progress)

    async def answer(self) -> Answer:
        """What each part is answered. Raises ApiError: for the part that failed, or the batch as a whole."""
        try:
            actions = ("create", "update", "delete")
            await limit_parts(self.request, actions, self._actions, self.progress)
            return await write_storing(self.request, self.submission.files, self._written)
        except Exception as error:
            known = as_api_error(error)
            # A server that is busy or too slow is no fault of the part that it came to.
            if self.progress.at < 0 or known.status >= 500:
                raise known from error
            raise part_failed(self.progress.at, known) from error

    async def _written(self, wrap: Wrap[Answer]) -> Answer | Reserved:
        hashed: dict[int, HashedPasswords] = {}

        def work(call: Call) -> Answer:
            self.progress.at = -1
            return self.once.do(call, self.submission.values, lambda: self._rendered(call, hashed))

        for _ in range(_TRIES):
            try:
                return await write(self.request, wrap(work))
            except UnhashedSteps as needed:
                for self.progress.at, todo in needed.works.items():
                    hashed[self.progress.at] = await hash_now(self.request, todo)
        raise bad_request("A password cannot be changed that often in one batch.")

    def _rendered(self, call: Call, hashed: Mapping[int, HashedPasswords]) -> Answer:
        deadline = bound_transaction(call.session, self.limits.milliseconds)
        lock_records(call, _targets(call, self.parts))
        steps = [_step(call, part) for part in self.parts]
        answers = run_steps(steps, hashed, self.progress, deadline)
        return Answer(200, as_json(self.pick(answers) if self.pick else answers))

    def _actions(self, call: Call) -> list[tuple[str, str]]:
        return [_counted_as(call, part) for part in self.parts]


def _step(call: Call, part: Part) -> Step:
    request = replace(
        call.request,
        context="batch",
        method=part.method,
        query=part.query,
        headers={**call.request.headers, **part.headers},
        body=part.write.body,
    )
    asked = replace(call, request=request)

    def step(hashed: HashedPasswords) -> dict[str, Any]:
        shown = perform(asked, part.write, hashed)
        return {"status": 204, "body": None} if shown is None else {"status": 200, "body": shown.data}

    return step


def _targets(call: Call, parts: Sequence[Part]) -> Iterator[tuple[CollectionSchema, str]]:
    """The records that the parts name."""
    for part in parts:
        collection = call.schema.get(part.write.collection)
        if collection is not None and collection.has_table and part.write.action != "create":
            yield collection, part.write.record_id or upserted_id(collection, part.write.body)


def _counted_as(call: Call, part: Part) -> tuple[str, str]:
    """What rate limits call the part, and its collection's name."""
    action: str = part.write.action
    collection = call.schema.get(part.write.collection)
    if action == "upsert":
        action = "create"
        if collection is not None and collection.has_table:
            record_id = upserted_id(collection, part.write.body)
            action = "update" if exists(call, collection, record_id) else "create"
    return action, collection.name if collection else ""


routes = [Route("/api/batch", batch, methods=["POST"])]
