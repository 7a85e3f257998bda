"""requirements.in names what the code imports, no less and no more, and docs/dependencies.md says why."""

from __future__ import annotations

import ast
import re
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent.parent
ROOMS = ("admin_ui", "mbaas", "projects", "sdk_schemas")

# Needed without an import of ours, and by whom.
NAMED_ELSEWHERE = {
    "argon2-cffi": "Django's password hasher",
    "bcrypt": "Django's password hasher",
    "drf-spectacular-sidecar": "INSTALLED_APPS",
    "whitenoise": "MIDDLEWARE",
}


def normal(name: str) -> str:
    return re.sub(r"[-_.]+", "-", name).lower()


def listed(file: str) -> set[str]:
    """The packages that a requirements file names."""
    lines = (ROOT / file).read_text().splitlines()
    found = (re.match(r"[A-Za-z0-9._-]+", line) for line in lines if not line.startswith(("-", "#", " ")))
    return {normal(match[0]) for match in found if match}


def imported() -> dict[str, str]:
    """Each package that the code imports, with a file that does."""
    distributions = packages_distributions()
    found: dict[str, str] = {}
    for room in ROOMS:
        for path in (ROOT / room).rglob("*.py"):
            for module in modules_of(ast.parse(path.read_text())):
                if module not in sys.stdlib_module_names and module not in ROOMS:
                    # psycopg has a second distribution, the compiled one; the first is what one asks for.
                    names = sorted(normal(name) for name in distributions[module])
                    found.setdefault(names[0], str(path.relative_to(ROOT)))
    return found


def modules_of(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            yield node.module.partition(".")[0]


def test_every_import_is_a_requirement() -> None:
    # The pool is an extra of psycopg.
    needed = {"psycopg" if name == "psycopg-pool" else name: path for name, path in imported().items()}
    missing = {name: path for name, path in needed.items() if name not in listed("requirements.in")}
    assert not missing


def test_every_requirement_is_imported() -> None:
    idle = listed("requirements.in") - set(imported()) - set(NAMED_ELSEWHERE)
    assert not idle


@pytest.mark.parametrize("file", ["requirements", "requirements-dev"])
def test_every_requirement_is_pinned_with_a_hash_and_names_no_registry(file: str) -> None:
    text = (ROOT / f"{file}.txt").read_text()
    assert listed(f"{file}.in") <= listed(f"{file}.txt")
    for block in re.split(r"\n(?=[^\s#])", text.strip()):
        assert re.match(r"[A-Za-z0-9._-]+(\[[a-z,]+\])?==\S+ \\\n\s+--hash=sha256:", block), (
            block.splitlines()[0]
        )
    assert "://" not in text
    assert "--find-links" not in text


def test_the_lockfile_of_the_client_tests_names_no_registry() -> None:
    assert '"resolved"' not in (ROOT / "tests/clients/package-lock.json").read_text()


@pytest.mark.parametrize("file", ["requirements.in", "requirements-dev.in"])
def test_every_requirement_has_its_reason(file: str) -> None:
    rows = [line for line in (ROOT / "docs/dependencies.md").read_text().splitlines() if line.startswith("|")]
    named = {normal(name) for row in rows for name in re.split(r"[,()\s|]+", row.split("|")[1]) if name}
    assert listed(file) <= named
