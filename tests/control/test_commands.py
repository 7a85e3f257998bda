from __future__ import annotations

import io
import json
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command, get_commands, load_command_class
from django.core.management.base import CommandError

from projects.control import bootstrap, doctor, tokens
from projects.control.actor import Actor
from projects.crypto import hash_secret
from projects.databases import write_session
from projects.databases.aliases import sqlite_path
from projects.models import AuditEntry, ConsoleUser, Placement, Project
from tests.control.conftest import PASSWORD


def _run(name: str, *arguments: str) -> tuple[str, str]:
    out, err = io.StringIO(), io.StringIO()
    call_command(name, *arguments, stdout=out, stderr=err)
    return out.getvalue(), err.getvalue()


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> Any:
    """Put a line on standard input."""

    def put(line: str) -> None:
        monkeypatch.setattr("sys.stdin", io.StringIO(f"{line}\n"))

    return put


OURS = sorted(name for name, app in get_commands().items() if app == "projects")


def test_these_are_our_commands() -> None:
    assert OURS == [
        "bootstrap",
        "change_password",
        "check_rules",
        "create_key",
        "create_owner",
        "create_project",
        "create_token",
        "doctor",
        "export_collections",
        "import_collections",
        "import_pocketbase",
        "import_records",
        "migrate_projects",
        "move_files",
        "purge_projects",
        "rotate_secrets",
    ]


@pytest.mark.parametrize("name", OURS)
def test_each_command_says_what_it_does(name: str) -> None:
    parser = load_command_class("projects", name).create_parser("manage.py", name)
    assert len(parser.description or "") > 40
    assert all(action.help for action in parser._actions if action.dest not in ("email", "name"))


# --- create_project, create_key -----------------------------------------------------------------------


def test_create_project_prints_the_uid_and_nothing_else(
    local: Placement, people: dict[str, ConsoleUser]
) -> None:
    out, err = _run("create_project", "garden", "--owner", "Owner@example.com", "--name", "Garden")
    project = Project.objects.get()
    assert out == f"{project.uid}\n" and "garden" in err
    assert (project.name, project.memberships.get().user) == ("Garden", people["owner"])


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (("AB",), "lower-case letters"),
        (("garden", "--owner", "nobody@example.com"), "nobody@example.com"),
        (("garden", "--placement", "mars"), "placement"),
        (("admin",), "reserved"),
    ],
)
def test_create_project_says_what_is_wrong(arguments: tuple[str, ...], says: str, local: Placement) -> None:
    with pytest.raises(CommandError, match=says):
        _run("create_project", *arguments)
    assert not Project.objects.exists()


@pytest.mark.parametrize("kind", ["service", "public"])
def test_create_key_prints_the_key_alone(kind: str, shop: Project) -> None:
    out, err = _run("create_key", "shop", "--kind", kind, "--name", "Server")
    text = out.removesuffix("\n")
    found = shop.keys.get(hash=hash_secret(text))
    assert (found.kind, found.name) == (kind, "Server")
    assert text not in err


def test_create_key_refuses_an_unknown_project_or_kind(shop: Project) -> None:
    with pytest.raises(CommandError, match="nowhere"):
        _run("create_key", "nowhere", "--kind", "service")
    with pytest.raises(CommandError, match="invalid choice"):
        _run("create_key", "shop", "--kind", "root")


# --- people -------------------------------------------------------------------------------------------


@pytest.mark.django_db
def test_create_owner_takes_the_password_from_standard_input(typed: Any) -> None:
    typed(PASSWORD)
    _run("create_owner", "First@example.com", "--password-stdin")
    user = ConsoleUser.objects.get()
    assert (user.email, user.is_operator, user.check_password(PASSWORD)) == ("first@example.com", True, True)


@pytest.mark.django_db
def test_create_owner_refuses_a_weak_password_and_waits_for_nobody(typed: Any) -> None:
    typed("short")
    with pytest.raises(CommandError, match="password"):
        _run("create_owner", "first@example.com", "--password-stdin")
    with pytest.raises(CommandError, match="--password-stdin"):
        _run("create_owner", "first@example.com")
    assert not ConsoleUser.objects.exists()


def test_change_password_changes_it(people: dict[str, ConsoleUser], typed: Any) -> None:
    typed("another-battery-9")
    _run("change_password", "viewer@example.com", "--password-stdin")
    people["viewer"].refresh_from_db()
    assert people["viewer"].check_password("another-battery-9")
    with pytest.raises(CommandError, match="nobody@example.com"):
        _run("change_password", "nobody@example.com", "--password-stdin")


