"""The form of a collection, as a browser sends it."""

from __future__ import annotations

import json
from typing import Any

import pytest

from admin_ui.collection_forms import option_editors
from projects.control import collections
from projects.control.actor import COMMAND
from projects.databases import write_session
from projects.models import AuditEntry, Project
from projects.schema import CollectionSchema, collection_to_json
from tests.admin_ui.conftest import Visit
from tests.control.conftest import ROLES

LIST = "/admin/p/shop/collections/"
RULES = (
    "listRule",
    "viewRule",
    "createRule",
    "updateRule",
    "deleteRule",
    "authRule",
    "manageRule",
    "historyRule",
)


def _form(fields: list[dict[str, Any]], **values: Any) -> dict[str, str]:
    """What a browser sends for a collection with these rows; rules are "locked" unless given."""
    sent = {
        "name": "posts",
        "type": "base",
        "indexes": "",
        "identityFields": "email",
        "passwordEnabled": "on",
        "tokenDuration": "432000",
        "fields-TOTAL_FORMS": str(len(fields)),
        "fields-INITIAL_FORMS": str(sum("id" in row for row in fields)),
        **{f"{name}_0": "locked" for name in RULES},
        **{f"{name}_1": "" for name in RULES},
    }
    for at, row in enumerate(fields):
        options = json.dumps(row.get("options", {}))
        for key, value in {"id": "", "ORDER": str(at + 1), **row, "options": options}.items():
            if value is not False:
                sent[f"fields-{at}-{key}"] = "on" if value is True else str(value)
    for name, value in values.items():
        if name in RULES:
            sent[f"{name}_0"], sent[f"{name}_1"] = ("rule", value) if value else ("open", "")
        else:
            sent[name] = str(value)
    return sent


def _rows(collection: CollectionSchema) -> list[dict[str, Any]]:
    return [
        {
            "id": field.id,
            "name": field.name,
            "type": field.type,
            "required": field.required,
            "hidden": field.hidden,
            "presentable": field.presentable,
            "options": field.options(),
        }
        for field in collection.fields
    ]


def _posts(project: Project) -> CollectionSchema:
    return collections.view_collection(COMMAND, project, "posts")


@pytest.fixture
def posts(shop: Project) -> CollectionSchema:
    data = {
        "name": "posts",
        "fields": [
            {"name": "title", "type": "text", "max": 50, "help": "What it is about"},
            {"name": "rank", "type": "number"},
        ],
    }
    return collections.create_collection(COMMAND, shop, data)


def test_a_collection_is_created_with_its_fields_rules_and_indexes(shop: Project, visit: Visit) -> None:
    users = collections.view_collection(COMMAND, shop, "users")
    form = _form(
        [
            {"name": "title", "type": "text", "required": True, "options": {"max": 50}},
            {"name": "state", "type": "select", "options": {"values": ["draft", "out"], "maxSelect": 1}},
            {
                "name": "author",
                "type": "relation",
                "options": {"collectionId": users.id, "cascadeDelete": True},
            },
            {"name": "", "type": "text"},  # a row nobody filled in
        ],
        listRule="",
        viewRule='author = @request.auth.id || state = "out"',
        historyRule="author = @request.auth.id",
        indexes="CREATE UNIQUE INDEX `idx_title` ON `posts` (`title`);\n\n",
    )
    answer = visit("developer").post(f"{LIST}new/", form)
    assert answer.status_code == 302, answer.context["form"].errors
    made = collection_to_json(_posts(shop))
    assert [f["name"] for f in made["fields"]] == ["id", "title", "state", "author"]
    assert (made["fields"][1]["required"], made["fields"][1]["max"]) == (True, 50)
    assert made["fields"][2]["values"] == ["draft", "out"]
    assert (made["listRule"], made["createRule"]) == ("", None)
    assert made["viewRule"] == 'author = @request.auth.id || state = "out"'
    assert made["historyRule"] == "author = @request.auth.id"
    assert made["indexes"] == ["CREATE UNIQUE INDEX `idx_title` ON `posts` (`title`)"]
    assert AuditEntry.objects.get(action="collection.created").target == "posts"


