"""How long the change log is kept: cut off from its beginning, never what its readers still need."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.databases import Session, close_thread, sweeping, write_session
from projects.records import tasks
from projects.records.history import record_history
from projects.records.list import list_records
from projects.records.retention import LogStart, kept_since, log_start, needs_pruning, prune
from projects.records.update import update_record
from projects.schema.dates import date_text
from tests.hosting import host
from tests.records.support import call, collection, create, number


def ago(**units: float) -> str:
    return date_text(datetime.now(UTC) - timedelta(**units))


def age(session: Session, seq: int, created: str) -> None:
    session.execute(session.sql("UPDATE _changes SET created = ? WHERE seq = ?"), (created, seq))


def numbers(session: Session) -> list[int]:
    return [seq for (seq,) in session.rows("SELECT seq FROM _changes ORDER BY seq")]


def logged(project: ProjectHandle, *ages: str) -> list[int]:
    """Make a change for each of these dates; their numbers."""
    with write_session(project) as session:
        posts = collection(session, "posts", number("n"))
        record = create(session, posts, n=0)
        for n in range(1, len(ages)):
            update_record(call(session), posts, record["id"], {"n": n})
        seqs = numbers(session)
        for seq, created in zip(seqs, ages, strict=True):
            age(session, seq, created)
    return seqs


def left(project: ProjectHandle) -> list[int]:
    with write_session(project) as session:
        return numbers(session)


@pytest.fixture(autouse=True)
def _closed() -> Any:
    yield
    close_thread()


def test_what_is_older_than_the_installation_keeps_goes_and_nothing_else(project: ProjectHandle) -> None:
    seqs = logged(project, ago(days=40), ago(days=31), ago(days=29), ago(days=1))
    assert prune(project) == 2
    assert left(project) == seqs[2:]
    assert prune(project) == 0
    with write_session(project) as session:
        assert log_start(session).seq == seqs[1]
        history = record_history(
            call(session), "posts", list_records(call(session), "posts", {})["items"][0]["id"], {}
        )
    # What was before the first change that is left can still be seen.
    assert [item["record"]["n"] for item in history["items"]] == [3, 2]
    assert history["items"][-1]["before"] == {"n": 1}


@pytest.mark.parametrize(("days", "kept"), [(7, 1), (0, 1), (365, 4)])
def test_a_project_says_how_long_but_not_below_what_readers_need(
    make_project: Any, settings: Any, days: int, kept: int
) -> None:
    project = make_project(historyDays=days)
    logged(project, ago(days=40), ago(days=31), ago(days=8), ago(hours=47))
    prune(project)
    assert len(left(project)) == kept
    settings.MBAAS_CHANGE_LOG_HOURS = 24 * 9
    assert kept_since(project, datetime.now(UTC)) <= ago(days=9)


def test_it_goes_in_steps(project: ProjectHandle, settings: Any) -> None:
    settings.MBAAS_PRUNE_STEP = 2
    seqs = logged(project, *[ago(days=40)] * 5, ago(days=1))
    assert prune(project) == 5
    assert left(project) == seqs[5:]


def test_a_younger_change_before_an_older_one_holds_it_back_and_a_future_one_does_not(
    project: ProjectHandle,
) -> None:
    # A clock was set right in between: what is left must have no holes.
    seqs = logged(project, ago(days=40), ago(days=-9000), ago(days=35), ago(days=2), ago(days=50))
    prune(project)
    assert left(project) == seqs[3:]
    with write_session(project) as session:
        start = log_start(session)
    assert (start.seq, start.moment) == (seqs[2], start.moment) and start.moment < ago(days=34)


def test_where_the_log_begins_only_moves_on(project: ProjectHandle) -> None:
    seqs = logged(project, ago(days=40), ago(days=20), ago(days=10), ago(days=1))
    prune(project)
    first = _start(project)
    assert first.seq == seqs[0]
    shorter = ProjectHandle(**{**_fields(project), "settings": (("historyDays", 15),)})
    prune(shorter)
    second = _start(project)
    assert second.seq == seqs[1] and second.moment > first.moment
    longer = ProjectHandle(**{**_fields(project), "settings": (("historyDays", 300),)})
    prune(longer)
    assert _start(project) == second


def test_a_clock_that_was_set_back_does_not_set_back_where_the_log_begins(
    project: ProjectHandle, settings: Any
) -> None:
    settings.MBAAS_PRUNE_STEP = 1
    seqs = logged(project, ago(days=40), ago(days=60), ago(days=1))
    prune(project)
    start = _start(project)
    assert start.seq == seqs[1] and ago(days=41) < start.moment < ago(days=39)


def test_totals_stay_right_when_the_log_they_are_checked_by_is_cut_off(project: ProjectHandle) -> None:
    logged(project, ago(days=40))
    for expected in (1, 2, 3):
        with write_session(project) as session:
            assert list_records(call(session), "posts", {"perPage": "1"})["totalItems"] == expected
        prune(project)
        with write_session(project) as session:
            create(session, call(session).collection("posts"))


def test_answers_whose_time_is_over_go_and_others_stay(project: ProjectHandle, settings: Any) -> None:
    settings.MBAAS_PRUNE_STEP = 2
    now = int(time.time())
    with write_session(project) as session:
        for n, created in enumerate([now - 90_000] * 5 + [now - 80_000]):
            session.execute(
                session.sql(
                    "INSERT INTO _answers (key, request, status, body, tag, created) VALUES (?, '', 200, '', '', ?)"
                ),
                (f"key{n}", created),
            )
        assert needs_pruning(session, project)
    prune(project)
    with write_session(project) as session:
        assert session.rows("SELECT key FROM _answers") == [("key5",)]
        assert not needs_pruning(session, project)


def test_the_hourly_sweep_prunes_every_project_and_one_that_fails_holds_up_none(
    db: None, make_project: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweeping, "close_old_connections", lambda: None)
    broken, well = make_project("aaa"), make_project("bbb")
    for project in (broken, well):
        host(project)
        logged(project, ago(days=40), ago(days=1))
    pruned = tasks.prune

    def prune_or_fail(project: ProjectHandle) -> int:
        if project.uid == broken.uid:
            raise OSError("out of reach")
        return pruned(project)

    monkeypatch.setattr(tasks, "prune", prune_or_fail)
    tasks.prune_change_logs()
    assert (len(left(broken)), len(left(well))) == (2, 1)


def test_the_sweep_is_on_the_schedule() -> None:
    from mbaas.celery import app

    assert "projects.records.tasks.prune_change_logs" in {e["task"] for e in app.conf.beat_schedule.values()}
    app.loader.import_default_modules()
    assert "projects.records.tasks.prune_change_logs" in app.tasks


def _start(project: ProjectHandle) -> LogStart:
    with write_session(project) as session:
        return log_start(session)


def _fields(project: ProjectHandle) -> dict[str, Any]:
    return {name: getattr(project, name) for name in ("uid", "ref", "engine", "placement", "status")}
