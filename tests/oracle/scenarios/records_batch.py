"""Batches: several writes in one transaction, and every way in which they go wrong."""

from __future__ import annotations

from typing import Any

from tests.oracle.scenarios.building import OPEN, create, field, listing, make, people, records
from tests.oracle.table import Json, Request, Scenario

POSTS = records("posts")
ID, SECOND = "record000000001", "record000000002"
POST_FIELDS = (field("title", "text", required=True), field("n", "number"), field("s", "text", hidden=True))


def batch(says: str, *requests: Json, as_: str = "superuser", **more: Any) -> Request:
    body = {"requests": list(requests)}
    return Request(name=says, method="POST", path="/api/batch", as_=as_, body=body, **more)


def part(method: str, url: str, body: Json = None, **more: Json) -> dict[str, Json]:
    return {"method": method, "url": url, "body": {} if body is None else body, **more}


def post(url: str = POSTS, **body: Json) -> dict[str, Json]:
    return part("POST", url, body)


DONE = Scenario(
    "batch_done",
    "Writes in order, each seeing what came before.",
    (
        make("posts", *POST_FIELDS, **OPEN),
        batch("one creation", post(id=ID, title="a", n=1)),
        batch("a guest's creation", post(title="a"), as_="guest"),
        batch(
            "creation, change and deletion of one record",
            post(id=SECOND, title="a"),
            part("PATCH", f"{POSTS}/{SECOND}", {"n+": 2}),
            part("PATCH", f"{POSTS}/{SECOND}", {"n+": 2}),
            part("DELETE", f"{POSTS}/{SECOND}"),
        ),
        batch(
            "upserts",
            part("PUT", POSTS, {"id": SECOND, "title": "made"}),
            part("PUT", POSTS, {"id": SECOND, "title": "changed"}),
            part("PUT", POSTS, {"title": "without an id"}),
            part("PUT", POSTS, {"id": "", "title": "with an empty id"}),
            part("PUT", POSTS, {"id": None, "title": "with null as id"}),
        ),
        batch("a chosen shape of one part", part("POST", f"{POSTS}?fields=id,title", {"title": "a"})),
        batch("a chosen shape of all", post(title="a"), query={"fields": "status,body.title"}),
        batch("the collection in capitals", post(records("POSTS"), title="a")),
        batch("a query on a deletion", part("DELETE", f"{POSTS}/{SECOND}?x=1")),
        batch("other keys", {**post(title="a"), "extra": 1}),
        batch("null as body", {"method": "POST", "url": POSTS, "body": None}),
        listing("what is there now", "posts", as_="superuser", fields="title,n", sort="@rowid"),
        make("children", field("of", "relation", collectionId="$posts_collection"), **OPEN),
        batch(
            "a relation to a record of the same batch",
            post(id="parent000000001", title="p"),
            post(f"{records('children')}?expand=of", of="parent000000001"),
            as_="guest",
        ),
        people(),
        batch(
            "sign-ups",
            *(
                post(
                    records("people"),
                    email=f"{name}@example.com", password="password-1", passwordConfirm="password-1", name=name,
                )
                for name in ("ann", "ben")
            ),
            as_="guest",
        ),
    ),
)  # fmt: skip

FAILING: dict[str, Json] = {
    "a wrong value": post(),
    "an id twice": post(id=ID, title="again"),
    "a record that is not there is changed": part("PATCH", f"{POSTS}/missing", {}),
    "a record that is not there is deleted": part("DELETE", f"{POSTS}/missing"),
    "the id is changed": part("PATCH", f"{POSTS}/{ID}", {"id": SECOND}),
    "an upsert with a wrong id": part("PUT", POSTS, {"id": "short", "title": "x"}),
    "an upsert with a number as id": part("PUT", POSTS, {"id": 5, "title": "x"}),
    "a closed collection": post(records("locked")),
    "a collection that is not there": post(records("nope")),
    "a change in a collection that is not there": part("PATCH", f"{records('nope')}/{ID}"),
    "a deletion in a collection that is not there": part("DELETE", f"{records('nope')}/{ID}"),
    "an upsert in a collection that is not there": part("PUT", records("nope"), {"id": ID}),
}

# What no route of a batch is for.
UNSERVED: dict[str, Json] = {
    "a GET": part("GET", POSTS),
    "an unknown address": post("/api/nope"),
    "an address without a slash": post(POSTS[1:], title="x"),
    "an address with a slash too many": post(f"{POSTS}/", title="x"),
    "an address with a fragment": post(f"{POSTS}#x", title="x"),
    "a whole address": post(f"http://localhost{POSTS}", title="x"),
    "a creation with an id in its address": post(f"{POSTS}/{ID}", title="x"),
    "an upsert with an id in its address": part("PUT", f"{POSTS}/{ID}", {"title": "x"}),
    "a change without an id": part("PATCH", POSTS, {}),
    "a deletion without an id": part("DELETE", POSTS),
    "a batch in the batch": part("POST", "/api/batch", {"requests": []}),
    "a collection is made": part("POST", "/api/collections", {"name": "x", "type": "base"}),
    "another way out of the path": post("/api/collections/../collections/posts/records", title="x"),
}

