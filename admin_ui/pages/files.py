"""A project's files: a list with previews, what they take, what is being removed, and where they are kept."""

from __future__ import annotations

import re
import unicodedata
from collections import Counter
from datetime import UTC, datetime
from typing import Any

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse

from admin_ui.file_forms import FileStorageForm
from admin_ui.pages.base import page_of, project_page, render
from projects.control import files as operations
from projects.control.actor import Actor
from projects.control.addresses import project_url
from projects.control.projects import change_project
from projects.control.roles import Action
from projects.databases.file_lists import LeftOver
from projects.errors import ApiError
from projects.files.headers import file_headers
from projects.files.probe import StorageFailure
from projects.files.storage import StorageError, StorageFullError, StorageMisconfiguredError
from projects.files.storages import SETTING
from projects.files.thumbs import can_have_thumbs
from projects.models import Project
from projects.schema.dates import parse_date

_PLACES = {"disk": "Server's disk", "s3": "Installation's bucket", "own": "Own bucket"}
_STEPS = {"open": "Opening the storage", "write": "Writing", "read": "Reading", "delete": "Deleting"}
# What stands before an error that is about one object.
_KEY = re.compile(r"[0-9a-f]{32}: ")
# By the first part of the type, and for some by the whole of it.
_ICONS = {
    "image": "image",
    "video": "movie",
    "audio": "music_note",
    "text": "description",
    "font": "font_download",
    "application/pdf": "picture_as_pdf",
    "application/zip": "folder_zip",
    "application/json": "data_object",
}


@project_page(Action.DATA_SUPERUSER)
def files(request: HttpRequest, actor: Actor, project: Project) -> HttpResponse:
    collection, text = request.GET.get("collection", ""), request.GET.get("q", "")[:200]
    found = operations.find_files(actor, project, collection=collection, text=text)
    page = page_of(request, found)
    return render(
        request,
        "files.html",
        "Files",
        page=page,
        rows=[_row(entry) for entry in page],
        collections=operations.collections_with_files(actor, project),
        chosen=collection,
        search=text,
    )


def _row(entry: operations.FileEntry) -> dict[str, Any]:
    kind = entry.row.type.partition(";")[0]
    return {
        "entry": entry,
        "name": _shown(entry.row.original or entry.row.name),
        "kind": kind,
        "created": parse_date(entry.row.created),
        "has_preview": can_have_thumbs(entry.row),
        "icon": _ICONS.get(kind) or _ICONS.get(kind.partition("/")[0], "draft"),
    }


def _shown(name: str) -> str:
    """A client's name for a file, its unseen signs shown: one that turns the direction makes .exe look like .jpg."""
    return "".join(
        "\N{REPLACEMENT CHARACTER}" if unicodedata.category(c) in ("Cc", "Cf") else c for c in name
    )


@project_page(Action.DATA_SUPERUSER)
def preview(_request: HttpRequest, actor: Actor, project: Project, key: str) -> HttpResponse:
    """The small image that stands for a file in the list: always one that was made here."""
    try:
        row, data = operations.file_preview(actor, project, key)
    except StorageError:
        return HttpResponse(status=503)
    answer = HttpResponse(data)
    for name, value in file_headers(row, protected=True, download=True, negotiated=False):
        if name != b"accept-ranges":
            answer[name.decode()] = value.decode("latin-1")
    return answer


@project_page(Action.DATA_SUPERUSER)
def download(request: HttpRequest, actor: Actor, project: Project, key: str) -> HttpResponse:
    """To the file itself, which the app API sends as a download: never through the few threads of this site."""
    address = operations.file_address(actor, project, key)
    return HttpResponseRedirect(project_url(request, project) + address)


@project_page(Action.DATA_SUPERUSER, post=Action.PROJECT_EDIT)
def storage(request: HttpRequest, actor: Actor, project: Project) -> HttpResponse:
    with_quota = actor.may_everything
    if request.method != "POST":
        return _storage(request, actor, project, FileStorageForm.of(project, with_quota=with_quota))
    form, tested = (
        FileStorageForm(request.POST, kept=project.settings.get(SETTING), with_quota=with_quota),
        None,
    )
    if form.is_valid():
        try:
            if "test" in request.POST:
                failure = operations.probe_project_storage(actor, project, form.bucket_value())
                tested = _verdict(failure, with_details=with_quota or form.bucket_value() is not None)
            else:
                change_project(actor, project, settings=form.settings())
                messages.success(request, "Saved.")
                return HttpResponseRedirect(reverse("admin:files-storage", args=[project.ref]))
        except ApiError as error:
            form.show(error)
    return _storage(request, actor, project, form, tested)


def _verdict(failure: StorageFailure | None, *, with_details: bool) -> dict[str, Any]:
    """What a test found. ``with_details``: in the storage's own words, which are nobody's but its owner's."""
    if failure is None:
        text = "It works: a small object was written, read back and deleted. Nothing is saved yet."
        return {"works": True, "text": text}
    reason = "the storage could not be reached, or failed"
    if isinstance(failure.error, StorageMisconfiguredError):
        reason = "the bucket, the keys or their rights are wrong"
    elif isinstance(failure.error, StorageFullError):
        reason = "the storage is full"
    text = f"{_STEPS[failure.step]} failed: {reason}."
    return {
        "works": False,
        "text": text,
        "details": _KEY.sub("", str(failure.error), 1) if with_details else "",
    }


def _storage(
    request: HttpRequest,
    actor: Actor,
    project: Project,
    form: FileStorageForm,
    tested: dict[str, Any] | None = None,
) -> HttpResponse:
    report = operations.storage_report(actor, project)
    stored = sum(one.size for one in report.usage)
    rows = [
        {
            "usage": one,
            "collection": report.names.get(one.collection, one.collection),
            "place": _PLACES.get(one.storage, one.storage),
            "share": round(100 * one.size / stored) if stored else 0,
        }
        for one in report.usage
    ]
    totals: Counter[str] = Counter()
    for one in report.usage:
        totals.update(files=one.files, thumbs_size=one.thumbs_size)
    return render(
        request,
        "files_storage.html",
        "Storage",
        form=form,
        tested=tested,
        report=report,
        place=_PLACES[report.target],
        rows=rows,
        totals=totals,
        percent=min(100, round(100 * report.used / report.quota)) if report.quota else None,
        left_over=[_left_over(one) for one in report.left_over],
    )


def _left_over(one: LeftOver) -> dict[str, Any]:
    due = parse_date(one.due) if one.due else None
    return {
        "row": one.row,
        "name": _shown(one.row.original or one.row.name),
        "created": parse_date(one.row.created),
        "due": due if due is not None and due > datetime.now(UTC) else None,
        "place": _PLACES.get(one.row.storage, one.row.storage),
    }
