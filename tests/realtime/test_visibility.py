"""Who hears of which change, and what they see of the record."""

from __future__ import annotations

from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.schema.store import load_schema
from tests.realtime.support import (
    Listener,
    Stage,
    boolean,
    insert,
    make_user,
    number,
    relation,
    run,
    stage,
    text,
    topic,
    users_of,
)

ALICE, BOB, GUEST, SUPERUSER = "alice", "bob", "guest", "superuser"
NOBODY: list[str] = []


async def four(s: Stage, *topics: str) -> dict[str, Listener]:
    """A guest, two users and a superuser, each subscribed to the topics."""
    who = {
        GUEST: "",
        ALICE: await make_user(s, "alice", id="alice0000000000"),
        BOB: await make_user(s, "bob", id="bob000000000000"),
        SUPERUSER: "superuser",
    }
    return {name: await s.connect(*topics, who=header) for name, header in who.items()}


def actions(listeners: dict[str, Listener]) -> dict[str, list[str]]:
    """What each heard since the last look; those who heard nothing are left out."""
    heard = {name: listener.actions() for name, listener in listeners.items()}
    return {name: found for name, found in heard.items() if found}


@pytest.mark.parametrize(
    ("rule", "record", "hear"),
    [
        ("", {}, [GUEST, ALICE, BOB, SUPERUSER]),
        (None, {}, [SUPERUSER]),
        ("@request.auth.id != ''", {}, [ALICE, BOB, SUPERUSER]),
        ("owner = @request.auth.id", {"owner": "alice0000000000"}, [ALICE, SUPERUSER]),
        ("owner = @request.auth.id && @request.auth.id != ''", {"owner": ""}, [SUPERUSER]),
        ("n > 5", {"n": 5}, [SUPERUSER]),
        ("n > 5", {"n": 6}, [GUEST, ALICE, BOB, SUPERUSER]),
        ("org.active = true", {"org": "active000000000"}, [GUEST, ALICE, BOB, SUPERUSER]),
        ("org.active = true", {"org": "idle00000000000"}, [SUPERUSER]),
        ("org.active = true", {"org": ""}, [SUPERUSER]),
        ("org.boss = @request.auth.id", {"org": "active000000000"}, [BOB, SUPERUSER]),
        ("@request.context = 'realtime'", {}, [GUEST, ALICE, BOB, SUPERUSER]),
        ("@request.method = 'GET'", {}, [GUEST, ALICE, BOB, SUPERUSER]),
        ("@request.method != 'GET'", {}, [SUPERUSER]),
        ("hidden = 'secret'", {"hidden": "secret"}, [GUEST, ALICE, BOB, SUPERUSER]),
    ],
)
@pytest.mark.parametrize("kind", ["list", "view"])
def test_a_change_is_heard_by_those_whom_the_rule_lets(
    project: ProjectHandle, kind: str, rule: str | None, record: dict[str, Any], hear: list[str]
) -> None:
    """The list rule for a topic of the collection, the view rule for one of the record."""

    async def scenario() -> None:
        async with stage(project) as s:
            orgs = await s.collection("orgs", boolean("active"), text("boss"))
            await s.create(orgs, id="active000000000", active=True, boss="bob000000000000")
            await s.create(orgs, id="idle00000000000", active=False)
            posts = await s.collection(
                "posts", number("n"), text("owner"), text("hidden", hidden=True), relation("org", orgs),
                **{"listRule": None, "viewRule": None, f"{kind}Rule": rule},
            )  # fmt: skip
            listeners = await four(s, "posts/*" if kind == "list" else "posts/r00000000000000")
            await s.create(posts, id="r00000000000000", **record)
            assert actions(listeners) == {name: ["create"] for name in hear}
            # What stays as it was to the rule is an update; a deletion is judged by the record as it was.
            await s.update(posts, "r00000000000000", **{field: record[field] for field in record})
            assert actions(listeners) == {name: ["update"] for name in hear}
            await s.delete(posts, "r00000000000000")
            assert actions(listeners) == {name: ["delete"] for name in hear}

    run(scenario())


