"""Looking over the table of stored files, on both engines."""

from __future__ import annotations

from dataclasses import replace

import pytest

from projects.context import ProjectHandle
from projects.databases import read_session, write_session
from projects.databases.file_lists import (
    FileFilter,
    Usage,
    count_files,
    count_left_over,
    count_outside,
    get_file,
    list_files,
    list_left_over,
    list_outside,
    usage,
)
from projects.databases.stored_files import FileRow, attach, reserve

_ROW = FileRow(
    key="", storage="disk", state="pending", collection="", record="", field="", name="", variant_of="",
    original="", size=10, type="text/plain", checksum="", created="2026-01-01 00:00:00.000Z",
)  # fmt: skip
# Key, original name, collection, record, storage.
_STORED = (
    ("k1", "Beach.png", "c1", "r1", "disk"),
    ("k2", "100%_sure.txt", "c1", "r2", "s3"),
    ("k3", "100 and sure.txt", "c2", "r1", "disk"),
)


@pytest.fixture
def filled(project: ProjectHandle) -> ProjectHandle:
    with write_session(project) as session:
        for number, (key, original, collection, record, storage) in enumerate(_STORED):
            created = f"2026-01-0{number + 1} 00:00:00.000Z"
            row = replace(_ROW, key=key, original=original, storage=storage, created=created)
            thumb = replace(row, key=f"{key}t", variant_of=key, size=1)
            reserve(session, [row, thumb], seconds=60)
            for one, name in ((row, key), (thumb, f"thumb of {key}")):
                assert attach(session, one.key, collection=collection, record=record, field="f", name=name)
        reserve(session, [replace(_ROW, key="waiting", original="late.txt")], seconds=60)
    return project


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [
        (FileFilter(), ["k3", "k2", "k1"]),
        (FileFilter("c1"), ["k2", "k1"]),
        (FileFilter(text="beach"), ["k1"]),
        (FileFilter(text="%_"), ["k2"]),
        (FileFilter(text="!"), []),
        (FileFilter(text="r1"), ["k3", "k1"]),
        (FileFilter("c2", "r1"), ["k3"]),
        (FileFilter(text="late"), []),
    ],
)
def test_files_are_found_by_collection_name_and_record(
    filled: ProjectHandle, wanted: FileFilter, expected: list[str]
) -> None:
    with read_session(filled) as session:
        assert [row.key for row in list_files(session, wanted, offset=0, limit=10)] == expected
        assert [row.key for row in list_files(session, wanted, offset=1, limit=1)] == expected[1:2]
        assert count_files(session, wanted) == len(expected)


def test_a_thumb_and_what_is_on_its_way_are_nobodys_files(filled: ProjectHandle) -> None:
    with read_session(filled) as session:
        found = get_file(session, "k1")
        assert found is not None and found.original == "Beach.png"
        assert get_file(session, "k1t") is None
        assert get_file(session, "waiting") is None


def test_usage_is_by_collection_and_storage_with_thumbs_apart(filled: ProjectHandle) -> None:
    with read_session(filled) as session:
        assert set(usage(session)) == {
            Usage(collection, storage, files=1, size=10, thumbs=1, thumbs_size=1)
            for collection, storage in (("c1", "disk"), ("c1", "s3"), ("c2", "disk"))
        }


def test_what_no_record_has_and_what_is_elsewhere_is_counted(filled: ProjectHandle) -> None:
    with read_session(filled) as session:
        assert count_left_over(session) == (1, 10)
        assert [(one.row.key, one.due > "2026") for one in list_left_over(session, limit=5)] == [
            ("waiting", True)
        ]
        assert count_outside(session, "s3") == (4, 22)
        assert count_outside(session, "s3", state="pending") == (1, 10)
        assert [row.key for row in list_outside(session, "s3", after="", limit=3)] == ["k1", "k1t", "k3"]
        assert [row.key for row in list_outside(session, "s3", after="k3", limit=3)] == ["k3t"]
