"""``manage.py serve``: the server."""

from __future__ import annotations

import os
from typing import Any

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError, CommandParser

from mbaas.serving import PortTakenError, Supervisor, check_port, run_process


class Command(BaseCommand):
    help = "Serve the app API, the realtime streams, the admin and the control API until stopped."
    # Migrations and settings are checked by `bootstrap` and `doctor`; a start must be quick.
    requires_system_checks: list[str] = []

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument(
            "--host", default=os.environ.get("HOST", "127.0.0.1"), help="address to listen on"
        )
        parser.add_argument(
            "--port",
            type=int,
            default=int(os.environ.get("PORT", "8000")),
            help="port (default: PORT or 8000)",
        )
        parser.add_argument(
            "--workers", type=int, default=1, help="server processes; more than one need MBAAS_REDIS_URL"
        )
        # How the supervisor starts its processes; nothing for people.
        parser.add_argument("--worker", action="store_true", help="(internal) one process of several")
        parser.add_argument("--background", action="store_true", help="(internal) run background work too")

    def handle(self, *args: Any, **options: Any) -> None:
        host, port, workers = options["host"], options["port"], options["workers"]
        if options["worker"]:
            run_process(host, port, background_work=options["background"] and settings.MBAAS_EMBEDDED_WORKER)
            return
        if not 1 <= port <= 65535:
            raise CommandError(f"--port must be between 1 and 65535, not {port}")
        if workers < 1:
            raise CommandError("--workers must be at least 1")
        if workers > 1 and not settings.MBAAS_REDIS_URL:
            raise CommandError(
                "Several processes need Redis to tell each other of changes: set MBAAS_REDIS_URL, "
                "or serve with --workers 1."
            )
        try:
            check_port(host, port)
        except PortTakenError as error:
            raise CommandError(f"{error}. Choose another with --port.") from error
        self.stderr.write(f"mbaas serves on http://{host}:{port}/  (admin: /admin/, stop with Ctrl-C)")
        if workers == 1:
            run_process(host, port, background_work=settings.MBAAS_EMBEDDED_WORKER)
        else:
            Supervisor(host, port, workers).run()
