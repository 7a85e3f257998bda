"""Everyone who subscribed to one topic, in groups that always get the same answer."""

from __future__ import annotations

from collections.abc import Collection, Hashable, Iterable

from projects.principal import RequestInfo
from projects.realtime.client import Client
from projects.realtime.conditions import Test, Values
from projects.realtime.plans import Plan
from projects.realtime.topics import Topic
from projects.records.call import Call

# How someone sees the record that it is itself: its own e-mail, too.
OWN = "own"


class Group:
    """Subscribers of a topic who hear of the same changes and see the same of them.

    ``request`` is what the rules may read of any of them.
    """

    __slots__ = ("clients", "plan", "request", "tests", "topic", "view")

    def __init__(self, topic: Topic, plan: Plan, request: RequestInfo, view: Hashable) -> None:
        self.topic = topic
        self.plan = plan
        self.request = request
        self.view = view
        self.tests: tuple[Test, ...] = tuple(condition.bind(request) for condition in plan.conditions)
        self.clients: dict[Client, None] = {}

    def allows(self, call: Call, record: Values) -> bool:
        """Whether they may hear of the record. On an offline session it may raise NeedsDatabaseError."""
        for test in self.tests:  # noqa: SIM110 (a generator costs more than the tests)
            if not test(call, record):
                return False
        return True

    def part(self, clients: Iterable[Client]) -> Group:
        """The same for some of the members only."""
        part = Group(self.topic, self.plan, self.request, self.view)
        part.clients = dict.fromkeys(clients)
        return part


class Audience:
    """The subscribers of one topic text, superusers or not."""

    def __init__(self, topic: Topic, superuser: bool) -> None:
        self.topic = topic
        self.superuser = superuser
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

    def groups(self, own: Collection[Client]) -> Iterable[Group]:
        """All groups; those of ``own``, who are the changed record themselves, apart.

        Raises RuntimeError without a plan: nobody may be passed over.
        """
        if self.plan is None:
            raise RuntimeError(f"the topic {self.topic.text!r} has no plan")
        if not own:
            yield from self._groups.values()
            return
        for group in self._groups.values():
            others = [client for client in group.clients if client not in own]
            if len(others) == len(group.clients):
                yield group
            elif others:
                yield group.part(others)
        if mine := [client for client in own if client in self._keys]:
            group = Group(self.topic, self.plan, self._request(mine[0]), OWN)
            group.clients = dict.fromkeys(mine)
            yield group

    def _request(self, client: Client) -> RequestInfo:
        return RequestInfo(client.principal, "GET", "realtime", self.topic.query, self.topic.headers)

    def _sort_in(self, plan: Plan, client: Client) -> None:
        request = self._request(client)
        key = self._keys[client] = plan.key(request)
        group = self._groups.get(key)
        if group is None:
            group = self._groups[key] = Group(self.topic, plan, request, plan.view(request))
        group.clients[client] = None
