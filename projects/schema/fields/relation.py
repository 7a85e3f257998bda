"""References to records of a collection (its own included)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from projects.errors import ErrorTree, FieldError
from projects.schema.fields.base import Invalid, OptionScope
from projects.schema.fields.checks import BLANK, MAX_SAFE_INTEGER, between, complaints
from projects.schema.fields.coerce import is_storable
from projects.schema.fields.manyvalued import ManyValuedField
from projects.schema.fields.options import as_flag, as_integer, as_text, option

MISSING_RECORDS = FieldError(
    "validation_missing_rel_records", "Failed to find all relation records with the provided ids."
)


@dataclass(frozen=True, kw_only=True)
class RelationField(ManyValuedField):
    """That the referenced records exist is for the writer to check: answer MISSING_RECORDS."""

    type = "relation"

    collection_id: str = option("collectionId", as_text, "")
    cascade_delete: bool = option("cascadeDelete", as_flag, False)
    min_select: int = option("minSelect", as_integer, 0)
    max_select: int = option("maxSelect", as_integer, 0)

    @property
    def most(self) -> int:
        return max(self.max_select, 1)

    def check(self, value: Any) -> None:
        ids = self.values_of(value)
        if not all(map(is_storable, ids)):
            raise Invalid(MISSING_RECORDS.code, MISSING_RECORDS.message)
        chosen = len(ids)
        if chosen < self.min_select:
            raise Invalid(
                "validation_not_enough_values",
                f"Select at least {self.min_select}.",
                {"minSelect": self.min_select},
            )
        if chosen > self.most:
            raise Invalid(
                "validation_too_many_values", f"Select no more than {self.most}.", {"maxSelect": self.most}
            )

    def check_options(self, scope: OptionScope) -> dict[str, FieldError | ErrorTree]:
        return complaints(
            collectionId=self._collection_complaint(scope),
            minSelect=between(self.min_select, 0, MAX_SAFE_INTEGER),
            maxSelect=self._max_complaint(),
        )

    def _collection_complaint(self, scope: OptionScope) -> FieldError | None:
        if not self.collection_id:
            return BLANK
        if scope.has_collection(self.collection_id):
            return None
        return FieldError(
            "validation_field_relation_missing_collection", "The relation collection doesn't exist."
        )

    def _max_complaint(self) -> FieldError | None:
        if self.max_select == 0:
            return BLANK if self.min_select > 0 else None
        return between(self.max_select, max(self.min_select, 0), MAX_SAFE_INTEGER)
