"""The Celery application: wakes up background work, on Redis at scale and in memory on one machine."""

from __future__ import annotations

import os

from celery import Celery
from celery.schedules import crontab

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mbaas.settings")

app = Celery("mbaas")
app.config_from_object("django.conf:settings", namespace="CELERY")
app.autodiscover_tasks(["projects.control", "projects.files", "projects.records"])
app.conf.beat_schedule = {
    "purge-deleted-projects": {
        "task": "projects.control.tasks.purge_deleted_projects",
        "schedule": crontab(minute="7"),
    },
    "sweep-files": {
        "task": "projects.files.tasks.sweep_files",
        "schedule": crontab(minute="37"),
    },
    "prune-change-logs": {
        "task": "projects.records.tasks.prune_change_logs",
        "schedule": crontab(minute="22"),
    },
    "forget-expired-sessions": {
        "task": "projects.control.tasks.forget_expired_sessions",
        "schedule": crontab(hour="3", minute="17"),
    },
}
