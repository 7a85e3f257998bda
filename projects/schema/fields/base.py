"""What every field type knows about itself. One subclass and one file per type."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal, Protocol, Self

from projects.context import Engine
from projects.errors import ErrorTree, FieldError
from projects.schema.fields.options import MalformedError, as_expression, as_flag, as_text, option, to_wire

# How the language compares a field: dates are text in one canonical form, so text order is time order.
ValueKind = Literal["text", "number", "bool", "date", "json", "geo", "list"]


class Invalid(Exception):
    """A value a field does not accept; carries the FieldError to answer."""

    def __init__(self, code: str, message: str, params: Mapping[str, Any] | None = None) -> None:
        super().__init__(message)
        self.error = FieldError(code, message, params)


class OptionScope(Protocol):
    """What the check of a field's options may ask about the rest of the schema."""

    def has_collection(self, collection_id: str) -> bool: ...


@dataclass(frozen=True, kw_only=True)
class Field:
    """A field of a collection. ``id`` stays when the name changes, so a rename keeps the data."""

    type: ClassVar[str]

    id: str = option("id", as_text, "")
    name: str = option("name", as_text, "")
    system: bool = option("system", as_flag, False)
    hidden: bool = option("hidden", as_flag, False)
    presentable: bool = option("presentable", as_flag, False)
    required: bool = option("required", as_flag, False)
    help: str = option("help", as_text, "")
    # Beyond the wire contract: null is stored and answered for what has no value, not the type's zero value.
    nullable: bool = option("nullable", as_flag, False)
    # Whom, besides superusers, the field shows itself to and lets itself be set by; None: as the record does.
    read_rule: str | None = option("readRule", as_expression, None)
    write_rule: str | None = option("writeRule", as_expression, None)
    # Whether lists find the record by the words of this field (``search=``).
    searchable: bool = option("searchable", as_flag, False)

    # Attributes that the type does not have on the wire.
    left_out: ClassVar[frozenset[str]] = frozenset()
    # Body modifiers that the type takes: ``name+``, ``+name``, ``name-``, ``name:autogenerate``.
    modifiers: ClassVar[frozenset[str]] = frozenset()

    @property
    def kind(self) -> ValueKind:
        """How the language reads the column."""
        raise NotImplementedError

    @property
    def is_list(self) -> bool:
        """Whether the field holds many values (``maxSelect`` above 1)."""
        return False

    def column_type(self, engine: Engine) -> str:
        """The column definition after its name, with NOT NULL and DEFAULT (``TEXT NOT NULL DEFAULT ''``)."""
        raise NotImplementedError

    def column_definition(self, engine: Engine) -> str:
        """``column_type``, of a nullable field without its NOT NULL and DEFAULT."""
        definition = self.column_type(engine)
        return definition.partition(" NOT NULL")[0] if self.nullable else definition

    @property
    def can_be_null(self) -> bool:
        """Whether ``nullable`` may be set: an empty list is empty, not null."""
        return not self.is_list

    @property
    def can_be_searched(self) -> bool:
        """Whether ``searchable`` may be set: the type holds words."""
        return False

    def zero(self) -> Any:
        """The type's value for nothing."""
        raise NotImplementedError

    def empty(self) -> Any:
        """The value of a field that was never set."""
        return None if self.nullable else self.zero()

    def normalize(self, value: Any) -> Any:
        """The API value that ``value``, as a client sent it, stands for (``"12"`` for a number: ``12``).

        Never raises: what cannot be understood becomes what ``validate`` then refuses, or the zero value
        where the wire contract says so.
        """
        raise NotImplementedError

    def modify(self, current: Any, modifier: str, operand: Any) -> Any:
        """``current`` after one of ``modifiers`` (``+``, ``prefix+``, ``-``, ``autogenerate``)."""
        raise NotImplementedError

    def is_blank(self, value: Any) -> bool:
        """Whether a normalised value counts as missing for ``required``."""
        return bool(value == self.zero())

    def validate(self, value: Any) -> None:
        """Raise Invalid when the normalised ``value`` breaks the field's own options (not those that need
        a database: unique, existing relations)."""
        if value is None or self.is_blank(value):
            if self.required:
                raise Invalid("validation_required", "Cannot be blank.")
            return
        self.check(value)

    def check(self, value: Any) -> None:
        """``validate`` for a value that is not blank."""

    def check_options(self, scope: OptionScope) -> dict[str, FieldError | ErrorTree]:
        """What is wrong with the type's own options, by wire name."""
        return {}

    def to_db(self, value: Any, engine: Engine) -> Any:
        """The driver's parameter for a normalised value."""
        return value

    def from_db(self, raw: Any, engine: Engine) -> Any:
        """The API value for what the driver returned."""
        return raw

    def db_reader(self, engine: Engine) -> Callable[[Any], Any] | None:
        """``from_db`` for many values; None when what the driver returns is the API value already."""
        if type(self).from_db is Field.from_db:
            return None
        return lambda raw: self.from_db(raw, engine)

    def options(self) -> dict[str, Any]:
        """The type's own options, JSON-ready, by their wire names."""
        own = (item for item in _wire_options(type(self)) if item[1] not in _COMMON)
        return {wire: to_wire(getattr(self, name)) for wire, name, _ in own}

    def as_json(self) -> dict[str, Any]:
        """The whole field as it stands in a collection's ``fields``, keys in alphabetical order.

        What the wire contract does not have is there only where it is set.
        """
        out = {wire: to_wire(getattr(self, name)) for wire, name, _ in _wire_options(type(self))}
        for wire in _BEYOND:
            if not out.get(wire, True):
                del out[wire]
        out["type"] = self.type
        return dict(sorted(out.items()))

    @classmethod
    def from_options(cls, data: Mapping[str, Any]) -> Self:
        """The field that JSON describes: null and absent keys are the defaults, unknown ones are ignored.

        Raises MalformedError when a value has the wrong JSON type.
        """
        given: dict[str, Any] = {}
        for wire, name, read in _wire_options(cls):
            value = data.get(wire)
            if value is not None:
                given[name] = read(value)
        return cls(**given)


_COMMON = frozenset({"id", "name", "system", "hidden", "presentable", "required", "help"})
_BEYOND = ("nullable", "readRule", "writeRule", "searchable")


_WireOption = tuple[str, str, Callable[[Any], Any]]
_known: dict[Any, tuple[_WireOption, ...]] = {}


def _wire_options(cls: Any) -> tuple[_WireOption, ...]:
    """(wire name, attribute, reader) of each option that the type has."""
    if cls not in _known:
        _known[cls] = tuple(
            (item.metadata["wire"], item.name, item.metadata["read"])
            for item in dataclasses.fields(cls)
            if item.name not in cls.left_out
        )
    return _known[cls]


__all__ = ["Field", "Invalid", "MalformedError", "OptionScope", "ValueKind"]
