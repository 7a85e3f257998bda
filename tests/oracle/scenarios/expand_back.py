"""Back relations in ``expand``: what names a record, forth and back in one path, under each level's view rule."""

from __future__ import annotations

from tests.oracle.scenarios.building import OPEN, change, create, field, given, listing, make, records, view
from tests.oracle.scenarios.views import make_view
from tests.oracle.table import Request, Scenario

POST, OTHER, ORG = "post00000000001", "post00000000002", "org000000000001"

BLOG = given(
    make("orgs", field("name", "text"), **OPEN),
    make("posts", field("title", "text"), **OPEN),
    make(
        "comments",
        field("text", "text"),
        field("post", "relation", collectionId="$posts_collection"),
        field("posts", "relation", collectionId="$posts_collection", maxSelect=5),
        field("secret", "relation", collectionId="$posts_collection", hidden=True),
        field("org", "relation", collectionId="$orgs_collection"),
        **OPEN,
    ),
    create("an organisation", "orgs", {"id": ORG, "name": "Acme"}),
    create("a post", "posts", {"id": POST, "title": "A"}),
    create("another post", "posts", {"id": OTHER, "title": "B"}),
    *(
        create(
            f"comment {number}",
            "comments",
            {
                "id": f"comment0000000{number}",
                "text": f"c{number}",
                "post": POST,
                "posts": [OTHER, POST],
                "secret": POST,
                "org": ORG,
            },
        )
        for number in (3, 1, 2)
    ),
)

PATHS = (
    "comments_via_post",
    "comments_via_posts",
    " comments_via_post ",
    "Comments_via_post",
    "comments_via_POST",
    "comments(post)",
    "comments(post).org",
    "comments(nope)",
    "comments()",
    "comments_via_nope",
    "comments_via_text",
    "comments_via_org",
    "nope_via_post",
    "comments_via_post.org",
    "comments_via_post.nope",
    "comments_via_post.org.comments_via_org",
    "comments_via_post.post",
    "comments_via_post,comments_via_posts.org",
    "comments_via_post.nope,comments_via_posts",
    ".".join(["comments_via_post", "post"] * 3),
    ".".join(["comments_via_post", "post"] * 4),
)

HIDDEN = "through a hidden relation"
SHORTER = "a path that begins another, which is none"

BACK = Scenario(
    "expand_back",
    "The records that name a record are expanded by collection_via_field.",
    (
        *BLOG,
        *(view(f"expand={path}", "posts", POST, expand=path) for path in PATHS),
        view("nobody names it", "posts", OTHER, expand="comments_via_post"),
        view(HIDDEN, "posts", POST, expand="comments_via_secret"),
        view("a superuser, through a hidden relation", "posts", POST, "superuser", expand="comments_via_secret"),
        view(SHORTER, "posts", POST, expand="comments_via_post.nope,comments_via_post"),
        listing("a list", "posts", expand="comments_via_post.org", fields="*,expand.comments_via_post.id"),
        create(
            "an answer to a creation", "comments", {"id": "comment00000009", "post": OTHER, "text": "new"},
            as_="guest", query={"expand": "post.comments_via_post"},
        ),
        Request(
            name="answers of a batch", method="POST", path="/api/batch",
            body={
                "requests": [
                    {
                        "method": "PATCH",
                        "url": f"{records('posts')}/{OTHER}?expand=comments_via_post&fields=id,expand",
                        "body": {"title": "C"},
                    }
                ]
            },
        ),
        change("some comments are seen one by one", "comments", viewRule="text != 'c1'", listRule=None),
        view("what the view rule hides is not expanded", "posts", POST, expand="comments_via_post"),
        change("no comment is seen", "comments", viewRule="text = 'c9'"),
        view("nothing of it is seen", "posts", POST, expand="comments_via_post.org"),
        change("comments are for superusers", "comments", viewRule=None),
        view("what nobody may view is not expanded", "posts", POST, expand="comments_via_post"),
        view("nor beyond it", "posts", POST, expand="comments_via_post.org"),
        view("a superuser still sees it", "posts", POST, "superuser", expand="comments_via_post"),
    ),
)  # fmt: skip

INDEXES = {
    "unique": "CREATE UNIQUE INDEX `one_unique` ON `unique_of` (`post`)",
    "partial": "CREATE UNIQUE INDEX `one_partial` ON `partial_of` (`post`) WHERE `note` != ''",
    "paired": "CREATE UNIQUE INDEX `one_paired` ON `paired_of` (`post`, `note`)",
    "lowered": "CREATE UNIQUE INDEX `one_lowered` ON `lowered_of` (lower(`post`))",
    "folded": "CREATE UNIQUE INDEX `one_folded` ON `folded_of` (`post` COLLATE NOCASE DESC)",
    "plain": "CREATE INDEX `one_plain` ON `plain_of` (`post`)",
}

UNIQUE = Scenario(
    "expand_back_unique",
    "Where a unique index of the relation's own says that there is one, one is shown.",
    (
        make("posts", field("title", "text"), **OPEN),
        create("a post", "posts", {"id": POST, "title": "A"}),
        *(
            step
            for name, index in INDEXES.items()
            for step in (
                make(
                    f"{name}_of", field("note", "text"),
                    field("post", "relation", collectionId="$posts_collection"),
                    indexes=[index], **OPEN,
                ),
                create(f"what names it in {name}_of", f"{name}_of", {"id": f"{name:x<15}", "post": POST}),
                view(f"expand={name}_of_via_post", "posts", POST, expand=f"{name}_of_via_post"),
            )
        ),
        make(
            "lists_of",
            field("posts", "relation", collectionId="$posts_collection", maxSelect=5),
            indexes=["CREATE UNIQUE INDEX `one_list` ON `lists_of` (`posts`)"],
            **OPEN,
        ),
        create("what names it in a list", "lists_of", {"id": "list00000000001", "posts": [POST]}),
        view("expand=lists_of_via_posts", "posts", POST, expand="lists_of_via_posts"),
        create("a second one where the index has a condition", "partial_of", {"post": POST}),
        view("the first of two", "posts", POST, expand="partial_of_via_post"),
    ),
)  # fmt: skip

VIEWS = Scenario(
    "expand_back_views",
    "Views are expanded back, and their records forth and back.",
    (
        *BLOG,
        make_view("said", "SELECT id, text, post FROM comments WHERE text != 'c2'"),
        make_view("titles", "SELECT id, title FROM posts"),
        view("a view's records name it", "posts", POST, expand="said_via_post"),
        listing("a view's records, forth and back", "said", expand="post.comments_via_post", fields="id,expand"),
        view("no relation names a view's record", "titles", POST, expand="comments_via_post"),
    ),
)  # fmt: skip

SCENARIOS = (BACK, UNIQUE, VIEWS)
