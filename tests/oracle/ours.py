"""Our own server with one empty project, started as an operator would start it."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.oracle import processes
from tests.oracle.server import Server

ROOT = Path(__file__).resolve().parents[2]
PROJECT = "oracle"
EMAIL = "root@example.com"
PASSWORD = "correct-horse-9"


@contextmanager
def mbaas(directory: Path) -> Iterator[Server]:
    """Our server with its data in ``directory`` and the project ``oracle``, while the block runs."""
    port = processes.free_port()
    env = {
        "DJANGO_SETTINGS_MODULE": "mbaas.settings",
        "MBAAS_DATA_DIR": str(directory),
        "MBAAS_ADMIN_EMAIL": EMAIL,
        "MBAAS_ADMIN_PASSWORD": PASSWORD,
        # The table signs in wrongly on purpose, again and again.
        "MBAAS_RATE_LIMITS": "off",
        "MBAAS_SIGN_IN_FREE_ATTEMPTS": "1000",
        "MBAAS_SIGN_IN_ADDRESS_ATTEMPTS": "100000",
        "PORT": str(port),
    }
    manage = [sys.executable, "manage.py"]
    processes.run([*manage, "bootstrap", "--no-demo"], cwd=ROOT, env=env)
    processes.run([*manage, "create_project", PROJECT, "--owner", EMAIL], cwd=ROOT, env=env)
    base_url = f"http://127.0.0.1:{port}/p/{PROJECT}"
    with processes.serving(
        [*manage, "serve", "--port", str(port)],
        health=f"{base_url}/api/health",
        cwd=ROOT,
        log=directory / "mbaas.log",
        env=env,
    ):
        yield Server("mbaas", base_url, EMAIL, PASSWORD)
