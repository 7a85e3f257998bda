from __future__ import annotations

from typing import Any

import pytest

from projects import crypto
from projects.control import placements
from projects.control.actor import COMMAND
from projects.errors import ApiError
from projects.models import AuditEntry, Placement, Project

URL = "postgresql://mbaas:s3cret@db.example.com:5432/apps"
KEY_1, KEY_2 = "first-secret-key-of-the-installation", "second-secret-key-of-the-installation"

pytestmark = pytest.mark.django_db


def _add(**fields: Any) -> Placement:
    return placements.create_placement(
        COMMAND, **{"name": "pg-1", "engine": "postgresql", "url": URL, **fields}
    )


def test_the_url_is_encrypted_at_rest() -> None:
    placement = _add()
    assert placement.url == URL
    stored = Placement.objects.values().get(name="pg-1")
    assert "s3cret" not in repr(stored) and "db.example.com" not in repr(stored)


def test_the_audit_and_the_name_of_the_server_hold_no_password() -> None:
    placement = _add()
    placements.change_placement(COMMAND, placement, url=URL.replace("s3cret", "n3w").replace("db.", "db2."))
    assert placements.server_of(Placement.objects.get()) == "db2.example.com:5432/apps"
    logged = repr(list(AuditEntry.objects.values()))
    assert "s3cret" not in logged and "n3w" not in logged
    assert "db2.example.com:5432/apps" in logged


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"name": ""}, "name"),
        ({"name": "PG 1"}, "name"),
        ({"name": "a:b"}, "name"),
        ({"engine": "mysql"}, "engine"),
        ({"url": ""}, "url"),
        ({"url": "http://db.example.com/x"}, "url"),
        ({"url": "postgresql://db.example.com"}, "url"),
        ({"url": "postgresql://db.example.com:99999999/x"}, "url"),
        ({"engine": "sqlite"}, "url"),
    ],
)
def test_a_placement_that_cannot_work_is_refused(fields: dict[str, str], field: str) -> None:
    with pytest.raises(ApiError) as refused:
        _add(**fields)
    assert set(refused.value.data) == {field}
    assert not Placement.objects.exists()


def test_there_is_one_default_and_the_last_one_said_wins() -> None:
    _add(is_default=True)
    second = _add(name="pg-2", is_default=True)
    assert list(Placement.objects.filter(is_default=True)) == [second]
    placements.change_placement(COMMAND, Placement.objects.get(name="pg-1"), is_default=True)
    assert Placement.objects.get(is_default=True).name == "pg-1"


def test_a_placement_with_projects_is_not_forgotten(shop: Project) -> None:
    with pytest.raises(ApiError, match="live on this placement"):
        placements.delete_placement(COMMAND, shop.placement)
    assert Placement.objects.exists()


def test_a_new_key_in_front_reads_old_secrets_and_rotation_frees_the_old_one(settings: Any) -> None:
    settings.MBAAS_SECRET_KEYS = [KEY_1]
    _add()
    settings.MBAAS_SECRET_KEYS = [KEY_2, KEY_1]
    assert Placement.objects.get().url == URL
    assert placements.rotate_secrets(COMMAND) == 1
    settings.MBAAS_SECRET_KEYS = [KEY_2]
    assert Placement.objects.get().url == URL


def test_a_secret_without_its_key_says_so_and_can_be_set_anew(settings: Any) -> None:
    settings.MBAAS_SECRET_KEYS = [KEY_1]
    placement = _add()
    settings.MBAAS_SECRET_KEYS = [KEY_2]
    with pytest.raises(crypto.SecretUnreadableError):
        _ = placement.url
    with pytest.raises(crypto.SecretUnreadableError):
        placements.rotate_secrets(COMMAND)
    assert placements.server_of(placement) == ""
    assert placements.change_placement(COMMAND, placement, url=URL).url == URL


def test_encrypting_twice_gives_two_texts_and_nothing_stays_nothing() -> None:
    assert crypto.encrypt("secret") != crypto.encrypt("secret")
    assert crypto.encrypt("") == "" and crypto.decrypt("") == "" and crypto.rotate("") == ""


def test_a_tampered_secret_is_not_read() -> None:
    stored = crypto.encrypt("secret")
    with pytest.raises(crypto.SecretUnreadableError):
        crypto.decrypt(stored[:-4] + "AAAA")