def test_a_view_is_created_and_its_query_changed(
    shop: Project, visit: Visit, posts: CollectionSchema
) -> None:
    query = "SELECT id, title FROM posts"
    # The hidden parts of the form come along, whatever is in them.
    row = {"name": "stray", "type": "text"}
    form = _form([row], name="titles", type="view", viewQuery=query, listRule="", createRule="")
    assert visit("developer").post(f"{LIST}new/", form).status_code == 302
    made = collection_to_json(collections.view_collection(COMMAND, shop, "titles"))
    assert [f["name"] for f in made["fields"]] == ["id", "title"]
    assert (made["type"], made["viewQuery"], made["listRule"], made["createRule"]) == (
        "view",
        query,
        "",
        None,
    )
    page = visit("developer").get(f"{LIST}titles/")
    assert query in page.content.decode()
    wrong = visit("developer").post(
        f"{LIST}titles/", _form([], name="titles", viewQuery="SELECT nope FROM posts")
    )
    assert wrong.status_code == 200 and "no such column: nope" in wrong.content.decode()
    form = _form([], name="titles", viewQuery="SELECT id, rank FROM posts")
    assert visit("developer").post(f"{LIST}titles/", form).status_code == 302
    made = collection_to_json(collections.view_collection(COMMAND, shop, "titles"))
    assert [f["name"] for f in made["fields"]] == ["id", "rank"]


def test_an_auth_collection_is_created_with_its_own_settings(shop: Project, visit: Visit) -> None:
    form = _form([], name="clients", type="auth", authRule="verified = true", tokenDuration=3600)
    assert visit("owner").post(f"{LIST}new/", form).status_code == 302
    made = collection_to_json(collections.view_collection(COMMAND, shop, "clients"))
    assert (made["type"], made["authRule"], made["authToken"]) == (
        "auth",
        "verified = true",
        {"duration": 3600},
    )
    assert {"email", "password", "tokenKey"} <= {f["name"] for f in made["fields"]}


@pytest.mark.parametrize("role", ROLES)
def test_only_developers_and_owners_change_collections(
    role: str, shop: Project, posts: CollectionSchema, visit: Visit
) -> None:
    browser = visit(role)
    may = role in ("operator", "owner", "developer")
    sent = (
        (f"{LIST}new/", _form([], name="extra")),
        (f"{LIST}posts/", _form(_rows(posts), name="renamed")),
        (f"{LIST}users/delete/", {"confirm": "users"}),
    )
    for path, form in sent:
        answer = browser.post(path, form)
        assert answer.status_code == (302 if may else 404 if role == "stranger" else 403), path
    names = {c.name for c in collections.list_collections(COMMAND, shop) if not c.system}
    assert names == ({"extra", "renamed"} if may else {"posts", "users"})


def test_a_viewer_sees_the_form_without_a_way_to_save_it(
    shop: Project, posts: CollectionSchema, visit: Visit
) -> None:
    page = visit("viewer").get(f"{LIST}posts/").content.decode()
    assert "title" in page and "disabled" in page
    assert 'class="c-savebar"' not in page


def test_what_is_wrong_is_said_at_its_row_and_rule(shop: Project, visit: Visit) -> None:
    form = _form(
        [
            {"name": "fine", "type": "text"},
            {"name": "not a name", "type": "text"},
            {"name": "state", "type": "select"},
        ],
        name="two words",
        listRule="author = ",
    )
    answer = visit("owner").post(f"{LIST}new/", form)
    assert answer.status_code == 200
    assert {"name", "listRule"} == set(answer.context["form"].errors)
    first, second, third = answer.context["rows"]
    assert (set(first.errors), set(second.errors), set(third.errors)) == (set(), {"name"}, {"options"})
    assert "values" in third.errors["options"][0]
    assert {c.name for c in collections.list_collections(COMMAND, shop) if not c.system} == {"users"}


@pytest.mark.parametrize("options", ["{", "[]", '"x"', "1"])
def test_options_that_are_no_json_object_are_refused(options: str, shop: Project, visit: Visit) -> None:
    form = {**_form([{"name": "title", "type": "text"}]), "fields-0-options": options}
    answer = visit("owner").post(f"{LIST}new/", form)
    assert set(answer.context["rows"][0].errors) == {"options"}


def test_choosing_a_rule_without_writing_one_is_not_everyone(shop: Project, visit: Visit) -> None:
    form = {**_form([]), "listRule_0": "rule", "listRule_1": "  "}
    answer = visit("owner").post(f"{LIST}new/", form)
    assert set(answer.context["form"].errors) == {"listRule"}


def test_a_missing_rule_is_locked_and_not_open(shop: Project, visit: Visit) -> None:
    form = {key: value for key, value in _form([]).items() if not key.startswith("listRule")}
    visit("owner").post(f"{LIST}new/", form)
    made = [c for c in collections.list_collections(COMMAND, shop) if c.name == "posts"]
    assert [c.list_rule for c in made] in ([], [None])


