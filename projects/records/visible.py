"""What of a record a caller may see."""

from __future__ import annotations

from projects.records.access import satisfies
from projects.records.call import Call
from projects.records.rows import Values
from projects.schema.collection import CollectionSchema

# Never leave the server, not even for superusers.
SECRET_AUTH_FIELDS = frozenset({"password", "tokenKey"})


def visible(call: Call, collection: CollectionSchema, values: Values) -> Values:
    """The record as the caller may see it: hidden fields absent, passwords blank, e-mail if allowed."""
    superuser = call.principal.is_superuser
    names, blank = call.schema.derived.get(
        ("visible", collection.id, superuser), lambda: _shown(collection, superuser)
    )
    out: Values = {name: values[name] for name in names} if names is not None else {**values}
    for name in blank:
        out[name] = ""
    out["collectionId"] = collection.id
    out["collectionName"] = collection.name
    if collection.is_auth and not _shows_email(call, collection, values):
        out.pop("email", None)
    return out


def is_manager(call: Call, collection: CollectionSchema, values: Values) -> bool:
    """Whether the caller may manage that auth record as if it were theirs (``manageRule``)."""
    if call.principal.is_superuser:
        return True
    # A manage rule of "" would make everyone a manager: nobody means that, so it counts as none.
    rule = str(collection.options.get("manageRule") or "")
    return bool(rule) and satisfies(call, collection, rule, values)


def _shows_email(call: Call, collection: CollectionSchema, values: Values) -> bool:
    return (
        values["emailVisibility"]
        or call.principal.is_superuser
        or _is_self(call, collection, values)
        or is_manager(call, collection, values)
    )


def _is_self(call: Call, collection: CollectionSchema, values: Values) -> bool:
    return call.principal.collection_id == collection.id and call.principal.id == values["id"]


def _shown(collection: CollectionSchema, superuser: bool) -> tuple[tuple[str, ...] | None, tuple[str, ...]]:
    """The names of what is shown, None for all there are; and which of them leave without their value."""
    secret = SECRET_AUTH_FIELDS if collection.is_auth else frozenset()
    shown = [f for f in collection.fields if f.name not in secret and (superuser or not f.hidden)]
    blank = tuple(f.name for f in shown if f.type == "password")
    return None if len(shown) == len(collection.fields) else tuple(f.name for f in shown), blank
