"""The bus between processes: Redis pub/sub, one channel per project and one per process.

Each process subscribes to the channels of the projects that it has clients of. Pub/sub forgets: whenever a
message may have been missed, the clients concerned are told to connect anew, and load.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Coroutine
from typing import Any

import orjson
import structlog
from redis.asyncio.client import PubSub

from projects.errors import ApiError, forbidden, not_found
from projects.realtime.answers import OTHER_USER, UNKNOWN_CLIENT, busy
from projects.realtime.bus import Inbox, Listener
from projects.realtime.codec import decode
from projects.realtime.redis_link import CONNECT_SECONDS, LINK_ERRORS, NODE, PROJECT, Backoff, connections
from projects.realtime.redis_outgoing import Outgoing
from projects.realtime.submission import Submission
from projects.records.events import ChangeEvent

log = structlog.get_logger("mbaas.realtime")

ANSWER_SECONDS = 5
# A link that says nothing for so long is asked for a sign of life, and given up after as long again.
SILENCE_SECONDS = 5


class RedisBus:
    def __init__(self, url: str, node: str) -> None:
        self.node = node
        self._hub: Listener | None = None
        self._inbox: Inbox | None = None
        self._commands = connections(url, socket_timeout=ANSWER_SECONDS)
        self._outgoing = Outgoing(self._commands, node)
        # Listening is waiting: how long is not for the socket to say.
        self._listening = connections(url)
        self._stopping = False
        self._tasks: set[asyncio.Task[None]] = set()
        # The link on which this process hears, and what it is subscribed to there.
        self._link: PubSub | None = None
        self._linked = asyncio.Event()
        self._subscribing = asyncio.Lock()
        self._watched: set[str] = set()
        self._confirmations: dict[str, asyncio.Future[None]] = {}
        self._heard: dict[tuple[str, str], int] = {}
        self._questions = itertools.count(1)
        self._answers: dict[int, asyncio.Future[int]] = {}

    async def start(self, hub: Listener) -> None:
        """Connects, or goes on trying if Redis does not answer: until it does, streams are refused."""
        self._hub = hub
        self._inbox = Inbox(asyncio.get_running_loop(), self._outgoing.put)
        self._outgoing.start()
        self._spawn(self._keep_listening())
        try:
            await asyncio.wait_for(self._linked.wait(), CONNECT_SECONDS)
        except TimeoutError:
            log.error("redis does not answer; realtime waits for it")

    async def stop(self) -> None:
        """Tell what is still to be told, as far as Redis takes it at once."""
        self._stopping = True
        await self._outgoing.stop()
        # A cancellation alone may be lost inside redis-py: each task also looks whether it is to stop.
        for task in self._tasks:
            task.cancel()
        if self._tasks:
            await asyncio.wait(self._tasks, timeout=CONNECT_SECONDS)
        await self._commands.aclose()
        await self._listening.aclose()

    def publish(self, event: ChangeEvent) -> None:
        if self._inbox is not None:
            self._inbox.put(event)

    async def watch(self, project_uid: str) -> bool:
        async with self._subscribing:
            link = self._link
            if link is None or project_uid in self._watched:
                return link is not None
            channel = PROJECT + project_uid
            confirmation = self._confirmations[channel] = asyncio.get_running_loop().create_future()
            try:
                async with asyncio.timeout(ANSWER_SECONDS):
                    await link.subscribe(channel)
                    await confirmation
            except LINK_ERRORS as error:
                log.warning("a project's changes cannot be listened to", error=str(error))
                return False
            finally:
                self._confirmations.pop(channel, None)
            if self._link is not link:
                return False
            self._watched.add(project_uid)
            return True

    async def unwatch(self, project_uid: str) -> None:
        async with self._subscribing:
            if self._link is not None and project_uid in self._watched:
                self._watched.discard(project_uid)
                for key in [key for key in self._heard if key[0] == project_uid]:
                    del self._heard[key]
                try:
                    async with asyncio.timeout(ANSWER_SECONDS):
                        await self._link.unsubscribe(PROJECT + project_uid)
                except LINK_ERRORS:
                    # The listener notices too.
                    pass

    async def forward(self, node: str, project_uid: str, submission: Submission, authorization: str) -> None:
        if not (node.isascii() and node.isalnum()):
            raise not_found(UNKNOWN_CLIENT)
        number = next(self._questions)
        answer = self._answers[number] = asyncio.get_running_loop().create_future()
        question = [
            "ask", self.node, number, project_uid, submission.client_id, list(submission.topics), authorization,
        ]  # fmt: skip
        try:
            listening = await self._commands.publish(NODE + node, orjson.dumps(question))
            status = await asyncio.wait_for(answer, ANSWER_SECONDS) if listening else 404
        except LINK_ERRORS as error:
            log.warning("another process does not answer", node=node, error=str(error))
            raise busy() from None
        finally:
            del self._answers[number]
        if status == 404:
            raise not_found(UNKNOWN_CLIENT)
        if status == 403:
            raise forbidden(OTHER_USER)
        if status != 204:
            raise busy()

    # --- hearing

    async def _keep_listening(self) -> None:
        backoff = Backoff()
        while not self._stopping:
            try:
                async with self._listening.pubsub() as link:
                    await link.subscribe(NODE + self.node)
                    await self._listen(link)
            except LINK_ERRORS as error:
                log.warning("the link to redis failed", error=str(error))
            except Exception:
                # Whatever it was, this task must go on, and say that it has not listened meanwhile.
                log.exception("listening to redis failed")
            if self._linked.is_set():
                backoff.reset()
                self._lost_link()
            await backoff.wait()

    async def _listen(self, link: PubSub) -> None:
        """Until the link fails."""
        asked = False
        while not self._stopping:
            message = await link.get_message(ignore_subscribe_messages=False, timeout=SILENCE_SECONDS)
            if message is not None:
                asked = False
                self._hear(link, message)
            elif asked:
                raise TimeoutError("no sign of life")
            else:
                asked = True
                await link.ping()

    def _hear(self, link: PubSub, message: dict[str, Any]) -> None:
        kind, channel = message["type"], (message["channel"] or b"").decode()
        if kind == "message" and channel.startswith(PROJECT):
            self._hear_change(channel.removeprefix(PROJECT), message["data"])
        elif kind == "message":
            self._hear_node(orjson.loads(message["data"]))
        elif kind == "subscribe" and channel == NODE + self.node:
            self._link = link
            self._linked.set()
        elif kind == "subscribe" and channel in self._confirmations:
            confirmation = self._confirmations[channel]
            if not confirmation.done():
                confirmation.set_result(None)

    def _hear_change(self, uid: str, message: bytes) -> None:
        project = self._hub.project(uid) if self._hub else None
        if self._hub is None or project is None:
            return
        try:
            origin, number, event = decode(message, project)
        except (ValueError, TypeError):
            # A process of another version, perhaps.
            log.exception("a change could not be read", project=project.ref)
            self._hub.missed(uid)
            return
        last = self._heard.get((uid, origin), number - 1)
        if number <= last:
            # Told twice.
            return
        self._heard[uid, origin] = number
        if number > last + 1 or event is None:
            self._hub.missed(uid)
        if event is not None:
            self._hub.receive((event,))

    def _lost_link(self) -> None:
        self._link = None
        self._linked.clear()
        self._watched.clear()
        self._heard.clear()
        if self._hub is not None:
            self._hub.missed()

    # --- questions between processes

    def _hear_node(self, message: list[Any]) -> None:
        kind, *rest = message
        if kind == "ask":
            self._spawn(self._answer(*rest))
        else:
            number, status = rest
            waiting = self._answers.get(number)
            if waiting is not None and not waiting.done():
                waiting.set_result(status)

    async def _answer(
        self, asker: str, number: int, uid: str, client_id: str, topics: list[str], authorization: str
    ) -> None:
        status = 204
        try:
            assert self._hub is not None
            await self._hub.submit_here(uid, Submission(client_id, tuple(topics)), authorization)
        except ApiError as error:
            status = error.status
        except Exception:
            log.exception("a submission from another process failed")
            status = 503
        try:
            await self._commands.publish(NODE + asker, orjson.dumps(["answer", number, status]))
        except LINK_ERRORS as error:
            log.warning("an answer to another process was lost", error=str(error))

    def _spawn(self, work: Coroutine[Any, Any, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return task
