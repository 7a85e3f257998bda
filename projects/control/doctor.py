"""Looks an installation over and says what is wrong and what to do about it."""

from __future__ import annotations

import os
import resource
import shutil
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import psycopg
import redis
from django.conf import settings
from django.db import DatabaseError

from projects.control.bootstrap import missing_migrations
from projects.control.placements import server_of
from projects.crypto import SecretUnreadableError
from projects.databases.health import PlacementHealth, check_placement
from projects.models import ConsoleUser, Placement

Level = Literal["ok", "warning", "error"]

_FILES_WANTED = 65_536
_FILES_NEEDED = 4_096
_DISK_NEEDED = 1 << 30  # bytes
_KEY_LENGTH = 32  # characters
_NAMES_SHOWN = 5


@dataclass(frozen=True, slots=True)
class Finding:
    """``fix`` says what to do; empty where all is well."""

    check: str
    level: Level
    message: str
    fix: str = ""


def examine() -> list[Finding]:
    """All checks, in an order in which the first problem is the one to solve first."""
    findings: list[Finding] = []
    for check in (_data_folder, _secrets, _addresses, _limits, _control_database, _redis):
        findings += check()
    # The rest is read from the control plane.
    if not any(f.level == "error" and f.check == "control database" for f in findings):
        for check in (_people, _placements):
            findings += check()
    return findings


def _data_folder() -> Iterator[Finding]:
    folder = Path(settings.MBAAS_DATA_DIR)
    name = "data folder"
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=folder):
            pass
    except OSError as error:
        fix = "Make it writable for this user, or set MBAAS_DATA_DIR to another folder."
        yield Finding(name, "error", f"{folder} cannot be written: {error.strerror}.", fix)
        return
    free = shutil.disk_usage(folder).free
    if free < _DISK_NEEDED:
        yield Finding(
            name, "warning", f"Only {free >> 20} MiB are free in {folder}.", "Make room, or move it."
        )
    else:
        yield Finding(name, "ok", f"{folder} can be written; {free >> 30} GiB are free.")


def _secrets() -> Iterator[Finding]:
    keys: list[str] = settings.MBAAS_SECRET_KEYS
    name = "secret keys"
    if any(len(key) < _KEY_LENGTH for key in keys):
        fix = "Put a new one in front of MBAAS_SECRET_KEYS, run `manage.py rotate_secrets`, drop the old one."
        yield Finding(name, "error", f"A secret key has less than {_KEY_LENGTH} characters.", fix)
        return
    stored = Path(settings.MBAAS_DATA_DIR) / "secret_key"
    if "MBAAS_SECRET_KEYS" not in os.environ and stored.exists() and stored.stat().st_mode & 0o077:
        yield Finding(name, "error", f"Other users of this machine can read {stored}.", f"chmod 600 {stored}")
        return
    yield Finding(name, "ok", f"{len(keys)} key(s), long enough.")


def _addresses() -> Iterator[Finding]:
    name = "addresses"
    if settings.DEBUG:
        fix = "Unset MBAAS_DEBUG outside development: error pages show settings and data."
        yield Finding(name, "warning", "Debugging is on.", fix)
    public: str = settings.MBAAS_PUBLIC_URL
    if public and not public.startswith(("https://", "http://localhost", "http://127.0.0.1")):
        fix = "Serve it over https, and set MBAAS_PUBLIC_URL to that address."
        yield Finding(name, "warning", f"{public} is not encrypted: passwords can be read on the way.", fix)
    elif public and "*" in settings.ALLOWED_HOSTS:
        fix = "Set MBAAS_ALLOWED_HOSTS to the names this server answers to."
        yield Finding(name, "warning", "Every Host header is accepted.", fix)
    else:
        yield Finding(name, "ok", f"The public address is {public or 'the one each request names'}.")


def _limits() -> Iterator[Finding]:
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    name = "file handles"
    if hard == resource.RLIM_INFINITY or hard >= _FILES_WANTED:
        shown = "unlimited" if hard == resource.RLIM_INFINITY else str(hard)
        yield Finding(name, "ok", f"The server may open {shown} files and connections.")
        return
    level: Level = "error" if hard < _FILES_NEEDED else "warning"
    fix = f"Raise it to {_FILES_WANTED} (systemd: LimitNOFILE=, Docker: --ulimit nofile=, shell: ulimit -Hn)."
    yield Finding(name, level, f"The server may open only {hard} files and connections.", fix)


