"""Aggregates: right on both engines, and silent about what their reader may not see."""

from __future__ import annotations

from typing import Any

import pytest

from projects.databases import Session, write_session
from projects.errors import ApiError
from projects.records.aggregate import aggregate_records
from projects.schema.collection import CollectionSchema
from tests.accounts.helpers import change_collection, sign_up
from tests.api.support import Client, records, serve
from tests.records.support import call, collection, create, guest, number, relation, text, user


def shop(session: Session, **options: Any) -> CollectionSchema:
    customers = collection(session, "customers", text("name"), text("town", hidden=True))
    ann = create(session, customers, name="Ann", town="Ulm")["id"]
    bob = create(session, customers, name="Bob", town="Bonn")["id"]
    orders = collection(
        session,
        "orders",
        number("total"),
        number("rating", nullable=True),
        {"name": "paid", "type": "bool"},
        text("state"),
        {"name": "day", "type": "date"},
        text("note", hidden=True),
        number("cost", readRule="@request.auth.id = 'boss'"),
        {"name": "tags", "type": "select", "values": ["a", "b"], "maxSelect": 2},
        {"name": "extra", "type": "json"},
        {"name": "pin", "type": "password"},
        relation("by", customers),
        **options,
    )
    for total, rating, paid, state, day, by in (
        (10, None, True, "done", "2026-01-05 10:00:00.000Z", ann),
        (2.5, 4, False, "open", "2026-01-20 23:30:00.000Z", ann),
        (7, 5, True, "done", "2026-02-01 00:00:00.000Z", bob),
        (0, 0, False, "", "", ""),
    ):
        create(session, orders, total=total, rating=rating, paid=paid, state=state, day=day, by=by, note="n")
    return orders


def items(caller: Any, **params: str) -> list[dict[str, Any]]:
    return list(aggregate_records(caller, "orders", params)["items"])


def test_without_a_group_there_is_one_item(session: Session) -> None:
    shop(session)
    assert items(guest(session)) == [{"count": 4}]
    select = "count,count(rating),count(state),sum(total),avg(total),min(total),max(total),sum(paid),min(day),max(state)"
    (found,) = items(guest(session), select=select)
    assert found == {
        "count": 4,
        "count(rating)": 3,
        "count(state)": 3,
        "sum(total)": 19.5,
        "avg(total)": 4.875,
        "min(total)": 0,
        "max(total)": 10,
        "sum(paid)": 2,
        "min(day)": "2026-01-05T10:00:00.000Z",
        "max(state)": "open",
    }
    assert isinstance(found["max(total)"], int)


def test_of_no_records_there_is_no_value(session: Session) -> None:
    shop(session)
    select = "count,sum(total),avg(total),min(day),max(rating)"
    nothing = {"count": 0, "sum(total)": 0, "avg(total)": None, "min(day)": None, "max(rating)": None}
    assert items(guest(session), select=select, filter="total > 100") == [nothing]
    assert items(guest(session), select=select, filter="total > 100", group="state") == []


@pytest.mark.parametrize(
    ("params", "expected"),
    [
        ({"group": "state"}, [{"state": "", "count": 1}, {"state": "done", "count": 2}, {"state": "open", "count": 1}]),
        (
            {"group": "paid", "select": "sum(total)", "sort": "-paid"},
            [{"paid": True, "sum(total)": 17}, {"paid": False, "sum(total)": 2.5}],
        ),
        (
            {"group": "by.name", "select": "count,avg(rating)", "sort": "-count,by.name"},
            [
                {"by.name": "Ann", "count": 2, "avg(rating)": 4},
                {"by.name": None, "count": 1, "avg(rating)": 0},
                {"by.name": "Bob", "count": 1, "avg(rating)": 5},
            ],
        ),
        (
            {"group": "day:month", "select": "count", "filter": "day != ''"},
            [{"day:month": "2026-01", "count": 2}, {"day:month": "2026-02", "count": 1}],
        ),
        ({"group": "day:year,state", "sort": "-state", "perPage": "1"}, [{"day:year": "2026", "state": "open", "count": 1}]),
        ({"group": "day:hour", "filter": "total = 2.5"}, [{"day:hour": "2026-01-20T23", "count": 1}]),
        ({"group": "rating", "filter": "paid = true"}, [{"rating": None, "count": 1}, {"rating": 5, "count": 1}]),
        ({"group": "state", "perPage": "1", "page": "2"}, [{"state": "done", "count": 2}]),
        ({"group": "state,state", "select": "count,count", "filter": "state = 'open'"}, [{"state": "open", "count": 1}]),
    ],
)  # fmt: skip
def test_groups(session: Session, params: dict[str, str], expected: list[dict[str, Any]]) -> None:
    shop(session)
    assert items(guest(session), **params) == expected


def test_only_what_the_caller_may_list_counts(session: Session) -> None:
    shop(session, listRule="state = 'done' && @request.auth.id != ''")
    assert items(guest(session), select="count,sum(total)") == [{"count": 0, "sum(total)": 0}]
    assert items(call(session, user()), select="count,sum(total)") == [{"count": 2, "sum(total)": 17}]
    assert items(call(session), select="count") == [{"count": 4}]
    change_collection(session, "orders", listRule=None)
    with pytest.raises(ApiError) as error:
        items(call(session, user()))
    assert error.value.status == 403


