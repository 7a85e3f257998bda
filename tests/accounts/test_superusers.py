from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from django.conf import settings

from projects.accounts.refresh import auth_refresh
from projects.accounts.superusers import (
    ROLES,
    find_superuser,
    list_superusers,
    refuse_superuser_write,
    superuser_of,
    view_superuser,
)
from projects.accounts.tokens import Claims, encode_token, read_claims
from projects.control.roles import RIGHTS, Action
from projects.databases import read_session
from projects.errors import ApiError
from projects.models import ConsoleUser, Membership
from projects.principal import GUEST, Principal
from tests.accounts.helpers import (
    ALICE,
    PASSWORD,
    SUPERUSER,
    call_on,
    copy_of,
    enter,
    join,
    person,
    sign_up,
    who,
)
from tests.hosting import host

pytestmark = pytest.mark.usefixtures("db")

OWNER = "owner@example.com"
FAILED = {"status": 400, "message": "Failed to authenticate.", "data": {}}


@pytest.fixture
def member(session: Any) -> Membership:
    host(session.project)
    return join(session.project, person())


def sign_in(session: Any, email: str = OWNER, password: str = PASSWORD) -> dict[str, Any]:
    return enter(session, email, password, "_superusers")


def refused(function: Callable[..., Any], *args: Any) -> ApiError:
    with pytest.raises(ApiError) as error:
        function(*args)
    return error.value


def test_the_roles_are_those_that_may_work_on_the_data() -> None:
    assert {role for role, rights in RIGHTS.items() if Action.DATA_SUPERUSER in rights} == set(ROLES)


@pytest.mark.parametrize(
    ("role", "active", "operator", "enters"),
    [
        ("owner", True, False, True),
        ("developer", True, False, True),
        ("viewer", True, False, False),
        ("viewer", True, True, True),
        ("", True, False, False),
        ("", True, True, True),
        ("owner", False, False, False),
        ("owner", False, True, False),
        ("", False, True, False),
    ],
)
def test_who_may_sign_in(session: Any, role: str, active: bool, operator: bool, enters: bool) -> None:
    host(session.project)
    user = person(is_active=active, is_operator=operator)
    if role:
        join(session.project, user, role)
    answer = sign_in(session)
    if not enters:
        assert answer == FAILED
        return
    principal = who(session, answer["token"])
    assert principal.kind == "superuser" and principal.collection_name == "_superusers"


def test_the_answer_is_a_superusers_record(session: Any, member: Membership) -> None:
    record = sign_in(session)["record"]
    assert sorted(record) == sorted(
        ["collectionId", "collectionName", "created", "email", "emailVisibility", "id", "updated", "verified"]
    )
    assert record["collectionId"] == "pbc_3142635823" and record["collectionName"] == "_superusers"
    assert record["email"] == OWNER and record["verified"] is True and record["emailVisibility"] is False
    assert len(record["id"]) == 15 and record["id"].isalnum() and record["id"] == record["id"].lower()


@pytest.mark.parametrize(
    ("email", "password"),
    [(OWNER, "wrong"), ("nobody@example.com", PASSWORD), (ALICE, PASSWORD), (OWNER + "\0", PASSWORD)],
)
def test_wrong_and_unknown_are_refused_alike(
    session: Any, member: Membership, email: str, password: str
) -> None:
    sign_up(session)
    assert sign_in(session, email, password) == FAILED


def test_a_console_email_is_taken_in_any_case(session: Any, member: Membership) -> None:
    assert sign_in(session, f" {OWNER.upper()} ")["record"]["email"] == OWNER


def test_a_console_password_opens_no_end_users_account(session: Any, member: Membership) -> None:
    assert enter(session, OWNER) == FAILED


def _change_password(member: Membership) -> None:
    member.user.set_password("another password 2")
    member.user.save()


def _lower_role(member: Membership) -> None:
    member.role = "viewer"
    member.save()


