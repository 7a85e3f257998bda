"""The form of a collection: its name, rules, indexes and a row for each field.

It knows shapes only. What a value must be is said by the schema's own checks, whose errors
``show_refusal`` puts where they belong.
"""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from django import forms
from unfold.widgets import UnfoldAdminSelectWidget, UnfoldBooleanSwitchWidget

from admin_ui.forms import text_input
from projects.errors import ApiError, ErrorTree, FieldError
from projects.schema import CollectionSchema, collection_to_json
from projects.schema.fields import options as readers
from projects.schema.fields.registry import field_types

RULES = (
    ("listRule", "List and search"),
    ("viewRule", "View"),
    ("createRule", "Create"),
    ("updateRule", "Update"),
    ("deleteRule", "Delete"),
)
HISTORY_RULE = ("historyRule", "See history, restore")
AUTH_RULES = (("authRule", "Sign in"), ("manageRule", "Manage others’ accounts"))

# What the generic attributes of a field have their own inputs for, or nobody sets by hand.
_OWN_INPUT = frozenset({"id", "name", "system", "hidden", "presentable", "required", "help", "primaryKey"})
# How an option is edited, by the function that reads it from JSON.
_EDITORS = {
    readers.as_text: "text",
    readers.as_expression: "text",
    readers.as_flag: "flag",
    readers.as_integer: "number",
    readers.as_number: "number",
    readers.as_texts: "list",
    readers.as_date: "text",
}


def option_editors() -> dict[str, list[dict[str, Any]]]:
    """For each field type the options it has: name, how to edit it, default. Read by collections.js."""
    out: dict[str, list[dict[str, Any]]] = {}
    for name, kind in sorted(field_types().items()):
        defaults = kind().as_json()
        options = (item.metadata for item in dataclasses.fields(kind) if item.name not in kind.left_out)
        out[name] = [
            {
                "name": meta["wire"],
                "editor": "collection"
                if meta["wire"] == "collectionId"
                else _EDITORS.get(meta["read"], "json"),
                # What a field shows only where it is set is off, or blank.
                "default": defaults.get(meta["wire"], "" if meta["read"] is readers.as_expression else False),
            }
            for meta in options
            if meta["wire"] not in _OWN_INPUT
        ]
    return out


class RuleWidget(forms.MultiWidget):
    """Who may: only superusers, everyone, or whom an expression says."""

    template_name = "admin_ui/rule_widget.html"
    MODES = (("locked", "Superusers only"), ("open", "Everyone"), ("rule", "By rule"))

    def __init__(self) -> None:
        expression = forms.Textarea({"rows": 1, "spellcheck": "false", "class": "c-input c-mono"})
        super().__init__((forms.Select({"class": "c-select"}, choices=self.MODES), expression))

    def decompress(self, value: str | None) -> list[str]:
        if value is None:
            return ["locked", ""]
        return ["rule", value] if value else ["open", ""]


class RuleField(forms.MultiValueField):
    """None, "" or an expression."""

    def __init__(self, label: str) -> None:
        parts = (
            forms.ChoiceField(choices=RuleWidget.MODES),
            forms.CharField(required=False, strip=True),
        )
        super().__init__(
            fields=parts, widget=RuleWidget(), label=label, required=False, require_all_fields=False
        )

    def compress(self, data_list: list[str]) -> str | None:
        mode, expression = data_list or ("locked", "")
        if mode == "rule" and not expression:
            raise forms.ValidationError("Write the rule, or choose who may.")
        return {"locked": None, "open": ""}.get(mode, expression)


