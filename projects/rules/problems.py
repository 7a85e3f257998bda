"""What is wrong with the identifier or the function at hand; who asked for its meaning adds where it stands."""

from __future__ import annotations


class Problem(Exception):
    pass


def unresolved(name: str) -> Problem:
    return Problem(f'failed to resolve field "{name}"')
