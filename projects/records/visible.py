"""What of a record a caller may see."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from projects.records.access import satisfies
from projects.records.call import Call
from projects.records.field_rules import ReadTest, readers, rule_test
from projects.records.rows import Values
from projects.schema.collection import CollectionSchema

# Never leave the server, not even for superusers.
SECRET_AUTH_FIELDS = frozenset({"password", "tokenKey"})


def visible(call: Call, collection: CollectionSchema, values: Values) -> Values:
    """The record as the caller may see it: hidden fields absent, passwords blank, e-mail if allowed."""
    return viewer(call, collection)(values)


def viewer(
    call: Call, collection: CollectionSchema, records: Sequence[Values] = ()
) -> Callable[[Values], Values]:
    """``visible`` for many records of the collection; ``records``: the very ones, if they are known."""
    superuser = call.principal.is_superuser
    names, more, ruled = call.schema.derived.get(
        ("visible", collection.id, superuser), lambda: _shown(collection, superuser)
    )
    if ruled:
        show = _shower(call, collection, names, more, records)
        return _without_unread(call, collection, ruled, records, show)
    return _shower(call, collection, names, more, records)


def _shower(
    call: Call,
    collection: CollectionSchema,
    names: tuple[str, ...] | None,
    more: Mapping[str, str],
    records: Sequence[Values],
) -> Callable[[Values], Values]:
    if not collection.is_auth:
        return lambda values: (
            {**values, **more} if names is None else {**{name: values[name] for name in names}, **more}
        )

    # Made when it is first asked: most accounts are looked at by nobody who manages them.
    manages: ReadTest | None = None

    def account(values: Values) -> Values:
        nonlocal manages
        out = {**values} if names is None else {name: values[name] for name in names}
        out.update(more)
        if not (
            values["emailVisibility"] or call.principal.is_superuser or _is_self(call, collection, values)
        ):
            manages = manages or _manager_test(call, collection, records)
            if not manages(values):
                out.pop("email", None)
        return out

    return account


def _manager_test(call: Call, collection: CollectionSchema, records: Sequence[Values]) -> ReadTest:
    """``is_manager`` for many records: what only the database can tell is asked once for all of them."""
    rule = _manage_rule(collection)
    return rule_test(call, collection, rule, records) if rule else lambda _values: False


def _without_unread(
    call: Call,
    collection: CollectionSchema,
    ruled: tuple[str, ...],
    records: Sequence[Values],
    show: Callable[[Values], Values],
) -> Callable[[Values], Values]:
    """``show`` without the fields whose own rule hides them from the caller."""
    tests = readers(call, collection, ruled, records)

    def limited(values: Values) -> Values:
        out = show(values)
        for name, is_read in tests:
            if not is_read(values):
                out.pop(name, None)
        return out

    return limited


def is_manager(call: Call, collection: CollectionSchema, values: Values) -> bool:
    """Whether the caller may manage that auth record as if it were theirs (``manageRule``)."""
    if call.principal.is_superuser:
        return True
    rule = _manage_rule(collection)
    return bool(rule) and satisfies(call, collection, rule, values)


def _manage_rule(collection: CollectionSchema) -> str:
    # A manage rule of "" would make everyone a manager: nobody means that, so it counts as none.
    return str(collection.options.get("manageRule") or "").strip()


def _is_self(call: Call, collection: CollectionSchema, values: Values) -> bool:
    return call.principal.collection_id == collection.id and call.principal.id == values["id"]


def _shown(
    collection: CollectionSchema, superuser: bool
) -> tuple[tuple[str, ...] | None, Mapping[str, str], tuple[str, ...]]:
    """The names of what is shown, None for all there are; what is the same for every record; and which of the
    names have a rule of their own."""
    secret = SECRET_AUTH_FIELDS if collection.is_auth else frozenset()
    shown = [f for f in collection.fields if f.name not in secret and (superuser or not f.hidden)]
    more = {f.name: "" for f in shown if f.type == "password"}
    more |= {"collectionId": collection.id, "collectionName": collection.name}
    names = None if len(shown) == len(collection.fields) else tuple(f.name for f in shown)
    return names, more, () if superuser else tuple(f.name for f in shown if f.read_rule)
