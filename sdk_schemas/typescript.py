"""Types for TypeScript that make the official ``pocketbase`` SDK know a project's collections.

The file has types only: it serves as ``.ts`` and as ``.d.ts`` and adds nothing to an app.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

from projects.schema.collection import ProjectSchema
from projects.schema.fields.base import Field
from projects.schema.fields.boolean import BoolField
from projects.schema.fields.file import FileField
from projects.schema.fields.geo_point import GeoPointField
from projects.schema.fields.json import JsonField
from projects.schema.fields.manyvalued import ManyValuedField
from projects.schema.fields.number import NumberField
from projects.schema.fields.select import SelectField
from projects.schema.fields.text import TextField
from sdk_schemas.audience import Audience, Offer, offers_of
from sdk_schemas.fields import is_required, may_be_null
from sdk_schemas.records import may_be_absent

_IDENTIFIER: Final = re.compile(r"[A-Za-z_$][\w$]*", re.ASCII)

_HEAD: Final = """\
// Types of the project {title}, made from its collections; do not edit: fetch it anew.
//
//   import PocketBase from "pocketbase";
//   import type {{ TypedPocketBase }} from "./{file}";
//
//   const pb = new PocketBase(url) as TypedPocketBase;
//   const page = await pb.collection("{example}").getList();   // typed

import type PocketBase from "pocketbase";
import type {{
  BatchService,
  RecordAuthResponse,
  RecordOptions,
  RecordService,
  SubBatchService,
}} from "pocketbase";

export type RecordId = string;
/** RFC 3339, UTC; empty when not set. */
export type DateText = string;
/** HTML as it was sent: sanitise it before you show it. */
export type Html = string;
export interface GeoPoint {{
  lon: number;
  lat: number;
}}
"""

_SERVICES: Final = """\
type Body<T> = [T] extends [never] ? never : T | FormData;

/** A service of the SDK whose bodies are typed too; what the collection does not offer takes nothing. */
export interface TypedRecordService<C extends CollectionTypes>
  extends Omit<RecordService<C["record"]>, "create" | "update" | "authWithPassword" | "authRefresh"> {
  create<T = C["record"]>(body: Body<C["create"]>, options?: RecordOptions): Promise<T>;
  update<T = C["record"]>(id: RecordId, body: Body<C["update"]>, options?: RecordOptions): Promise<T>;
  authWithPassword<T = C["record"]>(
    identity: C["auth"] extends true ? string : never,
    password: string,
    options?: RecordOptions,
  ): Promise<RecordAuthResponse<T>>;
  authRefresh<T = C["record"]>(options?: RecordOptions): Promise<RecordAuthResponse<T>>;
}

export interface TypedSubBatchService<C extends CollectionTypes>
  extends Omit<SubBatchService, "create" | "update" | "upsert"> {
  create(body: Body<C["create"]>, options?: RecordOptions): void;
  update(id: RecordId, body: Body<C["update"]>, options?: RecordOptions): void;
  upsert(body: Body<C["create"] & { id: RecordId }>, options?: RecordOptions): void;
}

export interface TypedBatchService extends Omit<BatchService, "collection"> {
  collection<N extends CollectionName>(name: N): TypedSubBatchService<Collections[N]>;
}

interface CollectionTypes {
  record: unknown;
  create: unknown;
  update: unknown;
  auth: boolean;
}

export type CollectionName = keyof Collections;

