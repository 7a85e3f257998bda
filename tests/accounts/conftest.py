from __future__ import annotations

import pytest

from projects.accounts import service_keys, superusers


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    """Caches of the control plane hold nothing of an earlier test."""
    superusers._cache.forget()
    service_keys._cache.forget()


@pytest.fixture(autouse=True)
def touched(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """The keys whose use was to be noted; no thread of its own writes it."""
    noted: list[int] = []
    monkeypatch.setattr(service_keys._touches, "note", noted.append)
    return noted
