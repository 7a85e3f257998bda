from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.schema.dates import date_text, normalize_date, now_text, parse_date


@pytest.mark.parametrize(
    ("text", "canonical"),
    [
        ("2022-01-02", "2022-01-02T00:00:00.000Z"),
        ("2022-01-02 10:11:12", "2022-01-02T10:11:12.000Z"),
        ("2022-01-02T10:11:12", "2022-01-02T10:11:12.000Z"),
        ("2022-01-02 10:11:12.123Z", "2022-01-02T10:11:12.123Z"),
        ("2022-01-02T10:11:12.123456789Z", "2022-01-02T10:11:12.123Z"),
        ("2022-01-02T10:11:12.9999Z", "2022-01-02T10:11:12.999Z"),
        ("2022-01-02T10:11:12.5+02:00", "2022-01-02T08:11:12.500Z"),
        ("2022-01-02 10:11:12 +0200", "2022-01-02T08:11:12.000Z"),
        ("2022-01-02 10:11:12-0030", "2022-01-02T10:41:12.000Z"),
        ("2024-02-29T00:00:00.000Z", "2024-02-29T00:00:00.000Z"),
        ("Mon, 02 Jan 2006 15:04:05 MST", "2006-01-02T15:04:05.000Z"),
        ("Mon, 02 Jan 2006 15:04:05 -0700", "2006-01-02T22:04:05.000Z"),
        ("Mon Jan 2 15:04:05 2006", "2006-01-02T15:04:05.000Z"),
        ("02 Jan 2006", "2006-01-02T00:00:00.000Z"),
        ("9999-12-31 23:59:59.999Z", "9999-12-31T23:59:59.999Z"),
    ],
)
def test_a_moment_is_read_in_every_usual_spelling(text: str, canonical: str) -> None:
    assert normalize_date(text) == canonical
    assert normalize_date(canonical) == canonical


@pytest.mark.parametrize(
    "text",
    [
        "", "abc", "2022", "2022-01", "2022-1-2", "2022-01-02 10:11", "2022-02-30", "2022-13-01", "10000-01-01",
        "0000-00-00", "0001-01-01 00:00:00.000Z", "2022-01-02 24:00:00Z", "2023-02-29T00:00:00.000Z",
        " 2022-01-02 ", "01/02/2022", "0001-01-01T00:00:00+14:00", "9999-12-31T23:59:59-14:00", "x" * 10_000,
        "２０２２-01-02",
    ],
)  # fmt: skip
def test_what_is_no_moment_is_the_empty_date(text: str) -> None:
    assert normalize_date(text) == ""
    assert parse_date(text) is None


@pytest.mark.parametrize("value", [None, 0, 1641118272, True, [], {}, ["2022-01-02"]])
def test_only_texts_are_dates(value: object) -> None:
    assert normalize_date(value) == ""


def test_a_moment_is_written_in_utc_and_cut_to_milliseconds() -> None:
    moment = datetime(2022, 1, 2, 1, 2, 3, 999_999, tzinfo=timezone(timedelta(hours=2)))
    assert date_text(moment) == "2022-01-01T23:02:03.999Z"


def test_now_is_canonical() -> None:
    now = now_text()
    assert normalize_date(now) == now
    parsed = parse_date(now)
    assert parsed is not None
    assert abs(parsed - datetime.now(UTC)) < timedelta(seconds=5)


moments = st.datetimes(min_value=datetime(1, 1, 2), timezones=st.just(UTC))


@settings(deadline=None)
@given(moments, moments)
def test_text_order_is_time_order(one: datetime, other: datetime) -> None:
    one, other = (m.replace(microsecond=m.microsecond // 1000 * 1000) for m in (one, other))
    assert (date_text(one) < date_text(other)) == (one < other)
    assert parse_date(date_text(one)) == one
