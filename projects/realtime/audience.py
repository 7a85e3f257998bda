"""Everyone who subscribed to one topic, in groups that always get the same answer."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass, field

from projects.principal import Principal, RequestInfo
from projects.realtime.client import Client, identity
from projects.realtime.conditions import Condition, Values, filter_condition, rule_condition
from projects.realtime.topics import Topic
from projects.records.call import Call
from projects.records.present import Shape
from projects.schema.collection import CollectionSchema, ProjectSchema


@dataclass(frozen=True, slots=True, eq=False)
class Plan:
    """How a topic is answered under one version of the schema."""

    version: int
    collection: CollectionSchema
    shape: Shape
    for_superusers: tuple[Condition, ...]
    for_others: tuple[Condition, ...]

    def allows(self, call: Call, record: Values) -> bool:
        conditions = self.for_superusers if call.principal.is_superuser else self.for_others
        return all(condition.test(call, record) for condition in conditions)

    def key(self, request: RequestInfo) -> Hashable:
        """Requests with equal keys hear of the same changes, in the same shape (their own records apart)."""
        principal = request.principal
        conditions = self.for_superusers if principal.is_superuser else self.for_others
        return (
            principal.is_superuser,
            *(condition.key(request) for condition in conditions),
            self.view(principal),
        )

    def view(self, principal: Principal) -> Hashable:
        """What of a principal decides how it sees a record that it may hear of and that is not its own."""
        if principal.is_superuser:
            return "all"
        personal = self.shape.expand or (
            self.collection.is_auth and self.collection.options.get("manageRule")
        )
        return identity(principal) if personal else "public"


def make_plan(schema: ProjectSchema, collection: CollectionSchema, topic: Topic, *, single: bool) -> Plan:
    """``single``: the topic is one record, so its view rule counts, else the list rule."""
    rule = collection.view_rule if single else collection.list_rule
    text = topic.filter
    return Plan(
        schema.version,
        collection,
        topic.shape,
        (filter_condition(schema, collection, text, superuser=True),),
        (
            rule_condition(schema, collection, rule),
            filter_condition(schema, collection, text, superuser=False),
        ),
    )


@dataclass(slots=True, eq=False)
class Group:
    """Subscribers with one key; ``request`` is what the rules may read of any of them."""

    request: RequestInfo
    clients: dict[Client, None] = field(default_factory=dict)


class Audience:
    """The subscribers of one topic text."""

    def __init__(self, topic: Topic) -> None:
        self.topic = topic
        self.plan: Plan | None = None
        self._keys: dict[Client, Hashable] = {}
        self._groups: dict[Hashable, Group] = {}

    def __len__(self) -> int:
        return len(self._keys)

    def join(self, client: Client) -> None:
        self._keys[client] = None
        if self.plan is not None:
            self._sort_in(self.plan, client)

    def leave(self, client: Client) -> None:
        key = self._keys.pop(client)
        group = self._groups.get(key)
        if group is not None:
            group.clients.pop(client, None)
            if not group.clients:
                del self._groups[key]

    def follow(self, plan: Plan) -> None:
        """Group everyone anew under another plan."""
        self.plan = plan
        self._groups = {}
        for client in self._keys:
            self._sort_in(plan, client)

    def groups(self) -> Iterable[Group]:
        return self._groups.values()

    def request_of(self, client: Client) -> RequestInfo:
        return RequestInfo(client.principal, "GET", "realtime", self.topic.query, self.topic.headers)

    def _sort_in(self, plan: Plan, client: Client) -> None:
        request = self.request_of(client)
        key = self._keys[client] = plan.key(request)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(request)
        group.clients[client] = None
