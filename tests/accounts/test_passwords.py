from __future__ import annotations

from collections import Counter
from typing import Any

import bcrypt
import pytest
from django.contrib.auth import hashers
from django.contrib.auth.hashers import identify_hasher, make_password

from projects.accounts.passwords import do_password_work, hash_password, matches
from projects.records.auth_fields import PasswordWork
from projects.schema.fields.password import PasswordHash

BCRYPT = bcrypt.hashpw(b"secret", bcrypt.gensalt(4)).decode()


@pytest.fixture
def work_done(monkeypatch: pytest.MonkeyPatch) -> Counter[str]:
    """How often each hasher checked or made a hash."""
    done: Counter[str] = Counter()
    for hasher in {type(one) for one in hashers.get_hashers()}:
        for method in ("verify", "encode"):
            original = getattr(hasher, method)

            def counted(self: Any, *args: Any, _o: Any = original, _m: str = method, **kwargs: Any) -> Any:
                done[_m] += 1
                return _o(self, *args, **kwargs)

            monkeypatch.setattr(hasher, method, counted)
    return done


def test_a_password_matches_its_own_hash_only() -> None:
    stored = hash_password("secret")
    assert matches("secret", stored).right
    assert not matches("Secret", stored).right
    assert not matches("", stored).right
    assert hash_password("secret") != stored


def test_the_production_algorithm_is_argon2id() -> None:
    from mbaas.settings import PASSWORD_HASHERS

    assert PASSWORD_HASHERS[0] == "projects.passwords.Argon2Hasher"
    from projects.passwords import Argon2Hasher

    encoded = Argon2Hasher().encode("secret", "somesalt")
    assert encoded.startswith("argon2$argon2id$v=19$m=19456,t=2,p=1$")
    assert matches("secret", encoded).right


@pytest.mark.parametrize(
    "stored",
    [BCRYPT, BCRYPT.replace("$2b$", "$2a$"), BCRYPT.replace("$2b$", "$2y$"), f"bcrypt${BCRYPT}"],
    ids=["2b", "2a", "2y", "with Django's prefix"],
)
def test_bcrypt_hashes_verify_and_are_upgraded(stored: str) -> None:
    match = matches("secret", stored)
    assert match.right and isinstance(match.upgrade, PasswordHash)
    assert identify_hasher(match.upgrade).algorithm != "bcrypt" and matches("secret", match.upgrade).right
    wrong = matches("wrong", stored)
    assert not wrong.right and wrong.upgrade is None


def test_a_hash_of_today_is_not_upgraded() -> None:
    assert matches("secret", hash_password("secret")).upgrade is None


@pytest.mark.parametrize("stored", ["", "nonsense", "$2a$", "bcrypt$", "argon2$", "!unusable"])
@pytest.mark.parametrize("plain", ["", "nonsense", "nobody's password"])
def test_nothing_matches_what_is_no_hash(stored: str, plain: str) -> None:
    assert not matches(plain, stored).right


@pytest.mark.parametrize(
    "plain", ["x" * 73, "é" * 40, "a\0b", "\ud800"], ids=["long", "long in bytes", "NUL", "surrogate"]
)
@pytest.mark.parametrize("stored", [BCRYPT, make_password("x")], ids=["bcrypt", "today's"])
def test_a_text_that_no_password_can_be_is_simply_wrong(plain: str, stored: str) -> None:
    assert not matches(plain, stored).right


def test_nobodys_password_costs_what_a_wrong_one_does(work_done: Counter[str]) -> None:
    stored = hash_password("secret")
    matches("warm", "")
    work_done.clear()
    matches("wrong", stored)
    wrong = dict(work_done)
    work_done.clear()
    matches("wrong", "")
    assert dict(work_done) == wrong and wrong


def test_a_wrong_old_password_hashes_nothing(work_done: Counter[str]) -> None:
    stored = hash_password("secret")
    work_done.clear()
    wrong = do_password_work(PasswordWork({"password": "new one"}, old="nope", stored=stored))
    checked = work_done["encode"]
    assert not wrong.hashes and not wrong.proved
    right = do_password_work(PasswordWork({"password": "new one"}, old="secret", stored=stored))
    assert right.proved == stored and matches("new one", right.hashes["password"]).right
    assert work_done["encode"] > 2 * checked


def test_plain_passwords_do_not_show_in_a_traceback() -> None:
    work = PasswordWork({"password": "hunter2"}, old="hunter1")
    assert "hunter" not in repr(work) and "hunter" not in repr(do_password_work(work))
