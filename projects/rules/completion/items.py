"""What an editor may offer, with a line of help each."""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import Any, Final, Literal

from projects.rules.ast import OPERATORS
from projects.rules.inputs import MACROS

Kind = Literal["field", "back relation", "collection", "request", "macro", "function", "operator", "modifier",
               "constant", "value", "sign"]  # fmt: skip


@dataclass(frozen=True, slots=True)
class Item:
    """``text`` takes the place of what was typed so far; one that ends in ``.`` goes on."""

    text: str
    kind: Kind
    type: str
    help: str

    def as_json(self) -> dict[str, Any]:
        return asdict(self)


_MACRO_HELP: Final = {
    "@now": "This moment.",
    "@yesterday": "This moment, a day ago.",
    "@tomorrow": "This moment, a day on.",
    "@second": "0 to 59.",
    "@minute": "0 to 59.",
    "@hour": "0 to 23.",
    "@day": "Of the month, 1 to 31.",
    "@weekday": "0 (Sunday) to 6.",
    "@month": "1 to 12.",
    "@year": "As in 2026.",
    "@todayStart": "Midnight, when today began.",
    "@todayEnd": "The last millisecond of today.",
    "@monthStart": "When this month began.",
    "@monthEnd": "The last millisecond of this month.",
    "@yearStart": "When this year began.",
    "@yearEnd": "The last millisecond of this year.",
}
MACRO_ITEMS: Final = tuple(
    Item(name, "macro", "number" if name in _NUMBERS else "date", f"{_MACRO_HELP[name]} UTC.")
    for _NUMBERS in [{"@second", "@minute", "@hour", "@day", "@weekday", "@month", "@year"}]
    for name in MACROS
)
FUNCTION_ITEMS: Final = (
    Item(
        "geoDistance(",
        "function",
        "number",
        "geoDistance(lonA, latA, lonB, latB): kilometres between two points.",
    ),
    Item(
        "strftime(",
        "function",
        "text",
        "strftime('%Y-%m', time, 'modifier'…): a time as text, as SQLite writes it.",
    ),
)
CONSTANT_ITEMS: Final = (
    Item("true", "constant", "bool", "1, for a bool."),
    Item("false", "constant", "bool", "0, for a bool."),
    Item("null", "constant", "null", 'No value; equal to "".'),
)
_OPERATOR_HELP: Final = {
    "=": "Equal. Empty and null are equal.",
    "!=": "Not equal.",
    ">": "Greater.",
    ">=": "Greater or equal.",
    "<": "Less.",
    "<=": "Less or equal.",
    "~": "Contains; with % of its own, as LIKE.",
    "!~": "Does not contain.",
}
OPERATOR_ITEMS: Final = tuple(
    [Item(sign, "operator", "bool", f"{_OPERATOR_HELP[sign]} Of many values: all.") for sign in OPERATORS]
    + [
        Item(f"?{sign}", "operator", "bool", f"{_OPERATOR_HELP[sign]} Of many values: at least one.")
        for sign in OPERATORS
    ]
)
CONNECTIVE_ITEMS: Final = (
    Item("&&", "sign", "bool", "And; binds closer than ||."),
    Item("||", "sign", "bool", "Or."),
)
CLOSING_ITEM: Final = Item(")", "sign", "", "Ends the group, or the function's arguments.")
OPENING_ITEM: Final = Item("(", "sign", "", "Begins a group.")
MODIFIER_HELP: Final = {
    "isset": ("bool", "Whether the request has it, whatever its value."),
    "changed": ("bool", "Whether the request gives it another value than the record has."),
    "length": ("number", "How many values there are."),
    "each": ("text", "Each of the values by itself."),
    "lower": ("text", "In lower case."),
}
REQUEST_ITEMS: Final = (
    Item("@request.auth.", "request", "record", "A field of the signed-in account; null for guests."),
    Item("@request.body.", "request", "value", "What is sent to be written."),
    Item("@request.query.", "request", "text", "A parameter of the address. Anyone can send anything."),
    Item(
        "@request.headers.",
        "request",
        "text",
        "A header, in lower case with _ for -. Anyone can send anything.",
    ),
    Item("@request.method", "request", "text", "GET, POST, PATCH, DELETE."),
    Item("@request.context", "request", "text", "default, batch, realtime, expand, oauth2, otp or password."),
)
ROOT_ITEMS: Final = (
    Item("@request.", "request", "", "Who asks, and what is sent."),
    Item("@collection.", "collection", "", "Any record of a collection: @collection.name.field."),
)
