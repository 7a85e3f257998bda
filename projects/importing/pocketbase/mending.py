"""A PocketBase's collections in the form in which they can stand here, and what had to change for that.

What is refused is taken back as far as it must be and no further, always to the side where fewer may do less: a rule
becomes null, a provider or a view goes. Where nothing can be taken back, the import is refused before it begins.
"""

from __future__ import annotations

import copy
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from projects.errors import ApiError, ErrorTree, FieldError
from projects.importing.pocketbase.errors import ImportRefusedError
from projects.importing.pocketbase.report import Report
from projects.rules import validate_rule
from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.operations import draft_of_new
from projects.schema.validation import Candidate, collection_errors
from projects.schema.views.settle import settle_views

Json = dict[str, Any]

_RULES: Final = ("listRule", "viewRule", "createRule", "updateRule", "deleteRule", "authRule", "manageRule")
# Options of auth collections that go back to their defaults when ours do not take them.
_REPLACEABLE: Final = frozenset(
    {
        "authAlert", "otp", "authToken", "passwordResetToken", "emailChangeToken", "verificationToken", "fileToken",
        "verificationTemplate", "resetPasswordTemplate", "confirmEmailChangeTemplate",
    }
)  # fmt: skip
# Options of a field that say what the field is: without them it would be another.
_ESSENTIAL: Final = frozenset({"id", "name", "type", "collectionId", "values", "maxSelect", "primaryKey"})
# Each round takes something back; more rounds than this would mean that it does not help.
_ROUNDS: Final = 1000


@dataclass(frozen=True, slots=True)
class Mended:
    """The collections' wire JSON with what could not stay taken back, and as what they will be here."""

    items: tuple[Json, ...]
    collections: tuple[CollectionSchema, ...]


def mend(system: Sequence[CollectionSchema], found: Sequence[Json], report: Report) -> Mended:
    """``found`` (without system collections) beside the project's ``system`` ones. Raises ImportRefusedError."""
    items = [copy.deepcopy(item) for item in found]
    for _ in range(_ROUNDS):
        schema, faults = settle_views(ProjectSchema(0, (*system, *_drafts(items))))
        by_id = {one.id: one for one in schema.collections}
        complaints = [
            (item, by_id[item["id"]], errors)
            for item in items
            if (errors := _errors(schema, by_id[item["id"]], str(faults.get(item["id"], ""))))
        ]
        if not complaints:
            return Mended(tuple(items), tuple(by_id[item["id"]] for item in items))
        for item, collection, errors in complaints:
            if collection.is_view and ("viewQuery" in errors or "fields" in errors):
                report.note("left", str(item["name"]), f"the view cannot stand here: {_say(errors)}")
                items.remove(item)
            else:
                _take_back(item, collection, errors, report)
    raise ImportRefusedError("The collections cannot be brought into a form that can stand here.")


def _drafts(items: Sequence[Json]) -> list[CollectionSchema]:
    empty = ProjectSchema(0, ())
    drafts = []
    for item in items:
        try:
            drafts.append(draft_of_new(empty, item))
        except ApiError as error:
            raise _refused(item, error.data, error.message) from error
    return drafts


def _errors(schema: ProjectSchema, collection: CollectionSchema, fault: str) -> Mapping[str, Any]:
    others = tuple(one for one in schema.collections if one.id != collection.id)
    coming = frozenset(one.id for one in schema.collections)
    return collection_errors(Candidate(collection, None, others, coming, fault), schema, validate_rule)