def _join_again(member: Membership) -> None:
    project = member.project
    user, role = member.user, member.role
    member.delete()
    Membership.objects.create(project=project, user=user, role=role)


def _deactivate(member: Membership) -> None:
    member.user.is_active = False
    member.user.save()


def _delete_person(member: Membership) -> None:
    member.user.delete()


@pytest.mark.parametrize(
    "end",
    [_change_password, _lower_role, Membership.delete, _join_again, _deactivate, _delete_person],
    ids=["password changed", "role lowered", "removed", "removed and back", "deactivated", "deleted"],
)
def test_a_token_ends_at_once_with_what_gave_the_right(
    session: Any, member: Membership, end: Callable[[Membership], Any]
) -> None:
    token = sign_in(session)["token"]
    assert who(session, token).is_superuser
    end(member)
    assert who(session, token) is GUEST


def test_an_operators_token_ends_with_being_one(session: Any) -> None:
    host(session.project)
    user = person(is_operator=True)
    token = sign_in(session)["token"]
    assert who(session, token).is_superuser
    user.is_operator = False
    user.save()
    assert who(session, token) is GUEST


def test_another_persons_change_ends_nothing(session: Any, member: Membership) -> None:
    token = sign_in(session)["token"]
    other = join(session.project, person("other@example.com"))
    other.delete()
    assert who(session, token).is_superuser


def test_a_password_changed_in_between_does_not_count(session: Any, member: Membership) -> None:
    from projects.accounts import signin

    claim = signin.claim_identity(call_on(session), "_superusers", {"identity": OWNER, "password": PASSWORD})
    assert claim.check().right
    _change_password(member)
    assert refused(signin.sign_in, call_on(session), claim).as_json() == FAILED


def test_a_token_lasts_as_long_as_the_collection_says(session: Any, member: Membership) -> None:
    import time

    import jwt

    claims = jwt.decode(sign_in(session)["token"], options={"verify_signature": False})
    assert claims["refreshable"] is True and abs(claims["exp"] - time.time() - 86_400) < 5


def test_a_superuser_refreshes_the_own_token(session: Any, member: Membership) -> None:
    token = sign_in(session)["token"]
    answer = auth_refresh(call_on(session, who(session, token)), "_superusers", token)
    assert who(session, answer["token"]).is_superuser and answer["record"]["email"] == OWNER
    error = refused(auth_refresh, call_on(session, who(session, token)), "users", token)
    assert error.as_json() == {
        "status": 403,
        "message": "The request requires auth record from _superusers collection.",
        "data": {},
    }


def test_a_service_key_has_nothing_to_refresh(session: Any) -> None:
    assert refused(auth_refresh, call_on(session, SUPERUSER), "_superusers", "sk_x").status == 401


def test_a_forged_superuser_token_is_a_guests(session: Any, member: Membership) -> None:
    claims = read_claims(sign_in(session)["token"])
    assert claims is not None
    collection = call_on(session).collection("_superusers")
    for key in (
        settings.SECRET_KEY.encode(),
        str(collection.options["authToken"]["secret"]).encode(),
        member.user.password.encode(),
    ):
        token = encode_token(key, claims, 60)
        assert who(session, token) is GUEST and superuser_of(call_on(session), token, claims) is GUEST
    assert who(session, encode_token(b"k" * 32, Claims("x" * 15, collection.id, True), 60)) is GUEST


def test_one_person_in_two_projects_has_two_ids_and_no_token_works_in_both(make_project: Any) -> None:
    first, second = make_project("first"), make_project("second")
    user = person()
    for handle in (first, second):
        host(handle)
        join(handle, user)
    copy_of(first, second)
    with read_session(first) as session:
        one = sign_in(session)
    with read_session(second) as session:
        two = sign_in(session)
        assert one["record"]["id"] != two["record"]["id"]
        assert who(session, one["token"]) is GUEST
        assert find_superuser(second, one["record"]["id"]) is None
        assert who(session, two["token"]).is_superuser
        claims = read_claims(one["token"])
        assert claims is not None
    with read_session(first) as session:
        assert sign_in(session)["record"]["id"] == one["record"]["id"]


