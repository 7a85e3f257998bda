"""What is wrong with a view's query."""

from __future__ import annotations


class ViewError(ValueError):
    """The text says why, for the person who writes the query."""
