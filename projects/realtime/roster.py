"""A project's subscribers in this process: who they are, and who is concerned by a change."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator

from projects.principal import Principal
from projects.realtime.audience import Audience, Group
from projects.realtime.client import Client
from projects.realtime.plans import Plan, Plans, Wanted
from projects.realtime.topics import Topic, bases, split_base
from projects.schema.collection import CollectionSchema, ProjectSchema


class Roster:
    """Clients by id, audiences by the base of their topic, signed-in users by their record."""

    def __init__(self) -> None:
        self.clients: dict[str, Client] = {}
        self._audiences: dict[str, dict[tuple[str, bool], Audience]] = {}
        self._users: dict[tuple[str, str], dict[Client, None]] = {}

    def add(self, client: Client) -> None:
        self.clients[client.id] = client

    def remove(self, client: Client) -> bool:
        """Says whether it was there."""
        if self.clients.pop(client.id, None) is None:
            return False
        self._leave(client)
        self._prune(client.topics.values())
        return True

    def bind(self, client: Client, principal: Principal, topics: Iterable[Topic], plans: Plans) -> None:
        """Replace what the client is subscribed to, and as whom. ``plans``: for topics that have none."""
        before = client.topics.values()
        self._leave(client)
        client.principal = principal
        client.topics = {topic.text: topic for topic in topics}
        self._join(client)
        self._prune(before)
        for wanted, plan in plans.items():
            audience = self._audience(wanted.topic, wanted.superuser)
            if audience is not None and (audience.plan is None or audience.plan.version < plan.version):
                audience.follow(plan)

    def become(self, clients: Iterable[Client], principal: Principal) -> None:
        """The same subscribers, as somebody else."""
        changing = list(clients)
        # All leave before one comes back: a group keeps the request of its first member.
        for client in changing:
            self._leave(client)
        for client in changing:
            client.principal = principal
            self._join(client)
        for client in changing:
            self._prune(client.topics.values())

    def signed_in(self, collection_id: str, record_id: str) -> Collection[Client]:
        """The clients of that user."""
        return self._users.get((collection_id, record_id), ())

    def users(self) -> Collection[tuple[str, str]]:
        """(collection id, record id) of everyone who is signed in."""
        return self._users.keys()

    # --- who is concerned

    def groups(self, collection: CollectionSchema, record_id: str) -> Iterator[Group]:
        """Everyone whose topics a change of that record belongs to, whatever the rules say."""
        own = self.signed_in(collection.id, record_id)
        for audience, _ in self._concerned(collection, record_id):
            yield from audience.groups(own)

    def unplanned(self, schema: ProjectSchema, collection: CollectionSchema, record_id: str) -> list[Wanted]:
        """The topics of that record whose audiences have no plan for this schema yet."""
        return [
            Wanted(audience.topic, collection, single, audience.superuser)
            for audience, single in self._concerned(collection, record_id)
            if not _is_current(audience.plan, schema, collection)
        ]

    def unplanned_topics(
        self, schema: ProjectSchema, topics: Iterable[Topic], *, superuser: bool
    ) -> list[Wanted]:
        """Those of the topics that name a collection and have no audience with a plan for this schema."""
        wanted = []
        for topic in topics:
            key, record_id = split_base(topic.base)
            collection = schema.get(key)
            # The schema knows names in any case; topics are compared as they are written.
            if collection is not None and key in (collection.name, collection.id):
                audience = self._audience(topic, superuser)
                if audience is None or not _is_current(audience.plan, schema, collection):
                    wanted.append(Wanted(topic, collection, bool(record_id), superuser))
        return wanted

    def follow(self, plans: Plans) -> None:
        """Give the audiences of these topics their plans."""
        for wanted, plan in plans.items():
            audience = self._audience(wanted.topic, wanted.superuser)
            if audience is not None:
                audience.follow(plan)

    def _audience(self, topic: Topic, superuser: bool) -> Audience | None:
        return self._audiences.get(topic.base, {}).get((topic.text, superuser))

    def _concerned(self, collection: CollectionSchema, record_id: str) -> Iterator[tuple[Audience, bool]]:
        whole, single = bases(collection.id, collection.name, record_id)
        for names, is_single in ((whole, False), (single, True)):
            for base in names:
                for audience in self._audiences.get(base, {}).values():
                    yield audience, is_single

    # --- coming and going

    def _join(self, client: Client) -> None:
        superuser = client.principal.is_superuser
        for topic in client.topics.values():
            audiences = self._audiences.setdefault(topic.base, {})
            audience = audiences.get((topic.text, superuser))
            if audience is None:
                audience = audiences[topic.text, superuser] = Audience(topic, superuser)
            audience.join(client)
        if client.principal.kind == "user":
            self._users.setdefault(_user(client), {})[client] = None

    def _leave(self, client: Client) -> None:
        for topic in client.topics.values():
            self._audiences[topic.base][topic.text, client.principal.is_superuser].leave(client)
        same = self._users.get(_user(client), {})
        if client in same:
            del same[client]
            if not same:
                del self._users[_user(client)]

    def _prune(self, topics: Iterable[Topic]) -> None:
        """Forget audiences that nobody is left in; not before everyone is where they belong: plans stay."""
        for topic in topics:
            audiences = self._audiences.get(topic.base, {})
            for superuser in (False, True):
                audience = audiences.get((topic.text, superuser))
                if audience is not None and not audience:
                    del audiences[topic.text, superuser]
                    if not audiences:
                        del self._audiences[topic.base]


def _user(client: Client) -> tuple[str, str]:
    return client.principal.collection_id, client.principal.id


def _is_current(plan: Plan | None, schema: ProjectSchema, collection: CollectionSchema) -> bool:
    return plan is not None and plan.version == schema.version and plan.collection.id == collection.id