def _take_back(item: Json, collection: CollectionSchema, errors: Mapping[str, Any], report: Report) -> None:
    """Take back what ``errors`` complain of. Raises ImportRefusedError when that is not enough for one."""
    name = collection.name
    for key, error in errors.items():
        if key in _RULES and isinstance(error, FieldError):
            report.note("closed", f"{name}.{key}", f"{error.message} It was: {item.get(key)}")
            item[key] = None
        elif key == "fields" and isinstance(error, Mapping):
            _take_back_options(item, collection, error, report)
        elif key == "indexes" and isinstance(error, Mapping):
            _take_back_indexes(item, error, report)
        elif key == "oauth2":
            _take_back_providers(item, error, report)
        elif key == "passwordAuth":
            _take_back_identities(item, collection, error, report)
        elif key == "mfa" and isinstance(error, Mapping) and set(error) == {"rule"}:
            # Without a rule everybody is asked for the second factor.
            report.note("closed", f"{name}.mfa.rule", f"{_say(error)} Now it holds for everybody.")
            item["mfa"] = {**item["mfa"], "rule": ""}
        elif key in _REPLACEABLE and key in item:
            report.note("changed", f"{name}.{key}", f"{_say({key: error})} The usual one stands there now.")
            del item[key]
        else:
            raise _refused(item, {key: error}, "It cannot stand here.")


def _take_back_options(item: Json, collection: CollectionSchema, tree: ErrorTree, report: Report) -> None:
    for place, errors in tree.items():
        field = collection.fields[int(place)]
        given = next((one for one in item["fields"] if one.get("id") == field.id), None)
        if given is None or not isinstance(errors, Mapping):
            raise _refused(item, tree, "It cannot stand here.")
        for option, error in errors.items():
            if option in _ESSENTIAL or option not in given:
                raise _refused(item, {f"fields.{field.name}.{option}": error}, "It cannot stand here.")
            about = f"{collection.name}.{field.name}.{option}"
            report.note(
                "changed", about, f"{_say({option: error})} The option is gone; it was: {given[option]!r}"
            )
            del given[option]


def _take_back_indexes(item: Json, tree: ErrorTree, report: Report) -> None:
    for place in sorted(map(int, tree), reverse=True):
        if place >= len(item["indexes"]):
            raise _refused(item, {"indexes": tree}, "It cannot stand here.")
        text = item["indexes"].pop(place)
        report.note("left", f"{item['name']}.indexes", f"{_say({'': tree[str(place)]})} It was: {text}")


def _take_back_providers(item: Json, tree: Any, report: Report) -> None:
    places = tree.get("providers", {}) if isinstance(tree, Mapping) else {}
    if not isinstance(places, Mapping) or not places:
        raise _refused(item, {"oauth2": tree}, "It cannot stand here.")
    for place in sorted(map(int, places), reverse=True):
        gone = item["oauth2"]["providers"].pop(place)
        about = f"{item['name']}.oauth2.{gone.get('name')}"
        report.note("left", about, f"The provider cannot stand here: {_say(places[str(place)])}")


def _take_back_identities(item: Json, collection: CollectionSchema, tree: Any, report: Report) -> None:
    """A field that tells people apart no more lets nobody sign in."""
    error = tree.get("identityFields") if isinstance(tree, Mapping) else None
    gone = (error.params or {}).get("fieldName") if isinstance(error, FieldError) else None
    password = item.get("passwordAuth") or {}
    left = [name for name in password.get("identityFields", ()) if name != gone]
    if not isinstance(error, FieldError) or len(left) == len(password.get("identityFields", ())):
        raise _refused(item, {"passwordAuth": tree}, "It cannot stand here.")
    about = f"{collection.name}.passwordAuth.identityFields"
    report.note("closed", about, f"{error.message} Nobody signs in by {gone} any more.")
    item["passwordAuth"] = {**password, "identityFields": left, "enabled": bool(left)}


def _refused(item: Json, tree: Any, message: str) -> ImportRefusedError:
    details = f" {_say(tree)}" if tree else ""
    return ImportRefusedError(f"The collection {item.get('name')}: {message}{details}")


def _say(tree: Any, path: str = "") -> str:
    """An error tree in a line."""
    if isinstance(tree, FieldError):
        return f"{path}: {tree.message}" if path else tree.message
    parts = (_say(value, f"{path}.{key}".strip(".")) for key, value in tree.items())
    return " ".join(parts)