def _control_database() -> Iterator[Finding]:
    name = "control database"
    try:
        missing = missing_migrations()
    except DatabaseError as error:
        fix = (
            "Check MBAAS_DATABASE_URL and that its server runs; without it a file in the data folder is used."
        )
        yield Finding(name, "error", f"It cannot be used: {_first_line(error)}.", fix)
        return
    if missing:
        yield Finding(
            name, "error", f"{len(missing)} migration(s) are missing.", "Run `manage.py bootstrap`."
        )
    else:
        yield Finding(name, "ok", "It can be used, and its tables are up to date.")


def _redis() -> Iterator[Finding]:
    url: str = settings.MBAAS_REDIS_URL
    if not url:
        yield Finding("redis", "ok", "Not used: one server process, its worker inside it.")
        return
    try:
        client = redis.Redis.from_url(url, socket_timeout=3, socket_connect_timeout=3)
        version = client.info("server")["redis_version"]
    except (redis.RedisError, OSError, ValueError) as error:
        fix = "Start it, or correct MBAAS_REDIS_URL; unset it to run one process without Redis."
        yield Finding("redis", "error", f"It cannot be reached: {_first_line(error)}.", fix)
        return
    yield Finding("redis", "ok", f"Redis {version} answers.")


def _people() -> Iterator[Finding]:
    count = ConsoleUser.objects.filter(is_operator=True, is_active=True).count()
    if count:
        yield Finding("people", "ok", f"{count} operator(s) can sign in.")
    else:
        fix = "Run `manage.py create_owner EMAIL`."
        yield Finding("people", "error", "Nobody can run this installation.", fix)


def _placements() -> Iterator[Finding]:
    placements = list(Placement.objects.all())
    if not any(p.accepts_projects for p in placements):
        fix = "Open a placement in the admin, or run `manage.py bootstrap` for the embedded one."
        yield Finding("placements", "error", "None accepts new projects.", fix)
    for placement in placements:
        yield from _placement(placement)


def _placement(placement: Placement) -> Iterator[Finding]:
    name = f"placement {placement.name}"
    projects = dict(placement.projects.values_list("uid", "ref"))
    try:
        health = check_placement(placement.name, tuple(projects))
    except SecretUnreadableError:
        fix = "Put the key it was stored with back into MBAAS_SECRET_KEYS, or set the placement's URL anew."
        yield Finding(name, "error", "Its address cannot be decrypted.", fix)
        return
    except psycopg.Error as error:
        fix = f"Check that the server at {server_of(placement)} runs and the login in the placement's URL is right."
        yield Finding(name, "error", f"It cannot be reached: {_first_line(error)}.", fix)
        return
    fix = "Give the login what it lacks, or upgrade the server."
    for problem in health.problems:
        yield Finding(name, "error", f"{problem[0].upper()}{problem[1:]}.", fix)
    if health.missing:
        refs = ", ".join(sorted(projects[uid] for uid in health.missing)[:_NAMES_SHOWN])
        fix = "Restore them from a back-up, or delete these projects."
        yield Finding(name, "error", f"{len(health.missing)} database(s) are missing: {refs}.", fix)
    yield from _pool(name, health)
    if not health.problems and not health.missing:
        yield Finding(name, "ok", f"{health.version}, {len(projects)} project(s).")


def _pool(name: str, health: PlacementHealth) -> Iterator[Finding]:
    pool: int = settings.MBAAS_POSTGRES_POOL_SIZE
    if health.max_connections and pool * 2 > health.max_connections:
        fix = "Lower MBAAS_POSTGRES_POOL_SIZE (per server process) or raise max_connections."
        message = f"One process may take {pool} of the server's {health.max_connections} connections."
        yield Finding(name, "warning", message, fix)


def _first_line(error: Exception) -> str:
    return (str(error).strip() or type(error).__name__).splitlines()[0].rstrip(".")
