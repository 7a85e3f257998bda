"""The console's pages: what each role sees, and what a crafted request gets."""

from __future__ import annotations

from typing import Any

import pytest
from django.test import Client

from projects.control import deletion, keys, projects, tokens
from projects.control.actor import COMMAND, Actor
from projects.databases.aliases import sqlite_path
from projects.models import ApiKey, AuditEntry, ConsoleUser, Membership, PersonalToken, Placement, Project
from tests.admin_ui.conftest import Visit
from tests.control.conftest import PASSWORD, ROLES

SHOP = "/admin/p/shop/"
# Page: who sees it, of viewer, developer and owner. Operators see all, strangers nothing.
EVERYBODY, WORKERS = {"viewer", "developer", "owner"}, {"developer", "owner"}
PAGES = {
    "": EVERYBODY,
    "settings/": EVERYBODY,
    "members/": EVERYBODY,
    "rules/": EVERYBODY,
    "collections/": EVERYBODY,
    "collections/users/": EVERYBODY,
    "collections/new/": EVERYBODY,
    "collections/users/delete/": WORKERS,
    "keys/": WORKERS,
    "activity/": WORKERS,
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("page", PAGES)
def test_each_page_is_for_its_roles(page: str, role: str, shop: Project, visit: Visit) -> None:
    answer = visit(role).get(SHOP + page)
    expected = 200 if role in PAGES[page] | {"operator"} else 404 if role == "stranger" else 403
    assert answer.status_code == expected


@pytest.mark.parametrize("page", [*PAGES, "keys/1/revoke/", "suspend/"])
def test_nobody_is_sent_to_sign_in(page: str, shop: Project) -> None:
    answer = Client().get(SHOP + page)
    assert answer.status_code == 302 and answer["Location"].startswith("/admin/login/?next=")


def _first_member(shop: Project, role: str) -> int:
    return shop.memberships.get(role=role).pk


# A form that somebody may send: path, values, whose it is, and whether it then happened.
FORMS: dict[str, tuple[Any, dict[str, str], set[str], Any]] = {
    "rename": (
        lambda p: "settings/",
        {"name": "Renamed", "corsOrigins": ""},
        {"developer", "owner"},
        lambda p: p.name == "Renamed",
    ),
    "suspend": (lambda p: "suspend/", {}, {"owner"}, lambda p: p.status == "suspended"),
    "delete": (lambda p: "delete/", {"confirm": "shop"}, {"owner"}, lambda p: p.status == "deleting"),
    "add a member": (
        lambda p: "members/",
        {"email": "stranger@example.com", "role": "owner"},
        {"owner"},
        lambda p: p.memberships.count() == 4,
    ),
    "raise oneself": (
        lambda p: f"members/{_first_member(p, 'viewer')}/",
        {"role": "owner"},
        {"owner"},
        lambda p: p.memberships.filter(role="owner").count() == 2,
    ),
    "remove another": (
        lambda p: f"members/{_first_member(p, 'developer')}/remove/",
        {},
        {"owner", "developer"},
        lambda p: not p.memberships.filter(role="developer").exists(),
    ),
    "make a public key": (
        lambda p: "keys/",
        {"kind": "public", "name": ""},
        {"developer", "owner"},
        lambda p: p.keys.filter(kind="public", created_by__isnull=False).exists(),
    ),
    "make a service key": (
        lambda p: "keys/",
        {"kind": "service", "name": ""},
        {"owner"},
        lambda p: p.keys.filter(kind="service", created_by__isnull=False).exists(),
    ),
    "revoke a service key": (
        lambda p: f"keys/{keys.create_key(COMMAND, p, kind='service').key.pk}/revoke/",
        {},
        {"owner"},
        lambda p: p.keys.filter(revoked_at__isnull=False).exists(),
    ),
}


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("form", FORMS)
def test_a_crafted_form_does_what_its_senders_role_may(
    form: str, role: str, shop: Project, visit: Visit
) -> None:
    path, values, allowed, happened = FORMS[form]
    answer = visit(role).post(SHOP + path(shop), values)
    may = role in allowed | {"operator"}
    assert happened(Project.objects.get()) is may
    if not may:
        assert answer.status_code == (404 if role == "stranger" else 403)


@pytest.mark.parametrize(
    "path", ["suspend/", "resume/", "delete/", "keep/", "keys/1/revoke/", "members/1/remove/"]
)
def test_what_changes_something_is_never_a_link(path: str, shop: Project, visit: Visit) -> None:
    assert visit("owner").get(SHOP + path).status_code == 405


@pytest.mark.parametrize("path", ["settings/", "suspend/", "keys/", "members/"])
def test_a_form_from_elsewhere_is_refused(path: str, shop: Project, people: dict[str, ConsoleUser]) -> None:
    client = Client(enforce_csrf_checks=True)
    client.force_login(people["owner"], backend="projects.control.auth.ConsoleBackend")
    answer = client.post(SHOP + path, {"name": "x", "kind": "public"})
    assert answer.status_code == 403
    shop.refresh_from_db()
    assert (shop.status, shop.name, shop.keys.count()) == ("active", "Corner shop", 0)


def test_a_member_or_key_of_another_project_is_not_reached_through_mine(
    shop: Project, visit: Visit, actors: dict[str, Actor]
) -> None:
    projects.create_project(actors["stranger"], "garden")
    key = keys.create_key(actors["owner"], shop, kind="service").key
    browser = visit("stranger")
    for path in (
        f"members/{_first_member(shop, 'viewer')}/",
        f"members/{_first_member(shop, 'viewer')}/remove/",
        f"keys/{key.pk}/revoke/",
    ):
        assert browser.post(f"/admin/p/garden/{path}", {"role": "owner"}).status_code == 404
    assert Membership.objects.filter(project=shop).count() == 3
    assert ApiKey.objects.get().revoked_at is None


def test_home_shows_my_projects_and_operators_all(
    shop: Project, visit: Visit, actors: dict[str, Actor]
) -> None:
    projects.create_project(actors["stranger"], "garden", name="Garden")
    seen = {role: visit(role).get("/admin/").content.decode() for role in ROLES}
    assert {role for role, page in seen.items() if "/admin/p/shop/" in page} == set(ROLES) - {"stranger"}
    assert {role for role, page in seen.items() if "/admin/p/garden/" in page} == {"operator", "stranger"}


def test_home_finds_by_name_and_ref(shop: Project, visit: Visit) -> None:
    assert "/admin/p/shop/" in visit("owner").get("/admin/?q=CORNER").content.decode()
    assert "/admin/p/shop/" not in visit("owner").get("/admin/?q=garden").content.decode()


def test_home_costs_the_same_for_many_projects(
    shop: Project, visit: Visit, actors: dict[str, Actor], django_assert_max_num_queries: Any
) -> None:
    for number in range(5):
        projects.create_project(actors["owner"], f"more-{number}")
    browser = visit("owner")
    browser.get("/admin/")
    with django_assert_max_num_queries(8):
        browser.get("/admin/")


def test_a_project_is_created_and_opened(local: Placement, visit: Visit) -> None:
    values = {"name": "Garden", "ref": "garden", "placement": "local"}
    answer = visit("viewer").post("/admin/new/", values)
    assert answer.status_code == 302 and answer["Location"] == "/admin/p/garden/"
    assert Project.objects.get().memberships.get().user.email == "viewer@example.com"


def test_a_refused_creation_says_why_at_the_field(shop: Project, visit: Visit) -> None:
    answer = visit("viewer").post("/admin/new/", {"name": "Mine", "ref": "shop", "placement": "local"})
    assert answer.status_code == 200
    assert answer.context["form"].errors == {"ref": ["Another project has this ref."]}


def test_nobody_but_operators_creates_where_the_setting_says_so(
    local: Placement, visit: Visit, settings: Any
) -> None:
    settings.MBAAS_PROJECT_CREATION = "operators"
    assert "/admin/new/" not in visit("viewer").get("/admin/").content.decode()
    values = {"name": "", "ref": "garden", "placement": "local"}
    assert visit("viewer").post("/admin/new/", values).status_code == 403
    assert not Project.objects.exists()


def test_the_overview_says_where_the_api_is_and_how_to_connect(shop: Project, visit: Visit) -> None:
    page = visit("viewer").get(SHOP).content.decode()
    assert 'new PocketBase("http://testserver/p/shop")' in page
    assert "SQLite" in page and shop.uid in page


def test_a_new_keys_text_is_in_one_answer_that_is_not_cached(shop: Project, visit: Visit) -> None:
    browser = visit("owner")
    answer = browser.post(SHOP + "keys/", {"kind": "service", "name": "Server"})
    text = answer.context["new"].text
    assert text in answer.content.decode() and "data-copy" in answer.content.decode()
    assert "no-store" in answer["Cache-Control"]
    again = browser.get(SHOP + "keys/").content.decode()
    assert text not in again and text[:11] in again
    assert text not in str(dict(browser.session))


def test_a_developer_is_offered_public_keys_only(shop: Project, visit: Visit) -> None:
    form = visit("developer").get(SHOP + "keys/").context["form"]
    assert [value for value, _ in form.fields["kind"].choices] == ["public"]


def test_deleting_asks_for_the_ref_and_shows_the_grace_period(
    shop: Project, visit: Visit, settings: Any
) -> None:
    settings.MBAAS_DELETE_GRACE_DAYS = 9
    browser = visit("owner")
    assert "9 days" in browser.get(SHOP + "settings/").content.decode()
    answer = browser.post(SHOP + "delete/", {"confirm": "sho"})
    assert answer.status_code == 200 and "Type shop to confirm." in answer.content.decode()
    assert Project.objects.get().status == "active"
    browser.post(SHOP + "delete/", {"confirm": "shop"})
    assert Project.objects.get().status == "deleting"
    assert "Being deleted" in browser.get(SHOP).content.decode()
    browser.post(SHOP + "keep/")
    assert Project.objects.get().status == "suspended"


def test_leaving_a_project_leads_home(shop: Project, visit: Visit) -> None:
    answer = visit("viewer").post(f"{SHOP}members/{_first_member(shop, 'viewer')}/remove/")
    assert answer.status_code == 302 and answer["Location"] == "/admin/"
    assert shop.memberships.count() == 2


def test_the_last_owner_is_told_why_they_stay(shop: Project, visit: Visit) -> None:
    browser = visit("owner")
    path = f"{SHOP}members/{_first_member(shop, 'owner')}/"
    page = browser.post(path + "remove/", follow=True).content.decode()
    assert "keeps at least one owner" in page
    assert "keeps at least one owner" in browser.post(path, {"role": "viewer"}, follow=True).content.decode()


def test_names_that_are_markup_are_shown_as_text(
    shop: Project, visit: Visit, actors: dict[str, Actor]
) -> None:
    nasty = "<script>alert(1)</script>"
    projects.change_project(actors["owner"], shop, name=nasty)
    keys.create_key(actors["owner"], shop, kind="public", name=nasty)
    ConsoleUser.objects.filter(email="viewer@example.com").update(name=nasty)
    browser = visit("owner")
    for page in ("/admin/", SHOP, SHOP + "keys/", SHOP + "members/", SHOP + "settings/", SHOP + "activity/"):
        assert nasty not in browser.get(page).content.decode(), page


def test_a_project_whose_database_is_away_has_a_page_all_the_same(shop: Project, visit: Visit) -> None:
    from projects.databases import close_thread
    from projects.databases.migrating import forget_migrated

    close_thread()
    forget_migrated(shop.handle())
    sqlite_path(shop.uid).unlink()
    browser = visit("owner")
    assert browser.get(SHOP).status_code == 200
    answer = browser.get(SHOP + "collections/")
    assert answer.status_code == 503 and "cannot be reached" in answer.content.decode()


def test_the_activity_shows_this_projects_entries_only(
    shop: Project, visit: Visit, actors: dict[str, Actor]
) -> None:
    projects.create_project(actors["owner"], "garden", name="Secret garden")
    page = visit("developer").get(SHOP + "activity/").content.decode()
    assert "member.added" in page and "Secret garden" not in page


# --- my account ---------------------------------------------------------------------------------------


def test_ones_own_password_is_changed_and_the_session_goes_on(
    people: dict[str, ConsoleUser], visit: Visit
) -> None:
    browser, elsewhere = visit("viewer"), visit("viewer")
    values = {"current": PASSWORD, "password": "another-battery-9", "again": "another-battery-9"}
    assert browser.post("/admin/account/password/", values).status_code == 302
    assert browser.get("/admin/account/").status_code == 200
    assert elsewhere.get("/admin/account/").status_code == 302


@pytest.mark.parametrize(
    ("changes", "field"),
    [
        ({"current": "wrong"}, "current"),
        ({"again": "other"}, "again"),
        ({"password": "a", "again": "a"}, "password"),
    ],
)
def test_a_wrong_password_form_changes_nothing(
    changes: dict[str, str], field: str, people: dict[str, ConsoleUser], visit: Visit
) -> None:
    values = {"current": PASSWORD, "password": "another-battery-9", "again": "another-battery-9", **changes}
    answer = visit("viewer").post("/admin/account/password/", values)
    assert list(answer.context["password_form"].errors) == [field]
    people["viewer"].refresh_from_db()
    assert people["viewer"].check_password(PASSWORD)


def test_a_personal_token_is_shown_once_and_ended(people: dict[str, ConsoleUser], visit: Visit) -> None:
    browser = visit("viewer")
    answer = browser.post("/admin/account/tokens/", {"name": "CI", "days": "7"})
    text = answer.context["new"].text
    assert tokens.find_token_user(text) == people["viewer"]
    assert text not in browser.get("/admin/account/").content.decode()
    path = f"/admin/account/tokens/{PersonalToken.objects.get().pk}/delete/"
    assert visit("operator").post(path).status_code == 404
    assert PersonalToken.objects.exists()
    browser.post(path)
    assert not PersonalToken.objects.exists()


# --- lists of operators -------------------------------------------------------------------------------

LISTS = ["consoleuser", "placement", "auditentry", "project"]


@pytest.mark.parametrize("role", ROLES)
@pytest.mark.parametrize("name", LISTS)
def test_the_lists_are_for_operators(name: str, role: str, shop: Project, visit: Visit) -> None:
    browser = visit(role)
    status = browser.get(f"/admin/projects/{name}/").status_code
    assert status == (200 if role == "operator" else 403)
    if name in ("consoleuser", "placement"):
        assert browser.get(f"/admin/projects/{name}/add/").status_code == status


@pytest.mark.parametrize("name", LISTS)
def test_nothing_is_deleted_from_a_list(name: str, shop: Project, visit: Visit) -> None:
    model = {
        "consoleuser": ConsoleUser,
        "placement": Placement,
        "auditentry": AuditEntry,
        "project": Project,
    }[name]
    first = model.objects.order_by("pk").first()
    browser = visit("operator")
    assert browser.post(f"/admin/projects/{name}/{first.pk}/delete/", {"post": "yes"}).status_code == 403
    values = {"action": "delete_selected", "_selected_action": str(first.pk), "post": "yes"}
    browser.post(f"/admin/projects/{name}/", values)
    assert model.objects.filter(pk=first.pk).exists()


def test_an_operator_adds_and_changes_people_through_the_operations(shop: Project, visit: Visit) -> None:
    browser = visit("operator")
    values = {"email": "New@example.com", "name": "New", "password": PASSWORD}
    assert browser.post("/admin/projects/consoleuser/add/", values).status_code == 302
    person = ConsoleUser.objects.get(email="new@example.com")
    assert person.check_password(PASSWORD) and not person.is_operator
    assert AuditEntry.objects.filter(action="person.added").count() == 1
    path = f"/admin/projects/consoleuser/{person.pk}/change/"
    values = {"name": "Newer", "is_active": "on", "new_password": "another-battery-9"}
    assert browser.post(path, values).status_code == 302
    person.refresh_from_db()
    assert (person.name, person.check_password("another-battery-9")) == ("Newer", True)


@pytest.mark.parametrize(
    ("values", "field"),
    [
        ({"email": "owner@example.com", "password": PASSWORD}, "email"),
        ({"email": "new@example.com", "password": "short"}, "password"),
    ],
)
def test_a_refused_person_says_why_at_the_field(
    values: dict[str, str], field: str, shop: Project, visit: Visit
) -> None:
    answer = visit("operator").post("/admin/projects/consoleuser/add/", {"name": "", **values})
    assert answer.status_code == 200
    assert list(answer.context["adminform"].form.errors) == [field]
    assert ConsoleUser.objects.count() == len(ROLES)


def test_the_last_operator_cannot_lock_everybody_out(people: dict[str, ConsoleUser], visit: Visit) -> None:
    path = f"/admin/projects/consoleuser/{people['operator'].pk}/change/"
    answer = visit("operator").post(path, {"name": "", "is_active": "on", "new_password": ""})
    assert answer.status_code == 200 and "at least one operator" in answer.content.decode()
    people["operator"].refresh_from_db()
    assert people["operator"].is_superuser


def test_a_placements_url_is_written_and_never_shown(shop: Project, visit: Visit) -> None:
    browser = visit("operator")
    url = "postgresql://mbaas:s3cret@db.example.com:5432/apps"
    values = {"name": "pg-1", "engine": "postgresql", "url": url, "accepts_projects": "on"}
    assert browser.post("/admin/projects/placement/add/", values).status_code == 302
    placement = Placement.objects.get(name="pg-1")
    assert placement.url == url
    for path in ("", f"{placement.pk}/change/"):
        page = browser.get(f"/admin/projects/placement/{path}").content.decode()
        assert "db.example.com:5432/apps" in page and "s3cret" not in page
    change = f"/admin/projects/placement/{placement.pk}/change/"
    assert browser.post(change, {"url": "", "accepts_projects": ""}).status_code == 302
    placement.refresh_from_db()
    assert placement.url == url and not placement.accepts_projects


def test_the_audit_is_read_only(shop: Project, visit: Visit) -> None:
    entry = AuditEntry.objects.first()
    assert entry is not None
    browser = visit("operator")
    assert browser.get(f"/admin/projects/auditentry/{entry.pk}/change/").status_code == 200
    answer = browser.post(f"/admin/projects/auditentry/{entry.pk}/change/", {"actor": "somebody"})
    assert answer.status_code == 403
    assert browser.get("/admin/projects/auditentry/add/").status_code == 403
    assert AuditEntry.objects.get(pk=entry.pk).actor == entry.actor


def test_the_history_of_a_thing_is_its_audit(
    shop: Project, visit: Visit, people: dict[str, ConsoleUser]
) -> None:
    path = f"/admin/projects/consoleuser/{people['viewer'].pk}/history/"
    answer = visit("operator").get(path)
    assert answer["Location"] == "/admin/projects/auditentry/?target=viewer@example.com"
    assert visit("operator").get(answer["Location"]).status_code == 200


def test_no_page_asks_djangos_own_change_log(
    shop: Project, visit: Visit, actors: dict[str, Actor], django_assert_num_queries: Any
) -> None:
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    deletion.request_deletion(actors["owner"], shop, typed_ref="shop")
    browser = visit("operator")
    with CaptureQueriesContext(connection) as asked:
        for path in ("/admin/", SHOP, SHOP + "settings/", "/admin/account/", "/admin/projects/project/"):
            assert browser.get(path).status_code == 200
    assert not [query for query in asked if "django_admin_log" in query["sql"]]
