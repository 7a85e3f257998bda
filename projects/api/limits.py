"""Limits of routes per project: which rule holds for a request, and its count."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from functools import lru_cache

from django.conf import settings
from django.core.exceptions import ImproperlyConfigured
from starlette.requests import Request

from projects.api.dispatch import client_ip, read
from projects.context import ProjectHandle, current_project
from projects.principal import GUEST, Principal
from projects.rate_rules import SETTING, RateRule, parse_rate_rule, read_rate_rules
from projects.ratelimit import address_of, limit_key, limiter, too_many
from projects.records.batch import Progress
from projects.records.call import Call

# Actions that also count as another, wider one.
_WIDER = {
    "authWithPassword": "auth",
    "authWithOAuth2": "auth",
    "authWithOTP": "auth",
    "requestOTP": "mail",
    "requestPasswordReset": "mail",
    "requestVerification": "mail",
    "requestEmailChange": "mail",
}


async def limit_request(request: Request, action: str = "", collection: str = "") -> None:
    """Count a request, if a rule holds for it. Raises ApiError 429 with Retry-After. Superusers have no limit.

    ``action`` and ``collection`` (name or id, as the address has it) name it beside its path.
    """
    project = current_project()
    given = project.setting(SETTING)
    if given is None and not _defaults_concern(tuple(settings.MBAAS_RATE_LIMIT_RULES), action):
        return
    if not settings.MBAAS_RATE_LIMITS:
        return
    own = read_rate_rules(given)
    path = _path_labels(request)
    if not own and not list(matching_rules(project, (*tags(action), *path))):
        return

    def look_up(call: Call) -> tuple[Principal, str]:
        found = call.schema.get(collection)
        return call.principal, found.name if found else ""

    principal, name = await read(request, look_up)
    await check(project, (*tags(action, name), *path), client_ip(request), principal)


async def limit_parts(
    request: Request,
    actions: Collection[str],
    look_up: Callable[[Call], Sequence[tuple[str, str]]],
    progress: Progress,
) -> None:
    """Count each part of a request; ``progress`` says at which one a limit was reached (ApiError 429).

    ``actions`` are those that may occur; ``look_up`` says (action, collection's name) of every part. Their
    paths do not count: the request's own does.
    """
    project = current_project()
    labels = [tag for action in actions for tag in tags(action)]
    own = read_rate_rules(project.setting(SETTING))
    if not settings.MBAAS_RATE_LIMITS or not (own or any(matching_rules(project, labels))):
        return
    principal, parts = await read(request, lambda call: (call.principal, look_up(call)))
    ip = client_ip(request)
    for progress.at, (action, name) in enumerate(parts):
        await check(project, tags(action, name), ip, principal)


async def check(project: ProjectHandle, labels: Sequence[str], ip: str, principal: Principal = GUEST) -> None:
    """Count a request that has these labels, the narrowest first. Raises ApiError 429 with Retry-After."""
    if not settings.MBAAS_RATE_LIMITS or principal.is_superuser:
        return
    counts = limiter()
    for rule in matching_rules(project, labels, principal):
        who = principal.id if rule.by_user and principal.id else address_of(ip)
        key = limit_key(project, "rate", rule.label, rule.audience, who)
        if await counts.count(key, rule.seconds) > rule.requests:
            raise too_many(await counts.seconds_left(key))


def matching_rules(
    project: ProjectHandle, labels: Sequence[str], principal: Principal | None = None
) -> Iterator[RateRule]:
    """The rule of the project and the default one that hold: for each, the narrowest label that has one.

    A project's rule replaces the default of the same label; the other defaults stand beside the project's.
    Without a principal, rules of every audience.
    """
    own = read_rate_rules(project.setting(SETTING))
    replaced = {rule.label for rule in own}
    defaults = [
        rule for rule in _defaults(tuple(settings.MBAAS_RATE_LIMIT_RULES)) if rule.label not in replaced
    ]
    for rules in (own, defaults):
        rule = _narrowest(rules, labels, principal)
        if rule is not None and rule.requests:
            yield rule


def tags(action: str, collection: str = "") -> tuple[str, ...]:
    """What rules may call an action, the narrowest first: ``users:signUp``, ``*:signUp``."""
    actions = [name for name in (action, _WIDER.get(action)) if name]
    return tuple(f"{name}:{one}" for name in (collection, "*") if name for one in actions)


def _path_labels(request: Request) -> tuple[str, str]:
    path = request.scope["path"].removeprefix(request.scope.get("root_path", ""))
    return f"{request.method} {path}", path


def _narrowest(
    rules: Sequence[RateRule], labels: Sequence[str], principal: Principal | None
) -> RateRule | None:
    found = [rule for rule in rules if _hears(rule, principal)]
    for label in labels:
        for rule in found:
            if rule.label == label:
                return rule
    above = [
        rule
        for rule in found
        if rule.label.endswith("/") and any(label.startswith(rule.label) for label in labels)
    ]
    return max(above, key=lambda rule: len(rule.label), default=None)


def _hears(rule: RateRule, principal: Principal | None) -> bool:
    if principal is None or not rule.audience:
        return True
    return (rule.audience == "@guest") == (principal.kind == "guest")


@lru_cache(maxsize=256)
def _defaults_concern(texts: tuple[str, ...], action: str) -> bool:
    """Whether a default rule could hold for the action at all; most calls are ordinary ones with no limit."""
    named = tags(action)
    return any(rule.label in named or "/" in rule.label for rule in _defaults(texts))


@lru_cache(maxsize=4)
def _defaults(texts: tuple[str, ...]) -> tuple[RateRule, ...]:
    try:
        return tuple(parse_rate_rule(text) for text in texts)
    except ValueError as error:
        raise ImproperlyConfigured(f"MBAAS_RATE_LIMIT_RULES: {error}") from None
