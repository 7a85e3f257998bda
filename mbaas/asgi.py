"""The ASGI application that every server process runs."""

from __future__ import annotations

import os
from typing import Any, cast

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "mbaas.settings")

import django

django.setup()

from a2wsgi import WSGIMiddleware
from django.core.wsgi import get_wsgi_application

from mbaas.edge import Edge
from mbaas.lifecycle import Lifecycle
from mbaas.probes import Probes
from projects.api.app import app as api

# Django answers people in the admin and the control API: few requests, so few threads, kept for good
# (a thread per request would also mean a database connection per request).
_django: Any = WSGIMiddleware(cast(Any, get_wsgi_application()), workers=4)

probes = Probes()
application = Lifecycle(Edge(api, _django, probes), probes)
