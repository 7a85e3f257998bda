"""What the app API refuses, as API clients meet it: one table for each part of the contract, a sentence for each case.

All cases of a part meet the same project, which is the same after them as before.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.databases import read_session, write_session
from projects.rules import validate_rule
from projects.schema.operations import create_collection
from projects.schema.serialize import collection_to_json
from tests.accounts.helpers import change_collection
from tests.api.support import Client, records, serve, signed_in
from tests.records.support import changes, collection, create, number, relation, text

POST, DRAFT = "post00000000001", "post00000000002"
POSTS, NOTES = records("posts"), records("notes")
OWN = "author = @request.auth.id && @request.auth.id != ''"


@dataclass(frozen=True)
class Case:
    """A request, who sends it (a guest, alice who wrote the post, bob), and how it is refused.

    ``code``: where the errors are, and the first one's code: "title=validation_required".
    """

    method: str
    path: str
    status: int
    who: str = "guest"
    json: Any = None
    query: dict[str, str] = field(default_factory=dict)
    headers: dict[str, str] = field(default_factory=dict)
    code: str = ""


CONVENTIONS = {
    "who is unknown is a guest, and is refused what a guest is": Case(
        "GET", records("closed"), 403, headers={"Authorization": "eyJhbGciOiJIUzI1NiJ9.e30.bad"}
    ),
    "a refresh needs a token": Case("POST", "/api/collections/users/auth-refresh", 401),
    "a file token needs an account": Case("POST", "/api/files/token", 401),
    "an id outside the field's pattern is refused by field": Case(
        "POST",
        POSTS,
        400,
        "alice",
        {"id": "NOT-AN-ID-00001", "title": "x", "author": "$alice"},
        code="id=validation_invalid_format",
    ),
    "an id that is too short is refused by field": Case(
        "POST",
        POSTS,
        400,
        "alice",
        {"id": "short", "title": "x", "author": "$alice"},
        code="id=validation_min_text_constraint",
    ),
    "an id that is taken is refused by field": Case(
        "POST",
        POSTS,
        400,
        "alice",
        {"id": POST, "title": "x", "author": "$alice"},
        code="id=validation_not_unique",
    ),
    "a page that is no number is refused": Case("GET", POSTS, 400, query={"page": "one"}),
    "skipTotal that is no flag is refused": Case("GET", POSTS, 400, query={"skipTotal": "perhaps"}),
    "a cursor that was not given here is refused": Case(
        "GET", POSTS, 400, query={"cursor": "AAAA"}, code="cursor=validation_invalid_cursor"
    ),
    "a page has a number or a cursor, not both": Case(
        "GET", POSTS, 400, query={"cursor": "", "page": "2"}, code="cursor=validation_invalid_cursor"
    ),
    "an update of what the client has not read is not done": Case(
        "PATCH", f"{POSTS}/{POST}", 412, "alice", {"title": "y"}, headers={"If-Match": '"old"'}
    ),
    "a deletion of what the client has not read is not done": Case(
        "DELETE", f"{POSTS}/{POST}", 412, "alice", headers={"If-Match": '"old"'}
    ),
    "a key for idempotency that is too long is refused": Case(
        "POST", POSTS, 400, "alice", {"title": "x"}, headers={"Idempotency-Key": "k" * 300}
    ),
}

COLLECTIONS = {
    "collections are not listed for guests": Case("GET", "/api/collections", 401),
    "collections are not listed for users": Case("GET", "/api/collections", 403, "alice"),
    "a collection is not shown to users": Case("GET", "/api/collections/posts", 403, "alice"),
    "a collection is not made by users": Case("POST", "/api/collections", 403, "alice", {"name": "mine"}),
    "a collection is not changed by users": Case(
        "PATCH", "/api/collections/posts", 403, "alice", {"listRule": ""}
    ),
    "a collection is not deleted by users": Case("DELETE", "/api/collections/posts", 403, "alice"),
    "collections are not imported by users": Case(
        "PUT", "/api/collections/import", 403, "alice", {"collections": []}
    ),
    "a collection is not emptied by users": Case("DELETE", "/api/collections/posts/truncate", 403, "alice"),
    "scaffolds are not shown to users": Case("GET", "/api/collections/meta/scaffolds", 403, "alice"),
    "a view is not tried by users": Case(
        "POST", "/api/collections/meta/dry-run-view", 403, "alice", {"query": "SELECT id FROM posts"}
    ),
    **{
        f"records of {name} are made by sign-in alone": Case("POST", records(name), 403, "alice", {})
        for name in ("_externalAuths", "_authOrigins", "_mfas", "_otps")
    },
    **{
        f"records of {name} are not changed by their owner": Case(
            "PATCH", records(name, "aaaaaaaaaaaaaaa"), 403, "alice", {}
        )
        for name in ("_externalAuths", "_authOrigins", "_mfas", "_otps")
    },
    "superusers are not listed for users": Case("GET", records("_superusers"), 403, "alice"),
    "superusers are not made by users": Case(
        "POST", records("_superusers"), 403, "alice", {"email": "a@b.co"}
    ),
}

RECORDS = {
    "records of a collection that is not there are not found": Case("GET", records("nope"), 404),
    "a record that is not there is not found": Case("GET", f"{POSTS}/aaaaaaaaaaaaaaa", 404),
    "a null list rule is for superusers": Case("GET", records("closed"), 403, "alice"),
    "a null view rule is for superusers": Case("GET", records("closed", "aaaaaaaaaaaaaaa"), 403, "alice"),
    "a null create rule is for superusers": Case("POST", records("closed"), 403, "alice", {}),
    "a null update rule is for superusers": Case(
        "PATCH", records("closed", "aaaaaaaaaaaaaaa"), 403, "alice", {}
    ),
    "a null delete rule is for superusers": Case(
        "DELETE", records("closed", "aaaaaaaaaaaaaaa"), 403, "alice"
    ),
    "a record that the view rule hides is not found": Case("GET", f"{POSTS}/{DRAFT}", 404, "bob"),
    "a record that the create rule refuses is a bad request": Case("POST", POSTS, 400, json={"title": "x"}),
    "a record in another's name is a bad request": Case(
        "POST", POSTS, 400, "bob", {"title": "x", "author": "$alice"}
    ),
    "a record that the update rule hides is not found": Case(
        "PATCH", f"{POSTS}/{POST}", 404, "bob", {"title": "y"}
    ),
    "a record that the delete rule hides is not found": Case("DELETE", f"{POSTS}/{POST}", 404, "bob"),
    "a record cannot be given away past the rule": Case(
        "PATCH", f"{POSTS}/{POST}", 404, "bob", {"author": "$bob"}
    ),
    "a view takes no records": Case("POST", records("titles"), 400, "alice", {"title": "x"}),
    "a view's records are not changed": Case("PATCH", records("titles", POST), 400, "alice", {"title": "x"}),
    "a view's records are not deleted": Case("DELETE", records("titles", POST), 400, "alice"),
    "what is required must be there": Case(
        "POST", POSTS, 400, "alice", {"author": "$alice"}, code="title=validation_required"
    ),
    "a relation to a missing record is refused by field": Case(
        "POST",
        POSTS,
        400,
        "alice",
        {"title": "x", "author": "$alice", "other": "aaaaaaaaaaaaaaa"},
        code="other=validation_missing_rel_records",
    ),
    "a number beyond its bounds is refused by field": Case(
        "PATCH", f"{POSTS}/{POST}", 400, "alice", {"n+": 1000}, code="n=validation_max_number_constraint"
    ),
    "a value that is not to be chosen is refused by field": Case(
        "PATCH", f"{POSTS}/{POST}", 400, "alice", {"tags+": "c"}, code="tags=validation_invalid_value"
    ),
    "more values than a field holds are refused": Case(
        "PATCH",
        f"{POSTS}/{POST}",
        400,
        "alice",
        {"tags": ["a", "b", "d"]},
        code="tags=validation_too_many_values",
    ),
    "a taken value of a unique index is refused by field": Case(
        "POST",
        POSTS,
        400,
        "alice",
        {"title": "Hello", "author": "$alice"},
        code="title=validation_not_unique",
    ),
    "the id of a record stays": Case(
        "PATCH", f"{POSTS}/{POST}", 400, "alice", {"id": "post00000000009"}, code="id=validation_pk_change"
    ),
    "a field with a write rule is not set by whom it refuses": Case(
        "PATCH", f"{POSTS}/{POST}", 400, "alice", {"grade": 1}, code="grade=validation_forbidden_field"
    ),
    "a body that is no object is refused": Case("POST", POSTS, 400, "alice", [1]),
    "fields with an unknown modifier are refused": Case("GET", POSTS, 400, query={"fields": "title:nope(1)"}),
    "an excerpt without a length is refused": Case("GET", POSTS, 400, query={"fields": "title:excerpt()"}),
    "more than eight keys of sort are refused": Case("GET", POSTS, 400, query={"sort": ",".join(["n"] * 9)}),
    "an unknown key of sort is refused": Case("GET", POSTS, 400, query={"sort": "nope"}),
    "a hidden key of sort is refused": Case("GET", POSTS, 400, query={"sort": "secret"}),
    "an update by filter needs a filter": Case(
        "PATCH", POSTS, 400, "alice", {"n": 1}, {"filter": " "}, code="filter=validation_required"
    ),
    "a deletion by filter needs a filter": Case(
        "DELETE", POSTS, 400, "alice", query={"filter": ""}, code="filter=validation_required"
    ),
    "a deletion by filter does not ask by hidden fields": Case(
        "DELETE", POSTS, 400, "alice", query={"filter": "secret = 'x'"}
    ),
    "an aggregate of a hidden field is refused": Case(
        "GET", f"{POSTS}/aggregate", 400, query={"select": "max(secret)"}
    ),
    "an aggregate that is none is refused by parameter": Case(
        "GET",
        f"{POSTS}/aggregate",
        400,
        query={"select": "median(n)"},
        code="select=validation_invalid_aggregate",
    ),
    "a history is for superusers where no rule says otherwise": Case(
        "GET", f"{POSTS}/{POST}/history", 403, "alice"
    ),
    "a search where nothing is searchable is refused": Case("GET", POSTS, 400, query={"search": "hello"}),
}

PART = {"method": "POST", "url": POSTS, "body": {"title": "fine", "author": "$alice"}}
BATCH = {
    "a batch without requests is refused": Case(
        "POST", "/api/batch", 400, "alice", {"requests": []}, code="requests=validation_required"
    ),
    "more requests than the setting allows are refused": Case(
        "POST",
        "/api/batch",
        400,
        "alice",
        {"requests": [PART] * 51},
        code="requests=validation_length_too_long",
    ),
    **{
        sentence: Case(
            "POST", "/api/batch", 400, "alice", {"requests": [PART, part]}, code=f"requests.1={code}"
        )
        for sentence, part, code in (
            ("a batch reads nothing", {"method": "GET", "url": POSTS}, "batch_request_failed"),
            (
                "a batch holds no batch",
                {"method": "POST", "url": "/api/batch", "body": {}},
                "batch_request_failed",
            ),
            (
                "a batch signs nobody in",
                {"method": "POST", "url": "/api/collections/users/auth-with-password", "body": {}},
                "batch_request_failed",
            ),
            (
                "a part that its rule refuses undoes the batch",
                {"method": "PATCH", "url": records("closed", "aaaaaaaaaaaaaaa"), "body": {}},
                "batch_request_failed",
            ),
            (
                "a part with wrong values undoes the batch",
                {"method": "POST", "url": POSTS, "body": {"author": "$alice"}},
                "batch_request_failed",
            ),
        )
    },
}

LANGUAGE = {
    sentence: Case("GET", POSTS, status, query={"filter": filter_})
    for sentence, filter_, status in (
        ("a client's filter reads no request", "@request.auth.id != ''", 403),
        ("a client's filter reads no other collection", "@collection.notes.text ?= 'x'", 403),
        ("a client's filter does not ask by hidden fields", "secret = 'x'", 400),
        ("nor by hidden fields of related records", "notes_via_post.secret ?= 'x'", 400),
        ("nor back through a hidden relation", "notes_via_hidden.text ?= 'x'", 400),
        ("to go through a relation needs that collection's list rule", "other.shut.text = 'x'", 400),
        ("a password is compared with nothing", "author.password != ''", 400),
        ("a token key is compared with nothing", "author.tokenKey != ''", 400),
        ("an unknown field is refused", "nope = 1", 400),
        ("an unfinished filter is refused", "title =", 400),
        ("an unknown operator is refused", "title == 'x'", 400),
        ("an unknown function is refused", "nope(n) = 1", 400),
        ("an unknown macro is refused", "n = @nope", 400),
        ("an unknown modifier is refused", "title:nope = 'x'", 400),
        ("a filter has at most 3,500 characters", f"title != '{'x' * 3500}'", 400),
        ("a filter has at most 200 expressions", " || ".join(["n = 1"] * 201), 400),
        ("a path goes through six relations at most", ".".join(["other"] * 7) + ".title = 'x'", 400),
    )
}  # fmt: skip
LANGUAGE["rules are explained to superusers alone"] = Case(
    "POST", "/api/rules/explain", 403, "alice", {"collection": "posts", "rule": "n = 1"}
)


RULES = ("listRule", "viewRule", "createRule", "updateRule", "deleteRule")
People = dict[str, tuple[str, str]]


def make(project: ProjectHandle) -> People:
    """Everybody may list posts; the draft is for alice, who wrote both. Returns id and token by name."""
    with write_session(project) as session:
        change_collection(session, "users", listRule="", viewRule="")
        people = {name: signed_in(session, f"{name}@example.com") for name in ("alice", "bob")}
        collection(session, "closed", text("text"), **dict.fromkeys(RULES))
        shut = collection(session, "shut", text("text"), listRule=None)
        posts = collection(
            session,
            "posts",
            text("title", required=True),
            number("n", max=100),
            number("grade", writeRule="@request.auth.id = 'nobody'"),
            text("secret", hidden=True),
            {"name": "draft", "type": "bool"},
            {"name": "tags", "type": "select", "values": ["a", "b", "d"], "maxSelect": 2},
            {"name": "author", "type": "relation", "collectionId": "_pb_users_auth_", "maxSelect": 1},
            relation("shut", shut),
            indexes=["CREATE UNIQUE INDEX one_title ON posts (title)"],
            viewRule=f"draft = false || ({OWN})",
            **dict.fromkeys(("createRule", "updateRule", "deleteRule"), OWN),
        )
        fields = collection_to_json(posts)["fields"]
        posts = change_collection(session, "posts", fields=[*fields, relation("other", posts)])
        collection(
            session, "notes", text("text"), text("secret", hidden=True), relation("post", posts),
            relation("hidden", posts, hidden=True),
        )  # fmt: skip
        query = "SELECT id, title FROM posts"
        view = {"name": "titles", "type": "view", "listRule": "", "viewRule": "", "viewQuery": query}
        create_collection(session, view, validate_rule=validate_rule)
        alice, _ = people["alice"]
        create(session, posts, id=POST, title="Hello", author=alice)
        create(session, posts, id=DRAFT, title="Draft", author=alice, draft=True)
    return people


def filled(value: Any, people: People) -> Any:
    """``$alice`` and ``$bob`` stand for their ids."""
    if isinstance(value, dict):
        return {key: filled(item, people) for key, item in value.items()}
    if isinstance(value, list):
        return [filled(item, people) for item in value]
    return people[value[1:]][0] if isinstance(value, str) and value[1:] in people else value


async def fault(client: Client, case: Case, people: People) -> str:
    """What is not as the case says; "" for nothing."""
    headers = dict(case.headers)
    if case.who != "guest":
        headers["Authorization"] = people[case.who][1]
    body = {} if case.json is None else {"json": filled(case.json, people)}
    answer = await client.request(case.method, case.path, params=case.query, headers=headers, **body)
    if answer.status_code != case.status:
        return f"answered {answer.status_code} {answer.text}"
    error = answer.json()
    if set(error) != {"status", "message", "data"} or error["status"] != case.status or not error["message"]:
        return f"is in another shape: {answer.text}"
    found = error["data"]
    path, _, code = case.code.partition("=")
    for name in path.split(".") if path else ():
        found = found.get(name, {})
    return "" if not path or found.get("code") == code else f"says {answer.text}"


@pytest.mark.parametrize(
    "cases",
    [CONVENTIONS, COLLECTIONS, RECORDS, BATCH, LANGUAGE],
    ids=["conventions", "collections", "records", "batch", "language"],
)
def test_what_the_contract_refuses_is_refused_and_changes_nothing(
    project: ProjectHandle, cases: dict[str, Case]
) -> None:
    people = make(project)

    def state() -> Any:
        with read_session(project) as session:
            return changes(session), session.rows("SELECT id, title, n, author FROM posts ORDER BY id")

    before = state()

    async def test(client: Client) -> None:
        faults = {sentence: await fault(client, case, people) for sentence, case in cases.items()}
        assert {sentence: what for sentence, what in faults.items() if what} == {}

    serve(project, test)
    assert state() == before
