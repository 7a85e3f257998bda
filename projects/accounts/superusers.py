"""``_superusers``: the people who run a project, as its app API sees them.

They are no rows of the project. They are people of the console, members of this project as owner or
developer (operators of the installation too), and sign in with the console's e-mail and password. What
they are is managed there, so the Records API shows them and changes nothing.
"""

from __future__ import annotations

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from operator import itemgetter
from typing import Any, Final

from django.conf import settings

from projects.accounts.collections import is_superusers
from projects.accounts.short_cache import ShortCache
from projects.accounts.tokens import Claims, derive_key, encode_token, is_genuine, token_seconds
from projects.context import ProjectHandle
from projects.databases.control_plane import refresh_control_connection
from projects.errors import bad_request, forbidden, not_found
from projects.models import ConsoleUser, Membership, normalize_email
from projects.principal import GUEST, Principal
from projects.records.access import SUPERUSERS_ONLY, now
from projects.records.call import Call
from projects.records.list import Page
from projects.records.pick import parse_pick
from projects.records.queries import as_client_error
from projects.records.rows import Values
from projects.rules import RuleError, compile_predicate, parse_filter
from projects.schema.collection import SUPERUSERS, CollectionSchema
from projects.schema.dates import date_text
from projects.schema.fields.password import PasswordHash

MANAGED_ELSEWHERE: Final = (
    "Superusers are the members of the project. Add, change or remove them in the console or with the"
    " control API: /api/v1/projects/{ref}/members."
)
# The roles that projects.control.roles lets work on the data.
ROLES: Final = (Membership.Role.OWNER, Membership.Role.DEVELOPER)
_ID_CHARACTERS: Final = "0123456789abcdefghijklmnopqrstuvwxyz"
_ID_LENGTH: Final = 15
_MAX_SORTS: Final = 8


@dataclass(frozen=True, slots=True)
class Superuser:
    """A person with a superuser's rights in one project.

    ``standing`` says by what right ("owner:12", "operator"): when it changes, tokens issued before end.
    """

    id: str
    person: int
    email: str
    password: str
    standing: str
    created: str
    updated: str

    @property
    def is_member(self) -> bool:
        return self.standing != "operator"

    def record(self) -> Values:
        """Their record, with every field of ``_superusers``; password and token key are blank."""
        return {
            "id": self.id,
            "password": PasswordHash(),
            "tokenKey": "",
            "email": self.email,
            "emailVisibility": False,
            "verified": True,
            "created": self.created,
            "updated": self.updated,
        }


_cache: ShortCache[tuple[Superuser, ...]] = ShortCache(ConsoleUser, Membership)


def superusers_of(project: ProjectHandle) -> tuple[Superuser, ...]:
    """Everybody who has a superuser's rights in the project; members first."""
    return _cache.get(project.uid, lambda: _read(project))


def _read(project: ProjectHandle) -> tuple[Superuser, ...]:
    refresh_control_connection()
    members = Membership.objects.select_related("user").filter(
        project_id=project.uid, role__in=ROLES, user__is_active=True
    )
    found = {
        member.user_id: _superuser(project, member.user, f"{member.role}:{member.pk}", member)
        for member in members.order_by("pk")
    }
    for person in ConsoleUser.objects.filter(is_operator=True, is_active=True).order_by("pk"):
        found.setdefault(person.pk, _superuser(project, person, "operator", person))
    return tuple(found.values())


def _superuser(
    project: ProjectHandle, person: ConsoleUser, standing: str, since: ConsoleUser | Membership
) -> Superuser:
    return Superuser(
        id=_record_id(project, person.pk),
        person=person.pk,
        email=person.email,
        password=person.password,
        standing=standing,
        created=date_text(since.created),
        updated=date_text(since.updated),
    )


def _record_id(project: ProjectHandle, person: int) -> str:
    """A record id for a person: the same every time, another in each project, and telling no count.

    Keyed with SECRET_KEY: a new one gives everybody new ids (and ends the tokens, which it keys too).
    """
    digest = hmac.digest(
        settings.SECRET_KEY.encode(), f"superuser:{project.uid}:{person}".encode(), hashlib.sha256
    )
    number = int.from_bytes(digest[:16])
    characters = []
    for _ in range(_ID_LENGTH):
        number, index = divmod(number, len(_ID_CHARACTERS))
        characters.append(_ID_CHARACTERS[index])
    return "".join(characters)


def find_superuser(project: ProjectHandle, record_id: str) -> Superuser | None:
    return next((one for one in superusers_of(project) if one.id == record_id), None)


