from __future__ import annotations

import re
from unittest import mock

import pytest

from projects.schema.ids import collection_id, field_id, free_collection_id, new_record_id, new_secret


def test_a_record_id_fits_the_default_pattern() -> None:
    assert all(re.fullmatch("[a-z0-9]{15}", new_record_id()) for _ in range(1000))


def test_record_ids_do_not_repeat() -> None:
    assert len({new_record_id() for _ in range(20_000)}) == 20_000


@pytest.mark.parametrize("milliseconds", [1, 60_000, 30 * 365 * 86_400_000])
def test_a_later_id_sorts_after_an_earlier_one(milliseconds: int) -> None:
    start = 1_800_000_000_000
    with mock.patch("time.time_ns", return_value=start * 1_000_000):
        earlier = new_record_id()
    with mock.patch("time.time_ns", return_value=(start + milliseconds) * 1_000_000):
        later = new_record_id()
    assert earlier < later


def test_ids_derived_from_names_are_those_of_the_wire_contract() -> None:
    assert collection_id("base", "_mfas") == "pbc_2279338944"
    assert collection_id("auth", "_superusers") == "pbc_3142635823"
    assert field_id("text", "id") == "text3208210256"
    assert field_id("number", "a") == "number3904355907"


def test_a_taken_collection_id_is_not_given_again() -> None:
    taken = {collection_id("base", "posts")}
    assert free_collection_id("base", "posts", set()) in taken
    assert free_collection_id("base", "posts", taken) not in taken


def test_secrets_are_long_and_differ() -> None:
    assert re.fullmatch("[A-Za-z0-9]{50}", new_secret())
    assert new_secret() != new_secret()
