"""A project's collections: a plain editor, until the full console."""

from __future__ import annotations

from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from admin_ui.collection_forms import (
    RULES,
    CollectionForm,
    FieldForm,
    FieldRows,
    option_editors,
    rows_of,
    show_refusal,
)
from admin_ui.pages.base import project_page, render
from projects.control import collections as operations
from projects.control.actor import Actor
from projects.control.roles import Action
from projects.errors import ApiError
from projects.models import Project
from projects.schema import CollectionSchema, collection_to_json
from projects.schema.defaults import new_collection

# What a new collection is offered to begin with.
_FIRST_ROWS = (
    {"name": "", "type": "text", "options": "{}", "ORDER": 1},
    {"name": "created", "type": "autodate", "options": '{"onCreate": true, "onUpdate": false}', "ORDER": 2},
    {"name": "updated", "type": "autodate", "options": '{"onCreate": true, "onUpdate": true}', "ORDER": 3},
)


@project_page(Action.SCHEMA_VIEW)
def collections(request: HttpRequest, actor: Actor, project: Project) -> HttpResponse:
    found = operations.list_collections(actor, project)
    own = [_summary(c) for c in found if not c.system]
    system = [_summary(c) for c in found if c.system]
    return render(request, "collections.html", "Collections", own=own, system=system)


def _summary(collection: CollectionSchema) -> dict[str, Any]:
    data = collection_to_json(collection)
    rules = [{"label": label, "rule": data[name]} for name, label in RULES]
    return {"collection": collection, "rules": rules, "fields": [f.name for f in collection.fields]}


@project_page(Action.SCHEMA_VIEW, post=Action.SCHEMA_EDIT)
def create(request: HttpRequest, actor: Actor, project: Project) -> HttpResponse:
    if request.method != "POST":
        # Nobody but superusers, until somebody says who: the form opens as the safe one.
        form, rows = (
            CollectionForm(initial=_defaults()),
            FieldRows(initial=list(_FIRST_ROWS), prefix="fields"),
        )
        return _editor(request, actor, project, form, rows)
    form, rows = CollectionForm(request.POST), FieldRows(request.POST, prefix="fields")
    if form.is_valid() and rows.is_valid():
        # System fields stand first, so that the n-th error is the n-th row's.
        system = [f.as_json() for f in new_collection(form.cleaned_data["type"]).fields]
        sent: list[FieldForm] = rows.sent()
        data = form.as_json()
        if data["type"] != "view":
            data["fields"] = [*system, *(row.as_json({}) for row in sent)]
        try:
            made = operations.create_collection(actor, project, data)
        except ApiError as error:
            _only_400(error)
            show_refusal(form, sent, len(system), error)
        else:
            messages.success(request, f"{made.name} is ready.")
            _warn(request, actor, project, made)
            return HttpResponseRedirect(reverse("admin:collections", args=[project.ref]))
    return _editor(request, actor, project, form, rows)


@project_page(Action.SCHEMA_VIEW, post=Action.SCHEMA_EDIT)
def edit(request: HttpRequest, actor: Actor, project: Project, name: str) -> HttpResponse:
    collection = operations.view_collection(actor, project, name)
    losses: list[str] = []
    if request.method != "POST":
        form, rows = CollectionForm.of(collection), FieldRows(initial=rows_of(collection), prefix="fields")
        return _editor(request, actor, project, form, rows, collection)
    form = CollectionForm(request.POST, initial=CollectionForm.values_of(collection), collection=collection)
    # Without the initial values: a row that was sent as it is counts, too.
    rows = FieldRows(request.POST, prefix="fields")
    if form.is_valid() and rows.is_valid():
        stored = {field.id: field.as_json() for field in collection.fields}
        sent: list[FieldForm] = rows.sent()
        data = form.as_json()
        if not collection.is_view:
            data["fields"] = [row.as_json(stored) for row in sent]
        confirm = form.cleaned_data["confirm"]
        try:
            changed = operations.update_collection(actor, project, collection.id, data, confirm=confirm)
        except ApiError as error:
            _only_400(error)
            losses = show_refusal(form, sent, 0, error)
        else:
            messages.success(request, f"{changed.name} is saved.")
            _warn(request, actor, project, changed)
            return HttpResponseRedirect(reverse("admin:collection", args=[project.ref, changed.name]))
    return _editor(request, actor, project, form, rows, collection, losses)


@project_page(Action.SCHEMA_EDIT)
def delete(request: HttpRequest, actor: Actor, project: Project, name: str) -> HttpResponse:
    collection = operations.view_collection(actor, project, name)
    error = ""
    if request.method == "POST":
        if request.POST.get("confirm", "") != collection.name:
            error = f"Type {collection.name} to confirm."
        else:
            try:
                operations.delete_collection(actor, project, collection.id)
            except ApiError as refusal:
                _only_400(refusal)
                error = refusal.message
            else:
                messages.success(request, f"{collection.name} is gone.")
                return HttpResponseRedirect(reverse("admin:collections", args=[project.ref]))
    return render(
        request, "collection_delete.html", f"Delete {collection.name}", collection=collection, error=error
    )


def _warn(request: HttpRequest, actor: Actor, project: Project, saved: CollectionSchema) -> None:
    """Say what the saved rules let happen."""
    for warning in operations.rule_warnings(actor, project, saved):
        messages.warning(request, f"{warning.collection}, {warning.rule}: {warning.message} {warning.hint}")


def _only_400(error: ApiError) -> None:
    """403 and 404 are not the form's."""
    if error.status != 400:
        raise error


def _defaults() -> dict[str, Any]:
    """The form of a new collection: auth inputs as an auth collection has them, all rules locked."""
    values = CollectionForm.values_of(new_collection("auth"))
    return {**values, "type": "base", "indexes": "", **{name: None for name, _ in RULES}}


def _editor(
    request: HttpRequest,
    actor: Actor,
    project: Project,
    form: CollectionForm,
    rows: Any,
    collection: CollectionSchema | None = None,
    losses: list[str] | None = None,
) -> HttpResponse:
    others = operations.list_collections(actor, project)
    known = {field.id: field for field in collection.fields} if collection else {}
    shown = rows.shown()
    for row in shown:
        row.stored = known.get(row["id"].value() or "")
    return render(
        request,
        "collection.html",
        collection.name if collection else "New collection",
        form=form,
        rows=rows,
        shown=shown,
        wrong=bool(form.errors) or any(row.errors for row in shown),
        collection=collection,
        losses=losses,
        editors={
            "types": option_editors(),
            # A relation may point to its own collection once that exists.
            "collections": [{"id": other.id, "name": other.name} for other in others],
        },
    )
