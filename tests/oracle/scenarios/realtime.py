"""Realtime: the stream, its subscriptions, and who hears what."""

from __future__ import annotations

import json
from collections.abc import Sequence
from urllib.parse import quote

from tests.oracle.scenarios.building import (
    OPEN,
    change,
    create,
    delete,
    field,
    make,
    people,
    sign_in,
    sign_up,
    update,
)
from tests.oracle.table import Heard, Json, Listen, Request, Scenario, Step

NOTE = "note00000000001"
REALTIME = "/api/realtime"


def subscribe(says: str, topics: Json, stream: str = "stream", as_: str = "guest") -> Request:
    body = {"clientId": f"${stream}", "subscriptions": topics}
    return Request(name=says, method="POST", path=REALTIME, as_=as_, body=body)


def topic(of: str, **options: Json) -> str:
    return f"{of}?options={quote(json.dumps(options))}"


def lives(label: str, streams: Sequence[str] = ("stream",)) -> list[Step]:
    """A note comes, changes and goes; every stream is listened to after each."""
    writes = (
        create(f"{label}: a note comes", "notes", {"id": NOTE, "title": "one", "r": "colour000000red"}),
        update(f"{label}: the note changes", "notes", NOTE, {"title": "two"}),
        delete(f"{label}: the note goes", "notes", NOTE),
    )
    steps: list[Step] = []
    for write in writes:
        steps.append(write)
        steps += [Heard(f"{write.name}, heard by {stream}", stream) for stream in streams]
    return steps


def comes(label: str, stream: str = "stream") -> list[Step]:
    """A note comes, one stream listens, the note goes unheard."""
    return [
        create(
            f"{label}: a note comes", "notes", {"title": "one", "r": "colour000000red"}, save={"note": "id"}
        ),
        Heard(f"{label}: the note, heard by {stream}", stream),
        delete(f"{label}: it goes", "notes", "$note"),
        Heard(f"{label}: its deletion, heard by {stream}", stream),
    ]


def notes(**options: Json) -> tuple[Request, ...]:
    return (
        make("colours", field("name", "text"), **OPEN),
        create("red", "colours", {"id": "colour000000red", "name": "red"}),
        make(
            "notes",
            field("title", "text"),
            field("n", "number"),
            field("owner", "relation", collectionId="$people_collection"),
            field("r", "relation", collectionId="$colours_collection"),
            field("secret", "text", hidden=True),
            **(OPEN | options),
        ),
    )


WRONG: dict[str, Json] = {
    "no client id": {},
    "an empty client id": {"clientId": ""},
    "an unknown client id": {"clientId": "nope", "subscriptions": ["a"]},
    "a client id that is too long": {"clientId": "x" * 256, "subscriptions": []},
    "a client id that is a number": {"clientId": 5},
}

TOPICS: dict[str, Json] = {
    "topics that are text": "x",
    "a topic that is a number": [1],
    "topics that are null": None,
    "no topics": [],
    "an empty topic": [""],
    "a topic of a collection that is not there": ["nope/*"],
    "a topic of three parts": ["a/b/c"],
    "options that are no JSON": ["users/*?options={bad"],
    "a thousand topics": [f"t{number}" for number in range(1000)],
    "a thousand and one topics": [f"t{number}" for number in range(1001)],
    "a topic as long as may be": ["x" * 2500],
    "a topic that is too long": ["x" * 2501],
}

SUBSCRIBING = Scenario(
    "realtime_subscribing",
    "A stream says its client id; topics are set for it.",
    (
        *(Request(name=says, method="POST", path=REALTIME, body=body) for says, body in WRONG.items()),
        Request(name="broken JSON", method="POST", path=REALTIME, raw=b"{bad"),
        Request(name="an empty body", method="POST", path=REALTIME, raw=b""),
        Listen("a stream opens", "stream"),
        *(subscribe(says, topics) for says, topics in TOPICS.items()),
        Heard("nothing came of it", "stream"),
    ),
)

