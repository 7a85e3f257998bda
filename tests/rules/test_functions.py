"""strftime and geoDistance: the same answer from Python, from SQLite and from PostgreSQL, for any text and number."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from projects.geo import geo_distance
from projects.rules import Scope, compile_predicate, parse_filter, parse_rule
from projects.rules.postgresql_time import to_char_pattern
from projects.strftime import CONVERSIONS, strftime
from tests.rules.world import GUEST, NOW, World, collection, field, make_world

PIECES = st.sampled_from(
    ["2024", "-", "02", "29", "31", "12", "00", "0000", "13", " ", "T", ":", "23", "59", ".", "678", "9995", "Z", "z",
     "+02:00", "-15:00", "2024-02-29", "2024-01-31T23:59:59.999Z", "1999-12-31 10:11", "now", "2460370.5", "1e3", "é"]
)  # fmt: skip
TEXTS = st.lists(PIECES, max_size=4).map("".join)
NUMBERS = st.sampled_from(
    [0, 1, -1, 2460370.5, 2460370.123456, 1721425.5, 1721425.4, 5373484.49, 5373484.5, 1.7e9, 1e15]
)
MODIFIERS = st.lists(
    st.sampled_from(
        ["+1 month", "-1 month", "+1 year", "1 day", "-3.5 days", "+1.5 months", "0.25 years", "start of month",
         "start of year", "START OF DAY", "weekday 0", "weekday 6", "weekday 7", "+12 hours", "-90 minutes", "30.5 seconds",
         "+10:46", "-10:46:20.5", "+0001-02-03", "-0001-02-03 10:20", "+0000-13-00", "floor", "ceiling", "unixepoch",
         "auto", "julianday", "utc", "localtime", "subsec", "nope", "+1 fortnight", "9999 years", ""]
    ),
    max_size=3,
)  # fmt: skip
FORMATS = st.lists(
    st.sampled_from([*(f"%{name}" for name in CONVERSIONS), " ", "-", "abc", '"', "\\", "'", "é", "%"]),
    max_size=4,
).map("".join) | st.just("%Y-%m-%d %H:%M:%f")


@pytest.mark.parametrize(
    ("form", "time", "modifiers", "text"),
    [
        ("%Y-%m-%d %H:%M:%f", "2024-02-29T13:14:15.678Z", (), "2024-02-29 13:14:15.678"),
        ("%d|%e|%j|%k|%l|%I|%p|%P", "2024-02-03 03:04", (), "03| 3|034| 3| 3|03|AM|am"),
        ("%F %T %R", "2024-02-29 13:14:15", (), "2024-02-29 13:14:15 13:14"),
        ("%G-%V-%u %g", "2021-01-03", (), "2020-53-7 20"),
        ("%w %U %W", "2024-02-29", (), "4 08 09"),
        ("%s %J %%", "1970-01-01", (), "0 2440587.5 %"),
        ("%Y-%m-%d", "2024-01-31", ("+1 month",), "2024-03-02"),
        ("%Y-%m-%d", "2024-01-31", ("+1 month", "floor"), "2024-02-29"),
        ("%Y-%m-%d", "2024-03-10", ("start of month", "-1 day"), "2024-02-29"),
        ("%Y-%m-%d", "2024-02-29", ("weekday 0",), "2024-03-03"),
        ("%H", "2024-02-29T13:14:15+02:00", (), "11"),
        ("%Y", 1700000000, ("unixepoch",), "2023"),
        ("%Y", "1700000000", ("auto",), "2023"),
        ("%Y", 2460370.5, (), "2024"),
        ("%Y", "now", (), "2026"),
        ("%Y", "2024-02-31", (), "2024"),
        ("%d", "2024-02-31", (), "02"),
        ("%Y", "2024-02-32", (), None),
        ("%Y", "2024-13-01", (), None),
        ("%Y", "", (), None),
        ("%Y", None, (), None),
        ("%Y", "2024", (), None),
        ("%Q", "2024-01-01", (), None),
        ("%", "2024-01-01", (), None),
        ("%Y", "2024-01-01", ("nope",), None),
        ("%Y", "2024-01-01", ("unixepoch",), None),
        ("%Y", "9999-12-31", ("+1 day",), None),
    ],
)
def test_times_are_written_as_sqlite_does(form: str, time: Any, modifiers: Any, text: str | None) -> None:
    assert strftime(form, time, modifiers, datetime(2026, 11, 23, tzinfo=UTC)) == text


@pytest.mark.parametrize(
    ("points", "kilometres"),
    [
        ((0, 0, 0, 0), 0),
        ((23.32, 42.69, 23.32, 42.69), 0),
        ((0, 0, 180, 0), 20015.09),
        ((0, 90, 0, -90), 20015.09),
        ((2.3522, 48.8566, -0.1276, 51.5072), 343.55),
        (("23.32", 42.69, 0, True), 5184.93),
        (("x", 0, 0, 0), None),
        ((None, 0, 0, 0), None),
        (("1e3", 0, 0, 0), None),
        ((10**400, 0, 0, 0), None),
    ],
)
def test_distances_are_kilometres_on_a_sphere(points: Any, kilometres: float | None) -> None:
    found = geo_distance(*points)
    assert found == kilometres if kilometres is None else found == pytest.approx(kilometres, abs=0.5)


@pytest.fixture
def world(session: Any) -> World:
    made = collection(
        "times",
        field("t", "text"),
        field("n", "number"),
        field("d", "date"),
        field("j", "json"),
        field("b", "bool"),
    )
    return make_world(session, [made], {"times": [{"id": "1"}]})


def quoted(text: str) -> str:
    escaped = text.replace("\\", "\\\\").replace("'", "\\'")
    return f"'{escaped}'"


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@example(form="%Y", text="2024-02-29", number=0, modifiers=["unixepoch"])
@example(form="%J", text="2024-02-29T13:14:15.678Z", number=2460370.123456, modifiers=[])
@example(form="%d%d%S%S%f%g%Y", text="", number=2460370.5, modifiers=[])
@example(form='%Y"\\%d', text="2024-01-31", number=1, modifiers=["+1 month", "floor", "start of year"])
@given(form=FORMATS, text=TEXTS, number=NUMBERS, modifiers=MODIFIERS)
def test_times_are_the_same_everywhere(
    world: World, form: str, text: str, number: float, modifiers: list[str]
) -> None:
    values = {"t": text, "n": number, "j": text, "d": text if text.endswith("999Z") else ""}
    rest = "".join(f", {quoted(modifier)}" for modifier in modifiers)
    store(world, values)
    for name, value in values.items():
        expected = strftime(form, None if name in "tj" and value == "now" else value, modifiers)
        call = f"strftime({quoted(form)}, {name}{rest})"
        for rule in (f"{call} = {quoted(expected or '')}", f"{call} != {quoted(expected or '')}"):
            holds = ["1"] if " = " in rule.removeprefix(call) else []
            assert asked(world, rule, values) == [holds] * 3, f"{rule} of {value!r}"
    constant = f"strftime({quoted(form)}, {quoted(text)}{rest}) = {quoted(strftime(form, text, modifiers, NOW) or '')}"
    assert asked(world, constant, values) == [["1"]] * 3, constant


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    points=st.tuples(
        *[st.sampled_from([0, 1, -179.5, 42.69, 90, "23.5", " 5 ", "x", "", "1e3", None, True, [1]])] * 2
    ),
    least=st.sampled_from([-1, 0, 100, 5000, 15000]),
)
def test_distances_are_the_same_everywhere(world: World, points: tuple[Any, Any], least: int) -> None:
    first, second = points
    number = first if isinstance(first, int | float) else 0
    values = {"t": second if isinstance(second, str) else "", "n": number, "j": second, "b": second is True}
    store(world, values)
    for name, value in values.items():
        distance = geo_distance(value, 10, number, 20)
        expected = [["1"] if distance is not None and distance > least + 0.001 else []] * 3
        rule = f"geoDistance({name}, 10, n, 20) > {least}.001"
        assert asked(world, rule, values) == expected, f"{rule} of {value!r}"


def store(world: World, values: dict[str, Any]) -> None:
    fields = world.collection("times").field_by_name
    engine = world.session.engine
    sets = ", ".join(f"{name} = ?" for name in values)
    parameters = [fields[name].to_db(value, engine) for name, value in values.items()]
    world.session.execute(world.session.sql(f"UPDATE times SET {sets}"), parameters)


def asked(world: World, rule: str, values: dict[str, Any]) -> list[list[str]]:
    """By SQL as a rule, whose constants are known, and as a filter, whose are not; and by Python."""
    scope = Scope(world.schema, world.collection("times"), world.session.engine)
    parsed = parse_filter(rule)
    condition = scope.filter(parsed, superuser=True)
    record = {"id": "1", "b": False, **values}
    predicate = compile_predicate(parse_rule(rule), world.schema, world.collection("times"))
    return [
        world.by_sql("times", rule, GUEST),
        world._ids(scope, condition, parsed.constants, GUEST),
        ["1"] if predicate.test(record, GUEST, NOW) else [],
    ]


def test_only_the_constant_word_now_is_the_present(world: World) -> None:
    store(world, {"t": "now"})
    assert asked(world, "strftime('%Y', 'now') = '2026'", {"t": "now"}) == [["1"]] * 3
    assert asked(world, "strftime('%Y', t) = ''", {"t": "now"}) == [["1"]] * 3


def test_a_rule_that_asks_for_now_depends_on_the_time(world: World) -> None:
    times = world.collection("times")
    for rule, volatile in [
        ("strftime('%Y', 'now') = '2026'", True),
        ("strftime('%Y') = '2026'", True),
        ("strftime('%Y', @now) = '2026'", True),
        ("strftime('%Y', '2024-01-01') = '2026'", False),
        ("strftime('%Y', d) = '2026'", False),
    ]:
        assert compile_predicate(parse_rule(rule), world.schema, times).volatile is volatile


def test_formats_become_patterns_of_to_char() -> None:
    assert to_char_pattern('%Y-"%%\\') == '""YYYY"-""\\"""%""\\\\"'
    assert to_char_pattern("%Q") is None