class CollectionForm(forms.Form):
    name = forms.CharField(
        label="Name", required=False, widget=text_input(spellcheck="false", placeholder="posts")
    )
    type = forms.ChoiceField(
        label="Type",
        choices=(
            ("base", "Base · records"),
            ("auth", "Auth · people who sign in"),
            ("view", "View · what a query finds"),
        ),
        widget=UnfoldAdminSelectWidget,
    )
    indexes = forms.CharField(
        label="Indexes",
        required=False,
        widget=forms.Textarea({"rows": 3, "spellcheck": "false", "class": "c-input c-mono"}),
        help_text="One statement a line, for example CREATE UNIQUE INDEX `idx_slug` ON `posts` (`slug`)",
    )
    confirm = forms.BooleanField(required=False)
    # Of views alone.
    viewQuery = forms.CharField(
        label="Query",
        required=False,
        widget=forms.Textarea({"rows": 8, "spellcheck": "false", "class": "c-input c-mono"}),
        help_text="One SELECT over the project's collections; its columns, one of them id, are the fields.",
    )
    # Of auth collections alone.
    passwordEnabled = forms.BooleanField(
        label="Sign-in with password", required=False, widget=UnfoldBooleanSwitchWidget
    )
    identityFields = forms.CharField(
        label="Signs in with",
        required=False,
        widget=text_input(),
        help_text="Fields with a unique index, separated by spaces.",
    )
    tokenDuration = forms.IntegerField(
        label="Session, seconds", required=False, widget=text_input(inputmode="numeric")
    )

    def __init__(self, *args: Any, collection: CollectionSchema | None = None, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for name, label in (*RULES, HISTORY_RULE, *AUTH_RULES):
            self.fields[name] = RuleField(label)
        if collection is not None:
            self.fields["type"].disabled = True
            self.fields["name"].disabled = collection.system

    @classmethod
    def of(cls, collection: CollectionSchema) -> CollectionForm:
        return cls(initial=cls.values_of(collection), collection=collection)

    @staticmethod
    def values_of(collection: CollectionSchema) -> dict[str, Any]:
        data = collection_to_json(collection)
        values = {**data, "indexes": "\n".join(data["indexes"])}
        if collection.is_auth:
            values["passwordEnabled"] = data["passwordAuth"]["enabled"]
            values["identityFields"] = " ".join(data["passwordAuth"]["identityFields"])
            values["tokenDuration"] = data["authToken"]["duration"]
        return values

    @property
    def rules(self) -> list[forms.BoundField]:
        return [self[name] for name, _ in (*RULES, HISTORY_RULE)]

    @property
    def auth_rules(self) -> list[forms.BoundField]:
        return [self[name] for name, _ in AUTH_RULES]

    def as_json(self) -> dict[str, Any]:
        """The collection without its fields, as the wire contract has it."""
        values = self.cleaned_data
        if values["type"] == "view":
            own = ("name", "type", "viewQuery", "listRule", "viewRule")
            return {name: values[name] for name in own}
        lines = (line.strip().rstrip(";") for line in values["indexes"].splitlines())
        out: dict[str, Any] = {
            "name": values["name"],
            "type": values["type"],
            "indexes": [line for line in lines if line],
            **{name: values[name] for name, _ in (*RULES, HISTORY_RULE)},
        }
        if values["type"] == "auth":
            out.update({name: values[name] for name, _ in AUTH_RULES})
            identities = values["identityFields"].replace(",", " ").split()
            out["passwordAuth"] = {"enabled": values["passwordEnabled"], "identityFields": identities}
            if values["tokenDuration"] is not None:
                out["authToken"] = {"duration": values["tokenDuration"]}
        return out


class FieldForm(forms.Form):
    """One field. ``id`` is empty for a new one."""

    id = forms.CharField(required=False, widget=forms.HiddenInput)
    name = forms.CharField(
        required=False,
        widget=forms.TextInput({"class": "c-input", "placeholder": "name", "spellcheck": "false"}),
    )
    type = forms.ChoiceField(initial="text", widget=forms.Select({"class": "c-select"}))
    required = forms.BooleanField(required=False)
    hidden = forms.BooleanField(required=False)
    presentable = forms.BooleanField(required=False)
    options = forms.CharField(
        required=False, widget=forms.Textarea({"rows": 2, "class": "c-input c-mono", "spellcheck": "false"})
    )

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.fields["type"].choices = [(name, name) for name in sorted(field_types())]  # type: ignore[attr-defined]

    def clean_options(self) -> dict[str, Any]:
        text = self.cleaned_data["options"]
        if not text:
            return {}
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            raise forms.ValidationError(f"Not JSON: {error}.") from error
        if not isinstance(value, dict):
            raise forms.ValidationError("Must be a JSON object.")
        return value

    def as_json(self, stored: Mapping[str, Mapping[str, Any]]) -> dict[str, Any]:
        """The field's JSON, over the one it has so far (``stored`` by id)."""
        values = self.cleaned_data
        flags = {name: values[name] for name in ("required", "hidden", "presentable")}
        own = {name: value for name, value in values["options"].items() if name not in _OWN_INPUT}
        out = {**stored.get(values["id"], {}), **own, "name": values["name"], "type": values["type"], **flags}
        return {**out, "id": values["id"]} if values["id"] else out


# Generic for the type checker alone.
if TYPE_CHECKING:
    _FormSet = forms.BaseFormSet[FieldForm]
else:
    _FormSet = forms.BaseFormSet


class FieldRowsBase(_FormSet):
    def shown(self) -> list[FieldForm]:
        """All rows, in the order in which the person put them."""
        return sorted(self.forms, key=_order)

    def sent(self) -> list[FieldForm]:
        """The rows that stay, in the order in which the person put them."""
        rows = [row for row in self.ordered_forms if row not in self.deleted_forms]
        return [row for row in rows if row.cleaned_data.get("name") or row.cleaned_data.get("id")]


def _order(row: FieldForm) -> float:
    try:
        return float(row["ORDER"].value())
    except (TypeError, ValueError):
        return float("inf")


FieldRows: type[FieldRowsBase] = forms.formset_factory(  # type: ignore[assignment]
    FieldForm,
    formset=FieldRowsBase,
    extra=0,
    can_delete=True,
    can_order=True,
    max_num=1000,
    absolute_max=1000,
)


def rows_of(collection: CollectionSchema) -> list[dict[str, Any]]:
    """The initial values of the rows, system fields included."""
    rows = []
    for at, field in enumerate(collection.fields):
        options = {name: value for name, value in field.options().items() if name not in _OWN_INPUT}
        row = {
            name: getattr(field, name) for name in ("id", "name", "type", "required", "hidden", "presentable")
        }
        rows.append({**row, "system": field.system, "options": json.dumps(options), "ORDER": at + 1})
    return rows


def show_refusal(form: CollectionForm, rows: list[FieldForm], offset: int, error: ApiError) -> list[str]:
    """Put the schema's errors at the form's inputs; what needs confirming is answered, as sentences.

    ``rows`` are those that were sent, after ``offset`` fields that no row shows.
    """
    losses = []
    for name, value in error.data.items():
        if isinstance(value, FieldError) and value.code == "confirmation_required":
            losses.append(f"{name}: {value.message}")
        elif name == "fields" and not isinstance(value, FieldError):
            _show_in_rows(form, rows, offset, value)
        else:
            for sentence in _sentences(value):
                form.add_error(_INPUT_OF.get(name, name if name in form.fields else None), sentence)
    if not error.data:
        form.add_error(None, error.message)
    return losses


_INPUT_OF = {"passwordAuth": "identityFields", "authToken": "tokenDuration"}


def _show_in_rows(form: CollectionForm, rows: list[FieldForm], offset: int, tree: ErrorTree) -> None:
    for at, found in tree.items():
        index = int(at) - offset if str(at).isdigit() else -1
        if not 0 <= index < len(rows):
            form.add_error(None, f"Fields: {' '.join(_sentences(found))}")
            continue
        row = rows[index]
        if isinstance(found, FieldError):
            row.add_error("name", found.message)
            continue
        for name, value in found.items():
            target = name if name in ("name", "type") else "options"
            for sentence in _sentences(value):
                row.add_error(target, sentence if target == name else f"{name}: {sentence}")


def _sentences(value: FieldError | ErrorTree) -> list[str]:
    if isinstance(value, FieldError):
        return [value.message]
    return [sentence for child in value.values() for sentence in _sentences(child)]
