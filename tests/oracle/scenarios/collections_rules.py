"""Rules and indexes as a collection takes or refuses them."""

from __future__ import annotations

from tests.oracle.scenarios.building import COLLECTIONS, field, make
from tests.oracle.table import Json, Request, Scenario

GOOD_RULES = (
    "",
    " a = 1 ",
    "1 = 1",
    "a = 'x' || n < 1.5 && b = true",
    "(a = 'x' || n < 1.5) && b = true // a comment",
    "a = null",
    "a ~ 'x' && a !~ 'y'",
    "a ?= 'x'",
    "n >= -5",
    'a = "double quoted"',
    "a = 'it\\'s'",
    "j.a.b = 1",
    "r = ''",
    "r.id = @request.auth.id",
    "r.name = 'x'",
    "hidden_one = 'x'",
    "a:lower = 'x'",
    "@request.auth.id != ''",
    "@request.auth.unknown = 1",
    "@request.auth.collectionName = 'people'",
    "@request.body.a = 1",
    "@request.body.unknown = 1",
    "@request.body.a:isset = true",
    "@request.body.a:changed = true",
    "@request.query.x = '1'",
    "@request.headers.x_token = 'x'",
    "@request.method = 'GET'",
    "@request.context = 'default'",
    "d > @now && d < @todayEnd",
)

BAD_RULES = (
    "  ",
    "// a comment only",
    "a",
    "a =",
    "a = 1 &&",
    "(a = 1",
    "a = 1)",
    "a == 1",
    "a = 'x",
    "a = x",
    "nope = 1",
    "a.b = 1",
    "r.nope = 1",
    "a:nope = 1",
    "!a",
    "a = +5",
    "a = 1e5",
    "a = 1 a = 2",
    "a && n",
    "a IN (1)",
    "a = 1 and n = 2",
    "a = 1 & n = 2",
    "a <> 1",
    "a =~ 1",
    "@nope = 1",
    "@request.nope = 1",
    "@request.auth = ''",
    "@request.body.a:nope = true",
    "@request.headers.X-Y = 1",
    "nofunc(1) = 1",
)


def ruled(says: str, number: int, **rules: Json) -> Request:
    return Request(
        name=says,
        method="POST",
        path=COLLECTIONS,
        as_="superuser",
        body={
            "name": f"ruled_{number}",
            "fields": [
                field("a", "text"),
                field("n", "number"),
                field("b", "bool"),
                field("d", "date"),
                field("j", "json"),
                field("r", "relation", collectionId="$target_collection"),
                field("hidden_one", "text", hidden=True),
            ],
            **rules,
        },
    )


ALL_WRONG = dict.fromkeys(("listRule", "viewRule", "createRule", "updateRule", "deleteRule"), "x = 1")

RULES = Scenario(
    "collections_rules",
    "Rules are parsed and checked against the fields when the collection is saved.",
    (
        make("target", field("name", "text")),
        *(ruled(f"the rule {rule!r}", number, listRule=rule) for number, rule in enumerate(GOOD_RULES)),
        *(ruled(f"no rule: {rule!r}", 100, listRule=rule) for rule in BAD_RULES),
        ruled("two hundred conditions are taken", 200, listRule=" || ".join(["n = 1"] * 200)),
        ruled("two hundred and one conditions are too many", 201, listRule=" || ".join(["n = 1"] * 201)),
        ruled("each wrong rule is named", 202, **ALL_WRONG),
        ruled("a wrong rule to sign in", 203, type="auth", authRule="x = 1", manageRule="x = 1"),
        ruled("an empty manage rule", 204, type="auth", manageRule=""),
        ruled("nobody may sign in", 205, type="auth", authRule=None),
        ruled("auth rules on a base collection are ignored", 206, authRule="x = 1", manageRule=""),
    ),
)

GOOD_INDEXES: dict[str, list[str]] = {
    "a plain index is kept as it is written": ["CREATE INDEX idx_1 ON indexed_0 (a)"],
    "a unique index": ["CREATE UNIQUE INDEX `idx_2` ON `indexed_1` (`a`, `b` DESC)"],
    "an index with a condition": ["CREATE UNIQUE INDEX `idx_3` ON `indexed_2` (`a`) WHERE `a` != ''"],
    "an index on another table is turned to its own": ["CREATE INDEX idx_4 ON other (a)"],
    "an index that is written differently": [
        "create unique index if not exists `idx_5` on `indexed_4` (`a` COLLATE NOCASE, b) where a != ''"
    ],
}

BAD_INDEXES: dict[str, list[Json]] = {
    "an index that is none": ["nope"],
    "an empty index": [""],
    "another statement": ["DROP TABLE users"],
    "an index without columns": ["CREATE INDEX idx_6 ON t ()"],
    "an index that is a number": [1],
    "two indexes of one name": ["CREATE INDEX idx_7 ON t (a)", "CREATE INDEX idx_7 ON t (b)"],
    "the same index under two names": ["CREATE INDEX idx_8 ON t (a)", "CREATE INDEX idx_9 ON t (a)"],
    "an index name that another collection has": ["CREATE INDEX idx_1 ON t (a)"],
}


def indexed(says: str, name: str, indexes: list[Json], **more: Json) -> Request:
    body = {"name": name, "fields": [field("a", "text"), field("b", "text")], "indexes": indexes, **more}
    mask = ("data.indexes.0.message",) if "not there" in says else ()
    return Request(name=says, method="POST", path=COLLECTIONS, as_="superuser", body=body, mask=mask)


INDEXES = Scenario(
    "collections_indexes",
    "Indexes are CREATE INDEX statements on the collection's own table.",
    (
        *(
            indexed(says, f"indexed_{number}", list(indexes))
            for number, (says, indexes) in enumerate(GOOD_INDEXES.items())
        ),
        *(indexed(says, "refused", indexes) for says, indexes in BAD_INDEXES.items()),
        # What follows the colon is the database's own message.
        indexed("an index on a column that is not there", "refused", ["CREATE INDEX idx_10 ON t (nope)"]),
        indexed("auth collections get theirs", "members", ["CREATE INDEX idx_11 ON t (a)"], type="auth"),
    ),
)

SCENARIOS = (RULES, INDEXES)
