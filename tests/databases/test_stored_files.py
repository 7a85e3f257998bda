"""The table of stored files: every object is a record's, or on its way out."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from projects.context import ProjectHandle
from projects.databases import Session, read_session, stored_files, write_session
from projects.databases.stored_files import (
    FileRow,
    QuotaExceededError,
    attach,
    attach_variant,
    claim_removable,
    find_files,
    forget,
    has_removable,
    release_collection,
    release_names,
    release_pending,
    release_records,
    reserve,
    used_bytes,
)
from projects.schema.dates import now_text

OWNER = {"collection": "c1", "record": "r1", "field": "f1"}


def row(key: str, size: int = 10, **given: Any) -> FileRow:
    values: dict[str, Any] = {
        "storage": "disk", "state": "pending", "collection": "", "record": "", "field": "", "name": "",
        "variant_of": "", "original": "a.txt", "type": "text/plain", "checksum": "0" * 64, "created": now_text(),
    }  # fmt: skip
    return FileRow(key=key, size=size, **{**values, **given})


def store(session: Session, key: str, size: int = 10, **owner: str) -> None:
    reserve(session, [row(key, size)], seconds=60)
    assert attach(session, key, **{**OWNER, "name": f"{key}.txt", **owner})


def variant(session: Session, key: str, original: str) -> bool:
    made = row(key, 3, variant_of=original, name=f"{key}.txt", **OWNER)
    reserve(session, [made], seconds=60)
    return attach_variant(session, made) == key


def claimed(session: Session) -> set[str]:
    return {found.key for found in claim_removable(session, limit=100, lease_seconds=60)}


def find_pending(session: Session, key: str) -> object:
    statement = session.sql("SELECT key FROM _files WHERE key = ? AND state = 'pending'")
    return session.row(statement, (key,))


def test_a_file_is_pending_until_a_record_gets_it(session: Session) -> None:
    reserve(session, [row("k")], seconds=60)
    assert find_pending(session, "k")
    assert find_files(session, "c1", "r1", ["a.txt"]) == []
    assert attach(session, "k", **OWNER, name="a.txt")
    assert find_pending(session, "k") is None
    (found,) = find_files(session, "c1", "r1", ["a.txt", "b.txt"])
    assert (found.key, found.state, found.name, found.size) == ("k", "stored", "a.txt", 10)


def test_a_file_comes_to_one_record_only(session: Session) -> None:
    store(session, "k")
    assert not attach(session, "k", collection="c1", record="r2", field="f1", name="b.txt")
    assert not attach(session, "nothing", **OWNER, name="b.txt")


def test_a_file_is_found_under_its_own_record_and_collection_only(session: Session) -> None:
    store(session, "k")
    assert find_files(session, "c2", "r1", ["k.txt"]) == []
    assert find_files(session, "c1", "r2", ["k.txt"]) == []


@pytest.mark.parametrize("how", ["names", "record", "collection"])
def test_what_is_released_is_removed_and_nothing_else(session: Session, how: str) -> None:
    store(session, "gone")
    assert variant(session, "thumb", "gone")
    store(session, "other", collection="c2", record="r1")
    store(
        session,
        "kept",
        record="r1" if how == "names" else "r2",
        collection="c2" if how == "collection" else "c1",
    )
    if how == "names":
        release_names(session, "c1", "r1", ["gone.txt"])
    elif how == "record":
        release_records(session, "c1", ["r1"])
    else:
        release_collection(session, "c1")
    assert claimed(session) == {"gone", "thumb"}
    assert find_files(session, "c1", "r1", ["gone.txt", "thumb.txt"]) == []


def test_a_variant_of_a_released_file_is_never_served(session: Session) -> None:
    store(session, "k")
    made = row("t", variant_of="k", name="t.txt", **OWNER)
    reserve(session, [made], seconds=60)
    release_records(session, "c1", ["r1"])
    assert attach_variant(session, made) == ""


def test_of_two_equal_variants_the_first_stays(session: Session) -> None:
    store(session, "k")
    first, second = (row(key, variant_of="k", name="t.txt", **OWNER) for key in ("t1", "t2"))
    reserve(session, [first, second], seconds=60)
    assert attach_variant(session, first) == "t1"
    assert attach_variant(session, second) == "t1"
    assert [found.key for found in find_files(session, "c1", "r1", ["t.txt"])] == ["t1"]


def test_what_was_never_attached_is_removed_when_its_time_is_over(session: Session) -> None:
    reserve(session, [row("late")], seconds=-1)
    reserve(session, [row("waiting")], seconds=60)
    assert claimed(session) == {"late"}
    assert not attach(session, "late", **OWNER, name="a.txt")
    assert attach(session, "waiting", **OWNER, name="a.txt")


def test_an_upload_that_came_to_nothing_is_removed_at_once(session: Session) -> None:
    reserve(session, [row("k")], seconds=60)
    store(session, "stored")
    release_pending(session, ["k", "stored"])
    assert claimed(session) == {"k"}


def test_a_claim_holds_until_its_lease_ends(session: Session) -> None:
    store(session, "k")
    release_records(session, "c1", ["r1"])
    assert [found.key for found in claim_removable(session, limit=10, lease_seconds=60)] == ["k"]
    assert claimed(session) == set()
    session.execute(session.sql("UPDATE _files SET due = '2020-01-01T00:00:00.000Z'"))
    assert claimed(session) == {"k"}


def test_two_workers_never_claim_the_same(project: ProjectHandle) -> None:
    with write_session(project) as session:
        for number in range(4):
            store(session, f"k{number}")
        release_records(session, "c1", ["r1"])
    with write_session(project) as session:
        first = claim_removable(session, limit=2, lease_seconds=60)
    with write_session(project) as session:
        second = claim_removable(session, limit=10, lease_seconds=60)
    assert len(first) == len(second) == 2
    assert not {one.key for one in first} & {one.key for one in second}


def test_the_bytes_are_counted_from_the_reservation_until_the_object_is_gone(session: Session) -> None:
    assert used_bytes(session) == 0
    store(session, "a", 10)
    store(session, "b", 7)
    assert variant(session, "t", "b")
    assert used_bytes(session) == 17
    release_records(session, "c1", ["r1"])
    assert used_bytes(session) == 17
    rows = claim_removable(session, limit=10, lease_seconds=60)
    forget(session, rows)
    forget(session, rows)
    assert used_bytes(session) == 0
    assert not has_removable(session)


def test_the_quota_is_exact(session: Session) -> None:
    reserve(session, [row("a", 60)], seconds=60, quota=100)
    reserve(session, [row("b", 40)], seconds=60, quota=100)
    with pytest.raises(QuotaExceededError), session.savepoint():
        reserve(session, [row("c", 1)], seconds=60, quota=100)
    reserve(session, [row("empty", 0)], seconds=60, quota=100)
    assert used_bytes(session) == 100


def test_what_is_about_to_be_removed_stands_in_nobodys_way(session: Session) -> None:
    reserve(session, [row("a", 100)], seconds=60, quota=100)
    release_pending(session, ["a"])
    reserve(session, [row("b", 100)], seconds=60, quota=100)
    with pytest.raises(QuotaExceededError), session.savepoint():
        reserve(session, [row("c", 1)], seconds=60, quota=100)


def test_a_release_is_told_after_its_commit_and_only_then(
    project: ProjectHandle, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(stored_files, "_listeners", [lambda handle: told.append(handle.uid)])
    with write_session(project) as session:
        store(session, "k")
        release_records(session, "c1", ["nobody"])
    assert told == []
    with pytest.raises(RuntimeError), write_session(project) as session:
        release_records(session, "c1", ["r1"])
        raise RuntimeError
    assert told == []
    with write_session(project) as session:
        release_records(session, "c1", ["r1"])
    assert told == [project.uid]


def test_looking_for_what_to_remove_reads_an_index(
    project: ProjectHandle, explain: Callable[..., str]
) -> None:
    with read_session(project) as session:
        assert "files_due" in explain(
            session, "SELECT 1 FROM _files WHERE NOT (state = 'stored') AND due <= 'x' LIMIT 1"
        )
        found = explain(
            session,
            "SELECT key FROM _files WHERE collection = 'c' AND record = 'r' AND state = 'stored' AND name IN ('a')",
        )
        # Both lead to one row; without statistics PostgreSQL may take either.
        assert "files_of_record" in found or "files_named" in found
        assert "files_named" in explain(
            session, "SELECT key FROM _files WHERE state = 'stored' AND name IN ('a')"
        )


@pytest.fixture
def explain() -> Callable[..., str]:
    def plan(session: Session, statement: str) -> str:
        if session.engine == "sqlite":
            return " ".join(str(found[-1]) for found in session.rows(f"EXPLAIN QUERY PLAN {statement}"))
        session.execute("SET enable_seqscan = off")
        return " ".join(str(found[0]) for found in session.rows(f"EXPLAIN {statement}"))

    return plan