FAILED = Scenario(
    "batch_failed",
    "One that fails undoes all.",
    (
        make("posts", *POST_FIELDS, **OPEN),
        make("locked"),
        create("a record", "posts", {"id": ID, "title": "first"}),
        *(batch(says, post(title="undone"), wrong, as_="guest") for says, wrong in FAILING.items()),
        *(batch(says, wrong, as_="guest") for says, wrong in UNSERVED.items()),
        batch("an unknown address after a creation", post(title="undone"), post("/api/nope"), as_="guest"),
        batch("two that fail: the first is named", post(), post()),
        batch(
            "a token of a part counts for nothing",
            {**post(records("locked")), "headers": {"Authorization": "$superuser_token"}},
            as_="guest",
        ),
        batch("no token of a part counts for nothing", {**post(records("locked")), "headers": {"Authorization": ""}}),
        listing("nothing is there but the first", "posts", fields="title"),
    ),
)  # fmt: skip

RULED = Scenario(
    "batch_rules",
    "Rules know that it is a batch, and read what belongs to a part.",
    (
        *(
            step
            for method in ("POST", "PATCH", "PUT", "DELETE")
            for step in (
                make(
                    f"by_{method.lower()}",
                    **dict.fromkeys(
                        ("createRule", "updateRule", "deleteRule"),
                        f"@request.context = 'batch' && @request.method = '{method}'",
                    ),
                ),
                create(f"a record for {method}", f"by_{method.lower()}", {"id": ID}),
                *(
                    batch(f"{says}: is it {method}?", part(sent, records(f"by_{method.lower()}") + rest, body),
                          as_="guest")
                    for says, sent, rest, body in (
                        ("a creation", "POST", "", {"id": SECOND}),
                        ("an upsert of a new one", "PUT", "", {"id": "record000000003"}),
                        ("an upsert of an old one", "PUT", "", {"id": ID}),
                        ("a change", "PATCH", f"/{ID}", {}),
                        ("a deletion", "DELETE", f"/{ID}", None),
                    )
                ),
            )
        ),
        make("keyed", createRule="@request.query.key = 'q' && @request.headers.x_key = 'h'"),
        batch("a part's query and header", {**post(f"{records('keyed')}?key=q"), "headers": {"X-Key": "h"}},
              as_="guest"),
        batch("the batch's header", post(f"{records('keyed')}?key=q"), as_="guest", headers={"X-Key": "h"}),
        batch("a part's header before the batch's",
              {**post(f"{records('keyed')}?key=q"), "headers": {"X-Key": "other"}},
              as_="guest", headers={"X-Key": "h"}),
        batch("the batch's query", post(records("keyed")), as_="guest", query={"key": "q"},
              headers={"X-Key": "h"}),
    ),
)  # fmt: skip

UNREADABLE: dict[str, bytes] = {
    "no body": b"",
    "null": b"null",
    "an array": b"[]",
    "broken JSON": b"{",
    "no requests": b"{}",
    "null as requests": b'{"requests":null}',
    "an empty list": b'{"requests":[]}',
    "a text as requests": b'{"requests":"x"}',
    "an object as requests": b'{"requests":{"0":{}}}',
    "a text as request": b'{"requests":["x"]}',
    "no method": b'{"requests":[{"url":"/api/collections/posts/records"}]}',
    "no address": b'{"requests":[{"method":"POST"}]}',
    "an unknown method": b'{"requests":[{"method":"FOO","url":"/"}]}',
    "a method in small letters": b'{"requests":[{"method":"post","url":"/"}]}',
    "HEAD": b'{"requests":[{"method":"HEAD","url":"/"}]}',
    "an empty method": b'{"requests":[{"method":"","url":"/"}]}',
    "a number as address": b'{"requests":[{"method":"POST","url":1}]}',
    "several wrong": b'{"requests":[{"method":"x","url":""},{"method":"POST","url":"/"},{"url":"/"}]}',
    "a text as body": b'{"requests":[{"method":"POST","url":"/","body":"x"}]}',
    "a list as body": b'{"requests":[{"method":"POST","url":"/","body":[]}]}',
    "a number in headers": b'{"requests":[{"method":"POST","url":"/","headers":{"a":1}}]}',
    "a list as headers": b'{"requests":[{"method":"POST","url":"/","headers":[]}]}',
}

REFUSED = Scenario(
    "batch_refused",
    "What is no batch, or too much of one.",
    (
        make("posts", *POST_FIELDS, **OPEN),
        *(Request(name=says, method="POST", path="/api/batch", raw=raw) for says, raw in UNREADABLE.items()),
        Request(
            name="text", method="POST", path="/api/batch", raw=b"x", headers={"Content-Type": "text/plain"}
        ),
        batch("fifty-one requests", *[post(title="x")] * 51),
        batch("an address that is too long", post(f"{POSTS}?{'x' * 2000}", title="x")),
        Request(name="a DELETE of batches", method="DELETE", path="/api/batch"),
        listing("nothing was written", "posts"),
    ),
)

SCENARIOS = (DONE, FAILED, RULED, REFUSED)
