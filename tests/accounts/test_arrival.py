"""Collections and caller are asked for together where that spares a round trip, and are the same as asked for alone."""

from __future__ import annotations

from typing import Any

import psycopg
import pytest

from projects.accounts.arrival import arrive
from projects.accounts.tokens import issue_token
from projects.context import ProjectHandle
from projects.databases import Session, read_session, write_session
from projects.databases.postgresql.lanes import OUTDATED
from projects.principal import GUEST
from projects.schema import collection_to_json, store
from projects.schema.store import last_seen, load_schema
from tests.accounts.helpers import (
    SUPERUSER,
    call_on,
    change,
    change_collection,
    copy_of,
    make_collection,
    sign_up,
    who,
)
from tests.api.support import Client, records, serve

pytestmark = pytest.mark.usefixtures("db")


@pytest.fixture
def token(project: ProjectHandle) -> str:
    with write_session(project) as session:
        alice = sign_up(session)
        return issue_token(project, call_on(session).collection("users"), alice)


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The statements that sessions ran for one row."""
    statements: list[str] = []
    row = Session.row

    def noting(self: Session, sql: str, params: Any = ()) -> Any:
        statements.append(sql)
        return row(self, sql, params)

    monkeypatch.setattr(Session, "row", noting)
    return statements


def same_as_alone(project: ProjectHandle, authorization: str) -> Any:
    """Who arrives, which is who is found alone."""
    with read_session(project) as session:
        alone = load_schema(session).version, who(session, authorization)
    with read_session(project) as session:
        schema, principal = arrive(session, authorization)
    with write_session(project, late=True) as session:
        late_schema, late = arrive(session, authorization)
    assert (schema.version, principal) == (late_schema.version, late) == alone
    return principal


@pytest.mark.parametrize("form", ["{}", "Bearer {}"])
def test_an_end_user_arrives(project: ProjectHandle, token: str, form: str) -> None:
    assert same_as_alone(project, form.format(token)).record["email"] == "alice@example.com"


@pytest.mark.parametrize("authorization", ["", "x", "a.b.c", "sk_unknown"])
def test_who_has_no_token_is_a_guest(project: ProjectHandle, authorization: str) -> None:
    assert same_as_alone(project, authorization) == GUEST


def test_a_forged_token_is_a_guests(project: ProjectHandle, token: str) -> None:
    assert same_as_alone(project, token[:-4] + ("AAAA" if token[-4:] != "AAAA" else "BBBB")) == GUEST


def test_a_token_ends_with_its_token_key_and_with_its_user(project: ProjectHandle, token: str) -> None:
    user = same_as_alone(project, token)
    with write_session(project) as session:
        change(call_on(session, SUPERUSER), "users", user.id, {"tokenKey": "t" * 40})
    assert same_as_alone(project, token) == GUEST
    with write_session(project) as session:
        session.execute("DELETE FROM users")
    assert same_as_alone(project, token) == GUEST


def test_a_token_of_another_project_is_a_guests_even_where_every_row_was_copied(make_project: Any) -> None:
    one, two = make_project("one"), make_project("two")
    with write_session(one) as session:
        token = issue_token(one, call_on(session).collection("users"), sign_up(session))
    copy_of(one, two)
    assert same_as_alone(one, token) != GUEST
    assert same_as_alone(two, token) == GUEST


def test_on_postgresql_both_cost_one_statement_once_the_collections_were_seen(
    project: ProjectHandle, token: str, asked: list[str]
) -> None:
    for _ in range(2):
        asked.clear()
        with read_session(project) as session:
            arrive(session, token)
            arrive(session, token)
    assert len(asked) == (1 if project.engine == "postgresql" else 0)


def test_collections_that_have_changed_since_are_read_anew(project: ProjectHandle, token: str) -> None:
    before = same_as_alone(project, token)
    old = last_seen(project.uid)
    with write_session(project) as session:
        make_collection(session, "people")
    assert old is not None
    # As another process leaves this one, which knows nothing of the change.
    store._last_seen[project.uid] = old
    with read_session(project) as session:
        schema, principal = arrive(session, token)
    assert schema.get("people") is not None and principal == before


def test_a_secret_that_has_changed_since_ends_the_token(project: ProjectHandle, token: str) -> None:
    same_as_alone(project, token)
    old = last_seen(project.uid)
    with write_session(project) as session:
        change_collection(session, "users", authToken={"secret": "s" * 40, "duration": 3600})
    assert old is not None
    store._last_seen[project.uid] = old
    with read_session(project) as session:
        assert arrive(session, token)[1] == GUEST


def test_a_field_that_another_process_took_away_costs_a_second_try_and_no_error(
    project: ProjectHandle, token: str
) -> None:
    with write_session(project) as session:
        fields = collection_to_json(call_on(session).collection("users"))["fields"]
        change_collection(session, "users", fields=[*fields, {"name": "nick", "type": "text"}])
    same_as_alone(project, token)
    old = last_seen(project.uid)
    with write_session(project) as session:
        change_collection(session, "users", fields=fields)
    assert old is not None

    async def test(client: Client) -> None:
        for _ in range(2):
            answer = await client.get(records("users"), headers={"Authorization": token})
            assert answer.status_code == 200 and "nick" not in answer.json()["items"][0]
            store._last_seen[project.uid] = old
            made = await client.patch(
                records("users", answer.json()["items"][0]["id"]),
                json={"emailVisibility": True},
                headers={"Authorization": token},
            )
            assert made.status_code == 200
            store._last_seen[project.uid] = old

    store._last_seen[project.uid] = old
    serve(project, test)


def test_inside_a_transaction_nothing_is_tried_that_might_spoil_it(
    project: ProjectHandle, token: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    def spoil(*_: Any) -> Any:
        raise psycopg.errors.UndefinedColumn

    same_as_alone(project, token)
    monkeypatch.setattr("projects.accounts.arrival._row", spoil)
    with write_session(project) as session:
        assert arrive(session, token)[1].id
    if project.engine == "postgresql":
        with pytest.raises(OUTDATED), read_session(project) as session:
            arrive(session, token)
        assert last_seen(project.uid) is None
