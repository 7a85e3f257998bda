"""What every peer is filled with: users, and records of which a user sees the public ones and their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

RECORDS = 20_000
USERS = 50
READER = 0
SEEN = "notes"
# What the create load writes to: of the same form, so that it does not make the lists longer.
WRITTEN = "entries"

RULE = "author = @request.auth.id || public = true"
OWN = "author = @request.auth.id"

_WORDS = ("alder", "birch", "cedar", "elm", "fir", "hazel", "larch", "maple", "oak", "pine", "willow", "yew")


@dataclass(frozen=True, slots=True)
class Note:
    """Record ``number``; ``author`` is the number of a user."""

    number: int
    author: int
    public: bool

    @property
    def title(self) -> str:
        return f"Note {self.number} about {_WORDS[self.number % len(_WORDS)]}"

    @property
    def body(self) -> str:
        return body_text(self.number)

    @property
    def seen_by_reader(self) -> bool:
        return self.public or self.author == READER


def body_text(number: int) -> str:
    """About 200 characters."""
    return " ".join(_WORDS[(number * 7 + i * 3 + i * i) % len(_WORDS)] for i in range(33))


def notes(count: int = RECORDS) -> Iterator[Note]:
    """The records in the order in which they are created; half of them are public."""
    for number in range(count):
        yield Note(number, number % USERS, number // USERS % 2 == 0)


def email(user: int) -> str:
    return f"user{user}@example.com"


def password(user: int) -> str:
    return f"bench-password-{user}"


def collection(name: str, users_id: str) -> dict[str, Any]:
    """The collection's definition for the collections API."""
    return {
        "name": name,
        "type": "base",
        "fields": [
            {"name": "title", "type": "text", "required": True, "max": 200},
            {"name": "body", "type": "text", "max": 5000},
            {
                "name": "author",
                "type": "relation",
                "collectionId": users_id,
                "maxSelect": 1,
                "required": True,
            },
            {"name": "public", "type": "bool"},
            {"name": "rank", "type": "number"},
            {"name": "created", "type": "autodate", "onCreate": True},
            {"name": "updated", "type": "autodate", "onCreate": True, "onUpdate": True},
        ],
        "indexes": [
            f"CREATE INDEX `idx_{name}_created` ON `{name}` (`created`)",
            f"CREATE INDEX `idx_{name}_author` ON `{name}` (`author`)",
        ],
        "listRule": RULE,
        "viewRule": RULE,
        "createRule": OWN,
        "updateRule": OWN,
        "deleteRule": OWN,
    }
