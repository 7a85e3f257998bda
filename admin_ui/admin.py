"""Lists of the whole installation, for operators: people, placements, audit, projects.

Django's own change log has a foreign key to the end user, who never comes here; the operations write
the audit instead, so the log methods do nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.html import format_html
from unfold.admin import ModelAdmin
from unfold.widgets import (
    UnfoldAdminEmailInputWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from admin_ui.pages.base import actor_of, show_errors
from projects.control import people, placements
from projects.control.auth import console_user
from projects.errors import ApiError
from projects.models import AuditEntry, ConsoleUser, Placement, Project


class OperatorAdmin(ModelAdmin):
    """A list that operators alone see. Nothing is deleted here, and nothing is written past an operation."""

    actions = None
    list_per_page = 50

    def _operator(self, request: HttpRequest) -> bool:
        user = console_user(request)
        return user is not None and user.is_superuser

    def has_module_permission(self, request: HttpRequest) -> bool:
        return self._operator(request)

    def has_view_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._operator(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return self._operator(request)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return self._operator(request)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def log_addition(self, request: HttpRequest, obj: Any, message: Any) -> None: ...

    def log_change(self, request: HttpRequest, obj: Any, message: Any) -> None: ...

    def log_deletions(self, request: HttpRequest, queryset: Any) -> None: ...

    def history_view(
        self, request: HttpRequest, object_id: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        """What the audit says about this thing."""
        obj = self.get_object(request, object_id)
        if not self._operator(request) or obj is None:
            return HttpResponseRedirect(reverse("admin:index"))
        url = reverse("admin:projects_auditentry_changelist")
        return HttpResponseRedirect(f"{url}?target={obj}")


# Generic for the type checker alone.
if TYPE_CHECKING:
    _ModelForm = forms.ModelForm[Any]
else:
    _ModelForm = forms.ModelForm


class OperationForm(_ModelForm):
    """A form whose saving is an operation: what the operation refuses stands at the form's fields."""

    request: HttpRequest

    def run(self) -> Any:
        """Call the operation; returns the saved row. Raises ApiError."""
        raise NotImplementedError

    def clean(self) -> dict[str, Any]:
        values: dict[str, Any] = super().clean() or {}
        if not self.errors:
            # Here and not in save_model: only here can a refusal still be shown in the form.
            try:
                self.instance = self.run()
            except ApiError as error:
                if error.status == 403:
                    raise forms.ValidationError(error.message) from error
                show_errors(self, error)
        return values

    def _post_clean(self) -> None:
        """The operation has validated and saved; the model's own validation would do it a second time."""

    def save(self, commit: bool = True) -> Any:
        return self.instance

    def _save_m2m(self) -> None: ...


class OperationAdmin(OperatorAdmin):
    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        form = super().get_form(request, obj, change, **kwargs)
        return type(form.__name__, (form,), {"request": request})

    def save_model(self, request: HttpRequest, obj: Any, form: Any, change: bool) -> None: ...

    def save_related(self, request: HttpRequest, form: Any, formsets: Any, change: bool) -> None: ...


class PersonAddForm(OperationForm):
    email = forms.CharField(label="E-mail", widget=UnfoldAdminEmailInputWidget)
    name = forms.CharField(label="Name", required=False, widget=UnfoldAdminTextInputWidget)
    password = forms.CharField(
        label="First password",
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Tell it to them; they change it under “My account”.",
    )
    is_operator = forms.BooleanField(
        label="Operator",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Sees every project and runs the installation.",
    )

    class Meta:
        model = ConsoleUser
        fields = ("email", "name", "password", "is_operator")

    def run(self) -> ConsoleUser:
        return people.create_person(actor_of(self.request), **self.cleaned_data)


class PersonChangeForm(OperationForm):
    name = forms.CharField(label="Name", required=False, widget=UnfoldAdminTextInputWidget)
    is_active = forms.BooleanField(
        label="May sign in",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Off ends all sessions.",
    )
    is_operator = forms.BooleanField(label="Operator", required=False, widget=UnfoldBooleanSwitchWidget)
    new_password = forms.CharField(
        label="New password",
        required=False,
        strip=False,
        widget=UnfoldAdminPasswordWidget(attrs={"autocomplete": "new-password"}),
        help_text="Leave empty to keep it. Setting one ends the person's sessions and personal tokens.",
    )

    class Meta:
        model = ConsoleUser
        fields = ("name", "is_active", "is_operator")

    def run(self) -> ConsoleUser:
        values = dict(self.cleaned_data)
        password = values.pop("new_password")
        return people.edit_person(actor_of(self.request), self.instance, password=password, **values)


