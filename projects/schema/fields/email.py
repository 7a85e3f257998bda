"""An e-mail address."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Final

from projects.context import Engine
from projects.errors import ErrorTree, FieldError
from projects.schema.fields.base import Field, Invalid, OptionScope, ValueKind
from projects.schema.fields.coerce import is_storable, to_text
from projects.schema.fields.columns import text_column
from projects.schema.fields.domains import domain_allowed, domain_complaints
from projects.schema.fields.options import as_texts, option

MAX_LENGTH: Final = 320 + 255  # well above RFC 5321's, so that only nonsense is refused

# RFC 5321's dot-atom, letters beyond ASCII included (RFC 6531); the domain needs a dot.
_ATOM = r"[^\s\x00-\x20\x7f\"(),:;<>@\[\\\].]+"
_LABEL = r"[^\W_](?:[\w-]*[^\W_])?"
_ADDRESS = re.compile(rf"{_ATOM}(?:\.{_ATOM})*@{_LABEL}(?:\.{_LABEL})*\.{_LABEL}")


def is_email(text: str) -> bool:
    return len(text) <= MAX_LENGTH and bool(_ADDRESS.fullmatch(text))


@dataclass(frozen=True, kw_only=True)
class EmailField(Field):
    type = "email"

    only_domains: tuple[str, ...] | None = option("onlyDomains", as_texts, None)
    except_domains: tuple[str, ...] | None = option("exceptDomains", as_texts, None)

    @property
    def kind(self) -> ValueKind:
        return "text"

    def column_type(self, engine: Engine) -> str:
        return text_column(engine)

    @property
    def can_be_searched(self) -> bool:
        return True

    def zero(self) -> str:
        return ""

    def normalize(self, value: Any) -> str:
        return to_text(value)

    def check(self, value: Any) -> None:
        if not is_storable(value) or not is_email(value):
            raise Invalid("validation_is_email", "Must be a valid email address.")
        domain = value.rpartition("@")[2]
        if not domain_allowed(domain, self.only_domains, self.except_domains):
            raise Invalid("validation_email_domain_not_allowed", "Email domain is not allowed.")

    def check_options(self, scope: OptionScope) -> dict[str, FieldError | ErrorTree]:
        return domain_complaints(self.only_domains, self.except_domains)