def test_create_token_prints_the_token_alone(people: dict[str, ConsoleUser]) -> None:
    out, _ = _run("create_token", "viewer@example.com", "--days", "7")
    assert tokens.find_token_user(out.strip()) == people["viewer"]


# --- migrate_projects, purge_projects -----------------------------------------------------------------


def test_migrate_projects_reports_a_failure_goes_on_and_fails_at_the_end(
    shop: Project, actors: dict[str, Actor], monkeypatch: pytest.MonkeyPatch
) -> None:
    from projects.control.projects import create_project
    from projects.management.commands import migrate_projects

    create_project(actors["owner"], "garden")
    create_project(actors["owner"], "notes")
    done: list[str] = []

    def migrate(handle: Any) -> bool:
        if handle.ref == "garden":
            raise RuntimeError("no space left")
        done.append(handle.ref)
        return handle.ref == "notes"

    monkeypatch.setattr(migrate_projects, "migrate_database", migrate)
    err = io.StringIO()
    with pytest.raises(CommandError, match=r"1 project\(s\) are not migrated"):
        call_command("migrate_projects", stderr=err)
    assert sorted(done) == ["notes", "shop"]
    assert "garden" in err.getvalue() and "no space left" in err.getvalue()
    assert "1 migrated, 1 were up to date, 1 failed." in err.getvalue()


def test_migrate_projects_migrates_an_old_database_once(shop: Project) -> None:
    from projects.databases import close_thread, write_session

    with write_session(shop.handle()) as session:
        session.execute("UPDATE _params SET value = 'old' WHERE key = 'migrations'")
    close_thread()
    assert "1 migrated, 0 were up to date" in _run("migrate_projects")[1]
    assert "0 migrated, 1 were up to date" in _run("migrate_projects")[1]


def test_migrate_projects_says_which_database_is_missing(shop: Project) -> None:
    sqlite_path(shop.uid).unlink()
    err = io.StringIO()
    with pytest.raises(CommandError):
        call_command("migrate_projects", stderr=err)
    assert "shop" in err.getvalue() and "missing" in err.getvalue()


def test_purge_projects_before_the_time_asks_for_the_ref_twice(
    shop: Project, actors: dict[str, Actor]
) -> None:
    from projects.control.deletion import request_deletion

    with pytest.raises(CommandError, match="not being deleted"):
        _run("purge_projects", "--ref", "shop", "--confirm", "shop")
    request_deletion(actors["owner"], shop, typed_ref="shop")
    assert _run("purge_projects") == ("", "")
    with pytest.raises(CommandError, match="--confirm shop"):
        _run("purge_projects", "--ref", "shop")
    _run("purge_projects", "--ref", "shop", "--confirm", "shop")
    assert not Project.objects.exists()


# --- bootstrap ----------------------------------------------------------------------------------------