@pytest.mark.parametrize("rule", ["owner = @request.auth.id", "ownership.user = @request.auth.id"])
def test_what_leaves_a_view_is_a_delete_as_it_was_and_what_enters_it_a_create(
    project: ProjectHandle, rule: str
) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            owners = await s.collection("owners", text("user"))
            await s.create(owners, id="ofalice00000000", user="alice0000000000")
            await s.create(owners, id="ofbob0000000000", user="bob000000000000")
            posts = await s.collection(
                "posts", text("title"), text("owner"), relation("ownership", owners), listRule=rule
            )
            listeners = await four(s, "posts/*")
            of_alice = {"owner": "alice0000000000", "ownership": "ofalice00000000"}
            of_bob = {"owner": "bob000000000000", "ownership": "ofbob0000000000"}
            record = await s.create(posts, title="hers", **of_alice)
            assert actions(listeners) == {ALICE: ["create"], SUPERUSER: ["create"]}
            await s.update(posts, record["id"], title="his secret", **of_bob)
            [(_, action, left)] = listeners[ALICE].heard()
            assert (action, left["title"]) == ("delete", "hers")
            [(_, action, entered)] = listeners[BOB].heard()
            assert (action, entered["title"]) == ("create", "his secret")
            assert actions(listeners) == {SUPERUSER: ["update"]}

    run(scenario())


FILTERS: list[tuple[str, str, list[str]]] = [
    ("plain", "n > 5", ["create", "update", "delete"]),
    ("that is not so", "n > 50", []),
    ("through a relation", "org.active = true", ["create", "update", "delete"]),
    ("through a relation, not so", "org.active = false", []),
    ("that is wrong", "n >", []),
    ("of spaces", "  ", []),
    ("on a field that there is not", "nope = 1", []),
    ("on a hidden field", "hidden = 'x'", []),
    ("on the request", "@request.auth.id = ''", []),
    ("that is empty", "", ["create", "update", "delete"]),
]


@pytest.mark.parametrize(("text_", "expected"), [row[1:] for row in FILTERS], ids=[row[0] for row in FILTERS])
def test_a_subscriptions_filter_narrows_what_the_rule_lets_through(
    project: ProjectHandle, text_: str, expected: list[str]
) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            orgs = await s.collection("orgs", boolean("active"))
            await s.create(orgs, id="active000000000", active=True)
            posts = await s.collection(
                "posts", number("n"), text("hidden", hidden=True), relation("org", orgs)
            )
            listener = await s.connect(topic("posts/*", {"filter": text_}))
            await s.create(posts, id="r00000000000000", n=9, hidden="x", org="active000000000")
            await s.update(posts, "r00000000000000", n=8)
            await s.delete(posts, "r00000000000000")
            assert listener.actions() == expected

    run(scenario())


