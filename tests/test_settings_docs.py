"""docs/settings.md and the settings are about the same variables."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parent.parent
VARIABLE = re.compile(r"\bMBAAS_[A-Z0-9_]+\b")
# Read elsewhere than in the settings.
ELSEWHERE = {"MBAAS_ADMIN_EMAIL", "MBAAS_ADMIN_PASSWORD"}


def test_every_setting_is_documented_and_every_documented_setting_exists() -> None:
    settings = (ROOT / "mbaas" / "settings.py").read_text()
    read = set(re.findall(r'env\.\w+\(\s*"(MBAAS_\w+)"', settings)) | {"MBAAS_SECRET_KEYS"}
    documented = set(VARIABLE.findall((ROOT / "docs" / "settings.md").read_text()))
    assert read | ELSEWHERE == documented
