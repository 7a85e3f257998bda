"""How a topic is answered under one version of the schema.

Reading a long filter takes up to 0.1 s, so plans are made on a thread of their own, never on the event loop,
and a few at a time, so that one client's thousand filters do not hold up another's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Hashable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cache
from typing import TypeAlias

from projects.principal import RequestInfo
from projects.realtime.client import identity
from projects.realtime.conditions import Condition, filter_conditions, rule_conditions
from projects.realtime.topics import Topic
from projects.records.field_rules import reading_key
from projects.records.present import Shape
from projects.schema.collection import CollectionSchema, ProjectSchema

MADE_AT_ONCE = 10


@dataclass(frozen=True, slots=True)
class Wanted:
    """A topic to be planned. ``single``: it is one record's, so its view rule counts, else the list rule."""

    topic: Topic
    collection: CollectionSchema
    single: bool
    superuser: bool


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """``conditions``: what a subscriber must fulfil to hear of a record."""

    version: int
    collection: CollectionSchema
    shape: Shape
    superuser: bool
    conditions: tuple[Condition, ...]
    schema: ProjectSchema

    def key(self, request: RequestInfo) -> Hashable:
        """Requests with equal keys hear of the same changes, in the same shape (their own records apart)."""
        return (self.view(request), *[condition.key(request) for condition in self.conditions])

    def view(self, request: RequestInfo) -> Hashable:
        """What of a request decides how it sees a record that it may hear of and that is not its own."""
        if self.superuser:
            return "all"
        managed = self.collection.is_auth and self.collection.options.get("manageRule")
        if self.shape.expand or managed:
            return identity(request.principal)
        key = reading_key(self.schema, self.collection, request)
        return "public" if key is None else key


Plans: TypeAlias = Mapping[Wanted, Plan]


def make_plan(schema: ProjectSchema, wanted: Wanted) -> Plan:
    topic, collection, superuser = wanted.topic, wanted.collection, wanted.superuser
    rule = collection.view_rule if wanted.single else collection.list_rule
    conditions = (
        *(() if superuser else rule_conditions(schema, collection, rule)),
        *filter_conditions(schema, collection, topic.filter, superuser=superuser),
    )
    return Plan(schema.version, collection, topic.shape, superuser, conditions, schema)


async def make_plans(schema: ProjectSchema, wanted: Sequence[Wanted]) -> Plans:
    """A plan for each of ``wanted``."""
    loop, plans = asyncio.get_running_loop(), dict[Wanted, Plan]()
    for first in range(0, len(wanted), MADE_AT_ONCE):
        part = wanted[first : first + MADE_AT_ONCE]
        plans.update(await loop.run_in_executor(_thread(), _make_some, schema, part))
    return plans


def _make_some(schema: ProjectSchema, wanted: Sequence[Wanted]) -> Plans:
    return {one: make_plan(schema, one) for one in wanted}


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="realtime-plans")
