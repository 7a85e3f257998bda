"""Whom each rule of a project lets through, and the holes in them."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from admin_ui.pages.base import project_page, render
from projects.control import collections as operations
from projects.control.actor import Actor
from projects.control.roles import Action
from projects.models import Project

_COLUMNS: Final = (
    ("list", "List"),
    ("view", "View"),
    ("create", "Create"),
    ("update", "Update"),
    ("delete", "Delete"),
    ("manage", "Manage"),
)
_WORDS: Final = {
    "public": "Everyone",
    "signed_in": "Signed in",
    "owner": "Owner",
    "expression": "By rule",
    "superusers": "Superusers",
}


@project_page(Action.SCHEMA_VIEW)
def rules(request: HttpRequest, actor: Actor, project: Project) -> HttpResponse:
    report = operations.report_rules(actor, project)
    rows = [_row(collection) for collection in report["collections"] if not collection["system"]]
    columns = [label for _, label in _COLUMNS]
    return render(
        request, "rules.html", "Who may do what", rows=rows, columns=columns, warnings=report["warnings"]
    )


def _row(collection: dict[str, Any]) -> dict[str, Any]:
    cells = [collection["rules"].get(operation) for operation, _ in _COLUMNS]
    return {
        "name": collection["name"],
        "cells": [{**cell, "word": _WORDS[cell["audience"]]} if cell else None for cell in cells],
    }
