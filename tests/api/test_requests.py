"""What endpoints read of a request."""

from __future__ import annotations

from urllib.parse import parse_qsl

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.requests import Request

from projects.api.requests import header, query_of


def request(query: bytes = b"", headers: tuple[tuple[bytes, bytes], ...] = ()) -> Request:
    return Request({"type": "http", "query_string": query, "headers": list(headers)})


@given(st.binary(max_size=400))
def test_a_query_is_read_as_the_standard_library_reads_it(raw: bytes) -> None:
    assert dict(query_of(request(raw))) == dict(parse_qsl(raw.decode("latin-1"), keep_blank_values=True))


@pytest.mark.parametrize(
    ("raw", "read"),
    [
        (b"", {}),
        (b"a=1&a=2", {"a": "2"}),
        (b"a&b=&&=c", {"a": "", "b": "", "": "c"}),
        (b"filter=title%20~%20%22x%26y%22&sort=-a,+b", {"filter": 'title ~ "x&y"', "sort": "-a, b"}),
        (b"q=a=b", {"q": "a=b"}),
    ],
)
def test_names_and_values_of_a_query(raw: bytes, read: dict[str, str]) -> None:
    assert query_of(request(raw)) == read


def test_the_first_of_several_headers_counts() -> None:
    asked = request(headers=((b"a", b"1"), (b"b", b"2"), (b"b", b"3")))
    assert (header(asked, b"b"), header(asked, b"c")) == ("2", "")