def test_ids_tell_nothing_of_how_many_people_there_are(session: Any) -> None:
    host(session.project)
    ids = [
        find_by(session, join(session.project, person(f"p{i}@example.com")).user.email)["id"]
        for i in range(5)
    ]
    assert len(set(ids)) == 5 and ids != sorted(ids)
    assert all(len(one) == 15 for one in ids)


def find_by(session: Any, email: str) -> dict[str, Any]:
    page = list_superusers(call_on(session, SUPERUSER), {"filter": f"email = '{email}'"})
    assert page["totalItems"] == 1
    found: dict[str, Any] = page["items"][0]
    return found


def test_the_list_shows_the_members_who_are_superusers(session: Any) -> None:
    host(session.project)
    for email, role in (
        ("c@example.com", "owner"),
        ("a@example.com", "developer"),
        ("v@example.com", "viewer"),
    ):
        join(session.project, person(email), role)
    person("operator@example.com", is_operator=True)
    call = call_on(session, SUPERUSER)

    def emails(**params: str) -> list[str]:
        return [one["email"] for one in list_superusers(call, params)["items"]]

    assert emails() == ["c@example.com", "a@example.com"]
    assert emails(sort="email") == ["a@example.com", "c@example.com"]
    assert emails(sort="-email") == ["c@example.com", "a@example.com"]
    assert emails(perPage="1", page="2") == ["a@example.com"]
    assert emails(filter="email ~ 'a@' || verified = false") == ["a@example.com"]
    assert list_superusers(call, {"perPage": "1"})["totalPages"] == 2
    assert list_superusers(call, {"skipTotal": "1"})["totalItems"] == -1
    assert list_superusers(call, {"fields": "email", "perPage": "1"})["items"] == [{"email": "c@example.com"}]
    for wrong in (
        {"sort": "nope"},
        {"filter": "nope = 1"},
        {"filter": "("},
        {"page": "x"},
        {"sort": "password"},
    ):
        if wrong != {"sort": "password"}:
            assert refused(list_superusers, call, wrong).status == 400


def test_one_is_viewed_by_id(session: Any, member: Membership) -> None:
    call = call_on(session, SUPERUSER)
    found = find_by(session, OWNER)
    assert view_superuser(call, found["id"], {}) == found
    assert view_superuser(call, found["id"], {"fields": "email"}) == {"email": OWNER}
    assert refused(view_superuser, call, "x" * 15, {}).status == 404


@pytest.mark.parametrize("kind", ["guest", "user"])
def test_nobody_else_sees_or_changes_superusers(session: Any, member: Membership, kind: str) -> None:
    principal = GUEST if kind == "guest" else Principal("user", "_pb_users_auth_", "users", sign_up(session))
    call = call_on(session, principal)
    for error in (
        refused(list_superusers, call, {}),
        refused(view_superuser, call, "x", {}),
        refused(refuse_superuser_write, call, "_superusers"),
    ):
        assert (error.status, error.message) == (403, "Only superusers can perform this action.")


def test_superusers_are_not_changed_as_records(session: Any, member: Membership) -> None:
    error = refused(refuse_superuser_write, call_on(session, SUPERUSER), "pbc_3142635823")
    assert error.status == 400 and f"/api/v1/projects/{session.project.ref}/members" in error.message
    refuse_superuser_write(call_on(session), "users")
    refuse_superuser_write(call_on(session), "nope")


def test_an_end_user_is_never_a_superuser(session: Any, member: Membership) -> None:
    sign_up(session, OWNER, password="of the end user 1", passwordConfirm="of the end user 1")
    assert sign_in(session, password="of the end user 1") == FAILED
    assert ConsoleUser.objects.count() == 1
    assert not who(session, enter(session, OWNER, "of the end user 1")["token"]).is_superuser