EVENTS = Scenario(
    "realtime_events",
    "A topic is echoed as it was given; an event carries the action and the record.",
    (
        people(),
        *notes(),
        Listen("a stream opens", "stream"),
        subscribe("all notes", ["notes/*"]),
        *lives("all notes"),
        subscribe("one note", [f"notes/{NOTE}"]),
        *lives("one note"),
        subscribe("both", ["notes/*", f"notes/{NOTE}"]),
        *lives("both"),
        subscribe("the collection's name alone", ["notes"]),
        *lives("the name alone"),
        subscribe("the collection's id", ["$notes_collection/*"]),
        *lives("the id"),
        subscribe("another case", ["NOTES/*"]),
        *comes("another case"),
        subscribe("another note", ["notes/note00000000002"]),
        *comes("another note"),
        subscribe("nothing any more", []),
        *comes("nothing any more"),
    ),
)

OPTIONS = Scenario(
    "realtime_options",
    "Options of a topic work like the query of a list.",
    (
        people(),
        *notes(),
        Listen("a stream opens", "stream"),
        subscribe("expanded", [topic("notes/*", query={"expand": "r"})]),
        *lives("expanded"),
        subscribe("chosen fields", [topic("notes/*", query={"fields": "id,title"})]),
        *lives("chosen fields"),
        subscribe("both", [topic("notes/*", query={"expand": "r", "fields": "id,expand.r.name"})]),
        *lives("both"),
        subscribe("headers and no query", [topic("notes/*", headers={"X-Token": "abc"})]),
        *comes("headers"),
        subscribe("not encoded", ['notes/*?options={"query":{"fields":"id"}}']),
        *comes("not encoded"),
        subscribe("with and without options", ["notes/*", topic("notes/*", query={"fields": "id"})]),
        *comes("with and without"),
        *(
            step
            for wrong in ("nope = 1", "secret = 'x'", "@request.auth.id != ''")
            for step in (
                subscribe(f"the filter {wrong!r}", [topic("notes/*", query={"filter": wrong})]),
                *comes(f"the filter {wrong!r}"),
            )
        ),
        subscribe("a filter", [topic("notes/*", query={"filter": "n > 5"})]),
        create("a note outside the filter", "notes", {"id": NOTE, "n": 1}),
        Heard("a creation outside the filter", "stream"),
        update("it comes under the filter", "notes", NOTE, {"n": 9}),
        Heard("an update that brings a record under the filter", "stream"),
        update("it stays under the filter", "notes", NOTE, {"n": 8}),
        Heard("an update under the filter", "stream"),
        update("it leaves the filter", "notes", NOTE, {"n": 2}),
        Heard("an update that takes a record out of the filter", "stream"),
        delete("it goes", "notes", NOTE),
        Heard("a deletion outside the filter", "stream"),
    ),
)

WHO = ("guest", "alice", "superuser")
PEOPLE: tuple[Request, ...] = (people(), sign_up("alice"), sign_up("bob"), sign_in("alice"), sign_in("bob"))


def heard_under(label: str, rules: dict[str, str | None]) -> list[Step]:
    return [
        change(f"{label}: the rules", "notes", **rules),
        *(
            step
            for who in WHO
            for step in (
                Listen(f"{label}: {who} listens", f"{who}_stream"),
                subscribe(f"{label}: {who}", ["notes/*", f"notes/{NOTE}"], f"{who}_stream", who),
            )
        ),
        *lives(label, [f"{who}_stream" for who in WHO]),
    ]


RULES = Scenario(
    "realtime_rules",
    "notes/* is heard under the list rule, notes/ID under the view rule.",
    (
        *PEOPLE,
        *notes(),
        *heard_under("nobody may read", {"listRule": None, "viewRule": None}),
        *heard_under("members may list", {"listRule": "@request.auth.id != ''", "viewRule": None}),
        *heard_under("all may view one", {"listRule": None, "viewRule": ""}),
        change("owners may read", "notes", listRule="owner = @request.auth.id", viewRule=""),
        Listen("alice listens", "alices"),
        subscribe("alice hears notes", ["notes/*"], "alices", "alice"),
        create("a note of bob's", "notes", {"id": NOTE, "owner": "$bob", "secret": "x"}),
        Heard("a creation outside the rule", "alices"),
        update("bob gives it to alice", "notes", NOTE, {"owner": "$alice"}),
        Heard("an update that brings a record under the rule", "alices"),
        update("alice's note changes", "notes", NOTE, {"n": 1}),
        Heard("an update under the rule", "alices"),
        update("alice gives it back", "notes", NOTE, {"owner": "$bob"}),
        Heard("an update that takes a record out of the rule", "alices"),
        delete("bob's note goes", "notes", NOTE),
        Heard("a deletion outside the rule", "alices"),
    ),
)

