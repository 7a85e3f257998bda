"""docs/control-api.md says what is so."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.urls import get_resolver

from projects.control.project_settings import SETTINGS
from projects.control.roles import RIGHTS, Action

TEXT = (Path(__file__).resolve().parents[2] / "docs" / "control-api.md").read_text()
# The rows of the table of roles, in the words of the document.
ROWS = {
    "see the project, its members, its collections and rules": {
        Action.PROJECT_VIEW,
        Action.MEMBERS_VIEW,
        Action.SCHEMA_VIEW,
    },
    "rename, change settings": {Action.PROJECT_EDIT},
    "change collections; sign in at `_superusers` (all data)": {Action.SCHEMA_EDIT, Action.DATA_SUPERUSER},
    "see keys and the audit; make and revoke public keys": {
        Action.KEYS_VIEW,
        Action.AUDIT_VIEW,
        Action.KEYS_PUBLIC,
    },
    "make and revoke service keys": {Action.KEYS_SERVICE},
    "add, change and remove members": {Action.MEMBERS_EDIT},
    "suspend, resume, delete, cancel a deletion": {Action.PROJECT_SUSPEND, Action.PROJECT_DELETE},
}


@pytest.mark.parametrize("row", ROWS)
def test_the_table_of_roles_is_the_one_in_code(row: str) -> None:
    (line,) = [line for line in TEXT.splitlines() if line.startswith(f"| {row} |")]
    marks = [cell.strip() == "✓" for cell in line.split("|")[2:5]]
    assert marks == [ROWS[row] <= RIGHTS[role] for role in ("viewer", "developer", "owner")]
    assert marks == [bool(ROWS[row] & RIGHTS[role]) for role in ("viewer", "developer", "owner")]


def test_every_action_stands_in_the_table() -> None:
    assert set().union(*ROWS.values()) == set(Action)


def test_every_project_setting_is_named() -> None:
    named = set(re.findall(r"^\| `(\w+)` \|", TEXT.split("## Project settings")[1], re.MULTILINE))
    assert named == set(SETTINGS)


def test_every_route_is_named() -> None:
    (api,) = [p for p in get_resolver().url_patterns if str(p.pattern) == "api/v1/"]
    for route in api.url_patterns:
        path = re.sub(r"<\w+:(\w+)>", r"{\1}", str(route.pattern)).replace("{pk}", "{id}")
        last = path.rstrip("/").rpartition("/")[2]
        assert not path or f"/{path}" in TEXT or f"…/{last}/" in TEXT, path
