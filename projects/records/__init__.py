"""Records: list, view, create, update, delete, and the change log they write."""