def test_related_records_count_as_far_as_the_caller_may_list_them(session: Session) -> None:
    shop(session)
    change_collection(session, "customers", listRule="name = 'Bob'")
    # Ann's orders are not told apart from no orders at all.
    assert items(guest(session), group="by.name") == [
        {"by.name": None, "count": 1},
        {"by.name": "Bob", "count": 1},
    ]
    assert len(items(call(session), group="by.name")) == 3
    change_collection(session, "customers", listRule=None)
    with pytest.raises(ApiError) as error:
        items(guest(session), group="by.name")
    assert error.value.status == 400


def test_values_that_the_caller_may_not_read_are_none_to_groups_and_sums(session: Session) -> None:
    made = collection(
        session, "pay", text("owner"), number("cost", readRule="owner = @request.auth.id && owner != ''")
    )
    me = user()
    for owner, cost in ((me.id, 5), (me.id, 7), ("bob", 100)):
        create(session, made, owner=owner, cost=cost)

    def pay(caller: Any, **params: str) -> list[dict[str, Any]]:
        return aggregate_records(caller, "pay", params)["items"]

    sums = {"select": "sum(cost),max(cost),avg(cost),count(cost),count"}
    for caller, expected in (
        (call(session), (112, 100, 112 / 3, 3, 3)),
        (call(session, me), (12, 7, 6, 2, 3)),
        (guest(session), (0, None, None, 0, 3)),
    ):
        assert tuple(pay(caller, **sums)[0].values()) == pytest.approx(expected)
    assert pay(call(session, me), group="cost", sort="cost") == [
        {"count": 1, "cost": cost} for cost in (None, 5, 7)
    ]
    assert pay(guest(session), group="cost,owner", sort="owner", filter="cost > 0") == []
    assert [item["cost"] for item in pay(guest(session), group="cost,owner")] == [None, None]


@pytest.mark.parametrize("path", ["note", "by.town"])
def test_what_is_hidden_is_neither_grouped_nor_summed_nor_found(session: Session, path: str) -> None:
    shop(session)
    for params in ({"group": path}, {"select": f"max({path})"}, {"filter": f"{path} != ''"}):
        with pytest.raises(ApiError) as error:
            items(call(session, user()), **params)
        assert error.value.status == 400
        assert items(call(session), **params)


@pytest.mark.parametrize(
    "params",
    [
        {"group": "nope"},
        {"group": "state:month"},
        {"group": "day:minute"},
        {"group": "tags"},
        {"group": "extra"},
        {"group": "extra.a"},
        {"group": "pin"},
        {"group": "by.nope"},
        {"group": "state.x"},
        {"group": "@random"},
        {"group": "@request.auth.id"},
        {"group": "-state"},
        {"group": ",".join(["state"] + [f"day:{part}" for part in ("year", "month", "day", "hour")] * 2 + ["paid", "total", "rating", "by"])},
        {"select": "sum"},
        {"select": "sum(state)"},
        {"select": "avg(day)"},
        {"select": "max(paid)"},
        {"select": "median(total)"},
        {"select": "sum(total) FROM orders"},
        {"select": "sum(total);"},
        {"select": "count(*)"},
        {"select": "max(pin)"},
        {"select": ",".join(f"count(f{n})" for n in range(21))},
        {"sort": "total"},
        {"sort": "-sum(total)"},
        {"filter": "total >"},
        {"filter": "total > 1", "page": "x"},
    ],
)  # fmt: skip
def test_what_cannot_be_read_is_refused(session: Session, params: dict[str, str]) -> None:
    shop(session)
    for caller in (guest(session), call(session)):
        with pytest.raises(ApiError) as error:
            items(caller, **params)
        assert error.value.status == 400


def test_addresses_of_accounts_are_told_to_superusers_alone(session: Session) -> None:
    sign_up(session, "alice@example.com")
    change_collection(session, "users", listRule="")
    for params in ({"group": "email"}, {"select": "min(email)"}):
        with pytest.raises(ApiError) as error:
            aggregate_records(call(session, user()), "users", params)
        assert error.value.status == 400
    (found,) = aggregate_records(call(session), "users", {"group": "email"})["items"]
    assert found == {"email": "alice@example.com", "count": 1}


def test_a_sum_beyond_64_bits_is_no_error(session: Session) -> None:
    numbers = collection(session, "orders", number("n"))
    for _ in range(3):
        create(session, numbers, n=2**62)
    (found,) = items(guest(session), select="sum(n)")
    assert found["sum(n)"] == 3.0 * 2**62


def test_the_route_answers_as_a_list_does(project: Any) -> None:
    with write_session(project) as session:
        shop(session)

    async def test(client: Client) -> None:
        url = f"{records('orders')}/aggregate"
        answer = await client.get(url, params={"group": "state", "select": "count"})
        assert answer.json()["items"][1] == {"state": "done", "count": 2}
        assert {**answer.json(), "items": []} == {
            "items": [], "page": 1, "perPage": 30, "totalItems": -1, "totalPages": -1,
        }  # fmt: skip
        again = await client.get(
            url,
            params={"group": "state", "select": "count"},
            headers={"If-None-Match": answer.headers["etag"]},
        )
        assert again.status_code == 304
        assert (await client.get(f"{records('nope')}/aggregate")).status_code == 404
        assert (await client.get(f"{records('_superusers')}/aggregate")).status_code == 404
        assert (await client.patch(f"{records('customers')}/aggregate", json={})).status_code == 404

    serve(project, test)
