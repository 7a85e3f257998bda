"""What is wrong with a collection: names, fields, indexes, rules and auth options, errors by wire name."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final, Protocol

from projects.errors import ErrorTree, FieldError, InvalidRuleError
from projects.schema.auth_checks import auth_option_errors
from projects.schema.collection import HISTORY_RULE, CollectionSchema, ProjectSchema
from projects.schema.defaults import ID_FIELD
from projects.schema.fields.base import Field
from projects.schema.fields.checks import BLANK, length_between
from projects.schema.fields.coerce import is_storable
from projects.schema.fields.relation import RelationField
from projects.schema.fields.text import TextField
from projects.schema.index_checks import index_errors, missing_columns
from projects.schema.names import (
    MAX_ID,
    collection_name_complaint,
    field_name_complaint,
    id_complaint,
    taken_name_complaint,
)
from projects.schema.serialize import RULES

_NOT_OF_VIEWS: Final = FieldError("validation_nil", "Must be blank.")
MAX_FIELDS: Final = 1000  # PostgreSQL's tables end at 1600 columns

Errors = dict[str, FieldError | ErrorTree]


class RuleValidator(Protocol):
    """Raises InvalidRuleError for a rule that cannot stand on ``collection``, which ``schema`` holds as it
    will be. Empty rules and null are not asked."""

    def __call__(self, text: str, schema: ProjectSchema, collection: CollectionSchema) -> None: ...


@dataclass(frozen=True, slots=True)
class Candidate:
    """A collection to check, beside those that will stand with it."""

    new: CollectionSchema
    old: CollectionSchema | None
    others: tuple[CollectionSchema, ...]
    # Collections of the same import, which relations may point to before they exist.
    coming: frozenset[str] = frozenset()
    # What is wrong with a view's query.
    view_fault: str = ""

    def has_collection(self, collection_id: str) -> bool:
        """For relations: a new collection cannot point to itself before it exists."""
        return (
            any(other.id == collection_id for other in self.others)
            or (self.old is not None and self.old.id == collection_id)
            or collection_id in self.coming
        )

    def is_view(self, collection_id: str) -> bool:
        return any(other.id == collection_id and other.is_view for other in self.others)


def collection_errors(candidate: Candidate, schema: ProjectSchema, validate_rule: RuleValidator) -> Errors:
    """Everything that is wrong, empty when nothing is. ``schema`` holds the candidate in its place."""
    new, old = candidate.new, candidate.old
    errors: Errors = {}
    if old is None:
        _put(errors, "id", _id_error(candidate))
    _put(errors, "name", _name_error(candidate))
    if old is not None and old.system != new.system:
        errors["system"] = FieldError(
            "validation_collection_system_flag_change", "System collection state cannot be changed."
        )
    if new.is_view:
        errors.update(_view_errors(candidate))
    else:
        _put(errors, "fields", _fields_errors(candidate))
        _put(errors, "indexes", index_errors(new, candidate.others))
    for wire, name in RULES:
        rule = getattr(new, name)
        before = getattr(old, name) if old is not None else None
        if wire not in errors:
            _put(errors, wire, _rule_error(candidate, rule, before, schema, validate_rule))
    if not new.is_view:
        before = old.history_rule if old is not None else None
        _put(errors, HISTORY_RULE, _rule_error(candidate, new.history_rule, before, schema, validate_rule))
    if "fields" not in errors:
        _put(errors, "fields", _field_rule_errors(new, schema, validate_rule))
    if new.is_auth:
        errors.update(_auth_errors(candidate, schema, validate_rule))
    if not errors and not new.is_view:
        _put(errors, "indexes", missing_columns(new))
    return errors


def _view_errors(candidate: Candidate) -> Errors:
    """What is wrong with what only views have, or what they have not."""
    new = candidate.new
    errors: Errors = {}
    if not new.fields:
        errors["fields"] = BLANK
    if not new.options["viewQuery"]:
        errors["viewQuery"] = BLANK
    elif candidate.view_fault:
        errors["viewQuery"] = invalid_view(candidate.view_fault)
    if new.indexes:
        errors["indexes"] = FieldError(
            "validation_indexes_not_supported", "View collections don't support indexes."
        )
    for wire, name in RULES[2:]:
        if getattr(new, name) is not None:
            errors[wire] = _NOT_OF_VIEWS
    if new.history_rule is not None:
        errors[HISTORY_RULE] = _NOT_OF_VIEWS
    return errors


def invalid_view(fault: str) -> FieldError:
    """The complaint about a view's query."""
    return FieldError("validation_invalid_view_query", f"Invalid query - {fault.rstrip('.')}.")


