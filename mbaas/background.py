"""The embedded worker: Celery's worker and beat as threads of the server process.

On one machine no other process is needed; with MBAAS_REDIS_URL and separate workers
(``celery -A mbaas worker``, ``celery -A mbaas beat``) set MBAAS_EMBEDDED_WORKER=off.
"""

from __future__ import annotations

import threading

import structlog
from celery.beat import Service
from django.db import close_old_connections

from mbaas.celery import app

log = structlog.get_logger("mbaas.background")


class BackgroundWork:
    """A Celery worker on one thread and its schedule on another."""

    def __init__(self) -> None:
        self._worker = app.WorkController(
            pool_cls="solo",
            concurrency=1,
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
            loglevel="WARNING",
        )
        # Kept in memory: what was missed while the server was down is due again soon.
        self._beat = Service(app, scheduler_cls="celery.beat.Scheduler")
        self._threads = [
            threading.Thread(target=self._work, name="celery-worker", daemon=True),
            threading.Thread(target=self._beat.start, name="celery-beat", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Finish the task that runs, take no more."""
        self._beat.stop()
        self._worker.stop()
        for thread in self._threads:
            thread.join(timeout=5)

    def _work(self) -> None:
        try:
            self._worker.start()
        except Exception:
            log.exception("the embedded worker stopped")
        finally:
            close_old_connections()


def start_background_work() -> BackgroundWork:
    work = BackgroundWork()
    work.start()
    return work
