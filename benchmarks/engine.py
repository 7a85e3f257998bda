"""``python -m benchmarks.engine``: the language on 100,000 posts, the plan cache, a deletion that cascades.

One client asks one request after another, so that a figure is what an app waits for, HTTP and checks included.
Constants in filters never come twice.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import count
from typing import Any
from urllib.parse import urlencode

from benchmarks import machine, options
from benchmarks.client import Beside, Client, in_parallel
from benchmarks.peers.mbaas import alone, version
from benchmarks.peers.rest import make_users, user_tokens
from benchmarks.table import number, render

POSTS = 100_000
USERS = 100
ORGS, AUTHORS, TAGS = 20, 1_000, 200
# Of 100 users, this one is a member of every fourth post; the others share the rest.
BUSY, FEW = 0, 1
BATCH = 50
ASKED = 100
PARENTS, CHILDREN = 100, 100_000
MS = 1000


@dataclass(frozen=True, slots=True)
class Work:
    """A list of ``posts``: who asks, the collection's list rule, and the filter, given a number that is new."""

    name: str
    reader: int
    rule: str
    filter: Callable[[int], str]
    total: bool = False


def _rank(number: int) -> str:
    return f"rank < {POSTS - number}"


MEMBERS = "members.id ?= @request.auth.id"
WORKS = (
    Work("first page, a filter on its own field", FEW, "", _rank),
    Work("two relations: author.org.active = true", FEW, "", lambda n: f"author.org.active = true && {_rank(n)}"),
    Work("many-valued rule, 1,000 hits", FEW, MEMBERS, _rank),
    Work("many-valued rule, 25,000 hits", BUSY, MEMBERS, _rank),
    Work("many-valued rule, a guest", -1, MEMBERS, _rank),
    Work("many-valued filter: tags.name ?= …", FEW, "", lambda n: f"tags.name ?= 'tag {n % TAGS}' && {_rank(n)}"),
    Work("back relation: comments_via_post.score ?= …", FEW, "", lambda n: f"comments_via_post.score ?= {n}"),
    Work("back relation: comments_via_post.score ?> …", FEW, "", lambda n: f"comments_via_post.score ?> {POSTS - n}"),
    Work("with total, two relations", FEW, "", lambda n: f"author.org.active = true && {_rank(n)}", total=True),
)  # fmt: skip


def main() -> None:
    parser = options.parser("engine", __doc__.split("\n")[2], rounds=1)
    parser.add_argument("--posts", type=int, default=POSTS, help=f"records (default: {POSTS:,})")
    given = parser.parse_args()
    with alone(given.engine) as (url, admin, process):
        readers = fill(url, admin, given.posts)
        process.wait_until_idle()
        rows = [*lists(admin, readers), *plans(readers[FEW]), *totals(url, admin, readers[FEW])]
        rows += deletion(url, admin)
    print(f"{machine.describe([f'mbaas {version()}'])}\n- {given.engine}; {given.posts:,} posts\n")
    print(render(["ms", "median", "95th percentile", "aim"], rows))


# -- the data


def fill(url: str, admin: Client, posts: int) -> list[Client]:
    """Orgs, authors, tags, posts and their comments; clients of the users, and last of a guest."""
    users_id = admin("GET", "/api/collections/users")["id"]
    token = {"Authorization": admin.headers["Authorization"]}
    users = make_users(url, token["Authorization"], USERS, passwords=False)
    orgs_id = _collection(admin, "orgs", _field("active", "bool"))
    authors_id = _collection(admin, "authors", _relation("org", orgs_id))
    tags_id = _collection(admin, "tags", _field("name", "text"))
    fields = (
        _field("title", "text"),
        _field("rank", "number"),
        _relation("author", authors_id),
        _relation("tags", tags_id, many=True),
        _relation("members", users_id, many=True),
        {"name": "created", "type": "autodate", "onCreate": True},
    )
    posts_id = _collection(admin, "posts", *fields, indexed=("created", "rank"))
    _collection(admin, "comments", _relation("post", posts_id), _field("score", "number"), indexed=("score",))

    def create(name: str, bodies: Iterator[dict[str, Any]]) -> list[str]:
        options.progress(f"{name} …")
        return _create(url, token, name, bodies)

    orgs = create("orgs", ({"active": i % 2 == 0} for i in range(ORGS)))
    authors = create("authors", ({"org": orgs[i % ORGS]} for i in range(AUTHORS)))
    tags = create("tags", ({"name": f"tag {i}"} for i in range(TAGS)))
    made = create(
        "posts",
        (
            {
                "title": f"Post {i}",
                "rank": i,
                "author": authors[i * 7 % AUTHORS],
                "tags": [tags[i % TAGS], tags[i * 3 % TAGS]],
                "members": [users[BUSY if i % 4 == 0 else FEW + i % (USERS - 1)], users[FEW + i * 11 % (USERS - 1)]],
            }
            for i in range(posts)
        ),
    )  # fmt: skip
    create("comments", ({"post": made[i * 13 % posts], "score": i} for i in range(posts)))
    return [
        Client(url, {"Authorization": one}) for one in user_tokens(url, token["Authorization"], users)
    ] + [Client(url)]