def _put(errors: Errors, key: str, found: FieldError | ErrorTree | None) -> None:
    if found:
        errors[key] = found


def _id_error(candidate: Candidate) -> FieldError | None:
    given = candidate.new.id
    if found := id_complaint(given):
        return found
    # An id that is another collection's name would capture every URL that names it.
    taken = any(given.lower() in (other.id.lower(), other.name.lower()) for other in candidate.others)
    if taken:
        return FieldError("validation_invalid_or_existing_id", "The model id is invalid or already exists.")
    return None


def _name_error(candidate: Candidate) -> FieldError | None:
    new, old = candidate.new, candidate.old
    if old is not None and old.name == new.name:
        return None
    if old is not None and old.system:
        return FieldError(
            "validation_collection_system_name_change", "System collection name cannot be changed."
        )
    return collection_name_complaint(new.name) or taken_name_complaint(
        new.name,
        (other.name for other in candidate.others),
        {other.id for other in candidate.others},
    )


def _fields_errors(candidate: Candidate) -> FieldError | ErrorTree | None:
    new, old = candidate.new, candidate.old
    if any(field.id == ID_FIELD.id and not _is_primary_key(field) for field in new.fields):
        return FieldError("validation_missing_primary_key", 'Missing or invalid "id" PK field.')
    if old is not None and _loses_system_field(old, new):
        return FieldError("validation_system_field_change", "System fields cannot be deleted or renamed.")
    if old is not None and not new.has_table and old.fields != new.fields:
        return FieldError("validation_system_field_change", "The collection's fields cannot be changed.")
    if len(new.fields) > MAX_FIELDS:
        return FieldError(
            "validation_length_out_of_range",
            f"The length must be no more than {MAX_FIELDS}.",
            {"max": MAX_FIELDS, "min": 0},
        )
    names: dict[str, int] = {}
    keys = [field for field in new.fields if isinstance(field, TextField) and field.primary_key]
    tree: dict[str, ErrorTree] = {}
    for at, field in enumerate(new.fields):
        found = _field_errors(candidate, field)
        if names.setdefault(field.name.lower(), at) != at and "name" not in found:
            found["name"] = FieldError(
                "validation_duplicated_field_name",
                f"Duplicated or invalid field name {field.name}.",
                {"fieldName": field.name},
            )
        if len(keys) > 1 and field in keys:
            found["primaryKey"] = FieldError(
                "validation_unsupported_composite_pk",
                "Composite PKs are not supported and the collection must have only 1 PK.",
            )
        if found:
            tree[str(at)] = found
    return tree or _changed_types(candidate)


def _is_primary_key(field: Field) -> bool:
    return isinstance(field, TextField) and field.name == "id"


def _loses_system_field(old: CollectionSchema, new: CollectionSchema) -> bool:
    return any(
        field.system and (field.id not in new.field_by_id or new.field_by_id[field.id].name != field.name)
        for field in old.fields
    )


