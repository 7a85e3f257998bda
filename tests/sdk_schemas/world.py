"""A schema with every kind of field, open and closed collections, and names that clash: no database needed."""

from __future__ import annotations

from typing import Any

from projects.schema.collection import ProjectSchema
from projects.schema.operations import draft_of_new, draft_of_update
from projects.schema.seed import system_collections
from projects.schema.views.settle import settle_views

SECRET_RULE = "owner.name = 'the-secret-of-the-rule'"
OPEN = dict.fromkeys(("listRule", "viewRule", "createRule", "updateRule", "deleteRule"), "")


def empty_world() -> ProjectSchema:
    return ProjectSchema(7, system_collections())


def with_new(schema: ProjectSchema, **data: Any) -> ProjectSchema:
    return schema.with_collection(draft_of_new(schema, data))


def with_change(schema: ProjectSchema, name: str, **data: Any) -> ProjectSchema:
    old = schema.get(name)
    assert old is not None
    return schema.with_collection(draft_of_update(old, data))


def world() -> ProjectSchema:
    schema = with_new(
        empty_world(),
        name="posts",
        **OPEN | {"updateRule": SECRET_RULE, "deleteRule": None},
        fields=[
            {
                "name": "title",
                "type": "text",
                "required": True,
                "min": 3,
                "max": 80,
                "help": "What it says */ on top",
            },
            {"name": "slug", "type": "text", "required": True, "autogeneratePattern": "[a-z]{8}"},
            {"name": "code", "type": "text", "required": True, "pattern": "^[A-Z]\\d$"},
            {"name": "count", "type": "number", "onlyInt": True, "min": 1, "max": 9},
            {"name": "ratio", "type": "number"},
            {"name": "rating", "type": "number", "nullable": True},
            {"name": "choice", "type": "select", "values": ["x", "y"], "nullable": True},
            {"name": "spot", "type": "geoPoint", "nullable": True},
            {"name": "ended", "type": "date", "nullable": True},
            {"name": "public", "type": "bool"},
            {"name": "contact", "type": "email", "required": True},
            {"name": "link", "type": "url"},
            {"name": "body", "type": "editor", "searchable": True},
            {"name": "due", "type": "date"},
            {
                "name": "status",
                "type": "select",
                "required": True,
                "values": ["draft", 'the "final"'],
                "maxSelect": 1,
            },
            {"name": "mood", "type": "select", "values": ["good", "bad"], "maxSelect": 1},
            {"name": "tags", "type": "select", "values": ["a", "b", "c"], "maxSelect": 2},
            {"name": "extra", "type": "json"},
            {"name": "place", "type": "geoPoint"},
            {"name": "owner", "type": "relation", "collectionId": "_pb_users_auth_", "maxSelect": 1},
            {"name": "readers", "type": "relation", "collectionId": "_pb_users_auth_", "maxSelect": 5},
            {"name": "pin", "type": "password"},
            {"name": "photo", "type": "file", "mimeTypes": ["image/png"], "maxSize": 1000},
            {"name": "papers", "type": "file", "maxSelect": 3},
            {"name": "score", "type": "number", "nullable": True},
            {"name": "grade", "type": "select", "values": ["a", "b"], "maxSelect": 1, "nullable": True},
            {"name": "spot", "type": "geoPoint", "nullable": True},
            {"name": "internal", "type": "text", "hidden": True, "help": "the-secret-of-the-field"},
            {"name": "1st", "type": "text"},
            {"name": "const", "type": "text"},
            {"name": "examples", "type": "text"},
            {"name": "created", "type": "autodate", "onCreate": True},
            {"name": "updated", "type": "autodate", "onCreate": True, "onUpdate": True},
        ],
    )
    posts = schema.get("posts")
    assert posts is not None
    schema = with_new(schema, name="vault", fields=[{"name": "note", "type": "text"}])
    vault = schema.get("vault")
    assert vault is not None
    schema = with_new(
        schema,
        name="blog_posts",
        listRule="",
        viewRule="@request.auth.id != ''",
        fields=[
            {"name": "post", "type": "relation", "collectionId": posts.id, "maxSelect": 1},
            {"name": "kept", "type": "relation", "collectionId": vault.id, "maxSelect": 1},
        ],
    )
    schema = with_new(schema, name="blogPosts", **OPEN)
    schema = with_new(schema, name="collections", **OPEN)
    reading = {"listRule": "", "viewRule": ""}
    query = "SELECT id, title, status, owner, count(*) AS n FROM posts GROUP BY id"
    schema, _ = settle_views(with_new(schema, name="summary", type="view", viewQuery=query, **reading))
    return with_new(schema, name="2fa", type="auth", listRule="", passwordAuth={"enabled": False})
