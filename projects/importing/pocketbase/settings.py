"""A PocketBase's settings: which of them a project has too, and what becomes of the others."""

from __future__ import annotations

from typing import Any, Final

from projects.control.project_settings import check_settings
from projects.importing.pocketbase.report import Report
from projects.rate_rules import SETTING as RATE_LIMITS
from projects.records.batch_limits import SETTING as BATCH

Json = dict[str, Any]

_OPERATORS: Final = "It belongs to the installation here, not to a project; its operator sets it."
# Settings of PocketBase without a counterpart, and what stands in their place.
_LEFT: Final = {
    "smtp": "Projects send no mail yet; the account and its password were not taken.",
    "s3": "New files go to the project's own storage: its setting fileStorage may name a bucket. Keys were not taken.",
    "backups": "Back-ups are made by the operator for the whole installation.",
    "logs": _OPERATORS,
    "trustedProxy": f"{_OPERATORS} (MBAAS_TRUSTED_PROXIES)",
    "superuserIPs": _OPERATORS,
}


def translate_settings(settings: Json | None, report: Report) -> Json:
    """The project's settings that say what PocketBase's did, and notes of the rest."""
    if settings is None:
        report.note("left", "settings", "They are encrypted or damaged: none of them were taken.")
        return {}
    found = {
        BATCH: _batch(settings.get("batch")),
        RATE_LIMITS: _rate_limits(settings.get("rateLimits"), report),
    }
    taken = {}
    for name, value in found.items():
        if value is None:
            continue
        if error := check_settings({name: value}).get(name):
            report.note("left", f"settings.{name}", error.message)
        else:
            taken[name] = value
    for name, reason in _LEFT.items():
        if _is_set(settings.get(name)):
            report.note("left", f"settings.{name}", reason)
    return taken


def app_name(settings: Json | None) -> str:
    """What the app is called there; empty where nobody named it."""
    meta = (settings or {}).get("meta")
    name = meta.get("appName") if isinstance(meta, dict) else None
    return name.strip()[:100] if isinstance(name, str) and name != "Acme" else ""


def _batch(given: Any) -> Json | None:
    if not isinstance(given, dict):
        return None
    kept = {
        name: given[name] for name in ("enabled", "maxRequests", "timeout", "maxBodySize") if name in given
    }
    return kept if kept.get("enabled") else {"enabled": False}


def _rate_limits(given: Any, report: Report) -> Json | None:
    if not isinstance(given, dict) or not given.get("enabled"):
        return None
    names = ("label", "audience", "duration", "maxRequests")
    rules = [
        {name: rule[name] for name in names if name in rule}
        for rule in given.get("rules") or ()
        if isinstance(rule, dict)
    ]
    if given.get("excludedIPs"):
        report.note("left", "settings.rateLimits.excludedIPs", "The limits hold for every address here.")
    return {"enabled": True, "rules": rules}


def _is_set(value: Any) -> bool:
    """Whether somebody chose it: PocketBase writes down what is off, too."""
    if isinstance(value, dict):
        if "enabled" in value:
            return bool(value["enabled"])
        if "cron" in value:
            return bool(value["cron"]) or _is_set(value.get("s3"))
        return bool(value.get("headers"))
    return bool(value)
