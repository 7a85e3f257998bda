"""What rules let through, per action and per person."""

from __future__ import annotations

from collections.abc import Mapping

from tests.oracle.scenarios._network import P2, network
from tests.oracle.scenarios.building import (
    OPEN,
    change,
    create,
    delete,
    field,
    listing,
    make,
    people,
    records,
    sign_in,
    sign_up,
    update,
    view,
)
from tests.oracle.table import Json, Request, Scenario, Step

NOTE = "note0000000000"
PEOPLE: tuple[Request, ...] = (people(), sign_up("alice"), sign_up("bob"), sign_in("alice"), sign_in("bob"))
NOTES = make(
    "notes",
    field("t", "text"),
    field("owner", "relation", collectionId="$people_collection"),
    field("n", "number"),
    field("b", "bool"),
    field("s", "select", values=["x", "y"], maxSelect=2),
    field("d", "date"),
    field("j", "json"),
    field("secret", "text", hidden=True),
)

EVERYWHERE: dict[str, str | None] = {
    "nobody": None,
    "everybody": "",
    "members": "@request.auth.id != ''",
    "owners": "owner = @request.auth.id",
    "a value": "t = 'one'",
    "reading": "@request.method = 'GET'",
}


def every_action(label: str, rule: str | None) -> list[Request]:
    """Sets all rules of the notes, then lets three people do everything to a fresh note of alice's."""
    steps = [change(f"all rules are {rule!r}", "notes", **dict.fromkeys(OPEN, rule))]
    for number, who in enumerate(("guest", "alice", "bob")):
        note, when = f"{NOTE}{number}", f"{who} when {label} may"
        steps += [
            create(f"a note for {when}", "notes", {"id": note, "t": "one", "owner": "$alice"}),
            listing(f"list as {when}", "notes", as_=who, filter="owner != ''", fields="id,owner"),
            view(f"view as {when}", "notes", note, as_=who, fields="id"),
            create(f"create as {when}", "notes", {"t": "new", "owner": "$alice"}, as_=who),
            update(f"update as {when}", "notes", note, {"n": 1}, as_=who),
            delete(f"delete as {when}", "notes", note, as_=who),
            delete(f"the note for {when} goes", "notes", note),
        ]
    return steps


PER_ACTION = tuple(
    Scenario(
        f"rules_{label.replace(' ', '_')}",
        f"Each action when {label} may.",
        (*PEOPLE, NOTES, *every_action(label, rule)),
    )
    for label, rule in EVERYWHERE.items()
)

# An update rule -> bodies sent by alice to a note {t: one, owner: alice}.
UPDATES: dict[str, tuple[Json, ...]] = {
    "@request.body.t = 'x'": ({"t": "x"}, {"t": "y"}, {}),
    "@request.body.t:isset = true": ({"t": ""}, {"t": None}, {}),
    "@request.body.t:isset = false": ({"t": "x"}, {"n": 1}),
    "@request.body.t:changed = true": ({"t": "one"}, {"t": "x"}, {}),
    "@request.body.t:changed = false": ({"t": "one"}, {"t": "x"}, {}),
    "@request.body.t:lower = 'abc'": ({"t": "ABC"},),
    "@request.body.t = null": ({"t": None}, {"t": "x"}, {}),
    "@request.body.t != ''": ({"t": "a"}, {"t": ""}, {}),
    "@request.body.n > 5": ({"n": 6}, {"n": "6"}, {"n": 5}, {}),
    "@request.body.n = 3": ({"n+": 3},),
    "@request.body.b = true": ({"b": True}, {"b": "true"}, {"b": 1}),
    "@request.body.d > '2020'": ({"d": "2021-01-01"}, {"d": "2019-01-01"}, {}),
    "@request.body.j.a = 1": ({"j": {"a": 1}}, {"j": {"a": 2}}, {}),
    "@request.body.owner = @request.auth.id": ({"owner": "$alice"}, {"owner": "$bob"}, {}),
    "@request.body.unknown = 'x'": ({"unknown": "x"}, {}),
    "@request.body.secret:isset = false": ({"secret": "x"},),
    "t = 'one'": ({"t": "two"},),
    "t = 'two'": ({"t": "two"},),
    "owner.name = 'Alice'": ({"n": 1}, {"owner": "$bob"}),
}


