"""The project ``demo`` of a first start: a small real schema with rules, users and records to try.

Its users' passwords are no secret; they open nothing but this project's records.
"""

from __future__ import annotations

from typing import Any

from projects.accounts.passwords import hash_password
from projects.control.actor import COMMAND
from projects.control.project_settings import API_DOCS
from projects.control.projects import change_project, create_project
from projects.databases import Session
from projects.models import ConsoleUser, Project
from projects.principal import Principal, RequestInfo
from projects.records.auth_fields import NOTHING_HASHED, HashedPasswords, PasswordWork
from projects.records.call import Call
from projects.records.create import create_record
from projects.rules import validate_rule
from projects.schema import create_collection, load_schema, update_collection

REF = "demo"
USERS = {"alice@example.com": "demo-alice-pass", "bob@example.com": "demo-bob-pass"}

_SIGNED_IN = '@request.auth.id != ""'
_OWN = "author = @request.auth.id"
_READABLE = f"public = true || {_OWN}"
_POST_READABLE = "post.public = true || post.author = @request.auth.id"


def _dates(*, updated: bool) -> list[dict[str, Any]]:
    created = {"name": "created", "type": "autodate", "onCreate": True}
    changed = {"name": "updated", "type": "autodate", "onCreate": True, "onUpdate": True}
    return [created, changed] if updated else [created]


def _posts(users: str) -> dict[str, Any]:
    return {
        "name": "posts",
        "type": "base",
        "fields": [
            {"name": "title", "type": "text", "required": True, "max": 200, "presentable": True},
            {"name": "body", "type": "editor"},
            {
                "name": "status",
                "type": "select",
                "required": True,
                "maxSelect": 1,
                "values": ["draft", "published"],
            },
            {
                "name": "author",
                "type": "relation",
                "required": True,
                "collectionId": users,
                "maxSelect": 1,
                "cascadeDelete": True,
            },
            {"name": "public", "type": "bool"},
            {"name": "tags", "type": "json"},
            *_dates(updated=True),
        ],
        "indexes": [
            "CREATE INDEX `idx_posts_author` ON `posts` (`author`)",
            "CREATE INDEX `idx_posts_created` ON `posts` (`created`)",
        ],
        "listRule": _READABLE,
        "viewRule": _READABLE,
        "createRule": f"{_SIGNED_IN} && {_OWN}",
        "updateRule": _OWN,
        "deleteRule": _OWN,
    }


def _comments(users: str, posts: str) -> dict[str, Any]:
    return {
        "name": "comments",
        "type": "base",
        "fields": [
            {
                "name": "post",
                "type": "relation",
                "required": True,
                "collectionId": posts,
                "maxSelect": 1,
                "cascadeDelete": True,
            },
            {
                "name": "author",
                "type": "relation",
                "required": True,
                "collectionId": users,
                "maxSelect": 1,
                "cascadeDelete": True,
            },
            {"name": "text", "type": "text", "required": True, "max": 2000, "presentable": True},
            *_dates(updated=False),
        ],
        "indexes": ["CREATE INDEX `idx_comments_post` ON `comments` (`post`)"],
        "listRule": _POST_READABLE,
        "viewRule": _POST_READABLE,
        "createRule": f"{_SIGNED_IN} && {_OWN} && ({_POST_READABLE})",
        "updateRule": _OWN,
        "deleteRule": f"{_OWN} || post.author = @request.auth.id",
    }


def create_demo(owner: ConsoleUser | None) -> Project:
    """Make the project, all of it or nothing. Raises ApiError (the ref is taken, no placement)."""
    project = create_project(COMMAND, REF, name="Demo", owner=owner, fill=_fill)
    # Its schema is no secret either.
    return change_project(COMMAND, project, settings={API_DOCS: "public"})


def _fill(session: Session) -> None:
    # People of the demo may see each other, so that an expanded author shows a name.
    rules = {"listRule": _SIGNED_IN, "viewRule": _SIGNED_IN}
    users = update_collection(session, "users", rules, validate_rule=validate_rule)
    posts = create_collection(session, _posts(users.id), validate_rule=validate_rule)
    create_collection(session, _comments(users.id, posts.id), validate_rule=validate_rule)
    superuser = RequestInfo(principal=Principal("superuser"), method="POST")
    _write_records(Call(session, load_schema(session), superuser))


def _write_records(call: Call) -> None:
    def add(collection: str, hashed: HashedPasswords = NOTHING_HASHED, **body: Any) -> str:
        return str(create_record(call, call.collection(collection), body, hashed)["id"])

    def sign_up(email: str, name: str) -> str:
        password = USERS[email]
        # Hashed here, though a transaction is open: nobody else can be waiting for a database just made.
        hashed = HashedPasswords(PasswordWork({"password": password}), {"password": hash_password(password)})
        return add(
            "users",
            hashed,
            email=email,
            name=name,
            password=password,
            passwordConfirm=password,
            verified=True,
        )

    alice = sign_up("alice@example.com", "Alice")
    bob = sign_up("bob@example.com", "Bob")
    welcome = add(
        "posts",
        title="Welcome",
        body="<p>Everybody can read this post, signed in or not.</p>",
        status="published",
        author=alice,
        public=True,
        tags=["hello", "public"],
    )
    add(
        "posts",
        title="A draft of Alice",
        body="<p>Only Alice can see this one.</p>",
        status="draft",
        author=alice,
        public=False,
        tags=["private"],
    )
    add(
        "posts",
        title="Bob's list",
        body="<ul><li>bread</li><li>olives</li></ul>",
        status="published",
        author=bob,
        public=True,
        tags=["shopping"],
    )
    add("comments", post=welcome, author=bob, text="Good to be here!")
