"""A first start made complete: tables, the embedded placement, somebody who can sign in, the demo.

Every later start finds all of it there and writes nothing.
"""

from __future__ import annotations

import pkgutil
import secrets
from dataclasses import dataclass
from importlib import import_module
from importlib.util import find_spec

from django.apps import apps
from django.conf import settings
from django.core.management import call_command
from django.db.migrations.recorder import MigrationRecorder

from projects.control.actor import COMMAND
from projects.control.database import control_connection
from projects.control.people import create_person
from projects.control.placements import create_placement
from projects.models import AuditEntry, ConsoleUser, Placement, Project

LOCAL = "local"
DEFAULT_EMAIL = "admin@example.com"


@dataclass(frozen=True, slots=True)
class FirstOwner:
    """``password`` is set only when it was made up here: it is to be shown, once."""

    user: ConsoleUser
    password: str = ""


def ensure_local_placement() -> Placement:
    """The placement of SQLite files in the data folder; the default one unless there is another."""
    found = Placement.objects.filter(name=LOCAL).first()
    if found is None:
        first = not Placement.objects.filter(is_default=True).exists()
        found = create_placement(COMMAND, name=LOCAL, engine="sqlite", is_default=first)
    return found


def ensure_owner(*, email: str = "", password: str = "") -> FirstOwner | None:
    """Somebody who runs the installation, made if there is nobody yet; None if there is.

    Raises ApiError 400 when e-mail or password cannot be used.
    """
    if ConsoleUser.objects.exists():
        return None
    made_up = "" if password else secrets.token_urlsafe(12)
    chosen = email or DEFAULT_EMAIL
    user = create_person(COMMAND, email=chosen, password=password or made_up, is_operator=True)
    return FirstOwner(user, made_up)


def ensure_demo() -> Project | None:
    """The project ``demo`` of a first start; None when there is or was any project. Raises ApiError."""
    # Who deleted the demo does not get it back.
    if Project.objects.exists() or AuditEntry.objects.filter(action="project.created").exists():
        return None
    # Loaded only here: the language and the record operations cost what a second start must not pay.
    from projects.control.demo import create_demo

    return create_demo(ConsoleUser.objects.filter(is_operator=True).order_by("pk").first())


def migrate_control_plane() -> bool:
    """Bring the ``default`` database to this code's version; says whether there was anything to do."""
    if not missing_migrations():
        return False
    call_command("migrate", verbosity=0, interactive=False, skip_checks=True)
    return True


def missing_migrations() -> set[tuple[str, str]]:
    """The migrations, as (app, name), that the control plane's database lacks. Raises DatabaseError."""
    return _migrations() - set(MigrationRecorder(control_connection()).applied_migrations())


def _migrations() -> set[tuple[str, str]]:
    """All migrations of the installed apps, by name alone: loading them would take ten times as long."""
    found = set()
    for config in apps.get_app_configs():
        module = settings.MIGRATION_MODULES.get(config.label, f"{config.name}.migrations")
        if module is None or find_spec(module) is None:
            continue
        names = pkgutil.iter_modules(import_module(module).__path__)
        found |= {(config.label, item.name) for item in names if not item.name.startswith("_")}
    return found