def test_a_filter_never_lets_through_what_the_rule_refuses(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", number("n"), listRule="n > 5", viewRule="n > 5")
            filtered = await s.connect(
                topic("posts/*", {"filter": "n < 5"}), topic("posts/r00000000000000", {"filter": "n < 5"})
            )
            await s.create(posts, id="r00000000000000", n=1)
            assert filtered.actions() == NOBODY

    run(scenario())


def test_a_filter_goes_through_a_relation_only_where_its_records_may_be_listed(
    project: ProjectHandle,
) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            orgs = await s.collection("orgs", boolean("active"), listRule=None)
            await s.create(orgs, id="active000000000", active=True)
            posts = await s.collection("posts", relation("org", orgs))
            wanted = topic("posts/*", {"filter": "org.active = true"})
            guest, superuser = await s.connect(wanted), await s.connect(wanted, who="superuser")
            await s.create(posts, org="active000000000")
            assert guest.actions() == NOBODY
            assert superuser.actions() == ["create"]

    run(scenario())


def test_a_filter_through_a_relation_is_narrowed_by_the_list_rule_of_what_it_reads(
    project: ProjectHandle,
) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            orgs = await s.collection("orgs", boolean("active"), boolean("open"), listRule="open = true")
            await s.create(orgs, id="open00000000000", active=True, open=True)
            await s.create(orgs, id="closed000000000", active=True, open=False)
            posts = await s.collection("posts", relation("org", orgs))
            wanted = topic("posts/*", {"filter": "org.active = true"})
            guest, superuser = await s.connect(wanted), await s.connect(wanted, who="superuser")
            await s.create(posts, org="open00000000000")
            assert guest.actions() == superuser.actions() == ["create"]
            await s.create(posts, org="closed000000000")
            assert guest.actions() == NOBODY
            assert superuser.actions() == ["create"]

    run(scenario())


def test_a_rule_reads_the_options_of_the_subscription(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            rule = "@request.headers.x_token = 'abc' && @request.query.room = '7'"
            posts = await s.collection("posts", listRule=rule)
            topics = [
                "posts/*",
                topic("posts/*", {"room": 7}),
                topic("posts/*", {"room": 7}, {"X-Token": "wrong"}),
                topic("posts/*", {"room": 7}, {"X-Token": "abc"}),
            ]
            listener = await s.connect(*topics)
            await s.create(posts)
            assert [heard[0] for heard in listener.heard()] == [topics[-1]]

    run(scenario())


def test_a_filter_that_something_leaves_says_delete(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", number("n"))
            listener = await s.connect(topic("posts/*", {"filter": "n > 5"}))
            record = await s.create(posts, n=1)
            for n in (9, 8, 2, 3):
                await s.update(posts, record["id"], n=n)
            await s.delete(posts, record["id"])
            assert listener.actions() == ["create", "update", "delete"]

    run(scenario())


@pytest.mark.parametrize(
    ("base", "heard"),
    [
        ("posts", True),
        ("posts/*", True),
        ("{id}/*", True),
        ("{id}", True),
        ("posts/r00000000000000", True),
        ("{id}/r00000000000000", True),
        ("Posts/*", False),
        ("posts/", False),
        ("posts/**", False),
        ("posts/R00000000000000", False),
        ("posts/other0000000000", False),
        ("/posts/*", False),
        (" posts/*", False),
        ("posts/*#x", False),
        ("*", False),
        ("", False),
    ],
)
def test_topics_are_compared_as_they_are_written(project: ProjectHandle, base: str, heard: bool) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts")
            name = base.replace("{id}", posts.id)
            listener = await s.connect(name)
            await s.create(posts, id="r00000000000000")
            assert [event[0] for event in listener.heard()] == ([name] if heard else [])

    run(scenario())


def test_an_event_comes_once_for_each_topic_that_it_belongs_to(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", text("title"))
            only_id = topic("posts/*", {"fields": "id"})
            listener = await s.connect("posts/*", "posts", only_id)
            record = await s.create(posts, title="x")
            heard = {name: shown for name, _, shown in listener.heard()}
            assert set(heard) == {"posts/*", "posts", only_id}
            assert heard["posts/*"] == {
                "id": record["id"], "title": "x", "collectionId": posts.id, "collectionName": "posts",
            }  # fmt: skip
            assert heard[only_id] == {"id": record["id"]}

    run(scenario())


def test_hidden_fields_are_shown_to_superusers_alone(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", text("title"), text("inner", hidden=True))
            guest, superuser = await s.connect("posts/*"), await s.connect("posts/*", who="superuser")
            await s.create(posts, title="t", inner="i")
            [(_, _, seen)] = guest.heard()
            assert "inner" not in seen and seen["title"] == "t"
            [(_, _, whole)] = superuser.heard()
            assert whole["inner"] == "i"

    run(scenario())


def test_an_email_is_shown_to_its_owner_to_superusers_and_where_it_is_public(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            await s.alter("users", listRule="", viewRule="")
            users = await users_of(s)
            listeners = await four(s, "users/*")
            for listener in listeners.values():
                listener.heard()

            def shown() -> set[str]:
                records = {name: listener.heard()[0][2] for name, listener in listeners.items()}
                assert all("tokenKey" not in r and "password" not in r for r in records.values())
                return {name for name, record in records.items() if "email" in record}

            await s.update(users, "alice0000000000", name="A")
            assert shown() == {ALICE, SUPERUSER}
            await s.update(users, "alice0000000000", emailVisibility=True)
            assert shown() == {GUEST, ALICE, BOB, SUPERUSER}

    run(scenario())


def test_a_manager_sees_the_email_of_whom_it_manages(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            await s.alter("users", listRule="", manageRule="name != 'boss' && @request.auth.name = 'boss'")
            users = await users_of(s)
            listeners = await four(s, "users/*")
            await s.update(users, "bob000000000000", name="boss")
            for listener in listeners.values():
                listener.heard()
            await s.update(users, "alice0000000000", name="A")
            seen = {name for name, listener in listeners.items() if "email" in listener.heard()[0][2]}
            assert seen == {ALICE, BOB, SUPERUSER}

    run(scenario())


def test_an_event_arrives_without_an_expand_that_comes_to_too_many_records(
    project: ProjectHandle, settings: Any
) -> None:
    settings.MBAAS_EXPANDED_MAX = 2

    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", text("title"))
            notes = await s.collection("notes", relation("post", posts))
            await s.create(posts, id="post00000000001", title="x")
            listeners = await four(
                s, topic("posts/*", {"expand": "notes_via_post", "fields": "title,expand"})
            )
            for expected in (1, 2, None):
                await s.create(notes, post="post00000000001")
                await s.update(posts, "post00000000001", title=f"t{expected}")
                for listener in listeners.values():
                    ((_, _, record),) = listener.heard()
                    assert record["title"] == f"t{expected}"
                    shown = record.get("expand", {}).get("notes_via_post")
                    assert (shown and len(shown)) == expected

    run(scenario())


def test_expand_holds_what_its_reader_may_view(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            orgs = await s.collection("orgs", text("name"), viewRule="@request.auth.name = 'alice'")
            await s.create(orgs, id="org000000000000", name="the org")
            posts = await s.collection("posts", relation("org", orgs))
            listeners = await four(s, topic("posts/*", {"expand": "org"}))
            await s.create(posts, org="org000000000000")
            expanded = {name: listener.heard()[0][2].get("expand") for name, listener in listeners.items()}
            assert expanded[ALICE]["org"]["name"] == expanded[SUPERUSER]["org"]["name"] == "the org"
            assert not expanded[BOB] and not expanded[GUEST]

    run(scenario())


def test_fields_that_cannot_be_read_ask_for_everything(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", text("title"))
            listener = await s.connect(topic("posts/*", {"fields": "title:nope"}))
            record = await s.create(posts, title="x")
            [(_, _, seen)] = listener.heard()
            assert (seen["id"], seen["title"]) == (record["id"], "x")

    run(scenario())


def test_what_was_rolled_back_is_heard_by_nobody(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            posts = await s.collection("posts", text("title"))
            listener = await s.connect("posts/*", who="superuser")

            def fails(call: Any) -> None:
                insert(call, posts, title="never")
                raise ValueError

            with pytest.raises(ValueError):
                await s.write(fails)
            await s.create(posts, title="stored")
            assert [record["title"] for _, _, record in listener.heard()] == ["stored"]

    run(scenario())


def test_another_project_hears_nothing(make_project: Any) -> None:
    one, other = make_project("first"), make_project("second")

    async def scenario() -> None:
        async with stage(one) as first:
            second = Stage(other, first.lanes, first.hub, first.bus)
            await first.collection("posts", id="pbc_posts")
            await second.collection("posts", id="pbc_posts")
            topics = ("posts/*", "pbc_posts/*")
            here, there = await first.connect(*topics), await second.connect(*topics, who="superuser")
            [posts] = await first.lanes.read(
                first.project,
                lambda session: [c for c in load_schema(session).collections if c.name == "posts"],
            )
            await first.create(posts)
            assert here.actions() == ["create", "create"]
            assert there.actions() == NOBODY

    run(scenario())


def test_a_field_with_a_rule_is_in_the_events_of_those_whom_it_lets_read_it(project: ProjectHandle) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            orgs = await s.collection("orgs", text("boss"))
            await s.create(orgs, id="org000000000000", boss="bob000000000000")
            posts = await s.collection(
                "posts",
                text("owner"),
                text("note", readRule="owner = @request.auth.id && @request.auth.id != ''"),
                text("deep", readRule="org.boss = @request.auth.id"),
                relation("org", orgs),
            )
            listeners = await four(s, "posts/*")
            await s.create(posts, owner="alice0000000000", note="n", deep="d", org="org000000000000")
            seen = {}
            for name, listener in listeners.items():
                ((_, _, record),) = listener.heard()
                seen[name] = ("note" in record, "deep" in record)
            assert seen == {
                GUEST: (False, False),
                ALICE: (True, False),
                BOB: (False, True),
                SUPERUSER: (True, True),
            }

    run(scenario())


@pytest.mark.parametrize(("text_", "whom"), [("note = 'n'", ALICE), ("deep != 'x'", BOB)])
def test_a_filter_hears_by_a_field_with_a_rule_of_records_that_show_it(
    project: ProjectHandle, text_: str, whom: str
) -> None:
    async def scenario() -> None:
        async with stage(project) as s:
            orgs = await s.collection("orgs", text("boss"))
            await s.create(orgs, id="org000000000000", boss="bob000000000000")
            posts = await s.collection(
                "posts",
                text("owner"),
                text("note", readRule="owner = @request.auth.id && @request.auth.id != ''"),
                text("deep", readRule="org.boss = @request.auth.id"),
                relation("org", orgs),
            )
            listeners = await four(s, topic("posts/*", {"filter": text_}))
            await s.create(posts, owner="alice0000000000", note="n", deep="d", org="org000000000000")
            assert {name for name, one in listeners.items() if one.heard()} == {whom, SUPERUSER}

    run(scenario())
