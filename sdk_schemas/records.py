"""The component schemas of one collection: its record, what creates and updates one, a page of them."""

from __future__ import annotations

from typing import Any

from projects.schema.fields.base import Field
from sdk_schemas.audience import Offer
from sdk_schemas.fields import Json, example, is_required, read_schema, write_schema

MODIFIERS_HELP = (
    "Besides fields, keys may say how a value changes: `tags+`, `+tags`, `tags-` add to and take from a field of "
    "many values, `count+` and `count-` change a number, `slug:autogenerate` makes a text anew."
)


def ref(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def record_name(offer: Offer) -> str:
    return f"{offer.type_name}Record"


def collection_schemas(offer: Offer) -> Json:
    """By name. Types of what the audience cannot do are not there."""
    out = {record_name(offer): _record(offer)}
    if offer.expandable:
        out[f"{offer.type_name}Expand"] = _expand(offer)
    if "list" in offer.actions:
        out[f"{offer.type_name}Page"] = _page(offer)
    if "create" in offer.actions:
        out[f"{offer.type_name}Create"] = _create(offer)
    if "update" in offer.actions:
        out[f"{offer.type_name}Update"] = _update(offer)
    if offer.signs_in:
        out[f"{offer.type_name}Auth"] = _auth(offer)
    return out


def record_example(offer: Offer) -> Json:
    return {
        **{field.name: "" if field.type == "password" else example(field) for field in offer.readable},
        "collectionId": offer.collection.id,
        "collectionName": offer.name,
    }


def page_example(offer: Offer) -> Json:
    page = {"page": 1, "perPage": 30, "totalItems": 1, "totalPages": 1}
    return {**page, "items": [record_example(offer)]}


def create_example(offer: Offer) -> Json:
    out = {field.name: example(field) for field in offer.writable if field.name != "id"}
    return _with_password(offer, out)


def update_example(offer: Offer) -> Json:
    changed = next((field for field in offer.writable if not field.system), None)
    return {changed.name: example(changed)} if changed else {}


def _record(offer: Offer) -> Json:
    properties: Json = {field.name: read_schema(field) for field in offer.readable}
    properties["collectionId"] = {"type": "string", "const": offer.collection.id}
    # No constant: a collection may be renamed, and clients made before must still read its records.
    properties["collectionName"] = {"type": "string"}
    if offer.expandable:
        properties["expand"] = ref(f"{offer.type_name}Expand")
    required = [field.name for field in offer.readable if not may_be_absent(offer, field)]
    return {
        "type": "object",
        "description": f"A record of `{offer.name}`. With `fields` in the query it holds those alone.",
        "required": [*required, "collectionId", "collectionName"],
        "properties": properties,
        "examples": [record_example(offer)],
    }


def may_be_absent(offer: Offer, field: Field) -> bool:
    """An account's e-mail is for its owner, managers, and everybody if the account says so; a field with a rule
    is for whom that lets."""
    return not offer.superuser and (bool(field.read_rule) or (offer.is_auth and field.name == "email"))


def _expand(offer: Offer) -> Json:
    return {
        "type": "object",
        "description": "The related records asked for with `expand`, as far as the caller may view them: those that "
        "a relation names, and under `collection_via_field` those whose relation names this one.",
        "properties": {
            one.name: {"type": "array", "items": ref(f"{one.type_name}Record")}
            if one.is_list
            else ref(f"{one.type_name}Record")
            for one in offer.expandable
        },
    }


def _page(offer: Offer) -> Json:
    count = {"type": "integer", "description": "-1 with `skipTotal`."}
    return {
        "type": "object",
        "required": ["page", "perPage", "totalItems", "totalPages", "items"],
        "properties": {
            "page": {"type": "integer"},
            "perPage": {"type": "integer"},
            "totalItems": count,
            "totalPages": count,
            "nextCursor": {
                "type": ["string", "null"],
                "description": "With `cursor`: of the next page, if there is one.",
            },
            "items": {"type": "array", "items": ref(record_name(offer))},
        },
        "examples": [page_example(offer)],
    }


def _create(offer: Offer) -> Json:
    properties: Json = {field.name: write_schema(field) for field in offer.writable}
    required = [field.name for field in offer.writable if is_required(field)]
    if offer.is_auth:
        properties["passwordConfirm"] = {"type": "string", "format": "password", "writeOnly": True}
        required.append("passwordConfirm")
    return {
        "type": "object",
        **({"required": required} if required else {}),
        "properties": properties,
        "examples": [create_example(offer)],
    }


def _update(offer: Offer) -> Json:
    properties: Json = {field.name: write_schema(field) for field in offer.writable if field.name != "id"}
    if offer.is_auth:
        secret = {"type": "string", "format": "password", "writeOnly": True}
        properties["passwordConfirm"] = secret
        properties["oldPassword"] = {**secret, "description": "Needed to change one's own password."}
    return {
        "type": "object",
        "description": MODIFIERS_HELP,
        "properties": properties,
        "examples": [update_example(offer)],
    }


def _auth(offer: Offer) -> Json:
    return {
        "type": "object",
        "required": ["token", "record"],
        "properties": {
            "token": {"type": "string", "description": "To be sent as `Authorization`."},
            "record": ref(record_name(offer)),
            "meta": {
                "type": "object",
                "description": "What the provider said of the account.",
                "properties": {},
            },
        },
    }


def _with_password(offer: Offer, body: dict[str, Any]) -> dict[str, Any]:
    if not offer.is_auth:
        return body
    body = {name: value for name, value in body.items() if name not in ("verified", "emailVisibility")}
    return {**body, "passwordConfirm": body["password"]}
