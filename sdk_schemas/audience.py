"""What of a project's collections a reader may learn. The one place that decides it, for every generator.

``app``: what an app can use: collections with an action that a rule lets anybody but superusers take, those
actions, and fields that are not hidden. Rules themselves are never written out, for nobody.
``superuser``: all of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal

from projects.schema.back_relations import back_relations
from projects.schema.collection import SUPERUSERS, CollectionSchema, ProjectSchema
from projects.schema.fields.autodate import AutodateField
from projects.schema.fields.base import Field
from projects.schema.fields.relation import RelationField
from sdk_schemas.names import type_names

Audience = Literal["app", "superuser"]
Action = Literal["list", "view", "create", "update", "delete"]

ACTIONS: Final[tuple[Action, ...]] = ("list", "view", "create", "update", "delete")
_READS: Final[frozenset[Action]] = frozenset({"list", "view"})
_SECRETS: Final = frozenset({"password", "tokenKey"})


@dataclass(frozen=True, slots=True)
class Expandable:
    """A name that ``expand`` takes, and the types of the records that it brings."""

    name: str
    type_name: str
    is_list: bool


@dataclass(frozen=True, slots=True)
class Offer:
    """One collection as the audience may know it. ``type_name`` is what its types are called."""

    collection: CollectionSchema
    type_name: str
    actions: frozenset[Action]
    # Actions that need no sign-in and no condition.
    open: frozenset[Action]
    superuser: bool
    readable: tuple[Field, ...]
    writable: tuple[Field, ...]
    # Relations, and back relations, that lead to what the audience knows too.
    expandable: tuple[Expandable, ...]

    @property
    def name(self) -> str:
        return self.collection.name

    @property
    def is_auth(self) -> bool:
        return self.collection.is_auth

    @property
    def signs_in(self) -> bool:
        """Whether the audience may sign in to the collection at all."""
        if not self.is_auth:
            return False
        return self.superuser or (self.name != SUPERUSERS and self.collection.options["authRule"] is not None)


@dataclass(frozen=True, slots=True)
class Api:
    """What a document is made of: the collections that its audience may know, and whether it is superusers'."""

    offers: tuple[Offer, ...]
    superuser: bool


def offers_of(schema: ProjectSchema, audience: Audience) -> tuple[Offer, ...]:
    """The collections that the audience may know, the project's own before the system's."""
    superuser = audience == "superuser"
    names = type_names(schema)
    ordered = sorted(schema.collections, key=lambda collection: collection.system)
    known = {c.id: _actions(c, superuser=superuser) for c in ordered}
    shown = [c for c in ordered if known[c.id] or _is_sign_in(c, superuser=superuser)]
    targets = {c.id: names[c.id] for c in shown if "view" in known[c.id]}
    return tuple(_offer(schema, c, names[c.id], known[c.id], targets, superuser=superuser) for c in shown)


def _offer(
    schema: ProjectSchema,
    collection: CollectionSchema,
    type_name: str,
    actions: frozenset[Action],
    targets: Mapping[str, str],
    *,
    superuser: bool,
) -> Offer:
    readable = tuple(_readable(collection, superuser=superuser))
    return Offer(
        collection=collection,
        type_name=type_name,
        actions=actions,
        open=frozenset(action for action in actions if _rule(collection, action) == ""),
        superuser=superuser,
        readable=readable,
        writable=tuple(_writable(collection, superuser=superuser)),
        expandable=tuple(_expandable(schema, collection, readable, targets, superuser=superuser)),
    )


def _expandable(
    schema: ProjectSchema,
    collection: CollectionSchema,
    readable: Iterable[Field],
    targets: Mapping[str, str],
    *,
    superuser: bool,
) -> Iterator[Expandable]:
    for field in readable:
        if isinstance(field, RelationField) and field.collection_id in targets:
            yield Expandable(field.name, targets[field.collection_id], field.is_list)
    for back in back_relations(schema, collection):
        if back.collection.id in targets and (superuser or not back.field.hidden):
            yield Expandable(back.name, targets[back.collection.id], not back.single)


def _actions(collection: CollectionSchema, *, superuser: bool) -> frozenset[Action]:
    if not superuser:
        return frozenset(action for action in _possible(collection) if _rule(collection, action) is not None)
    return _possible(collection)


def _possible(collection: CollectionSchema) -> frozenset[Action]:
    """Views are only read, and superusers are the members of the project, who are managed elsewhere."""
    return frozenset(ACTIONS) if collection.has_table else _READS


def _is_sign_in(collection: CollectionSchema, *, superuser: bool) -> bool:
    return collection.is_auth and (superuser or collection.name != SUPERUSERS)


def _rule(collection: CollectionSchema, action: Action) -> str | None:
    rule: Any = getattr(collection, f"{action}_rule")
    return None if rule is None else str(rule).strip()


def _readable(collection: CollectionSchema, *, superuser: bool) -> Iterable[Field]:
    for field in collection.fields:
        if collection.is_auth and field.name in _SECRETS:
            continue
        if superuser or not field.hidden:
            yield field


def _writable(collection: CollectionSchema, *, superuser: bool) -> Iterable[Field]:
    """What a body may set. The password of an auth record is hidden to read, there to be set."""
    for field in collection.fields:
        if isinstance(field, AutodateField) or (collection.is_auth and field.name == "tokenKey"):
            continue
        if superuser or not field.hidden or (collection.is_auth and field.name == "password"):
            yield field