def _collection(admin: Client, name: str, *fields: dict[str, Any], indexed: Sequence[str] = ()) -> str:
    body = {
        "name": name,
        "type": "base",
        "fields": fields,
        "indexes": [f"CREATE INDEX `idx_{name}_{one}` ON `{name}` (`{one}`)" for one in indexed],
        "listRule": "",
    }
    return str(admin("POST", "/api/collections", body)["id"])


def _field(name: str, kind: str) -> dict[str, Any]:
    return {"name": name, "type": kind}


def _relation(name: str, collection: str, *, many: bool = False, cascade: bool = False) -> dict[str, Any]:
    return {
        "name": name,
        "type": "relation",
        "collectionId": collection,
        "maxSelect": 99 if many else 1,
        "cascadeDelete": cascade,
    }


def _create(url: str, headers: dict[str, str], name: str, bodies: Iterator[dict[str, Any]]) -> list[str]:
    """The ids of the new records, which are made in batches."""
    requests = [
        {"method": "POST", "url": f"/api/collections/{name}/records?fields=id", "body": body}
        for body in bodies
    ]
    batches = [requests[first : first + BATCH] for first in range(0, len(requests), BATCH)]
    answers = in_parallel(
        lambda client, batch: client("POST", "/api/batch", {"requests": batch}),
        batches,
        url=url,
        headers=headers,
        threads=2,
    )
    return [one["body"]["id"] for answer in answers for one in answer]


# -- what is measured


def lists(admin: Client, readers: Sequence[Client]) -> Iterator[list[str]]:
    numbers = count(1)
    for work in WORKS:
        admin("PATCH", "/api/collections/posts", {"listRule": work.rule})
        ask = readers[work.reader]
        once = lambda ask=ask, work=work: _list(ask, work.filter(next(numbers)), total=work.total)  # noqa: E731
        yield _row(work.name, _times(once), "50")
    admin("PATCH", "/api/collections/posts", {"listRule": ""})


def plans(ask: Client) -> Iterator[list[str]]:
    """What new constants cost, and what a filter of a shape that was never seen."""
    numbers = count(1)
    yield _row("no filter", _times(lambda: _list(ask, "")), "")
    yield _row(
        "a filter with new constants: its plan is there", _times(lambda: _list(ask, _rank(next(numbers)))), ""
    )

    def shape() -> None:
        # Which of the two operators stands where makes the shape.
        bits = next(numbers) + 2**10
        _list(ask, " && ".join(f"rank {'!=' if bits >> i & 1 else '>='} -{i + 1}" for i in range(12)))

    yield _row("twelve comparisons in a new shape: compiled", _times(shape), "")
    same = " && ".join(f"rank >= -{i + 1}" for i in range(12))
    yield _row("twelve comparisons in a known shape", _times(lambda: _list(ask, same)), "")


def totals(url: str, admin: Client, ask: Client) -> Iterator[list[str]]:
    """A total is remembered until something that it reads has changed."""
    active = "author.org.active = true"
    yield _row("the same list with total again", _times(lambda: _list(ask, active, total=True)), "50")
    other = Client(url, admin.headers)
    body = {"title": "New", "rank": 1}
    with Beside([lambda: other("POST", "/api/collections/posts/records", body)], pause=0.05):
        yield _row(
            "the same, 20 posts a second beside it", _times(lambda: _list(ask, active, total=True)), ""
        )


def deletion(url: str, admin: Client) -> Iterator[list[str]]:
    headers = {"Authorization": admin.headers["Authorization"]}
    parents_id = _collection(admin, "parents", _field("name", "text"))
    _collection(admin, "children", _relation("parent", parents_id, cascade=True), _field("name", "text"))
    options.progress("parents and children …")
    parents = _create(url, headers, "parents", ({"name": "x"} for _ in range(PARENTS)))
    _create(
        url, headers, "children", ({"parent": parents[i % PARENTS], "name": "y"} for i in range(CHILDREN))
    )
    began = time.perf_counter()
    gone = admin("DELETE", f"/api/collections/parents/records?{urlencode({'filter': 'id != null'})}")
    took = (time.perf_counter() - began) * MS
    assert gone["count"] == PARENTS, gone
    left = admin("GET", "/api/collections/children/records?perPage=1")["totalItems"]
    assert left == 0, left
    yield ["100 parents deleted, 100,000 records follow", number(took), "", "2,000"]


def _list(ask: Client, text: str, *, total: bool = False) -> None:
    query = {"sort": "-created", "perPage": 30, "filter": text} | ({} if total else {"skipTotal": 1})
    ask("GET", f"/api/collections/posts/records?{urlencode(query)}")


def _times(once: Callable[[], object]) -> list[float]:
    """Milliseconds of each of ASKED calls, after a few that do not count."""
    taken = []
    for turn in range(-5, ASKED):
        began = time.perf_counter()
        once()
        if turn >= 0:
            taken.append((time.perf_counter() - began) * MS)
    return taken


def _row(name: str, times: Sequence[float], aim: str) -> list[str]:
    options.progress(f"{name}: {statistics.median(times):.1f} ms")
    return [name, number(statistics.median(times)), number(statistics.quantiles(times, n=20)[-1]), aim]


if __name__ == "__main__":
    main()