def test_a_renamed_field_keeps_its_data_and_what_the_form_does_not_show(
    shop: Project, posts: CollectionSchema, visit: Visit
) -> None:
    with write_session(shop.handle()) as session:
        session.execute("INSERT INTO posts (id, title) VALUES ('abcdefghij12345', 'Hello')")
    rows = _rows(posts)
    rows[1]["name"] = "headline"
    assert visit("owner").post(f"{LIST}posts/", _form(rows)).status_code == 302
    field = _posts(shop).field_by_name["headline"]
    assert field.help == "What it is about"
    with write_session(shop.handle()) as session:
        assert session.rows("SELECT headline FROM posts") == [("Hello",)]


def test_fields_are_put_in_order(shop: Project, posts: CollectionSchema, visit: Visit) -> None:
    rows = _rows(posts)
    rows[1]["ORDER"], rows[2]["ORDER"] = 3, 2
    visit("owner").post(f"{LIST}posts/", _form(rows))
    assert [f.name for f in _posts(shop).fields] == ["id", "rank", "title"]


def test_removing_a_field_with_data_asks_first(shop: Project, posts: CollectionSchema, visit: Visit) -> None:
    with write_session(shop.handle()) as session:
        session.execute("INSERT INTO posts (id, title) VALUES ('abcdefghij12345', 'Hello')")
    rows = _rows(posts)
    rows[1]["DELETE"] = True
    browser = visit("owner")
    answer = browser.post(f"{LIST}posts/", _form(rows))
    assert answer.status_code == 200 and "title" in answer.context["losses"][0]
    assert "title" in _posts(shop).field_by_name
    assert browser.post(f"{LIST}posts/", {**_form(rows), "confirm": "on"}).status_code == 302
    assert "title" not in _posts(shop).field_by_name


def test_a_system_field_survives_a_crafted_form(shop: Project, visit: Visit) -> None:
    users = collections.view_collection(COMMAND, shop, "users")
    rows = _rows(users)
    for row in rows:
        if row["name"] == "tokenKey":
            row.update(name="stolen", hidden=False)
        if row["name"] == "id":
            row["DELETE"] = True
    visit("owner").post(f"{LIST}users/", _form(rows, name="users", type="auth"))
    after = collections.view_collection(COMMAND, shop, "users")
    assert after.field_by_name["tokenKey"].hidden and "id" in after.field_by_name


def test_the_type_of_a_collection_does_not_change(
    shop: Project, posts: CollectionSchema, visit: Visit
) -> None:
    visit("owner").post(f"{LIST}posts/", _form(_rows(posts), type="auth"))
    assert _posts(shop).type == "base"


def test_deleting_a_collection_asks_for_its_name(
    shop: Project, posts: CollectionSchema, visit: Visit
) -> None:
    browser = visit("owner")
    answer = browser.post(f"{LIST}posts/delete/", {"confirm": "post"})
    assert answer.status_code == 200 and "Type posts to confirm." in answer.content.decode()
    assert browser.post(f"{LIST}posts/delete/", {"confirm": "posts"}).status_code == 302
    assert browser.get(f"{LIST}posts/").status_code == 404


def test_a_system_collection_is_not_deleted(shop: Project, visit: Visit) -> None:
    answer = visit("owner").post(f"{LIST}_superusers/delete/", {"confirm": "_superusers"})
    assert answer.status_code == 200 and "Failed to delete" in answer.content.decode()


def test_the_form_opens_with_what_the_collection_has(
    shop: Project, posts: CollectionSchema, visit: Visit
) -> None:
    """Sending it back unchanged changes nothing."""
    before = collection_to_json(_posts(shop))
    context = visit("owner").get(f"{LIST}posts/").context
    assert [row.initial["name"] for row in context["rows"]] == ["id", "title", "rank"]
    visit("owner").post(f"{LIST}posts/", _form(_rows(posts)))
    after = collection_to_json(_posts(shop))
    assert {**after, "updated": ""} == {**before, "updated": ""}


def test_every_field_type_has_its_options() -> None:
    editors = option_editors()
    assert {"text", "number", "bool", "relation", "select", "json", "geoPoint", "autodate"} <= set(editors)
    relation = {option["name"]: option["editor"] for option in editors["relation"]}
    assert relation["collectionId"] == "collection" and relation["cascadeDelete"] == "flag"
    assert all(option["editor"] != "json" for options in editors.values() for option in options)


def test_who_saves_a_rule_with_a_hole_is_told(visit: Visit, shop: Project) -> None:
    client = visit("developer")
    sent = _form([{"name": "owner", "type": "text"}], updateRule="owner = @request.auth.id")
    page = client.post(LIST + "new/", sent, follow=True)
    assert "A guest passes updateRule where owner is empty" in page.content.decode()
    shown = client.get("/admin/p/shop/rules/").content.decode()
    assert "A guest passes updateRule" in shown and "Owner" in shown
