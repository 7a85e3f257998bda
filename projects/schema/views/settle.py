"""All views of a schema at once: each one's fields, found out again from what it reads."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace

from projects.schema.collection import CollectionSchema, ProjectSchema
from projects.schema.views.errors import ViewError


def has_views(schema: ProjectSchema) -> bool:
    return any(collection.type == "view" for collection in schema.collections)


def settle_views(schema: ProjectSchema) -> tuple[ProjectSchema, Mapping[str, ViewError]]:
    """The schema with the fields of every view as its query gives them, and what is wrong with which view (by id).

    A view that is wrong has no fields.
    """
    if not has_views(schema):
        return schema, {}
    work = _Settling(schema)
    for collection in schema.collections:
        if collection.type == "view":
            work.settle(collection)
    return work.schema(), work.errors


class _Settling:
    def __init__(self, schema: ProjectSchema) -> None:
        self._before = schema
        self._views = {c.name.lower(): c for c in schema.collections if c.type == "view"}
        self._done: dict[str, CollectionSchema] = {}
        self.errors: dict[str, ViewError] = {}

    def settle(self, view: CollectionSchema) -> None:
        if view.id not in self._done:
            self._settle(view, ())

    def schema(self) -> ProjectSchema:
        collections = tuple(self._done.get(c.id, c) for c in self._before.collections)
        return ProjectSchema(self._before.version, collections)

    def _settle(self, view: CollectionSchema, below: tuple[str, ...]) -> None:
        from projects.schema.views.columns import view_fields
        from projects.schema.views.resolve import table_names

        try:
            text = view.options["viewQuery"]
            for name in sorted(table_names(text)):
                read = self._views.get(name)
                if read is None or read.id in self._done:
                    continue
                if read.id == view.id or read.id in below:
                    raise ViewError(f"the view {read.name} would read itself")
                self._settle(read, (*below, view.id))
            self._done[view.id] = replace(view, fields=view_fields(self.schema(), view.id, text))
        except ViewError as error:
            self.errors[view.id] = error
            self._done[view.id] = replace(view, fields=())


def depending_views(schema: ProjectSchema, collection: CollectionSchema) -> list[str]:
    """The names of the views that read the collection directly."""
    return [
        view.name
        for view in schema.collections
        if view.type == "view" and view.id != collection.id and collection.id in _direct_sources(schema, view)
    ]


def sources_of(schema: ProjectSchema, collection: CollectionSchema) -> frozenset[str]:
    """The ids of the tables whose records decide what the collection holds: its own, or those that a view reads."""
    if collection.type != "view":
        return frozenset({collection.id})
    return schema.derived.get(
        ("sources", collection.id), lambda: frozenset(_sources(schema, collection, set()))
    )


def _sources(schema: ProjectSchema, view: CollectionSchema, seen: set[str]) -> Iterator[str]:
    for source_id in _direct_sources(schema, view) - seen:
        seen.add(source_id)
        source = schema.get(source_id)
        if source is not None and source.type == "view":
            yield from _sources(schema, source, seen)
        else:
            yield source_id


def _direct_sources(schema: ProjectSchema, view: CollectionSchema) -> frozenset[str]:
    from projects.schema.views.resolve import table_names

    try:
        names = table_names(view.options["viewQuery"])
    except ViewError:
        return frozenset()
    return frozenset(c.id for c in schema.collections if c.name.lower() in names)
