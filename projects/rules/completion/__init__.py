"""What may stand at a position of an unfinished rule or filter: what an editor offers while somebody types."""

from __future__ import annotations

from projects.rules.completion.complete import MAX_ITEMS, Completion, complete
from projects.rules.completion.items import Item

__all__ = ["MAX_ITEMS", "Completion", "Item", "complete"]
