"""The ASGI application that every server process runs."""

from __future__ import annotations

import os
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mbaas.settings")

import django

django.setup()

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

from mbaas.access_log import access_log
from mbaas.edge import Edge
from mbaas.lifecycle import Lifecycle
from mbaas.probes import Probes
from projects.api.app import app as api
from projects.files.removal import start_removal

# Django answers people in the admin and the control API: few requests, so few threads, kept for good
# (a thread per request would also mean a database connection per request).
_wsgi: Any = WSGIMiddleware(cast(Any, get_wsgi_application()), workers=4)


async def _django(scope: Any, receive: Any, send: Any) -> None:
    # a2wsgi hands receive() to another thread as a coroutine; Granian's is an awaitable of another kind.
    async def receiving() -> Any:
        return await receive()

    await _wsgi(scope, receiving, send)


start_removal()
probes = Probes()
_log = access_log()
application = Lifecycle(Edge(api, _django, probes, _log), probes, _log)