def _changed_types(candidate: Candidate) -> ErrorTree | None:
    if candidate.old is None:
        return None
    before = candidate.old.field_by_id
    tree: dict[str, FieldError | ErrorTree] = {}
    for at, field in enumerate(candidate.new.fields):
        known = before.get(field.id)
        if known is None:
            continue
        if known.type != field.type:
            tree[str(at)] = FieldError("validation_field_type_change", "Field type cannot be changed.")
        elif (
            isinstance(field, RelationField)
            and isinstance(known, RelationField)
            and field.collection_id != known.collection_id
        ):
            changed = FieldError(
                "validation_field_relation_change", "The relation collection cannot be changed."
            )
            tree[str(at)] = {"collectionId": changed}
    return tree


def _not_searchable(collection: CollectionSchema, field: Field) -> str:
    """Why the field cannot be searched; "" when it can."""
    if collection.is_view:
        return "A view has no index: make the fields searchable where they are stored."
    if collection.system:
        return "System collections cannot be searched."
    # A search finds by a field whoever asks, so nobody may be kept from it.
    if field.hidden or field.read_rule:
        return "Only fields that everybody sees who sees the record can be searched."
    return "" if field.can_be_searched else "Only texts can be searched."


def _field_errors(candidate: Candidate, field: Field) -> Errors:
    errors: Errors = {}
    _put(errors, "id", length_between(field.id, 1, MAX_ID))
    _put(errors, "name", field_name_complaint(field.name, candidate.new.type))
    _put(errors, "help", length_between(field.help, 1, 300))
    if field.searchable and (complaint := _not_searchable(candidate.new, field)):
        errors["searchable"] = FieldError("validation_invalid_searchable", complaint)
    if field.nullable and not field.can_be_null:
        errors["nullable"] = FieldError("validation_invalid_nullable", "The field cannot be null.")
    errors.update({**field.check_options(candidate), **errors})
    if isinstance(field, RelationField) and candidate.is_view(field.collection_id):
        errors["collectionId"] = FieldError(
            "validation_relation_field_non_view_base_collection",
            "Only view collections are allowed to have relations to other views.",
        )
    return errors


def _field_rule_errors(
    new: CollectionSchema, schema: ProjectSchema, validate_rule: RuleValidator
) -> ErrorTree:
    tree: dict[str, ErrorTree] = {}
    for at, field in enumerate(new.fields):
        found: Errors = {}
        _put(found, "readRule", _invalid_rule(field.read_rule, schema, new, validate_rule))
        _put(found, "writeRule", _invalid_rule(field.write_rule, schema, new, validate_rule))
        if found:
            tree[str(at)] = found
    return tree


def _rule_error(
    candidate: Candidate,
    rule: str | None,
    before: str | None,
    schema: ProjectSchema,
    validate_rule: RuleValidator,
) -> FieldError | None:
    if candidate.old is not None and candidate.old.system and rule != before:
        return FieldError(
            "validation_collection_system_rule_change", "System collection API rule cannot be changed."
        )
    return _invalid_rule(rule, schema, candidate.new, validate_rule)


def _invalid_rule(
    rule: str | None, schema: ProjectSchema, collection: CollectionSchema, validate_rule: RuleValidator
) -> FieldError | None:
    if not rule:
        return None
    try:
        if not is_storable(rule):
            raise InvalidRuleError("the rule has characters that cannot be stored")
        validate_rule(rule, schema, collection)
    except InvalidRuleError as error:
        reason = str(error).rstrip(".")
        return FieldError("validation_invalid_rule", f"Invalid rule. Raw error: {reason}.")
    return None


def _auth_errors(candidate: Candidate, schema: ProjectSchema, validate_rule: RuleValidator) -> Errors:
    new, old = candidate.new, candidate.old
    errors: Errors = {}
    for name in ("authRule", "manageRule"):
        before: Any = old.options.get(name) if old is not None else None
        _put(errors, name, _rule_error(candidate, new.options[name], before, schema, validate_rule))
    if new.options["manageRule"] == "":
        errors["manageRule"] = FieldError("validation_nil_or_not_empty_required", BLANK.message)
    mfa_rule = new.options["mfa"]["rule"]
    errors.update(auth_option_errors(new, _invalid_rule(mfa_rule, schema, new, validate_rule)))
    return errors
