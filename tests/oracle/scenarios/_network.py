"""Records that name each other in every way: the shelf for paths through many records, back relations, functions."""

from __future__ import annotations

from tests.oracle.scenarios.building import OPEN, create, field, given, make, people, sign_in, sign_up
from tests.oracle.table import Json, Request

ACME, BETA, NAMELESS = (f"org00000000000{number}" for number in (1, 2, 3))
P1, P2, P3, P4, P5, P6 = (f"post0000000000{number}" for number in range(1, 7))
C1, C2, C3, C4 = (f"comment0000000{number}" for number in range(1, 5))

POSTS: tuple[dict[str, Json], ...] = (
    {"id": P1},
    {
        "id": P2, "t": "acme", "n": 5, "author": "$alice", "members": ["$alice"], "orgs": [ACME], "tags": ["a"],
        "d": "2024-02-29 13:14:15.678Z", "g": {"lon": 23.32, "lat": 42.69},
    },
    {
        "id": P3, "t": "beta", "author": "$bob", "members": ["$alice", "$bob"], "orgs": [ACME, BETA],
        "tags": ["a", "b"], "d": "2020-01-01 00:00:00.000Z", "g": {"lon": 10, "lat": 20},
    },
    {"id": P4, "n": 7, "author": "$carl", "members": ["$bob", "$carl"], "orgs": [BETA, NAMELESS], "tags": ["b", "c"]},
    {
        "id": P5, "t": "x", "n": 1, "members": ["$alice", "$bob", "$carl"], "orgs": [ACME, BETA, NAMELESS],
        "tags": ["a", "b", "c"],
    },
    {"id": P6, "t": "q", "n": 5, "author": "$alice", "members": ["$alice", "$carl"], "orgs": [ACME, NAMELESS]},
)  # fmt: skip
COMMENTS: tuple[dict[str, Json], ...] = (
    {"id": C1, "post": P2, "author": "$alice", "n": 1, "t": "one", "posts": [P2, P3], "secret": "s"},
    {"id": C2, "post": P2, "author": "$bob", "n": 2, "t": "two", "posts": [P3], "secret": "s"},
    {"id": C3, "post": P3, "author": "$alice", "n": 3, "secret": "s"},
    {"id": C4, "post": P4, "n": 4, "t": "four", "posts": [P5], "secret": "s"},
)
ROLES: tuple[dict[str, Json], ...] = (
    {"user": "$alice", "post": P2, "role": "admin"},
    {"user": "$alice", "post": P3, "role": "member"},
    {"user": "$bob", "post": P3, "role": "admin"},
)


def network() -> tuple[Request, ...]:
    """Everybody may do everything; alice, bob and carl can sign in."""
    return given(
        make("orgs", field("name", "text"), field("active", "bool"), field("n", "number"), **OPEN),
        create("acme", "orgs", {"id": ACME, "name": "acme", "active": True, "n": 5}),
        create("beta", "orgs", {"id": BETA, "name": "beta"}),
        create("an org without a name", "orgs", {"id": NAMELESS, "active": True, "n": 7}),
        people(
            fields=[
                field("name", "text"),
                field("org", "relation", collectionId="$orgs_collection"),
                field("orgs", "relation", collectionId="$orgs_collection", maxSelect=5),
                field("tags", "select", values=["a", "b"], maxSelect=2),
            ]
        ),
        sign_up("alice", org=ACME, orgs=[ACME, BETA], tags=["a", "b"], emailVisibility=True),
        sign_up("bob", org=BETA),
        sign_up("carl"),
        sign_in("alice"),
        sign_in("bob"),
        sign_in("carl"),
        make(
            "posts",
            field("t", "text"),
            field("n", "number"),
            field("author", "relation", collectionId="$people_collection"),
            field("members", "relation", collectionId="$people_collection", maxSelect=5),
            field("orgs", "relation", collectionId="$orgs_collection", maxSelect=5),
            field("tags", "select", values=["a", "b", "c"], maxSelect=3),
            field("d", "date"),
            field("g", "geoPoint"),
            **OPEN,
        ),
        *(create(f"the post {post['id']}", "posts", post) for post in POSTS),
        make(
            "comments",
            field("post", "relation", collectionId="$posts_collection"),
            field("posts", "relation", collectionId="$posts_collection", maxSelect=5),
            field("author", "relation", collectionId="$people_collection"),
            field("n", "number"),
            field("t", "text"),
            field("secret", "text", hidden=True),
            **OPEN,
        ),
        *(create(f"the comment {comment['id']}", "comments", comment) for comment in COMMENTS),
        make(
            "cards",
            field("user", "relation", collectionId="$people_collection"),
            field("bio", "text"),
            indexes=["CREATE UNIQUE INDEX `idx_cards_user` ON `cards` (`user`)"],
            **OPEN,
        ),
        create("alice's card", "cards", {"user": "$alice", "bio": "A"}),
        make("roles", field("user", "text"), field("post", "text"), field("role", "text"), **OPEN),
        *(create(f"role {number}", "roles", role) for number, role in enumerate(ROLES)),
        make(
            "nothing", field("x", "text"), field("post", "relation", collectionId="$posts_collection"), **OPEN
        ),
    )
