"""A web address."""

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

MAX_LENGTH: Final = 2083

_SCHEME = r"(?:(?:https?|ftp|tcp|udp|wss?|irc|rtmp)://|mailto:)"
_USER = r"(?:[^\s/?#@:]+(?::[^\s/?#@]*)?@)?"
_LABEL = r"[^\W_](?:[\w-]{0,61}[\w])?"
_HOST = rf"(?:\[[0-9a-fA-F:.]+\]|localhost|{_LABEL}(?:\.{_LABEL})+\.?)"
_PORT = r"(?::\d{1,5})?"
_REST = r"(?:[/?#][^\s]*)?"
_URL = re.compile(rf"{_SCHEME}?{_USER}(?P<host>{_HOST})(?P<port>{_PORT}){_REST}")


@dataclass(frozen=True, kw_only=True)
class UrlField(Field):
    type = "url"

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
        match = _URL.fullmatch(value) if len(value) <= MAX_LENGTH and is_storable(value) else None
        if match is None:
            raise Invalid("validation_invalid_url", "Must be a valid url.")
        # The port belongs to the compared domain, as in the wire contract.
        if not domain_allowed(match["host"] + match["port"], self.only_domains, self.except_domains):
            raise Invalid("validation_url_domain_not_allowed", "Url domain is not allowed.")

    def check_options(self, scope: OptionScope) -> dict[str, FieldError | ErrorTree]:
        return domain_complaints(self.only_domains, self.except_domains)
