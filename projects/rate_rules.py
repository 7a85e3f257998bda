"""Rules that limit how often a route is called: their form in settings, in a project, and what is refused.

A label names what is limited, as in the wire contract's rate limits: ``posts:create`` or ``*:create`` (a
collection's action), ``/api/batch`` (a path), ``/api/`` (all below it), ``POST /api/batch`` (one method).
Actions: list, view, create, update, delete, listAuthMethods, authRefresh, authWithPassword, impersonate;
``auth`` is every way to sign in, ``signUp`` the creation of an account by others than superusers, ``mail``
whatever sends a message.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from projects.errors import FieldError

Audience = Literal["", "@guest", "@auth"]

# The project's setting: {"enabled": bool, "rules": [{label, audience, duration, maxRequests, by}]}.
SETTING: Final = "rateLimits"
MOST_RULES: Final = 100
_LABEL = re.compile(r"(?:\*|\w+):[a-zA-Z]\w*|(?:[A-Z]+ )?/\S*", re.ASCII)
_TEXT = re.compile(r"(.+) (\d{1,9})/(\d{1,9})", re.ASCII)


@dataclass(frozen=True, slots=True)
class RateRule:
    """At most ``requests`` in ``seconds`` per address, or per signed-in user with ``by_user``.

    ``requests`` 0: no limit (a project's way to lift a default). ``audience``: all, guests or signed-in users.
    """

    label: str
    requests: int
    seconds: int
    audience: Audience = ""
    by_user: bool = False


def parse_rate_rule(text: str) -> RateRule:
    """A rule of MBAAS_RATE_LIMIT_RULES: ``"*:auth 300/60"``. Raises ValueError."""
    match = _TEXT.fullmatch(text)
    if match is None or not _LABEL.fullmatch(match[1]) or not int(match[3]):
        raise ValueError(f'"{text}" is no rate limit such as "*:auth 300/60"')
    return RateRule(match[1], int(match[2]), int(match[3]))


def read_rate_rules(setting: object) -> tuple[RateRule, ...]:
    """The rules of a project's setting, which ``check_rate_limits`` accepted; none while it is not enabled."""
    if not isinstance(setting, Mapping) or not setting.get("enabled"):
        return ()
    return tuple(
        RateRule(
            rule["label"],
            rule["maxRequests"],
            rule["duration"],
            rule.get("audience", ""),
            rule.get("by") == "user",
        )
        for rule in setting.get("rules", ())
    )


def check_rate_limits(value: Any) -> FieldError | None:
    """What is wrong with a project's rate limits, in one sentence."""
    if not isinstance(value, dict) or set(value) - {"enabled", "rules"}:
        return _invalid('Must be {"enabled": …, "rules": […]}.')
    rules = value.get("rules", [])
    if not isinstance(value.get("enabled", False), bool) or not isinstance(rules, list):
        return _invalid('"enabled" is true or false, "rules" a list.')
    if len(rules) > MOST_RULES:
        return _invalid(f"There may be at most {MOST_RULES} rules.")
    seen: set[tuple[str, str]] = set()
    for index, rule in enumerate(rules):
        complaint = _complaint(rule)
        if complaint:
            return _invalid(f"Rule {index}: {complaint}")
        key = (rule["label"], rule.get("audience", ""))
        if key in seen:
            return _invalid(f"Rule {index}: there is one for {key[0]} already.")
        seen.add(key)
    return None


def _complaint(rule: Any) -> str:
    names = {"label", "audience", "duration", "maxRequests", "by"}
    if not isinstance(rule, dict) or set(rule) - names:
        return f"it is an object of {', '.join(sorted(names))}."
    label = rule.get("label")
    if not isinstance(label, str) or len(label) > 200 or not _LABEL.fullmatch(label):
        return 'the label is such as "*:create", "posts:list", "/api/" or "POST /api/batch".'
    if rule.get("audience", "") not in ("", "@guest", "@auth"):
        return 'the audience is "", "@guest" or "@auth".'
    if rule.get("by", "address") not in ("address", "user"):
        return '"by" is "address" or "user".'
    if not _is_whole(rule.get("duration"), 1) or not _is_whole(rule.get("maxRequests"), 0):
        return "duration (seconds, from 1) and maxRequests (0: no limit) are whole numbers."
    return ""


def _is_whole(value: Any, least: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value < 10**9


def _invalid(message: str) -> FieldError:
    return FieldError("validation_invalid_value", message)