export type TypedPocketBase = Omit<PocketBase, "collection" | "createBatch"> & {
  collection<N extends CollectionName>(name: N): TypedRecordService<Collections[N]>;
  createBatch(): TypedBatchService;
};
"""


def typescript(schema: ProjectSchema, audience: Audience, *, title: str) -> str:
    """The text of the file, the same for the same schema."""
    offers = offers_of(schema, audience)
    example = next((offer.name for offer in offers if "list" in offer.actions), "posts")
    head = _HEAD.format(title=title, file=title, example=example)
    parts = [head, *(_collection(offer) for offer in offers), _registry(offers), _SERVICES]
    return "\n".join(parts)


def _collection(offer: Offer) -> str:
    return "\n".join(
        [
            *_interface(f"{offer.type_name}Record", _record_lines(offer)),
            *_interface(f"{offer.type_name}Create", _create_lines(offer)),
            *_interface(f"{offer.type_name}Update", _update_lines(offer)),
        ]
    )


def _interface(name: str, lines: Iterable[str]) -> Iterator[str]:
    yield f"export interface {name} {{"
    yield from (f"  {line}" for line in lines)
    yield "}"
    yield ""


def _record_lines(offer: Offer) -> Iterator[str]:
    for field in offer.readable:
        yield from _comment(field)
        mark = "?" if may_be_absent(offer, field) else ""
        yield f"{_key(field.name)}{mark}: {_read_type(field)};"
    yield "collectionId: string;"
    yield "collectionName: string;"
    if offer.expandable:
        yield "/** What `expand` asked for, as far as the rules let the caller view it. */"
        inner = "; ".join(
            f"{_key(one.name)}?: {one.type_name}Record{'[]' if one.is_list else ''}"
            for one in offer.expandable
        )
        yield f"expand?: {{ {inner} }};"
    else:
        yield "expand?: { [relation: string]: unknown };"


def _create_lines(offer: Offer) -> Iterator[str]:
    for field in offer.writable:
        yield from _comment(field)
        yield f"{_key(field.name)}{'' if is_required(field) else '?'}: {_write_type(field)};"
        if isinstance(field, TextField) and field.autogenerate_pattern and field.name != "id":
            yield f"{_key(f'{field.name}:autogenerate')}?: string;"
    if offer.is_auth:
        yield "passwordConfirm: string;"


def _update_lines(offer: Offer) -> Iterator[str]:
    for field in offer.writable:
        if field.name == "id":
            continue
        yield from _comment(field)
        yield f"{_key(field.name)}?: {_write_type(field)};"
        for key, kind in _modifiers(field):
            yield f"{_key(key)}?: {kind};"
    if offer.is_auth:
        yield "passwordConfirm?: string;"
        yield "/** Needed to change one's own password. */"
        yield "oldPassword?: string;"


def _modifiers(field: Field) -> Iterator[tuple[str, str]]:
    if isinstance(field, NumberField):
        yield f"{field.name}+", "number"
        yield f"{field.name}-", "number"
    elif isinstance(field, FileField) and field.is_list:
        for key in (f"{field.name}+", f"+{field.name}"):
            yield key, "Blob | Blob[]"
        yield f"{field.name}-", "string | string[]"
    elif isinstance(field, ManyValuedField) and field.is_list:
        item = _item_type(field)
        for key in (f"{field.name}+", f"+{field.name}", f"{field.name}-"):
            yield key, f"{item} | {_list_of(item)}"
    elif isinstance(field, TextField) and field.autogenerate_pattern:
        yield f"{field.name}:autogenerate", "string"


def _read_type(field: Field) -> str:
    return f"{_value_type(field)} | null" if may_be_null(field) else _value_type(field)


def _value_type(field: Field) -> str:
    match field:
        case NumberField():
            return "number"
        case BoolField():
            return "boolean"
        case GeoPointField():
            return "GeoPoint"
        case JsonField():
            return "unknown"
        case ManyValuedField():
            item = _item_type(field)
            return _list_of(item) if field.is_list else item
        case _ if field.kind == "date":
            return "DateText"
        case _ if field.type == "editor":
            return "Html"
        case TextField(primary_key=True):
            return "RecordId"
        case _:
            return "string"


def _write_type(field: Field) -> str:
    if field.kind == "date":
        kind = "DateText | Date"
    elif isinstance(field, FileField):
        # A name that the record has, or a new file.
        kind = "string | Blob | (string | Blob)[]" if field.is_list else "string | Blob"
    else:
        return _read_type(field)
    return f"{kind} | null" if may_be_null(field) else kind


def _item_type(field: ManyValuedField) -> str:
    if not isinstance(field, SelectField):
        return "RecordId" if field.type == "relation" else "string"
    values = list(field.values)
    if not field.is_list and not field.required and "" not in values:
        values.append("")
    return " | ".join(json.dumps(value) for value in values)


def _list_of(item: str) -> str:
    return f"({item})[]" if "|" in item else f"{item}[]"


def _registry(offers: Sequence[Offer]) -> str:
    lines = []
    for offer in offers:
        create = f"{offer.type_name}Create" if "create" in offer.actions else "never"
        update = f"{offer.type_name}Update" if "update" in offer.actions else "never"
        auth = "true" if offer.signs_in else "false"
        lines.append(
            f"{_key(offer.name)}: {{ record: {offer.type_name}Record; create: {create}; update: {update};"
            f" auth: {auth} }};"
        )
    return "\n".join(
        ["/** By name, what a collection holds and takes. */", *_interface("Collections", lines)]
    )


def _comment(field: Field) -> Iterator[str]:
    if field.help:
        # A comment that the text itself would end is cut off there.
        text = " ".join(field.help.replace("*/", "* /").split())
        yield f"/** {text} */"


def _key(name: str) -> str:
    return name if _IDENTIFIER.fullmatch(name) else json.dumps(name)