def updates() -> list[Step]:
    steps: list[Step] = []
    for rule, bodies in UPDATES.items():
        steps.append(change(f"the update rule {rule!r}", "notes", updateRule=rule))
        for body in bodies:
            what = f"{body} under {rule!r}"
            steps += [
                create(f"a note for {what}", "notes", {"t": "one", "owner": "$alice"}, save={"note": "id"}),
                update(what, "notes", "$note", body, as_="alice"),
            ]
    return steps


BODY = Scenario(
    "rules_request_body",
    "An update rule sees the record as it is stored, and the body as it is sent.",
    (*PEOPLE, NOTES, change("all may read", "notes", listRule="", viewRule=""), *updates()),
)

# A create rule -> bodies sent by alice.
CREATES: dict[str, tuple[Json, ...]] = {
    "t = 'x'": ({"t": "x"}, {"t": "y"}),
    "owner = @request.auth.id": ({"owner": "$alice"}, {"owner": "$bob"}, {}),
    "owner.name = 'Alice'": ({"owner": "$alice"}, {"owner": "$bob"}),
    "n = 3": ({"n": "3"}, {"n+": 3}),
    "n > 0": ({"n": "abc"},),
    "id = 'note00000000001'": ({"id": "note00000000001"}, {}),
    "@request.body.id:isset = false": ({"id": "note00000000002"}, {}),
    "secret = 'x'": ({"secret": "x"},),
    "t = 'allowed'": ({"t": "allowed", "id": "bad"}, {"t": "forbidden", "id": "bad"}),
}

AUTH_RULES = (
    "@request.auth.id = ''",
    "@request.auth.name = ''",
    "@request.auth.name = 'Alice'",
    "@request.auth.name:lower = 'alice'",
    "@request.auth.email ~ '@example.com'",
    "@request.auth.verified = false",
    "@request.auth.collectionName = 'people'",
    "@request.auth.unknown = ''",
    "@request.auth.created < @now",
    "@request.method = 'POST'",
    "@request.method = 'post'",
    "@request.context = 'default'",
)

ASKED: tuple[tuple[str, Mapping[str, str], Mapping[str, str]], ...] = (
    ("@request.query.x = '1'", {"x": "1"}, {}),
    ("@request.query.x = 1", {"x": "1"}, {}),
    ("@request.query.x = ''", {}, {}),
    ("@request.query.x:isset = true", {"x": ""}, {}),
    ("@request.query.x:isset = false", {"x": ""}, {}),
    ("@request.headers.x_token = 'abc'", {}, {"X-Token": "abc"}),
    ("@request.headers.X_Token = 'abc'", {}, {"X-Token": "abc"}),
    ("@request.headers.x_token = ''", {}, {}),
    ("@request.headers.content_type ~ 'json'", {}, {}),
)


def creates() -> list[Step]:
    steps: list[Step] = []
    for rule, bodies in CREATES.items():
        steps.append(change(f"the create rule {rule!r}", "notes", createRule=rule))
        steps += [create(f"{body} under {rule!r}", "notes", body, as_="alice") for body in bodies]
    for rule in AUTH_RULES:
        steps.append(change(f"the create rule {rule!r}", "notes", createRule=rule))
        steps += [create(f"{who} under {rule!r}", "notes", {}, as_=who) for who in ("guest", "alice")]
    for rule, query, headers in ASKED:
        steps.append(change(f"the create rule {rule!r}", "notes", createRule=rule))
        steps.append(
            create(f"{dict(query)} {dict(headers)} under {rule!r}", "notes", {}, query=query, headers=headers)
        )
        steps.append(
            create(
                f"a guest with {dict(query)} {dict(headers)} under {rule!r}",
                "notes",
                {},
                as_="guest",
                query=query,
                headers=headers,
            )
        )
    return steps


