"""What collections are called in generated code: one spelling for every generator."""

from __future__ import annotations

import re
from collections.abc import Mapping

from projects.schema.collection import ProjectSchema


def type_names(schema: ProjectSchema) -> Mapping[str, str]:
    """By collection id, the name of its types (``blog_posts``: ``BlogPosts``), unique whatever the case.

    The same for every audience. Where two names become one, the later collection gets a number, so that adding a
    collection renames nothing.
    """
    names: dict[str, str] = {}
    taken: set[str] = set()
    for collection in sorted(schema.collections, key=lambda c: (c.system, c.created, c.id)):
        base = pascal_case(collection.name)
        name, number = base, 2
        while name.lower() in taken:
            name, number = f"{base}{number}", number + 1
        taken.add(name.lower())
        names[collection.id] = name
    return names


def pascal_case(name: str) -> str:
    """``blog_posts`` as ``BlogPosts``; an identifier in every language, so never a digit first."""
    joined = "".join(part[:1].upper() + part[1:] for part in re.split(r"_+", name) if part)
    return joined if joined[:1].isalpha() else f"_{joined}"