@admin.register(ConsoleUser)
class PersonAdmin(OperationAdmin):
    list_display = ("email", "name", "operator", "active", "last_login")
    list_filter = ("is_operator", "is_active")
    search_fields = ("email", "name")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        self.form = PersonChangeForm if obj else PersonAddForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("email", "name", "password", "is_operator")}),)
        return ((None, {"fields": ("email", "name", "is_active", "is_operator", "new_password")}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("email",) if obj else ()

    @admin.display(description="operator", boolean=True, ordering="is_operator")
    def operator(self, user: ConsoleUser) -> bool:
        return user.is_operator

    @admin.display(description="may sign in", boolean=True, ordering="is_active")
    def active(self, user: ConsoleUser) -> bool:
        return user.is_active


class PlacementAddForm(OperationForm):
    name = forms.CharField(label="Name", widget=UnfoldAdminTextInputWidget(attrs={"placeholder": "pg-1"}))
    engine = forms.ChoiceField(
        label="Engine",
        choices=Placement.Engines.choices,
        initial=Placement.Engines.POSTGRESQL,
        widget=UnfoldAdminSelectWidget,
    )
    url = forms.CharField(
        label="URL",
        required=False,
        widget=UnfoldAdminTextInputWidget(
            attrs={
                "placeholder": "postgresql://mbaas:password@db.example.com:5432/mbaas",
                "autocomplete": "off",
            }
        ),
        help_text="Of a login that may create schemas and roles. Kept encrypted and never shown again.",
    )
    is_default = forms.BooleanField(label="Default", required=False, widget=UnfoldBooleanSwitchWidget)
    accepts_projects = forms.BooleanField(
        label="Accepts new projects", required=False, initial=True, widget=UnfoldBooleanSwitchWidget
    )

    class Meta:
        model = Placement
        fields = ("name", "engine", "is_default", "accepts_projects")

    def run(self) -> Placement:
        return placements.create_placement(actor_of(self.request), **self.cleaned_data)


class PlacementChangeForm(OperationForm):
    url = forms.CharField(
        label="New URL",
        required=False,
        widget=UnfoldAdminTextInputWidget(attrs={"autocomplete": "off"}),
        help_text="Leave empty to keep the one there is.",
    )
    is_default = forms.BooleanField(label="Default", required=False, widget=UnfoldBooleanSwitchWidget)
    accepts_projects = forms.BooleanField(
        label="Accepts new projects", required=False, widget=UnfoldBooleanSwitchWidget
    )

    class Meta:
        model = Placement
        fields = ("is_default", "accepts_projects")

    def run(self) -> Placement:
        values = dict(self.cleaned_data)
        url = values.pop("url") or None
        return placements.change_placement(actor_of(self.request), self.instance, url=url, **values)


@admin.register(Placement)
class PlacementAdmin(OperationAdmin):
    list_display = ("name", "engine", "server", "default", "open", "count")

    def get_form(self, request: HttpRequest, obj: Any = None, change: bool = False, **kwargs: Any) -> Any:
        self.form = PlacementChangeForm if obj else PlacementAddForm
        return super().get_form(request, obj, change, **kwargs)

    def get_fieldsets(self, request: HttpRequest, obj: Any = None) -> Any:
        if obj is None:
            return ((None, {"fields": ("name", "engine", "url", "is_default", "accepts_projects")}),)
        fields = ("name", "engine", "server", "url", "is_default", "accepts_projects")
        return ((None, {"fields": fields}),)

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> Any:
        return ("name", "engine", "server") if obj else ()

    @admin.display(description="server")
    def server(self, placement: Placement) -> str:
        return placements.server_of(placement) or "–"

    @admin.display(description="default", boolean=True)
    def default(self, placement: Placement) -> bool:
        return placement.is_default

    @admin.display(description="accepts new projects", boolean=True)
    def open(self, placement: Placement) -> bool:
        return placement.accepts_projects

    @admin.display(description="projects")
    def count(self, placement: Placement) -> int:
        return placement.projects.count()


@admin.register(AuditEntry)
class AuditAdmin(OperatorAdmin):
    list_display = ("when", "actor", "action", "target", "project", "address")
    list_filter = ("action",)
    search_fields = ("actor", "target", "project_ref", "action", "request_id")
    date_hierarchy = "at"

    @admin.display(description="when (UTC)", ordering="id")
    def when(self, entry: AuditEntry) -> str:
        return f"{entry.at:%Y-%m-%d %H:%M:%S}"

    @admin.display(description="project", ordering="project_ref")
    def project(self, entry: AuditEntry) -> str:
        return entry.project_ref

    @admin.display(description="address")
    def address(self, entry: AuditEntry) -> str:
        return entry.ip or ""

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        return False

    def lookup_allowed(self, lookup: str, value: Any, request: HttpRequest | None = None) -> bool:
        return lookup in ("target", "project_ref", "actor") or super().lookup_allowed(lookup, value, request)


@admin.register(Project)
class ProjectAdmin(OperatorAdmin):
    """Every project of the installation; each opens the project's own pages."""

    list_display = ("link", "name", "status", "placement", "created")
    list_display_links = None
    list_filter = ("status", "placement")
    search_fields = ("ref", "name", "uid")
    list_select_related = ("placement",)

    @admin.display(description="ref", ordering="ref")
    def link(self, project: Project) -> str:
        return format_html(
            '<a class="c-link" href="{}">{}</a>', reverse("admin:project", args=[project.ref]), project.ref
        )

    def add_view(self, request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:project-new"))

    def change_view(self, request: HttpRequest, object_id: str, *args: Any, **kwargs: Any) -> HttpResponse:
        project = self.get_object(request, object_id) if self._operator(request) else None
        if project is None:
            messages.error(request, "There is no such project.")
            return HttpResponseRedirect(reverse("admin:index"))
        return HttpResponseRedirect(reverse("admin:project", args=[project.ref]))
