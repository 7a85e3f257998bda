"""What a subscription's text means."""

from __future__ import annotations

import pytest

from projects.realtime.topics import bases, parse_topic, split_base
from tests.realtime.support import topic


@pytest.mark.parametrize(
    ("text", "base"),
    [
        ("posts", "posts"),
        ("posts/*", "posts/*"),
        ("posts/abc", "posts/abc"),
        ("posts/*?", "posts/*"),
        ("posts/*?a=1", "posts/*"),
        ("posts?options={}", "posts"),
        ("", ""),
        # Options or not, a line break could not be echoed in one line.
        ("posts/*\nevent:x", ""),
        ("posts/*?\r", ""),
    ],
)
def test_the_base_is_what_stands_before_the_options(text: str, base: str) -> None:
    assert parse_topic(text).base == base
    assert parse_topic(text).text == text


@pytest.mark.parametrize(
    ("text", "query"),
    [
        (topic("p", {"filter": "n > 1", "expand": "a", "fields": "id"}), {"filter": "n > 1", "expand": "a", "fields": "id"}),
        ('p?options={"query":{"fields":"n"}}', {"fields": "n"}),
        ('p?x=1&options={"query":{"fields":"n"}}&y=2', {"fields": "n"}),
        # The first of several counts; a plus is a space; keys are found in any case.
        ('p?options={"query":{"a":"1"}}&options={"query":{"a":"2"}}', {"a": "1"}),
        ('p?options={"query":{"a":"x+y"}}', {"a": "x y"}),
        ('p?options={"Query":{"a":"1"}}', {"a": "1"}),
        # Values are texts, as in an address.
        (topic("p", {"a": 5, "b": 5.5, "c": 2.0, "d": True, "e": None, "f": [1], "g": {}}),
         {"a": "5", "b": "5.5", "c": "2", "d": "true", "e": "", "f": "", "g": ""}),
        # What cannot be read counts as no options.
        ("p?options=", {}),
        ("p?options={bad", {}),
        ("p?options=[]", {}),
        ("p?options=null", {}),
        ('p?options={"query":"text"}', {}),
    ],
)  # fmt: skip
def test_options_that_cannot_be_read_count_as_none(text: str, query: dict[str, str]) -> None:
    assert parse_topic(text).query == query


def test_headers_are_named_as_rules_name_them() -> None:
    assert parse_topic(topic("p", None, {"X-Token": "a", "other_one": 1})).headers == {
        "x_token": "a",
        "other_one": "1",
    }


def test_a_record_belongs_to_the_topics_of_its_collection_by_name_and_id_and_to_its_own() -> None:
    whole, single = bases("pbc_1", "posts", "abc")
    assert set(whole) == {"posts", "posts/*", "pbc_1", "pbc_1/*"}
    assert set(single) == {"posts/abc", "pbc_1/abc"}


@pytest.mark.parametrize(
    ("base", "parts"), [("posts", ("posts", "")), ("posts/*", ("posts", "")), ("posts/abc", ("posts", "abc"))]
)
def test_a_base_names_a_collection_and_perhaps_a_record(base: str, parts: tuple[str, str]) -> None:
    assert split_base(base) == parts
