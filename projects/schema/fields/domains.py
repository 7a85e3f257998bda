"""``onlyDomains`` and ``exceptDomains``, which e-mail and URL fields share."""

from __future__ import annotations

import re

from projects.errors import ErrorTree, FieldError

_LABEL = r"[a-zA-Z0-9_](?:[a-zA-Z0-9_-]{0,61}[a-zA-Z0-9_])?"
_DOMAIN = re.compile(rf"(?=.{{1,253}}\Z){_LABEL}(?:\.{_LABEL})*\.[a-zA-Z][a-zA-Z0-9-]{{1,62}}\.?", re.ASCII)


def domain_allowed(domain: str, only: tuple[str, ...] | None, excluded: tuple[str, ...] | None) -> bool:
    """Domains are compared exactly, subdomains and upper case included (the wire contract's behaviour)."""
    if only:
        return domain in only
    return not excluded or domain not in excluded


def domain_complaints(
    only: tuple[str, ...] | None, excluded: tuple[str, ...] | None
) -> dict[str, FieldError | ErrorTree]:
    """What is wrong with the two lists: both given, or an entry that is no domain."""
    if only and excluded:
        either = FieldError("validation_empty", "Must be blank.")
        return {"exceptDomains": either, "onlyDomains": either}
    found: dict[str, FieldError | ErrorTree] = {}
    for wire, domains in (("onlyDomains", only), ("exceptDomains", excluded)):
        wrong: ErrorTree = {
            str(index): FieldError("validation_is_domain", "Must be a valid domain.")
            for index, domain in enumerate(domains or ())
            if domain and not _DOMAIN.fullmatch(domain)
        }
        if wrong:
            found[wire] = wrong
    return found
