"""A project's collections as frozen data: what every other room reads, and nothing writes."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from threading import Lock
from typing import Any, Final, Literal, TypeVar

from projects.schema.fields.base import Field
from projects.schema.fields.file import FileField
from projects.schema.fields.password import PasswordField

T = TypeVar("T")

CollectionType = Literal["base", "auth", "view"]

SUPERUSERS: Final = "_superusers"
# The option's name, here and on the wire.
HISTORY_RULE: Final = "historyRule"


# slots are left out: cached_property needs the instance dict.
@dataclass(frozen=True)
class CollectionSchema:
    """One collection. A rule is ``None`` (superusers only), ``""`` (everyone) or an expression.

    ``options`` holds ``historyRule`` where it is set, and what only its type has: for view ``viewQuery``; for auth
    ``authRule``, ``manageRule``, ``passwordAuth``, ``authToken`` and so on as in the wire contract (secrets included;
    the serialiser leaves them out).
    """

    id: str
    name: str
    type: CollectionType
    system: bool = False
    fields: tuple[Field, ...] = ()
    indexes: tuple[str, ...] = ()
    list_rule: str | None = None
    view_rule: str | None = None
    create_rule: str | None = None
    update_rule: str | None = None
    delete_rule: str | None = None
    options: Mapping[str, Any] = field(default_factory=dict)
    created: str = ""
    updated: str = ""

    @cached_property
    def field_by_name(self) -> Mapping[str, Field]:
        return {f.name: f for f in self.fields}

    @cached_property
    def field_by_id(self) -> Mapping[str, Field]:
        return {f.id: f for f in self.fields}

    @cached_property
    def file_fields(self) -> tuple[FileField, ...]:
        return tuple(f for f in self.fields if isinstance(f, FileField))

    @cached_property
    def password_fields(self) -> tuple[PasswordField, ...]:
        return tuple(f for f in self.fields if isinstance(f, PasswordField))

    @property
    def history_rule(self) -> str | None:
        """Who sees how records were, and brings that back; a rule like the others, asked about each former state."""
        rule: str | None = self.options.get(HISTORY_RULE)
        return rule

    @property
    def is_auth(self) -> bool:
        return self.type == "auth"

    @property
    def is_view(self) -> bool:
        return self.type == "view"

    @property
    def has_table(self) -> bool:
        """Whether the collection's records are rows of its table. Those of ``_superusers`` are members."""
        return self.type != "view" and not (self.system and self.name == SUPERUSERS)

    @property
    def is_readable(self) -> bool:
        """Whether the project's database has a table or a view of the records."""
        return self.is_view or self.has_table

    @property
    def table(self) -> str:
        """The table's name in the project's database: the collection's own."""
        return self.name

    def __hash__(self) -> int:
        return hash(self.id)


class Derived:
    """A bounded memory of values worked out from one schema version, oldest first out."""

    def __init__(self, limit: int = 1000) -> None:
        self._limit = limit
        self._values: OrderedDict[Hashable, Any] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], T]) -> T:
        """The value kept for ``key``; ``make()`` when there is none (twice, if two threads ask at once)."""
        try:
            value: T = self._values[key]
        except KeyError:
            value = make()
            with self._lock:
                self._values[key] = value
                if len(self._values) > self._limit:
                    self._values.popitem(last=False)
        return value


@dataclass(frozen=True)
class ProjectSchema:
    """All collections of a project at one version. The version grows at every change."""

    version: int
    collections: tuple[CollectionSchema, ...] = ()

    @cached_property
    def _by_key(self) -> Mapping[str, CollectionSchema]:
        by_key = {c.name.lower(): c for c in self.collections}
        by_key.update({c.id: c for c in self.collections})
        return by_key

    def get(self, name_or_id: str) -> CollectionSchema | None:
        """The collection with that id or (whatever the case) name."""
        return self._by_key.get(name_or_id) or self._by_key.get(name_or_id.lower())

    @cached_property
    def derived(self) -> Derived:
        """What other rooms worked out from this version (compiled plans); gone with it."""
        return Derived()

    def __hash__(self) -> int:
        return hash(self.version)

    def with_collection(self, collection: CollectionSchema) -> ProjectSchema:
        """The schema as it would be with ``collection`` added, or in the place of the one with its id."""
        others = tuple(other for other in self.collections if other.id != collection.id)
        return ProjectSchema(version=self.version, collections=(*others, collection))
