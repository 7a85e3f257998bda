"""Why an import cannot be made, in words for the person who asked for it."""

from __future__ import annotations


class SourceError(Exception):
    """The folder or the backup cannot be read, or is none of PocketBase's."""


class ImportRefusedError(Exception):
    """The source is in order, but it cannot go into this project (as it is)."""
