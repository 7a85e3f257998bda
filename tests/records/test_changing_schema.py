"""Requests go on while a collection changes under them."""

from __future__ import annotations

import asyncio
from typing import Any

from projects.context import ProjectHandle
from projects.databases import Session
from projects.databases.lanes import Lanes
from projects.records.list import list_records
from projects.rules import validate_rule
from projects.schema.operations import update_collection
from projects.schema.serialize import collection_to_json
from tests.records.support import call, collection, create, text


def test_what_was_prepared_before_a_type_change_is_prepared_anew(project: ProjectHandle) -> None:
    """PostgreSQL refuses a prepared statement whose columns have other types now, on every connection."""
    lanes = Lanes()
    tags = {"name": "tags", "type": "select", "values": ["a", "b"], "maxSelect": 1}

    def make(session: Session) -> Any:
        made = collection(session, "posts", text("title"), tags)
        create(session, made, tags="a")
        return made

    def widen(session: Session) -> None:
        fields = [
            {**field, "maxSelect": 2} if field["name"] == "tags" else field
            for field in collection_to_json(made)["fields"]
        ]
        update_collection(session, "posts", {"fields": fields}, validate_rule=validate_rule)

    def read(session: Session) -> Any:
        return list_records(call(session), "posts", {})["items"][0]["tags"]

    async def many() -> list[Any]:
        return await asyncio.gather(*(lanes.read(project, read) for _ in range(40)))

    try:
        made = asyncio.run(lanes.write(project, make))
        assert asyncio.run(many()) == ["a"] * 40
        asyncio.run(lanes.write(project, widen))
        assert asyncio.run(many()) == [["a"]] * 40
    finally:
        lanes.stop(5)


def test_a_renamed_field_is_under_its_new_name_at_once(project: ProjectHandle) -> None:
    lanes = Lanes()

    def make(session: Session) -> Any:
        made = collection(session, "posts", text("title"))
        create(session, made, title="x")
        return made

    def rename(session: Session) -> None:
        fields = [
            {**field, "name": "heading"} if field["name"] == "title" else field
            for field in collection_to_json(made)["fields"]
        ]
        update_collection(session, "posts", {"fields": fields}, validate_rule=validate_rule)

    def read(session: Session) -> Any:
        return list_records(call(session), "posts", {"fields": "title,heading"})["items"][0]

    async def during() -> list[Any]:
        reads = [asyncio.create_task(lanes.read(project, read)) for _ in range(30)]
        changed = asyncio.create_task(lanes.write(project, rename))
        reads += [asyncio.create_task(lanes.read(project, read)) for _ in range(30)]
        await changed
        return await asyncio.gather(*reads)

    try:
        made = asyncio.run(lanes.write(project, make))
        answers = asyncio.run(during())
        assert all(answer in ({"title": "x"}, {"heading": "x"}) for answer in answers)
        assert asyncio.run(lanes.read(project, read)) == {"heading": "x"}
    finally:
        lanes.stop(5)
