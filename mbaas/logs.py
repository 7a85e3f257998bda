"""Structured logs: one JSON object a line, or coloured lines when a person is watching."""

from __future__ import annotations

import sys
from collections.abc import MutableMapping
from typing import Any

import structlog

from projects.context import request_facts


def _add_request(_logger: Any, _method: str, event: MutableMapping[str, Any]) -> MutableMapping[str, Any]:
    facts = request_facts.get()
    return {**facts, **event} if facts else event


def is_console(form: str) -> bool:
    """Whether ``form`` (json, console, auto) means lines for a person."""
    return form == "console" or (form == "auto" and sys.stderr.isatty())


def logging_config(level: str, form: str) -> dict[str, Any]:
    """Django's LOGGING. ``form``: json, console, or auto (console on a terminal)."""
    shared: list[Any] = [
        _add_request,
        structlog.stdlib.add_log_level,
        structlog.stdlib.add_logger_name,
        structlog.processors.TimeStamper(fmt="iso", utc=True),
        structlog.stdlib.ExtraAdder(),
        structlog.processors.StackInfoRenderer(),
    ]
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *shared,
            structlog.stdlib.PositionalArgumentsFormatter(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        cache_logger_on_first_use=True,
    )
    last: list[Any] = (
        [structlog.dev.ConsoleRenderer(exception_formatter=structlog.dev.plain_traceback)]
        if is_console(form)
        else [structlog.processors.format_exc_info, structlog.processors.JSONRenderer()]
    )
    return {
        "version": 1,
        "disable_existing_loggers": False,
        "formatters": {
            "structured": {
                "()": structlog.stdlib.ProcessorFormatter,
                "processors": [structlog.stdlib.ProcessorFormatter.remove_processors_meta, *last],
                "foreign_pre_chain": shared,
            }
        },
        "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "structured"}},
        "root": {"handlers": ["stderr"], "level": level},
        "loggers": {
            "django": {"level": "WARNING"},
            "django.request": {"level": "ERROR"},
            "celery": {"level": "WARNING"},
            "kombu": {"level": "ERROR"},
            "_granian": {"level": "ERROR"},
            "granian": {"level": "ERROR"},
            "psycopg.pool": {"level": "ERROR"},
        },
    }