@pytest.fixture
def bare(db: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MBAAS_ADMIN_EMAIL", raising=False)
    monkeypatch.delenv("MBAAS_ADMIN_PASSWORD", raising=False)


def test_bootstrap_makes_an_owner_whose_password_it_shows_once(bare: None) -> None:
    out, _ = _run("bootstrap", "--no-demo")
    user = ConsoleUser.objects.get()
    assert user.email == "admin@example.com" and user.is_operator
    shown = out.split("password  ")[1].split()[0]
    assert len(shown) >= 12 and user.check_password(shown)
    assert _run("bootstrap", "--no-demo") == ("", "")


def test_bootstrap_takes_the_owner_from_the_environment(bare: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MBAAS_ADMIN_EMAIL", "Alice@example.com")
    monkeypatch.setenv("MBAAS_ADMIN_PASSWORD", PASSWORD)
    out, err = _run("bootstrap", "--no-demo")
    assert ConsoleUser.objects.get(email="alice@example.com").check_password(PASSWORD)
    assert PASSWORD not in out + err


def test_bootstrap_says_why_a_password_cannot_be_taken(bare: None, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MBAAS_ADMIN_PASSWORD", "short")
    with pytest.raises(CommandError, match="password"):
        _run("bootstrap", "--no-demo")
    assert not ConsoleUser.objects.exists()


def test_bootstrap_leaves_another_default_placement_alone(bare: None) -> None:
    Placement.objects.create(name="pg-1", engine="postgresql", is_default=True)
    _run("bootstrap", "--no-demo")
    assert Placement.objects.get(is_default=True).name == "pg-1"
    assert Placement.objects.get(name="local").accepts_projects


def test_a_second_bootstrap_asks_five_short_questions(bare: None, django_assert_max_num_queries: Any) -> None:
    _run("bootstrap", "--no-demo")
    Project.objects.create(ref="any", name="any", placement=Placement.objects.get())
    with django_assert_max_num_queries(5):
        _run("bootstrap")


def test_a_deleted_demo_does_not_come_back(bare: None) -> None:
    _run("bootstrap")
    from projects.control import deletion

    demo = Project.objects.get(ref="demo")
    deletion.request_deletion(_operator(), demo, typed_ref="demo")
    deletion.purge_project(_operator(), demo, before_due=True)
    _run("bootstrap")
    assert not Project.objects.exists()


def _operator() -> Actor:
    return Actor.person(ConsoleUser.objects.get(is_operator=True))


def test_the_control_planes_migrations_are_known_by_name(db: None) -> None:
    assert bootstrap.missing_migrations() == set()
    assert ("projects", "0001_control_plane") in bootstrap._migrations()


# --- doctor -------------------------------------------------------------------------------------------


def _findings() -> dict[str, list[doctor.Finding]]:
    found: dict[str, list[doctor.Finding]] = {}
    for finding in doctor.examine():
        found.setdefault(finding.check, []).append(finding)
    return found


def test_doctor_finds_nothing_wrong_with_a_healthy_installation(shop: Project) -> None:
    assert [f for found in _findings().values() for f in found if f.level == "error"] == []
    out, _ = _run("doctor")
    assert "placement local" in out


def test_doctor_speaks_json_and_fails_when_something_does_not_work(people: dict[str, ConsoleUser]) -> None:
    out = io.StringIO()
    with pytest.raises(SystemExit) as ended:
        call_command("doctor", "--json", stdout=out)
    assert ended.value.code == 1
    by_check = {item["check"]: item for item in json.loads(out.getvalue())}
    assert by_check["placements"]["level"] == "error" and by_check["placements"]["fix"]
    assert by_check["people"]["level"] == "ok"


def test_doctor_names_projects_without_a_database(shop: Project) -> None:
    sqlite_path(shop.uid).unlink()
    (finding,) = _findings()["placement local"]
    assert finding.level == "error" and "shop" in finding.message


def test_doctor_says_that_a_server_cannot_be_reached(people: dict[str, ConsoleUser]) -> None:
    placement = Placement(name="away", engine="postgresql")
    placement.url = "postgresql://u:s3cret@127.0.0.1:1/x"
    placement.save()
    (finding,) = _findings()["placement away"]
    assert finding.level == "error" and "127.0.0.1:1" in finding.fix
    assert "s3cret" not in finding.message + finding.fix


def test_doctor_says_that_a_secret_key_was_lost(people: dict[str, ConsoleUser], settings: Any) -> None:
    placement = Placement(name="locked", engine="postgresql")
    placement.url = "postgresql://u:p@127.0.0.1:1/x"
    placement.save()
    settings.MBAAS_SECRET_KEYS = ["another-secret-key-of-enough-characters"]
    (finding,) = _findings()["placement locked"]
    assert "decrypted" in finding.message


@pytest.mark.parametrize(
    ("changes", "check", "level"),
    [
        ({"MBAAS_SECRET_KEYS": ["short"]}, "secret keys", "error"),
        ({"MBAAS_DATA_DIR": Path("/proc/nowhere")}, "data folder", "error"),
        ({"MBAAS_REDIS_URL": "redis://127.0.0.1:1/0"}, "redis", "error"),
        ({"DEBUG": True}, "addresses", "warning"),
        ({"MBAAS_PUBLIC_URL": "http://api.example.com"}, "addresses", "warning"),
    ],
)
def test_doctor_finds_wrong_settings(
    changes: dict[str, Any], check: str, level: str, shop: Project, settings: Any
) -> None:
    for name, value in changes.items():
        setattr(settings, name, value)
    assert next(f.level for f in _findings()[check]) == level
    assert all(f.fix for f in _findings()[check] if f.level != "ok")


@pytest.mark.parametrize(("limit", "level"), [(1024, "error"), (20_000, "warning"), (1_048_576, "ok")])
def test_doctor_looks_at_the_limit_of_open_files(
    limit: int, level: str, shop: Project, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("resource.getrlimit", lambda which: (1024, limit))
    assert _findings()["file handles"][0].level == level


def test_collections_are_exported_and_imported_elsewhere(shop: Project, tmp_path: Path) -> None:
    exported, _ = _run("export_collections", shop.ref)
    data = json.loads(exported)
    data["collections"].append(
        {"name": "notes", "type": "base", "fields": [{"name": "title", "type": "text"}]}
    )
    file = tmp_path / "collections.json"
    file.write_text(json.dumps(data["collections"]))
    said, _ = _run("import_collections", shop.ref, str(file), "--dry-run")
    assert said == "+ notes\n    + field id\n    + field title\n"
    assert _run("import_collections", shop.ref, str(file))[0] == said
    assert _run("import_collections", shop.ref, str(file))[1].strip() == "Nothing changes."
    assert AuditEntry.objects.filter(action="collections.imported").count() == 2


@pytest.mark.parametrize(("text", "says"), [("nope", "no JSON"), ("1", "neither a list"), ("[]", "blank")])
def test_a_file_without_collections_is_refused(shop: Project, tmp_path: Path, text: str, says: str) -> None:
    file = tmp_path / "collections.json"
    file.write_text(text)
    with pytest.raises(CommandError, match=says):
        _run("import_collections", shop.ref, str(file))


def test_an_import_that_would_lose_values_wants_to_be_confirmed(shop: Project, tmp_path: Path) -> None:
    file = tmp_path / "collections.json"
    file.write_text(json.dumps([{"name": "notes", "fields": [{"name": "title", "type": "text"}]}]))
    _run("import_collections", shop.ref, str(file))
    with write_session(shop.handle()) as session:
        session.execute("INSERT INTO notes (id, title) VALUES ('a', 'x')")
    file.write_text(json.dumps([{"name": "notes", "fields": []}]))
    arguments = (shop.ref, str(file), "--delete-missing")
    said, note = _run("import_collections", *arguments, "--dry-run")
    assert "! title holds values" in said and "--confirm" in note
    with pytest.raises(CommandError, match="Confirm to go on"):
        _run("import_collections", *arguments)
    _run("import_collections", *arguments, "--confirm")


# --- check_rules --------------------------------------------------------------------------------------


def _notes(shop: Project, tmp_path: Path, **rules: Any) -> None:
    file = tmp_path / "collections.json"
    file.write_text(json.dumps([{"name": "notes", "fields": [{"name": "owner", "type": "text"}], **rules}]))
    _run("import_collections", shop.ref, str(file))


def _check_rules(*arguments: str) -> tuple[str, int]:
    out = io.StringIO()
    try:
        call_command("check_rules", *arguments, stdout=out)
    except SystemExit as stop:
        return out.getvalue(), int(str(stop.code))
    return out.getvalue(), 0


def test_the_rules_of_a_new_project_pass_the_strict_check(shop: Project) -> None:
    said, status = _check_rules(shop.ref, "--strict")
    assert status == 0
    (users,) = [line.split() for line in said.splitlines() if line.startswith("users")]
    assert users == ["users", "owner", "owner", "PUBLIC", "owner", "owner", "superusers"]
    assert "_superusers" not in said and said.endswith("No warnings.\n")


def test_a_warning_fails_the_strict_check_alone(shop: Project, tmp_path: Path) -> None:
    _notes(shop, tmp_path, updateRule="owner = @request.auth.id", listRule="owner = 'all'")
    said, status = _check_rules(shop.ref)
    assert status == 0
    assert "warning: notes.updateRule (guest_equals_empty, at 0)" in said
    assert "expression*" in said and "* guests pass" in said
    assert _check_rules(shop.ref, "--strict")[1] == 1


def test_an_error_always_fails_the_check(shop: Project, tmp_path: Path) -> None:
    _notes(shop, tmp_path, deleteRule="")
    said, status = _check_rules(shop.ref, "--json")
    assert status == 1
    report = json.loads(said)
    assert [warning["code"] for warning in report["warnings"]] == ["open_delete"]
    (notes,) = [one for one in report["collections"] if one["name"] == "notes"]
    assert notes["rules"]["delete"]["public"] is True


def test_an_import_notes_what_its_rules_let_happen(shop: Project, tmp_path: Path) -> None:
    file = tmp_path / "collections.json"
    file.write_text(json.dumps([{"name": "notes", "fields": [], "deleteRule": ""}]))
    _, notes = _run("import_collections", shop.ref, str(file), "--dry-run")
    assert "error: notes.deleteRule: Everyone, guests too, may delete records." in notes
