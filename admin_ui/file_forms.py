"""The form of a project's file storage: a bucket of its own, and its quota."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from django import forms
from unfold.widgets import UnfoldAdminPasswordWidget, UnfoldBooleanSwitchWidget

from admin_ui.forms import text_input
from projects.errors import ApiError, FieldError
from projects.files.saving import QUOTA_SETTING
from projects.files.storages import SETTING
from projects.models import Project

_UNITS = ("B", "KB", "MB", "GB", "TB", "PB")
_SIZE = re.compile(r"(\d{1,15})(?:[.,](\d{1,3}))?\s*([KMGTP]?B)?", re.IGNORECASE)
_BUCKET_FIELDS = ("bucket", "endpoint", "region", "accessKey", "secretKey", "prefix", "pathStyle")


def plain(**attrs: Any) -> Any:
    return text_input(spellcheck="false", **attrs)


class FileStorageForm(forms.Form):
    """``fileStorage`` and ``filesQuotaBytes`` of a project. The secret goes in and never comes out."""

    bucket = forms.CharField(label="Bucket", required=False, widget=plain(placeholder="my-app-files"))
    endpoint = forms.CharField(
        label="Endpoint",
        required=False,
        widget=plain(placeholder="https://s3.example.com"),
        help_text="Empty for Amazon's own.",
    )
    region = forms.CharField(label="Region", required=False, widget=plain(placeholder="eu-central-1"))
    # Forms have an attribute of that name; a declared field does not stay one.
    prefix = forms.CharField(  # type: ignore[assignment]
        label="Prefix", required=False, widget=plain(), help_text="Comes before the names of all objects."
    )
    accessKey = forms.CharField(label="Access key", required=False, widget=plain())
    secretKey = forms.CharField(
        label="Secret key",
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Kept encrypted and never shown. Empty: the one that is kept stays.",
    )
    pathStyle = forms.BooleanField(
        label="The bucket's name stands in the path",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="As most services other than Amazon's want it.",
    )
    quota = forms.CharField(
        label="Quota",
        required=False,
        widget=plain(placeholder="10 GB"),
        help_text="What the project's files may take. 0: no limit; empty: as the installation has it.",
    )

    def __init__(
        self, *args: Any, with_quota: bool, kept: Mapping[str, Any] | None = None, **kwargs: Any
    ) -> None:
        super().__init__(*args, **kwargs)
        self._kept = kept or {}
        if not with_quota:
            del self.fields["quota"]

    @classmethod
    def of(cls, project: Project, *, with_quota: bool) -> FileStorageForm:
        kept = project.settings.get(SETTING) or {}
        initial = {name: kept.get(name, "") for name in _BUCKET_FIELDS if name != "secretKey"}
        quota = project.settings.get(QUOTA_SETTING)
        return cls(initial={**initial, "quota": size_text(quota)}, with_quota=with_quota, kept=kept)

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        key = values.get("accessKey")
        is_kept = self._kept.get("accessKey") == key and self._kept.get("secretKey")
        if key and not values.get("secretKey") and not is_kept:
            self.add_error("secretKey", "Type the secret of this access key: it is not kept yet.")
        return values

    def clean_quota(self) -> int | None:
        """Bytes; None for the installation's."""
        text: str = self.cleaned_data["quota"].strip()
        if not text:
            return None
        match = _SIZE.fullmatch(text)
        if match is None:
            raise forms.ValidationError("Write a size such as 500 MB or 10 GB.")
        number = float(f"{match[1]}.{match[2] or 0}") if match[2] else int(match[1])
        return int(number * 1024 ** _UNITS.index((match[3] or "B").upper()))

    def bucket_value(self) -> dict[str, Any] | None:
        """``fileStorage`` as change_project takes it; None for the installation's storage."""
        value = {name: self.cleaned_data[name] for name in _BUCKET_FIELDS}
        return value if any(value.values()) else None

    def settings(self) -> dict[str, Any]:
        """The settings as change_project takes them; None goes back to the default."""
        quota = {QUOTA_SETTING: self.cleaned_data["quota"]} if "quota" in self.fields else {}
        return {SETTING: self.bucket_value(), **quota}

    def show(self, error: ApiError) -> None:
        """Put a refusal at the input that it is about. 403 and 404 are not the form's: they go on."""
        if error.status in (403, 404):
            raise error
        found = error.data.get("settings", error.data)
        assert isinstance(found, dict)
        for name, value in found.items():
            if isinstance(value, FieldError):
                # The complaint about a bucket begins with the name of the part that is wrong.
                part = "quota" if name == QUOTA_SETTING else value.message.split(" ", 1)[0]
                self.add_error(part if part in self.fields else None, value.message)
        if not self.errors:
            self.add_error(None, error.message)


def size_text(size: int | None) -> str:
    """Bytes as ``clean_quota`` reads them, exactly."""
    if size is None:
        return ""
    power = 0
    while size and size % 1024 == 0 and power < len(_UNITS) - 1:
        size, power = size // 1024, power + 1
    return f"{size} {_UNITS[power]}" if size else "0"