CREATED = Scenario(
    "rules_create",
    "A create rule sees the record as it would be stored.",
    (*PEOPLE, NOTES, change("all may view", "notes", viewRule=""), *creates()),
)


def broken(says: str, method: str, path: str) -> Request:
    return Request(name=says, method=method, path=path, raw=b"{bad")


ORDER = Scenario(
    "rules_order_of_checks",
    "Which of several faults is told.",
    (
        *PEOPLE,
        NOTES,
        create("a note", "notes", {"id": "note00000000001", "t": "one"}),
        broken("broken JSON where nobody may create", "POST", records("notes")),
        broken("broken JSON where nobody may update", "PATCH", f"{records('notes')}/note00000000001"),
        create("wrong values where nobody may create", "notes", {"id": "bad"}, as_="guest"),
        change("a rule that fails", "notes", createRule="t = 'zzz'", updateRule="t = 'zzz'", listRule=""),
        create("wrong values under a rule that fails", "notes", {"id": "bad"}, as_="guest"),
        create("wrong values under a rule that holds", "notes", {"id": "bad", "t": "zzz"}, as_="guest"),
        update("wrong values for a hidden record", "notes", "note00000000001", {"id": ""}, as_="guest"),
        broken("broken JSON for a record that is not there", "PATCH", f"{records('notes')}/missing"),
        listing("a guest owns what nobody owns", "notes", filter="owner = ''"),
        change("owners may list", "notes", listRule="owner = @request.auth.id"),
        listing("a guest owns what nobody owns, by rule", "notes"),
        create("hidden fields are not written by guests", "notes", {"t": "zzz", "secret": "x"}, as_="guest"),
        listing("a superuser sees nothing in it", "notes", as_="superuser", filter="t = 'zzz'"),
    ),
)

# List rules over the network, each met by a guest, alice and bob.
OVER_PATHS = (
    "members.id ?= @request.auth.id",
    "members.id = @request.auth.id",
    "members.id != @request.auth.id",
    "members:each ?= @request.auth.id",
    "@request.auth.id ?= members.id",
    "comments_via_post.author ?= @request.auth.id",
    "@collection.roles.user ?= @request.auth.id && @collection.roles.post ?= id",
    "@collection.roles.post ?= id && @collection.roles.role ?= 'admin' && @collection.roles.user ?= author",
    "@collection.roles.user = @request.auth.id && @collection.roles.post = id",
    "@request.auth.posts_via_author.t ?= 'q'",
    "@request.auth.posts_via_author.id ?= id",
    "@request.auth.posts_via_author.id = id",
    "@request.auth.comments_via_author.post.t ?= t",
    "@request.auth.comments_via_author.n > 1",
    "@request.auth.comments_via_author.id = ''",
    "@request.auth.cards_via_user.bio = 'A'",
    "@request.auth.nope_via_x.id = ''",
    "@request.auth.org.name ?= orgs.name",
    "@request.auth.org.id = orgs.id",
    "@request.auth.orgs.name ?= 'beta'",
    "@request.auth.orgs.name ?= orgs.name",
    "@request.auth.orgs.id ?= orgs.id",
    "@request.auth.orgs.n > 0",
    "@request.auth.tags:each ?= tags:each",
    "@request.auth.tags:each = tags:each",
    "@request.auth.tags:each ?= 'a' && @request.auth.tags:each ?= 'b'",
    "@request.auth.tags:length = 2",
    "strftime('%Y', @request.query.d) = ''",
    "geoDistance(g.lon, g.lat, @request.query.lon, @request.query.lat) < 100",
    "t = 'q' || members.id ?= @request.auth.id && orgs.active ?= true",
)
PATHS = Scenario(
    "rules_paths",
    "Rules over paths through many records, back relations and other collections.",
    (
        *network(),
        *(
            step
            for rule in OVER_PATHS
            for step in (
                change(f"the list rule {rule!r}", "posts", listRule=rule),
                *(
                    listing(f"{who} under {rule!r}", "posts", as_=who, sort="id", fields="id")
                    for who in ("guest", "alice", "bob")
                ),
            )
        ),
    ),
)

