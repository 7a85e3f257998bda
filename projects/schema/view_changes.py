"""What a change of the schema means for the views that read what changes."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from projects.errors import ApiError, InvalidRuleError, invalid_fields
from projects.schema import store
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.validation import RuleValidator, invalid_view
from projects.schema.views.errors import ViewError
from projects.schema.views.settle import depending_views, settle_views

if TYPE_CHECKING:
    from projects.databases import Session


@dataclass(frozen=True)
class Settled:
    """A schema with all views as they then are: what differs from what is stored, and which view is wrong (by id)."""

    schema: ProjectSchema
    changed: tuple[CollectionSchema, ...] = ()
    faults: Mapping[str, str] = field(default_factory=dict)


def settle(
    before: ProjectSchema,
    after: ProjectSchema,
    validate_rule: RuleValidator,
    message: str,
    own: Container[str] = frozenset(),
) -> Settled:
    """``after`` with the fields of its views found out anew.

    ``own``: ids of the collections that are being saved, whose faults their own check tells. Raises ApiError 400
    when a view of others would break.
    """
    settled, errors = settle_views(after)
    faults = {view_id: str(error) for view_id, error in errors.items()}
    if any(view_id in own for view_id in faults):
        # What is wrong with the one that is saved says it all.
        return Settled(settled, (), faults)
    stored = {collection.id: collection for collection in before.collections}
    changed = []
    for view in settled.collections:
        known = stored.get(view.id)
        if known is None or view.id in own or not view.is_view:
            continue
        if view.id in faults:
            raise ApiError(
                400, f"{message} Raw error: \nthe view {view.name} would break: {faults[view.id]}."
            )
        if view.fields != known.fields:
            _check_rules(settled, view, validate_rule, message)
            changed.append(view)
    return Settled(settled, tuple(changed), faults)


def _check_rules(
    schema: ProjectSchema, view: CollectionSchema, validate_rule: RuleValidator, message: str
) -> None:
    own = (view.list_rule, view.view_rule, *(field.read_rule for field in view.fields))
    for rule in filter(None, own):
        try:
            validate_rule(rule, schema, view)
        except InvalidRuleError as error:
            raise ApiError(
                400, f"{message} Raw error: \na rule of the view {view.name} would break: {error}"
            ) from None


def finish_change(session: Session, settled: Settled, message: str, saved: Container[str]) -> None:
    """The last steps of a change: views that follow from it, a look at those that were saved, the new version."""
    for view in settled.changed:
        store.update_collection_row(session, view)
    views = [view for view in settled.schema.collections if view.is_view]
    if views:
        from projects.schema.views.check import check_view

        touched = {view.id for view in settled.changed}
        for view in views:
            if view.id in saved or view.id in touched:
                try:
                    check_view(session, settled.schema, view)
                except ViewError as error:
                    raise _view_refusal(view, str(error), message, saved) from None
    store.raise_version(session)


def _view_refusal(view: CollectionSchema, fault: str, message: str, saved: Container[str]) -> ApiError:
    if view.id in saved:
        return invalid_fields(message, {"viewQuery": invalid_view(fault)})
    return ApiError(400, f"{message} Raw error: \nthe view {view.name} would break: {fault}.")


def refuse_if_viewed(schema: ProjectSchema, collection: CollectionSchema, message: str) -> None:
    """Raises ApiError 400 when views of ``schema`` read the collection."""
    if views := depending_views(schema, collection):
        raise ApiError(400, f"{message[:-1]} because it is read by the view {', '.join(views)}.")
