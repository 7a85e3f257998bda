"""How much one batch may ask for: the installation's settings, and a project's own."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from django.conf import settings

from projects.context import ProjectHandle
from projects.errors import FieldError

# The project's setting, named as in the wire contract's settings. timeout is in seconds, maxBodySize in bytes;
# 0 stands for the installation's.
SETTING: Final = "batch"
_NUMBERS: Final = {"maxRequests": 10_000, "timeout": 3600, "maxBodySize": 2**31}


@dataclass(frozen=True, slots=True)
class BatchLimits:
    """``milliseconds``: how long its transaction may take. ``body_bytes``: never above the installation's."""

    enabled: bool
    requests: int
    milliseconds: int
    body_bytes: int

    @classmethod
    def of(cls, project: ProjectHandle) -> BatchLimits:
        setting = project.setting(SETTING)
        own: dict[str, Any] = setting if isinstance(setting, dict) else {}
        most = settings.MBAAS_MAX_BODY_BYTES
        return cls(
            enabled=own.get("enabled", True),
            requests=own.get("maxRequests", 0) or settings.MBAAS_BATCH_MAX_REQUESTS,
            milliseconds=own.get("timeout", 0) * 1000 or settings.MBAAS_BATCH_TIMEOUT_MS,
            body_bytes=min(own.get("maxBodySize", 0) or most, most),
        )


def check_batch_limits(value: Any) -> FieldError | None:
    """What is wrong with a project's setting ``batch``, in one sentence."""
    if not isinstance(value, dict) or set(value) - {"enabled", *_NUMBERS}:
        names = ", ".join(("enabled", *_NUMBERS))
        return FieldError("validation_invalid_value", f"Must be an object with some of: {names}.")
    if not isinstance(value.get("enabled", True), bool):
        return FieldError("validation_invalid_value", '"enabled" is true or false.')
    for name, most in _NUMBERS.items():
        number = value.get(name, 0)
        if not isinstance(number, int) or isinstance(number, bool) or not 0 <= number <= most:
            return FieldError("validation_invalid_value", f"{name} must be a whole number from 0 to {most}.")
    return None
