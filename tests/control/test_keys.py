from __future__ import annotations

import hashlib

import pytest
from django.db import connection

from projects.control import keys
from projects.control.actor import Actor
from projects.errors import ApiError
from projects.models import ApiKey, AuditEntry, Project


@pytest.mark.parametrize(("kind", "prefix"), [("service", "sk_"), ("public", "pk_")])
def test_a_key_has_256_random_bits_and_only_its_hash_is_kept(
    kind: str, prefix: str, shop: Project, actors: dict[str, Actor]
) -> None:
    new = keys.create_key(actors["owner"], shop, kind=kind, name="Server")
    assert new.text.startswith(prefix) and len(new.text) == len(prefix) + 43
    assert new.key.hash == hashlib.sha256(new.text.encode()).hexdigest()
    assert new.text.startswith(new.key.prefix) and len(new.key.prefix) < 12


def test_no_table_holds_a_keys_text(shop: Project, actors: dict[str, Actor]) -> None:
    text = keys.create_key(actors["owner"], shop, kind="service", name="Server").text
    with connection.cursor() as cursor:
        for table in connection.introspection.table_names(cursor):
            cursor.execute(f'SELECT * FROM "{table}"')
            assert text[12:] not in repr(cursor.fetchall()), table


def test_two_keys_are_never_the_same(shop: Project, actors: dict[str, Actor]) -> None:
    texts = {keys.create_key(actors["owner"], shop, kind="public").text for _ in range(20)}
    assert len(texts) == 20


def test_a_key_is_revoked_once_and_for_good(shop: Project, actors: dict[str, Actor]) -> None:
    new = keys.create_key(actors["owner"], shop, kind="service")
    keys.revoke_key(actors["owner"], new.key)
    before = ApiKey.objects.get().revoked_at
    keys.revoke_key(actors["owner"], new.key)
    assert before is not None and ApiKey.objects.get().revoked_at == before
    assert AuditEntry.objects.filter(action="key.revoked").count() == 1


@pytest.mark.parametrize(("kind", "name", "field"), [("root", "", "kind"), ("public", "x" * 101, "name")])
def test_a_key_of_unknown_kind_or_with_a_long_name_is_refused(
    kind: str, name: str, field: str, shop: Project, actors: dict[str, Actor]
) -> None:
    with pytest.raises(ApiError) as refused:
        keys.create_key(actors["owner"], shop, kind=kind, name=name)
    assert set(refused.value.data) == {field}
    assert not ApiKey.objects.exists()
