"""``/api/collections/{collection}/auth-…``: signing in to an auth collection."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Mapping
from typing import Any

from django.conf import settings
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from projects.accounts.auth_methods import auth_methods
from projects.accounts.collections import auth_collection
from projects.accounts.impersonate import impersonate
from projects.accounts.passwords import Match
from projects.accounts.principals import bare_token
from projects.accounts.refresh import auth_refresh
from projects.accounts.signin import FAILED, Claim, claim_identity, sign_in
from projects.accounts.throttle import guess
from projects.api.bodies import read_body
from projects.api.dispatch import client_ip, endpoint, in_password_pool, read, write
from projects.api.limits import limit_request
from projects.api.responses import json_response
from projects.context import current_project
from projects.control.actor import Actor
from projects.control.people import note_sign_in
from projects.control.throttle import attempt_succeeded, begin_attempt
from projects.databases.control_plane import refresh_control_connection
from projects.errors import ApiError, bad_request, forbidden
from projects.models import ConsoleUser, normalize_email
from projects.records.call import Call
from projects.schema.collection import SUPERUSERS
from projects.schema.fields.coerce import to_text
from projects.schema.fields.password import PasswordHash

COLLECTION = "/api/collections/{collection}"


@endpoint
async def methods(request: Request) -> Response:
    name = request.path_params["collection"]
    await limit_request(request, "listAuthMethods", name)
    return json_response(await read(request, lambda call: auth_methods(call, name)))


@endpoint
async def with_password(request: Request) -> Response:
    name = request.path_params["collection"]
    body = await _body(request)
    began = time.monotonic()
    claim = await read(request, lambda call: claim_identity(call, name, body))
    await limit_request(request, "authWithPassword", claim.collection_name)
    ip = client_ip(request)
    async with guess(current_project(), claim.subject, ip) as attempt:
        match = await in_password_pool(lambda: _check(claim, ip))
        attempt.right = match.right
    if not match.right:
        # However long the check took: kinds of hashes differ, and so would the answers' times.
        await asyncio.sleep(began + settings.MBAAS_SIGN_IN_REFUSAL_MS / 1000 - time.monotonic())
        raise bad_request(FAILED)
    answer = await _enter(request, claim, body, match.upgrade)
    if claim.collection_name == SUPERUSERS:
        ref = current_project().ref
        await in_password_pool(lambda: _note_superuser(claim, ref, ip))
    return json_response(answer)


def _check(claim: Claim, ip: str) -> Match:
    """Check the password. A person of the console has one in all projects: it is throttled over all of them too."""
    if claim.collection_name != SUPERUSERS:
        return claim.check()
    begin_attempt(ip, claim.identity)
    match = claim.check()
    if match.right:
        attempt_succeeded(ip, claim.identity)
    return match


async def _enter(
    request: Request, claim: Claim, body: Mapping[str, Any] | None, upgrade: PasswordHash | None
) -> dict[str, Any]:
    run = read if upgrade is None else write
    return await run(request, lambda call: sign_in(call, claim, upgrade), body=body)


def _note_superuser(claim: Claim, ref: str, ip: str) -> None:
    """A person of the console came in: their sign-ins are audited wherever they happen."""
    refresh_control_connection()
    person = ConsoleUser.objects.get(email=normalize_email(claim.identity))
    note_sign_in(Actor.person(person, ip), f"superuser of {ref}")


@endpoint
async def refresh(request: Request) -> Response:
    name = request.path_params["collection"]
    await limit_request(request, "authRefresh", name)
    body = await read_body(request)
    token = bare_token(request.headers.get("authorization", ""))
    return json_response(await read(request, lambda call: auth_refresh(call, name, token), body=body))


@endpoint
async def impersonated(request: Request) -> Response:
    name, record_id = request.path_params["collection"], request.path_params["id"]
    await limit_request(request, "impersonate", name)
    body = await _body(request)
    return json_response(await read(request, lambda call: impersonate(call, name, record_id, body)))


def _disabled(message: str) -> Any:
    """A way to sign in that no collection has switched on: 403, as where it can be and is not."""

    @endpoint
    async def refused(request: Request) -> Response:
        def work(call: Call) -> Response:
            auth_collection(call, request.path_params["collection"])
            raise forbidden(message)

        return await read(request, work)

    return refused


async def _body(request: Request) -> Mapping[str, Any] | None:
    """The body; None when it cannot be read, for the operation to say so after what comes before that.

    Forms hold text only, so what was read out of it is text again.
    """
    try:
        body = await read_body(request)
    except ApiError as error:
        if error.status != 400 or error.message == "Unsupported Content-Type.":
            raise
        return None
    if request.headers.get("content-type", "").startswith("application/json"):
        return body
    return {name: to_text(value) for name, value in body.items()}


_otp = _disabled("The collection is not configured to allow OTP authentication.")
_oauth2 = _disabled("The collection is not configured to allow OAuth2 authentication.")

routes = [
    Route(f"{COLLECTION}/auth-methods", methods, methods=["GET"]),
    Route(f"{COLLECTION}/auth-with-password", with_password, methods=["POST"]),
    Route(f"{COLLECTION}/auth-refresh", refresh, methods=["POST"]),
    Route(f"{COLLECTION}/impersonate/{{id}}", impersonated, methods=["POST"]),
    Route(f"{COLLECTION}/request-otp", _otp, methods=["POST"]),
    Route(f"{COLLECTION}/auth-with-otp", _otp, methods=["POST"]),
    Route(f"{COLLECTION}/auth-with-oauth2", _oauth2, methods=["POST"]),
]
