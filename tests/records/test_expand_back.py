"""``expand`` by back relations: what names a record, level by level, under the rules of what is shown."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest
from django.test import override_settings

from projects.databases import Session
from projects.errors import ApiError
from projects.records.create import create_record
from projects.records.list import list_records
from projects.records.present import Shape, present_one
from projects.records.view import view_record
from projects.rules import validate_rule
from projects.schema.operations import create_collection, update_collection
from tests.accounts.helpers import create as create_account
from tests.records.support import call, collection, create, guest, relation, text, user

ALICE = user()
POST, OTHER = "post00000000001", "post00000000002"


def blog(session: Session, **options: Any) -> dict[str, Any]:
    """Two posts; three comments on the first, which also name both posts in a list; an author of them all."""
    authors = collection(session, "authors", text("name"))
    posts = collection(session, "posts", text("title"))
    comments = collection(
        session,
        "comments",
        text("text"),
        relation("post", posts),
        relation("posts", posts, maxSelect=5),
        relation("author", authors),
        relation("secret", posts, hidden=True),
        **options,
    )
    author = create(session, authors, name="Ann")
    create(session, posts, id=POST, title="A")
    create(session, posts, id=OTHER, title="B")
    for name in ("c3", "c1", "c2"):
        create(session, comments, text=name, post=POST, posts=[OTHER, POST], author=author["id"], secret=POST)
    return {"authors": authors, "posts": posts, "comments": comments}


def expanded(caller: Any, path: str, of: str = POST, into: str = "posts") -> Any:
    return view_record(caller, into, of, {"expand": path}).get("expand", "absent")


def texts(records: list[dict[str, Any]]) -> list[str]:
    return [record["text"] for record in records]


@contextmanager
def counting(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """The statements that are run meanwhile."""
    statements: list[str] = []
    with monkeypatch.context() as patch:
        for name in ("rows", "row"):
            real = getattr(Session, name)

            def counted(self: Session, sql: str, *args: Any, real: Any = real) -> Any:
                statements.append(sql)
                return real(self, sql, *args)

            patch.setattr(Session, name, counted)
        yield statements


@pytest.mark.parametrize("relation_name", ["post", "posts"])
def test_the_records_that_name_a_record_come_in_the_order_they_were_made(
    session: Session, relation_name: str
) -> None:
    blog(session)
    assert texts(
        expanded(guest(session), f"comments_via_{relation_name}")[f"comments_via_{relation_name}"]
    ) == [
        "c3",
        "c1",
        "c2",
    ]


def test_a_record_that_nobody_names_has_an_expand_without_the_name(session: Session) -> None:
    blog(session)
    assert expanded(guest(session), "comments_via_post", OTHER) == {}
    items = list_records(guest(session), "posts", {"expand": "comments_via_post"})["items"]
    assert [len(item["expand"].get("comments_via_post", [])) for item in items] == [3, 0]


def test_back_and_forth_in_one_path(session: Session) -> None:
    blog(session)
    found = expanded(guest(session), "comments_via_post.author.comments_via_author,comments_via_posts.post")
    comment = found["comments_via_post"][0]
    assert comment["expand"]["author"]["name"] == "Ann"
    assert texts(comment["expand"]["author"]["expand"]["comments_via_author"]) == ["c3", "c1", "c2"]
    assert found["comments_via_posts"][1]["expand"]["post"]["title"] == "A"


def test_names_are_as_they_were_asked_for(session: Session) -> None:
    made = blog(session)
    names = {"Comments_via_post", f"{made['comments'].id}_via_post", "comments(post)"}
    assert set(expanded(guest(session), ",".join(names))) == names


@pytest.mark.parametrize(
    "path",
    ["comments_via_nope", "nope_via_post", "comments_via_text", "comments_via_author", "comments_via_POST",
     "comments_via_post.nope", "comments_via_post.author.comments_via_post"],
)  # fmt: skip
def test_a_back_relation_that_is_none_is_left_out_with_its_path(session: Session, path: str) -> None:
    blog(session)
    assert expanded(guest(session), path) == "absent"
    assert expanded(call(session), path) == "absent"


def test_a_path_is_followed_for_six_steps(session: Session) -> None:
    blog(session)
    steps = ["comments_via_post", "post"] * 4
    found, depth = view_record(guest(session), "posts", POST, {"expand": ".".join(steps)}), 0
    while "expand" in found:
        found = found["expand"][steps[depth]]
        found = found[0] if isinstance(found, list) else found
        depth += 1
    assert depth == 6


@pytest.mark.parametrize(
    ("index", "field", "single"),
    [
        ("CREATE UNIQUE INDEX one ON details (post)", "post", True),
        ("CREATE UNIQUE INDEX one ON details (post) WHERE note != ''", "post", True),
        ("CREATE UNIQUE INDEX one ON details (posts)", "posts", True),
        ("CREATE UNIQUE INDEX one ON details (post, note)", "post", False),
        ("CREATE UNIQUE INDEX one ON details (lower(post))", "post", False),
        ("CREATE INDEX one ON details (post)", "post", False),
    ],
)
def test_one_record_is_shown_where_a_unique_index_says_that_there_is_no_other(
    session: Session, index: str, field: str, single: bool
) -> None:
    posts = collection(session, "posts", text("title"))
    details = collection(
        session,
        "details",
        text("note"),
        relation("post", posts),
        relation("posts", posts, maxSelect=3),
        indexes=[index],
    )
    create(session, posts, id=POST)
    create(session, details, id="detail000000001", post=POST, posts=[POST])
    found = expanded(guest(session), f"details_via_{field}")[f"details_via_{field}"]
    assert (found if single else found[0])["id"] == "detail000000001"


def test_the_first_is_shown_where_the_index_lets_others_be(session: Session) -> None:
    posts = collection(session, "posts", text("title"))
    partial = "CREATE UNIQUE INDEX one ON details (post) WHERE note != ''"
    details = collection(session, "details", text("note"), relation("post", posts), indexes=[partial])
    create(session, posts, id=POST)
    for name in ("second", "first"):
        create(session, details, id=f"detail{name:0>9}", post=POST)
    assert expanded(guest(session), "details_via_post")["details_via_post"]["id"] == "detail000second"


def test_each_level_is_shown_under_its_own_view_rule(session: Session) -> None:
    made = blog(session, viewRule="text != 'c1'", listRule=None)
    update_collection(session, "authors", {"viewRule": "@request.auth.id != ''"}, validate_rule=validate_rule)
    for caller, has_author in ((guest(session), False), (call(session, ALICE), True)):
        comments = expanded(caller, "comments_via_post.author")["comments_via_post"]
        assert texts(comments) == ["c3", "c2"]
        assert ["author" in comment["expand"] for comment in comments] == [has_author, has_author]
    assert len(expanded(call(session), "comments_via_post")["comments_via_post"]) == 3
    assert made["comments"].list_rule is None


def test_a_rule_that_reads_other_records_holds_there_too(session: Session) -> None:
    blog(session, viewRule="post.title = 'A' && @collection.authors.name ?= 'Ann'")
    assert len(expanded(guest(session), "comments_via_post")["comments_via_post"]) == 3
    update_collection(session, "comments", {"viewRule": "author.name = 'Bob'"}, validate_rule=validate_rule)
    assert expanded(guest(session), "comments_via_post") == {}


def test_what_only_superusers_view_is_left_out_with_its_path(session: Session) -> None:
    blog(session, viewRule=None)
    assert expanded(guest(session), "comments_via_post") == "absent"
    assert expanded(call(session, ALICE), "comments_via_post.author") == "absent"
    assert len(expanded(call(session), "comments_via_post")["comments_via_post"]) == 3


def test_no_path_leads_back_through_a_hidden_relation_but_a_superusers(session: Session) -> None:
    blog(session)
    assert expanded(guest(session), "comments_via_secret") == "absent"
    assert expanded(call(session, ALICE), "comments_via_post.post.comments_via_secret") == "absent"
    assert len(expanded(call(session), "comments_via_secret")["comments_via_secret"]) == 3


@pytest.mark.parametrize(
    "rule", ["owner = @request.auth.id && @request.auth.id != ''", "team.lead = @request.auth.id"]
)
def test_a_record_is_not_found_by_a_relation_that_it_keeps_from_the_caller(
    session: Session, rule: str
) -> None:
    teams = collection(session, "teams", text("lead"))
    posts = collection(session, "posts", text("title"))
    notes = collection(
        session, "notes", text("owner"), relation("team", teams), relation("post", posts, readRule=rule)
    )
    create(session, posts, id=POST)
    mine, other = (create(session, teams, lead=lead)["id"] for lead in (ALICE.id, "userbob00000000"))
    create(session, notes, id="note00000000001", owner="userbob00000000", team=other, post=POST)
    create(session, notes, id="note00000000002", owner=ALICE.id, team=mine, post=POST)
    assert expanded(guest(session), "notes_via_post") == {}
    assert [note["id"] for note in expanded(call(session, ALICE), "notes_via_post")["notes_via_post"]] == [
        "note00000000002"
    ]
    assert len(expanded(call(session), "notes_via_post")["notes_via_post"]) == 2


def test_of_each_record_at_most_a_thousand_are_shown_the_first_ones(session: Session) -> None:
    made = blog(session)
    for n in range(1002):
        create(session, made["comments"], text=f"n{n}", post=OTHER, posts=[OTHER])
    items = list_records(guest(session), "posts", {"expand": "comments_via_post,comments_via_posts"})["items"]
    assert [len(item["expand"]["comments_via_post"]) for item in items] == [3, 1000]
    assert items[1]["expand"]["comments_via_post"][-1]["text"] == "n999"
    assert [len(item["expand"]["comments_via_posts"]) for item in items] == [3, 1000]
    assert texts(items[1]["expand"]["comments_via_posts"])[:4] == ["c3", "c1", "c2", "n0"]


def test_an_answer_holds_so_many_expanded_records_and_no_more(session: Session) -> None:
    blog(session)
    path = {"expand": "comments_via_post.post.comments_via_post"}
    # Three comments, under each of them the post, under each of those three comments.
    for most, fits in ((15, True), (14, False)):
        with override_settings(MBAAS_EXPANDED_MAX=most):
            if fits:
                assert view_record(guest(session), "posts", POST, path)["expand"]
                continue
            with pytest.raises(ApiError) as error:
                view_record(guest(session), "posts", POST, path)
            assert error.value.status == 400 and "14 expanded records" in error.value.message
    with override_settings(MBAAS_EXPANDED_MAX=2), pytest.raises(ApiError):
        view_record(guest(session), "posts", POST, {"expand": "comments_via_post"})


def test_a_level_is_one_statement_however_many_records_it_has(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = blog(session)
    path = {"expand": "comments_via_post.author.comments_via_author,comments_via_posts", "skipTotal": "1"}
    with counting(monkeypatch) as few:
        list_records(guest(session), "posts", path)
    for n in range(20):
        post = create(session, made["posts"], title=str(n))
        author = create(session, made["authors"], name=str(n))
        for _ in range(3):
            create(session, made["comments"], post=post["id"], posts=[post["id"]], author=author["id"])
    with counting(monkeypatch) as many:
        list_records(guest(session), "posts", path)
    assert len(few) == len(many) == 5


def test_who_manages_the_accounts_of_a_level_is_one_statement_too(
    session: Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    teams = collection(session, "teams", text("lead"))
    people = collection(
        session,
        "people",
        relation("team", teams),
        type="auth",
        manageRule="team.lead = @request.auth.id && @request.auth.id != ''",
    )
    mine, other = (create(session, teams, lead=lead)["id"] for lead in (ALICE.id, "userbob00000000"))
    for n in range(6):
        body = {"email": f"p{n}@example.com", "password": "correct-horse", "passwordConfirm": "correct-horse"}
        create_account(call(session), people.name, {**body, "team": mine if n < 4 else other})
    alice, wanted = call(session, ALICE), {"expand": "people_via_team", "skipTotal": "1"}
    with counting(monkeypatch) as statements:
        items = list_records(alice, "teams", wanted)["items"]
    shown = ["email" in one for item in items for one in item["expand"]["people_via_team"]]
    assert shown == [True] * 4 + [False] * 2
    assert len(statements) == 3
    items = list_records(guest(session), "teams", {"expand": "people_via_team"})["items"]
    assert not any("email" in one for item in items for one in item["expand"]["people_via_team"])


def test_answers_to_writes_are_expanded_too(session: Session) -> None:
    made = blog(session)
    comments = made["comments"]
    record = create_record(guest(session), comments, {"text": "new", "post": OTHER})
    shown = present_one(guest(session), comments, record, Shape(expand="post.comments_via_post"))
    assert texts(shown["expand"]["post"]["expand"]["comments_via_post"]) == ["new"]


def test_views_are_expanded_forth_and_back(session: Session) -> None:
    blog(session)
    query = {"type": "view", "listRule": "", "viewRule": "text != 'c2'"}
    create_collection(
        session,
        {
            "name": "said",
            **query,
            "viewQuery": "SELECT id, text, post, posts FROM comments ORDER BY text DESC",
        },
        validate_rule=validate_rule,
    )
    for name in ("post", "posts"):
        assert texts(expanded(guest(session), f"said_via_{name}")[f"said_via_{name}"]) == ["c3", "c1"]
    items = list_records(guest(session), "said", {"expand": "post.said_via_post", "filter": "text = 'c3'"})[
        "items"
    ]
    assert texts(items[0]["expand"]["post"]["expand"]["said_via_post"]) == ["c3", "c1"]


def test_a_view_is_given_a_thousand_at_most_too(session: Session) -> None:
    made = blog(session)
    create_collection(
        session,
        {
            "name": "said", "type": "view", "listRule": "", "viewRule": "",
            "viewQuery": "SELECT id, text, post, posts FROM comments",
        },
        validate_rule=validate_rule,
    )  # fmt: skip
    for n in range(1002):
        create(session, made["comments"], text=f"n{n}", post=OTHER)
    items = list_records(guest(session), "posts", {"expand": "said_via_post"})["items"]
    assert [len(item["expand"]["said_via_post"]) for item in items] == [3, 1000]
    assert items[1]["expand"]["said_via_post"][-1]["text"] == "n999"
