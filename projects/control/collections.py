"""A project's collections for the people of the console: the schema's operations under roles and audit."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from projects.control import audit
from projects.control.actor import Actor
from projects.control.roles import Action, require
from projects.databases import Session, read_session, write_session
from projects.models import Project
from projects.rules import validate_rule
from projects.rules.review import RuleWarning, review_collections, rules_report
from projects.schema import CollectionSchema, collection_to_json, exporting, importing, operations
from projects.schema.import_diff import import_diff
from projects.schema.importing import ImportPlan, plan_import
from projects.schema.store import load_schema


def list_collections(actor: Actor, project: Project) -> tuple[CollectionSchema, ...]:
    """All collections, system ones too, in the order of their creation. Raises ApiError 403, 404."""
    require(actor, project, Action.SCHEMA_VIEW)
    with read_session(project.handle()) as session:
        return operations.list_collections(session)


def view_collection(actor: Actor, project: Project, name: str) -> CollectionSchema:
    """Raises ApiError 403, 404."""
    require(actor, project, Action.SCHEMA_VIEW)
    with read_session(project.handle()) as session:
        return operations.view_collection(session, name)


def create_collection(actor: Actor, project: Project, data: Mapping[str, Any]) -> CollectionSchema:
    """A new collection from its wire JSON. Raises ApiError 400 by field, 403, 404."""
    require(actor, project, Action.SCHEMA_EDIT)
    with write_session(project.handle()) as session:
        made = operations.create_collection(session, data, validate_rule=validate_rule)
    audit.record(actor, "collection.created", project=project, target=made.name, details={"id": made.id})
    return made


def update_collection(
    actor: Actor, project: Project, name: str, data: Mapping[str, Any], *, confirm: bool
) -> CollectionSchema:
    """The collection with the keys of ``data`` changed; ``confirm`` allows what destroys stored values.

    Raises ApiError 400 by field (``confirmation_required`` where values would be lost), 403, 404.
    """
    require(actor, project, Action.SCHEMA_EDIT)
    with write_session(project.handle()) as session:
        before = collection_to_json(operations.view_collection(session, name))
        changed = operations.update_collection(
            session, name, data, validate_rule=validate_rule, confirm=confirm
        )
    after = collection_to_json(changed)
    keys = [key for key in after if key != "updated" and before.get(key) != after[key]]
    details = {"id": changed.id, "changed": keys, "confirmed": confirm}
    audit.record(actor, "collection.changed", project=project, target=changed.name, details=details)
    return changed


def delete_collection(actor: Actor, project: Project, name: str) -> None:
    """The collection and all its records, gone. Raises ApiError 400, 403, 404."""
    require(actor, project, Action.SCHEMA_EDIT)
    with write_session(project.handle()) as session:
        gone = operations.view_collection(session, name)
        operations.delete_collection(session, name, confirm=True)
    audit.record(actor, "collection.deleted", project=project, target=gone.name, details={"id": gone.id})


def export_collections(actor: Actor, project: Project) -> dict[str, Any]:
    """All collections as a file that ``import_collections`` reads. Raises ApiError 403, 404."""
    require(actor, project, Action.SCHEMA_VIEW)
    with read_session(project.handle()) as session:
        return exporting.export_collections(session)


def import_collections(
    actor: Actor, project: Project, data: Mapping[str, Any], *, confirm: bool = False, dry_run: bool = False
) -> dict[str, Any]:
    """Create and update many collections, all or none; answers what was (or would be) changed, and ``warnings`` of
    their rules.

    Raises ApiError 400 (``confirmation_required`` where values would be lost), 403, 404.
    """
    require(actor, project, Action.SCHEMA_EDIT)
    if dry_run:
        with read_session(project.handle()) as session:
            return _diff(session, plan_import(session, data, validate_rule=validate_rule))
    with write_session(project.handle()) as session:
        diff = _diff(session, plan_import(session, data, validate_rule=validate_rule))
        importing.import_collections(session, data, validate_rule=validate_rule, confirm=confirm)
    changes = {entry["name"]: entry["change"] for entry in diff["collections"]}
    audit.record(
        actor, "collections.imported", project=project, details={"changes": changes, "confirmed": confirm}
    )
    return diff


def report_rules(actor: Actor, project: Project) -> dict[str, Any]:
    """Whom each rule lets through, and the holes in them (``rules_report``). Raises ApiError 403, 404."""
    require(actor, project, Action.SCHEMA_VIEW)
    with read_session(project.handle()) as session:
        schema = load_schema(session)
    return rules_report(schema)


def rule_warnings(actor: Actor, project: Project, collection: CollectionSchema) -> tuple[RuleWarning, ...]:
    """The holes that the collection's rules are, or make. Raises ApiError 403, 404."""
    require(actor, project, Action.SCHEMA_VIEW)
    with read_session(project.handle()) as session:
        schema = load_schema(session)
    return review_collections(schema, [collection])


def _diff(session: Session, plan: ImportPlan) -> dict[str, Any]:
    warnings = review_collections(plan.settled.schema, [change.new for change in plan.changes])
    return {**import_diff(session, plan), "warnings": [warning.as_json() for warning in warnings]}
