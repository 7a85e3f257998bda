"""The embedded worker: Celery's worker and beat as threads of the server process.

On one machine no other process is needed; with MBAAS_REDIS_URL and separate workers
(``celery -A mbaas worker``, ``celery -A mbaas beat``) set MBAAS_EMBEDDED_WORKER=off.
"""

from __future__ import annotations

import threading

import structlog
from celery.beat import Service
from celery.worker import state as worker_state
from django.db import close_old_connections

from mbaas.celery import app

log = structlog.get_logger("mbaas.background")


class BackgroundWork:
    """A Celery worker on one thread and its schedule on another."""

    def __init__(self) -> None:
        # Kept in memory: what was missed while the server was down is due again soon.
        self._beat = Service(app, scheduler_cls="celery.beat.Scheduler")
        self._worker_thread = threading.Thread(target=self._work, name="celery-worker", daemon=True)
        self._beat_thread = threading.Thread(target=self._beat.start, name="celery-beat", daemon=True)

    def start(self) -> None:
        self._worker_thread.start()
        self._beat_thread.start()

    def stop(self) -> None:
        """Finish the task that runs, take no more."""
        self._beat.stop()
        # What the worker's loop looks at between tasks; its own stop() is for the thread that runs it.
        worker_state.should_stop = 0
        self._worker_thread.join(timeout=5)

    def _work(self) -> None:
        # Made on its own thread: Celery closes Django's connections here, which no event loop may do.
        worker = app.WorkController(
            pool_cls="solo",
            concurrency=1,
            without_heartbeat=True,
            without_mingle=True,
            without_gossip=True,
            loglevel="WARNING",
        )
        try:
            worker.start()
        except Exception:
            log.exception("the embedded worker stopped")
        finally:
            close_old_connections()


def start_background_work() -> BackgroundWork:
    work = BackgroundWork()
    work.start()
    return work
