"""A project's subscribers in this process: who they are, and who is concerned by a change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from projects.principal import Principal
from projects.realtime.audience import Audience, Group, make_plan
from projects.realtime.client import Client
from projects.realtime.topics import Topic, bases
from projects.schema.collection import CollectionSchema, ProjectSchema


class Roster:
    """Clients by id, audiences by the base of their topic, signed-in users by their record."""

    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}
        self._audiences: dict[str, dict[str, Audience]] = {}
        self._users: dict[tuple[str, str], dict[Client, None]] = {}

    def add(self, client: Client) -> None:
        self.clients[client.id] = client

    def remove(self, client: Client) -> bool:
        """Says whether it was there."""
        if self.clients.pop(client.id, None) is None:
            return False
        self._leave(client)
        return True

    def bind(self, client: Client, principal: Principal, topics: Iterable[Topic]) -> None:
        """Replace what the client is subscribed to, and as whom."""
        self._leave(client)
        client.principal = principal
        client.topics = {topic.text: topic for topic in topics}
        self._join(client)

    def become(self, clients: Iterable[Client], principal: Principal) -> None:
        """The same subscribers, as somebody else."""
        changing = list(clients)
        # All leave before one comes back: a group keeps the request of its first member.
        for client in changing:
            self._leave(client)
        for client in changing:
            client.principal = principal
            self._join(client)

    def signed_in(self, collection_id: str, record_id: str) -> Collection[Client]:
        """The clients of that user."""
        return self._users.get((collection_id, record_id), ())

    def users(self) -> Collection[tuple[str, str]]:
        """(collection id, record id) of everyone who is signed in."""
        return self._users.keys()

    def groups(self, schema: ProjectSchema, collection: CollectionSchema, record_id: str) -> Iterator[Group]:
        """Everyone whose topics a change of that record belongs to, whatever the rules say."""
        own = self.signed_in(collection.id, record_id)
        for audience in self._concerned(schema, collection, record_id):
            yield from audience.groups(own)

    def _concerned(
        self, schema: ProjectSchema, collection: CollectionSchema, record_id: str
    ) -> Iterator[Audience]:
        """The audiences of its topics, grouped under today's schema."""
        whole, single = bases(collection.id, collection.name, record_id)
        for names, is_single in ((whole, False), (single, True)):
            for base in names:
                for audience in self._audiences.get(base, {}).values():
                    plan = audience.plan
                    if plan is None or plan.version != schema.version or plan.collection.id != collection.id:
                        audience.follow(make_plan(schema, collection, audience.topic, single=is_single))
                    yield audience

    def _join(self, client: Client) -> None:
        for topic in client.topics.values():
            texts = self._audiences.setdefault(topic.base, {})
            audience = texts.get(topic.text)
            if audience is None:
                audience = texts[topic.text] = Audience(topic)
            audience.join(client)
        if client.principal.kind == "user":
            self._users.setdefault(_user(client), {})[client] = None

    def _leave(self, client: Client) -> None:
        for topic in client.topics.values():
            texts = self._audiences[topic.base]
            audience = texts[topic.text]
            audience.leave(client)
            if not audience:
                del texts[topic.text]
                if not texts:
                    del self._audiences[topic.base]
        same = self._users.get(_user(client), {})
        if client in same:
            del same[client]
            if not same:
                del self._users[_user(client)]


def _user(client: Client) -> tuple[str, str]:
    return client.principal.collection_id, client.principal.id
