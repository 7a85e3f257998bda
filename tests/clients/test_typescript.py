"""The types made for TypeScript, compiled by ``tsc --strict`` with the official SDK's own."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from sdk_schemas import Audience, typescript
from tests.clients.test_pocketbase_sdk import HERE, require_node
from tests.sdk_schemas.world import empty_world, world
from tests.services import skip_or_fail

PROGRAMS = HERE / "typed"
_ERROR = re.compile(r"^(?P<file>[\w.]+)\((?P<line>\d+),\d+\): error", re.MULTILINE)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A folder beside the installed packages' types, with the compiler's settings."""
    require_node()
    if not (HERE / "node_modules" / "typescript").exists():
        skip_or_fail("typescript is not installed: npm ci --prefix tests/clients")
    (tmp_path / "node_modules").symlink_to(HERE / "node_modules")
    (tmp_path / "package.json").write_text('{"type": "module"}')
    shutil.copy(PROGRAMS / "tsconfig.json", tmp_path)
    return tmp_path


def compile_there(folder: Path, *, skip_lib_check: bool = True) -> tuple[set[tuple[str, int]], str]:
    """The places of the errors, and all that the compiler said."""
    done = subprocess.run(
        [
            "node",
            str(HERE / "node_modules/typescript/bin/tsc"),
            "--project",
            ".",
            "--skipLibCheck",
            str(skip_lib_check).lower(),
        ],
        cwd=folder,
        capture_output=True,
        text=True,
        check=False,
        timeout=100,
    )
    found = {(match["file"], int(match["line"])) for match in _ERROR.finditer(done.stdout)}
    assert bool(found) == bool(done.returncode), done.stdout + done.stderr
    return found, done.stdout


def write_types(folder: Path, audience: Audience, name: str = "world.ts") -> None:
    (folder / name).write_text(typescript(world(), audience, title="world"))


def test_a_right_program_compiles_and_each_mistake_of_a_wrong_one_is_found(folder: Path) -> None:
    write_types(folder, "app")
    for program in ("good.ts", "bad.ts"):
        shutil.copy(PROGRAMS / program, folder)
    lines = (PROGRAMS / "bad.ts").read_text().splitlines()
    refused = {("bad.ts", number) for number, line in enumerate(lines, 1) if line.endswith("// refused")}
    found, said = compile_there(folder)
    assert found == refused, said
    assert len(refused) > 15


def test_the_types_of_any_schema_compile_as_ts_and_as_declarations(folder: Path) -> None:
    (folder / "empty.ts").write_text(typescript(empty_world(), "app", title="empty"))
    write_types(folder, "superuser", "all.ts")
    write_types(folder, "app", "declared.d.ts")
    found, said = compile_there(folder, skip_lib_check=False)
    assert not found, said


def test_the_file_is_the_same_for_the_same_schema_and_ends_no_comment_early() -> None:
    text = typescript(world(), "app", title="world")
    assert text == typescript(world(), "app", title="world")
    assert "/** What it says * / on top */" in text


def test_an_app_gets_no_types_of_what_is_hidden() -> None:
    app, superuser = (typescript(world(), audience, title="world") for audience in ("app", "superuser"))
    for word in ("internal", "Vault", "the-secret"):
        assert word not in app
    assert "internal" in superuser and "Vault" in superuser and "the-secret-of-the-rule" not in superuser