def superuser_by_email(project: ProjectHandle, email: str) -> Superuser | None:
    wanted = normalize_email(email)
    return next((one for one in superusers_of(project) if one.email == wanted), None)


def issue_superuser_token(project: ProjectHandle, collection: CollectionSchema, superuser: Superuser) -> str:
    """A token that ends with its time, with the person's password, and with what gives them the right."""
    claims = Claims(superuser.id, collection.id, refreshable=True)
    return encode_token(_token_key(project, collection, superuser), claims, token_seconds(collection))


def superuser_of(call: Call, token: str, claims: Claims) -> Principal:
    """The superuser whose token it is; a guest when it is forged, expired, revoked or of another project."""
    collection = call.schema.get(SUPERUSERS)
    superuser = find_superuser(call.session.project, claims.id)
    if collection is None or superuser is None or claims.collection_id != collection.id:
        return GUEST
    if not is_genuine(token, _token_key(call.session.project, collection, superuser)):
        return GUEST
    return Principal("superuser", collection.id, collection.name, superuser.record())


def _token_key(project: ProjectHandle, collection: CollectionSchema, superuser: Superuser) -> bytes:
    return derive_key(
        settings.SECRET_KEY,
        "mbaas superuser token",
        project.uid,
        str(collection.options["authToken"]["secret"]),
        str(superuser.person),
        superuser.standing,
        superuser.password,
    )


# --- the Records API of _superusers -------------------------------------------------------------------


def is_superusers_name(call: Call, name_or_id: str) -> bool:
    """Whether a route's collection is ``_superusers``."""
    collection = call.schema.get(name_or_id)
    return collection is not None and is_superusers(collection)


def list_superusers(call: Call, params: Mapping[str, str]) -> dict[str, Any]:
    """A page of the project's members as records (page, perPage, skipTotal, filter, sort, fields).

    Operators who are no members are not shown. Raises 403 for others than superusers, 400.
    """
    collection = _for_superusers(call)
    page, pick = Page.of(params), parse_pick(params.get("fields", ""))
    members = [one.record() for one in superusers_of(call.session.project) if one.is_member]
    found = _sorted(_filtered(call, collection, members, params.get("filter", "")), params.get("sort", ""))
    shown = [visible_superuser(collection, one) for one in found[page.offset : page.offset + page.size]]
    total = -1 if page.skip_total else len(found)
    return page.answer(total, [pick(one) for one in shown] if pick else shown)


def view_superuser(call: Call, record_id: str, params: Mapping[str, str]) -> dict[str, Any]:
    """One superuser as a record. Raises 403 for others than superusers, 404."""
    collection = _for_superusers(call)
    pick = parse_pick(params.get("fields", ""))
    superuser = find_superuser(call.session.project, record_id)
    if superuser is None:
        raise not_found()
    shown = visible_superuser(collection, superuser.record())
    return pick(shown) if pick else shown


def refuse_superuser_write(call: Call, name_or_id: str) -> None:
    """Raise 403 or 400 when somebody wants to change ``_superusers`` as if they were records."""
    if is_superusers_name(call, name_or_id):
        _for_superusers(call)
        raise bad_request(MANAGED_ELSEWHERE.format(ref=call.session.project.ref))


def visible_superuser(collection: CollectionSchema, record: Values) -> dict[str, Any]:
    """The record as it leaves the API."""
    shown = {name: value for name, value in record.items() if name not in ("password", "tokenKey")}
    return {**shown, "collectionId": collection.id, "collectionName": collection.name}


def _for_superusers(call: Call) -> CollectionSchema:
    if not call.principal.is_superuser:
        raise forbidden(SUPERUSERS_ONLY)
    return call.collection(SUPERUSERS)


def _filtered(call: Call, collection: CollectionSchema, records: list[Values], text: str) -> list[Values]:
    if not text.strip():
        return records
    try:
        predicate = compile_predicate(
            parse_filter(text), call.schema, collection, client_filter=True, superuser=True
        )
        return [record for record in records if predicate.test(record, call.request, now())]
    except RuleError as error:
        raise as_client_error(error) from error


def _sorted(records: list[Values], text: str) -> list[Values]:
    parts = [part.strip() for part in text.split(",")] if text.strip() else []
    names = [part.lstrip("+-") for part in parts]
    if len(parts) > _MAX_SORTS or any(records and name not in records[0] for name in names):
        raise bad_request()
    for part, name in reversed(list(zip(parts, names, strict=True))):
        records = sorted(records, key=itemgetter(name), reverse=part.startswith("-"))
    return records