ASKING = Scenario(
    "realtime_request_values",
    "In rules, @request is the subscription's.",
    (
        *PEOPLE,
        *notes(),
        Listen("a stream opens", "stream"),
        *(
            step
            for rule, options in (
                ("@request.query.x = '1'", {"query": {"x": "1"}}),
                ("@request.headers.x_token = 'abc'", {"headers": {"X-Token": "abc"}}),
                ("@request.context = 'realtime'", {}),
                ("@request.method = 'GET'", {}),
            )
            for step in (
                change(f"the rule {rule!r}", "notes", listRule=rule),
                subscribe(f"with options for {rule!r}", ["notes/*", topic("notes/*", **options)]),
                *comes(f"{rule!r}"),
            )
        ),
    ),
)

BOUND = Scenario(
    "realtime_bound_user",
    "A stream belongs to whom its first subscription came from.",
    (
        *PEOPLE,
        *notes(listRule="@request.auth.id != ''"),
        Listen("a stream opens", "stream"),
        subscribe("a guest subscribes", ["notes/*"]),
        *comes("a guest"),
        subscribe("alice takes it over", ["notes/*"], as_="alice"),
        *comes("alice"),
        subscribe("bob may not", ["notes/*"], as_="bob"),
        subscribe("a guest may not", ["notes/*"]),
        subscribe("a superuser may not", ["notes/*"], as_="superuser"),
        *comes("alice still"),
        update("alice gets another name", "people", "$alice", {"name": "Alice 2"}),
        *comes("alice renamed"),
        update(
            "alice gets another password",
            "people",
            "$alice",
            {"password": "password-2", "passwordConfirm": "password-2"},
        ),
        *comes("after the password"),
        sign_in("alice", says="alice signs in anew", password="password-2"),
        subscribe("alice subscribes anew", ["notes/*"], as_="alice"),
        *comes("alice anew"),
        delete("alice goes", "people", "$alice"),
        *comes("without alice"),
    ),
)

OTHER = Scenario(
    "realtime_other_events",
    "What else is heard, and what is not.",
    (
        *PEOPLE,
        *notes(),
        Listen("a stream opens", "stream"),
        subscribe("notes and people", ["notes/*", "people/*"]),
        create("a creation that fails", "notes", {"id": "bad"}),
        Heard("nothing of a failure", "stream"),
        create("a note", "notes", {"id": NOTE}),
        Heard("the note", "stream"),
        update("an empty change", "notes", NOTE, {}),
        Heard("the empty change", "stream"),
        update("alice changes", "people", "$alice", {"name": "Alice 2"}, as_="alice"),
        Heard("alice without her address", "stream"),
        Listen("alice listens", "alices"),
        subscribe("alice hears people", ["people/*"], "alices", "alice"),
        update("alice changes again", "people", "$alice", {"name": "Alice 3"}, as_="alice"),
        Heard("alice with her address", "alices"),
        delete("the colour of no note goes", "colours", "colour000000red"),
        Heard("nothing of another collection", "stream"),
        change("the collection is renamed", "notes", name="papers"),
        update("a paper changes", "papers", NOTE, {"title": "x"}),
        Heard("nothing under the old name", "stream"),
        subscribe("papers", ["papers/*"]),
        update("the paper changes again", "papers", NOTE, {"title": "y"}),
        Heard("the paper", "stream"),
        Request(
            name="the papers are emptied",
            method="DELETE",
            path="/api/collections/papers/truncate",
            as_="superuser",
        ),
        Heard("the deletion of each", "stream"),
    ),
)

SCENARIOS = (SUBSCRIBING, EVENTS, OPTIONS, RULES, ASKING, BOUND, OTHER)
