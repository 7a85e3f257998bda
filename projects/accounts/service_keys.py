"""Service keys ``sk_…``: a server's full access to one project. Public keys ``pk_…`` only name an app."""

from __future__ import annotations

import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from functools import cache

import structlog
from django.db import DatabaseError
from django.db.models import Q
from django.utils import timezone

from projects.accounts.short_cache import ShortCache
from projects.context import ProjectHandle
from projects.crypto import hash_secret
from projects.databases.control_plane import refresh_control_connection
from projects.models import ApiKey

SERVICE_PREFIX = "sk_"
PUBLIC_PREFIX = "pk_"
# ``last_used_at`` is for people; written at every request it would be the busiest column of all.
TOUCH_EVERY = timedelta(minutes=1)

log = structlog.get_logger("mbaas.accounts")

_cache: ShortCache[int | None] = ShortCache(ApiKey)


def is_service_key(project: ProjectHandle, text: str) -> bool:
    """Whether ``text`` is a valid service key of this project. Its use is noted, without waiting for that."""
    hashed = hash_secret(text)
    key = _cache.get((project.uid, hashed), lambda: _look_up(project, hashed))
    if key is None:
        return False
    _touches.note(key)
    return True


def _look_up(project: ProjectHandle, hashed: str) -> int | None:
    refresh_control_connection()
    found = ApiKey.objects.filter(
        project_id=project.uid, hash=hashed, kind=ApiKey.Kind.SERVICE, revoked_at=None
    )
    return found.values_list("pk", flat=True).first()


class _Touches:
    """Writes when keys were last used, on a thread of its own, at most once per TOUCH_EVERY and key."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._noted: dict[int, float] = {}

    def note(self, key: int) -> None:
        at = timezone.now().timestamp()
        with self._lock:
            if at - self._noted.get(key, 0.0) < TOUCH_EVERY.total_seconds():
                return
            self._noted[key] = at
        _thread().submit(touch, key)


def touch(key: int) -> None:
    """Note that the key was used just now, unless that was noted within TOUCH_EVERY (by any process)."""
    now = timezone.now()
    try:
        refresh_control_connection()
        # Not save(): a key's use must not look like its change to who watches for one.
        stale = Q(last_used_at=None) | Q(last_used_at__lt=now - TOUCH_EVERY)
        ApiKey.objects.filter(stale, pk=key).update(last_used_at=now)
    except DatabaseError as error:
        log.warning("the use of a key was not noted", error=str(error))


@cache
def _thread() -> ThreadPoolExecutor:
    return ThreadPoolExecutor(1, thread_name_prefix="key-use")


_touches = _Touches()
