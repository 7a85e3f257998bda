"""The console's forms: fields and looks. What is right and wrong is said by the operations."""

from __future__ import annotations

from typing import Any

from django import forms
from unfold.widgets import (
    BASE_INPUT_CLASSES,
    UnfoldAdminEmailInputWidget,
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminPasswordWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextInputWidget,
    UnfoldBooleanSwitchWidget,
)

from projects.control.project_settings import API_DOCS
from projects.models import ApiKey, Membership, Placement, Project


def text_input(**attrs: Any) -> UnfoldAdminTextInputWidget:
    return UnfoldAdminTextInputWidget(attrs={"autocomplete": "off", **attrs})


def password_input(autocomplete: str) -> UnfoldAdminPasswordWidget:
    return UnfoldAdminPasswordWidget(attrs={"autocomplete": autocomplete})


class SignInForm(forms.Form):
    username = forms.CharField(
        label="E-mail",
        max_length=254,
        widget=forms.EmailInput(
            {"class": " ".join(BASE_INPUT_CLASSES), "autofocus": True, "autocomplete": "username"}
        ),
    )
    password = forms.CharField(
        label="Password",
        max_length=1024,
        strip=False,
        widget=forms.PasswordInput(
            {"class": " ".join(BASE_INPUT_CLASSES), "autocomplete": "current-password"}
        ),
    )


class NewProjectForm(forms.Form):
    name = forms.CharField(
        label="Name",
        required=False,
        widget=text_input(placeholder="My app", autofocus=True),
        help_text="What people call it; you can change it later.",
    )
    ref = forms.CharField(
        label="Ref",
        widget=text_input(placeholder="my-app", spellcheck="false"),
        help_text="Stands in the address of the API. It stays as it is.",
    )
    placement = forms.ChoiceField(
        label="Placement",
        widget=UnfoldAdminSelectWidget,
        help_text="Where the project's own database lives.",
    )

    def __init__(self, *args: Any, placements: list[Placement], **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        choices = [(p.name, f"{p.name} · {p.get_engine_display()}") for p in placements]
        self.fields["placement"].choices = choices  # type: ignore[attr-defined]


class ProjectForm(forms.Form):
    name = forms.CharField(label="Name", required=False, widget=text_input())
    corsOrigins = forms.CharField(
        label="Origins that may call the API from a browser",
        required=False,
        widget=text_input(placeholder="*", spellcheck="false"),
        help_text="Separated by spaces; * or nothing allows all. Native apps need none.",
    )
    apiDocs = forms.BooleanField(
        label="Everybody may read the API's documentation",
        required=False,
        widget=UnfoldBooleanSwitchWidget,
        help_text="Else members alone. Hidden fields and rules are never shown to others.",
    )

    @classmethod
    def of(cls, project: Project) -> ProjectForm:
        origins = " ".join(project.settings.get("corsOrigins", []))
        shown = project.settings.get(API_DOCS) == "public"
        return cls(initial={"name": project.name, "corsOrigins": origins, "apiDocs": shown})

    def settings(self) -> dict[str, Any]:
        """The settings as change_project takes them; None goes back to the default."""
        return {
            "corsOrigins": self.cleaned_data["corsOrigins"].split() or None,
            API_DOCS: "public" if self.cleaned_data["apiDocs"] else None,
        }


class SuspendForm(forms.Form):
    reason = forms.CharField(label="Reason", required=False, max_length=300, widget=text_input())


class DeleteProjectForm(forms.Form):
    confirm = forms.CharField(
        label="Type the project's ref", required=False, widget=text_input(spellcheck="false")
    )


class MemberForm(forms.Form):
    email = forms.CharField(
        label="E-mail", widget=UnfoldAdminEmailInputWidget(attrs={"placeholder": "alice@example.com"})
    )
    role = forms.ChoiceField(
        label="Role",
        choices=Membership.Role.choices,
        initial=Membership.Role.DEVELOPER,
        widget=UnfoldAdminSelectWidget,
    )


class KeyForm(forms.Form):
    kind = forms.ChoiceField(label="Kind", widget=UnfoldAdminSelectWidget)
    name = forms.CharField(
        label="Name", required=False, widget=text_input(placeholder="Back-end of the shop")
    )

    def __init__(self, *args: Any, service: bool, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        kinds = [
            (ApiKey.Kind.SERVICE.value, "Service · full access, for servers only"),
            (ApiKey.Kind.PUBLIC.value, "Public · names an app, for clients"),
        ]
        shown = kinds if service else kinds[1:]
        self.fields["kind"].choices = shown  # type: ignore[attr-defined]


class NameForm(forms.Form):
    name = forms.CharField(label="Name", required=False, widget=text_input())


class PasswordForm(forms.Form):
    current = forms.CharField(
        label="Current password", strip=False, required=False, widget=password_input("current-password")
    )
    password = forms.CharField(
        label="New password", strip=False, required=False, widget=password_input("new-password")
    )
    again = forms.CharField(
        label="New password, again", strip=False, required=False, widget=password_input("new-password")
    )

    def clean(self) -> dict[str, Any]:
        values = super().clean() or {}
        if values.get("password") != values.get("again"):
            self.add_error("again", "The two new passwords are not the same.")
        return values


class TokenForm(forms.Form):
    name = forms.CharField(label="Name", required=False, widget=text_input(placeholder="Deploy script"))
    days = forms.IntegerField(label="Valid for, days", initial=90, widget=UnfoldAdminIntegerFieldWidget)
