"""The settings a project may change, with what each accepts. Anything else is refused by name."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from projects.accounts import throttle
from projects.errors import FieldError
from projects.files.own_storage import check_file_storage, seal_file_storage, show_file_storage
from projects.files.saving import QUOTA_SETTING
from projects.files.storages import NAMES, PLACEMENT
from projects.files.storages import SETTING as FILE_STORAGE
from projects.rate_rules import SETTING as RATE_LIMITS
from projects.rate_rules import check_rate_limits
from projects.records.batch_limits import SETTING as BATCH
from projects.records.batch_limits import check_batch_limits
from projects.records.retention import SETTING as HISTORY_DAYS
from projects.records.retention import check_history_days

API_DOCS = "apiDocs"

_ORIGIN = re.compile(r"(https?|capacitor|ionic|tauri)://[a-z0-9.-]+(:[0-9]{1,5})?", re.IGNORECASE)


def _origins(value: Any) -> FieldError | None:
    if not isinstance(value, list) or len(value) > 100:
        return FieldError("validation_invalid_value", "Must be a list of at most 100 origins.")
    for origin in value:
        if not isinstance(origin, str) or (origin != "*" and not _ORIGIN.fullmatch(origin)):
            return FieldError(
                "validation_invalid_format",
                'Each must be an origin such as "https://app.example.com", or "*" for all.',
            )
    return None


def _readers(value: Any) -> FieldError | None:
    if value in ("members", "public"):
        return None
    return FieldError("validation_in_invalid", 'Must be "members" or "public".')


def _quota(value: Any) -> FieldError | None:
    if isinstance(value, int) and not isinstance(value, bool) and 0 <= value < 2**63:
        return None
    return FieldError("validation_invalid_value", "Must be a number of bytes, or 0 for no limit.")


def _storage_name(value: Any) -> FieldError | None:
    if value in NAMES:
        return None
    return FieldError("validation_in_invalid", f"Must be one of {', '.join(NAMES)}.")


@dataclass(frozen=True, slots=True)
class ProjectSetting:
    """``check`` answers what is wrong with a value; ``default`` holds where the project says nothing.

    ``seal(value, the one before)`` is what is kept of it, ``show(kept)`` what people see of that: other than
    the value where it holds a secret. ``operators_only``: what the installation limits a project by.
    """

    name: str
    default: Any
    help: str
    check: Callable[[Any], FieldError | None]
    seal: Callable[[Any, Any], Any] = lambda value, before: value
    show: Callable[[Any], Any] = lambda kept: kept
    operators_only: bool = False


SETTINGS: Mapping[str, ProjectSetting] = {
    setting.name: setting
    for setting in (
        ProjectSetting(
            "corsOrigins", ["*"], "Origins of web pages whose scripts may call the app API.", _origins
        ),
        ProjectSetting(
            API_DOCS,
            "members",
            "Who reads the project's OpenAPI document, docs page and SDK types: its members, or everybody "
            "(then without hidden fields, rules, and what only superusers may do).",
            _readers,
        ),
        ProjectSetting(
            RATE_LIMITS,
            {"enabled": False, "rules": []},
            "How often routes may be called: rules of label, maxRequests, duration (seconds), audience, by.",
            check_rate_limits,
        ),
        ProjectSetting(
            throttle.SETTING,
            {},
            "What differs from the installation's limits for wrong passwords.",
            throttle.check_sign_in_throttle,
        ),
        ProjectSetting(
            BATCH,
            {},
            "Batch requests: enabled, maxRequests, timeout (seconds), maxBodySize (bytes); 0: the"
            " installation's.",
            check_batch_limits,
        ),
        ProjectSetting(
            HISTORY_DAYS,
            None,
            "How many days changes of records are kept for their history; 0: no longer than realtime needs.",
            check_history_days,
        ),
        ProjectSetting(
            QUOTA_SETTING,
            0,
            "How many bytes the project's files may take; 0: no limit. Set by operators.",
            _quota,
            operators_only=True,
        ),
        ProjectSetting(
            FILE_STORAGE,
            {},
            "A bucket of the project's own for its files: bucket, endpoint, region, accessKey, secretKey,"
            " prefix, pathStyle. The secret is kept encrypted and never shown.",
            check_file_storage,
            seal_file_storage,
            show_file_storage,
        ),
        ProjectSetting(
            PLACEMENT,
            "",
            "Where new files go when not as usual: disk, s3 (the installation's bucket) or own (fileStorage)."
            " Set by operators and by `manage.py move_files`.",
            _storage_name,
            operators_only=True,
        ),
    )
}


def check_settings(values: Mapping[str, Any]) -> dict[str, FieldError]:
    """What is wrong with the given settings, by name; empty when nothing is. None stands for “default”."""
    errors: dict[str, FieldError] = {}
    for name, value in values.items():
        setting = SETTINGS.get(name)
        if setting is None:
            errors[name] = FieldError("validation_unknown_setting", "There is no such setting.")
        elif value is not None and (error := setting.check(value)):
            errors[name] = error
    return errors


def sealed_settings(values: Mapping[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Checked settings as they are kept beside those there were ``before``."""
    return {
        name: None if value is None else SETTINGS[name].seal(value, before.get(name))
        for name, value in values.items()
    }


def shown_settings(kept: Mapping[str, Any]) -> dict[str, Any]:
    """A project's settings as people see them, without secrets."""
    return {name: SETTINGS[name].show(value) if name in SETTINGS else value for name, value in kept.items()}