# An update rule -> bodies that alice sends to a post of hers; each leaves the post as it was.
OF_BODY: dict[str, tuple[Json, ...]] = {
    "@request.body.author.name = 'Bob'": ({}, {"author": "$bob"}, {"author": "$alice"}, {"author": ""}),
    "@request.body.author.org.name = 'beta'": ({}, {"author": "$bob"}),
    "@request.body.author.comments_via_author.n ?= 2": ({}, {"author": "$bob"}, {"author": "$alice"}),
    "@request.body.members.name ?= 'Bob'": ({}, {"members": ["$bob"]}, {"members": ["$alice"]}),
    "@request.body.members.name = 'Bob'": ({"members": ["$bob"]}, {"members": ["$bob", "$alice"]}),
    "@request.body.members.name != 'zzz'": ({}, {"members": ["$bob"]}, {"members": []}),
    "@request.body.members.id ?= author": ({"members": ["$bob"]}, {"members": ["$bob", "$alice"]}),
    "@request.body.members:each ?= author": ({"members": ["$bob"]}, {"members": ["$bob", "$alice"]}),
    "@request.body.members:each ?!= members.id": ({"members": ["$bob"]}, {"members": ["$alice"]}),
    "@request.body.members:length = 2": ({}, {"members": ["$bob", "$alice"]}),
    "@request.body.members:changed = true": ({}, {"members": ["$bob"]}, {"members": ["$alice"]}),
    "@request.body.members.org.name ?= 'acme'": ({"members": ["$bob"]}, {"members": ["$bob", "$alice"]}),
    "@request.body.tags:each ?= 'b'": ({}, {"tags": ["b"]}, {"tags": ["a", "b"]}, {"tags": ["a"]}),
    "@request.body.tags:each = 'b'": ({"tags": ["b"]}, {"tags": ["a", "b"]}),
    "members.name ?= 'Bob'": ({"members": ["$bob"]},),
    "comments_via_post.n ?= 2": ({"t": "x"},),
}
# A create rule -> bodies that alice sends.
OF_CREATION: dict[str, tuple[Json, ...]] = {
    "members.name ?= 'Bob'": ({"members": ["$bob", "$alice"]}, {"members": ["$alice"]}, {}),
    "members.name = 'Bob'": ({"members": ["$bob", "$alice"]}, {"members": ["$bob"]}),
    "members.id ?= @request.auth.id": ({"members": ["$bob", "$alice"]}, {"members": ["$bob"]}, {}),
    "orgs.name != ''": ({}, {"orgs": ["org000000000001"]}),
    "tags:each ?= 'b'": ({"tags": ["a", "b"]}, {}),
    "author.posts_via_author.t ?= 'q'": ({"author": "$alice"}, {"author": "$bob"}),
    "author.posts_via_author.t ?= 'new'": ({"author": "$alice", "t": "new"},),
    "@collection.posts.t ?= 'q'": ({},),
    "@collection.posts.id ?= id": ({},),
    "@request.auth.posts_via_author.t ?= 'q'": ({},),
}


def written() -> list[Step]:
    steps: list[Step] = []
    before = {"t": "acme", "author": "$alice", "members": ["$alice"], "tags": ["a"]}
    for rule, bodies in OF_BODY.items():
        steps.append(change(f"the update rule {rule!r}", "posts", updateRule=rule))
        for body in bodies:
            what = f"{body} under {rule!r}"
            steps += [
                update(f"the post is as it was before {what}", "posts", P2, before, query={"fields": "id"}),
                update(what, "posts", P2, body, as_="alice", query={"fields": "id"}),
            ]
    for rule, bodies in OF_CREATION.items():
        steps.append(change(f"the create rule {rule!r}", "posts", createRule=rule))
        steps += [
            create(f"{body} under {rule!r}", "posts", body, as_="alice", query={"fields": "t"})
            for body in bodies
        ]
    return steps


WRITTEN = Scenario(
    "rules_paths_of_writes",
    "Relations in the body, and paths of a record that is not stored yet.",
    (*network(), *written()),
)

SCENARIOS = (*PER_ACTION, BODY, CREATED, ORDER, PATHS, WRITTEN)
