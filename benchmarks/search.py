"""``python -m benchmarks.search``: what a search takes on 100,000 posts under a list rule, and what its index costs.

One client asks one request after another, so that a figure is what an app waits for, HTTP and checks included. Words
come as often as in a language (the n-th most frequent one an n-th as often as the first), so that the ten most frequent
stand in most posts. No search is asked twice: no answer is remembered from before.
"""

from __future__ import annotations

import random
import statistics
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from typing import Any
from urllib.parse import urlencode

from benchmarks import machine, options
from benchmarks.client import Client, in_parallel
from benchmarks.peers.mbaas import alone, version
from benchmarks.peers.rest import make_users, user_tokens
from benchmarks.table import number, render

POSTS = 100_000
VOCABULARY = 30_000
TITLE_WORDS, BODY_WORDS = 6, 80
BATCH = 50
ASKED = 40
MS = 1000
AIM = "50"
RULE = "public = true || author = @request.auth.id"
LETTERS = "abcdefghijklmnopqrstuvwxyz"

Searches = list[str]


def main() -> None:
    parser = options.parser("search", __doc__.split("\n")[2], rounds=1)
    parser.add_argument("--posts", type=int, default=POSTS, help=f"records (default: {POSTS:,})")
    given = parser.parse_args()
    with alone(given.engine) as (url, admin, process):
        reader, words = fill(url, admin, given.posts)
        process.wait_until_idle()
        rows = list(building(url, admin, reader))
        process.wait_until_idle()
        rows += searches(reader, words)
        rows += writes(admin, words)
    print(f"{machine.describe([f'mbaas {version()}'])}\n- {given.engine}; {given.posts:,} posts\n")
    print(render(["ms", "median", "95th percentile", "aim (median)"], rows))


# -- the data


def fill(url: str, admin: Client, posts: int) -> tuple[Client, Sequence[str]]:
    """Posts, without an index, of which four in five are public; a reader of them, and the words by how often."""
    chance = random.Random(7)
    words = list(
        dict.fromkeys("".join(chance.choices(LETTERS, k=chance.randint(3, 9))) for _ in range(VOCABULARY))
    )
    weights = list(accumulate(1 / (at + 1) for at in range(len(words))))
    token = admin.headers["Authorization"]
    users = make_users(url, token, 2, passwords=False)
    admin("POST", "/api/collections", _collection("posts", searchable=False))
    admin("POST", "/api/collections", _collection("plain", searchable=False))
    admin("POST", "/api/collections", _collection("indexed", searchable=True))

    def body(at: int) -> dict[str, Any]:
        title, text = (
            " ".join(chance.choices(words, cum_weights=weights, k=k)) for k in (TITLE_WORDS, BODY_WORDS)
        )
        return {"title": title, "body": f"<p>{text}</p>", "author": users[0], "public": at % 5 != 0}

    options.progress(f"{posts:,} posts …")
    requests = [
        {"method": "POST", "url": "/api/collections/posts/records?fields=id", "body": body(at)}
        for at in range(posts)
    ]
    in_parallel(
        lambda client, batch: client("POST", "/api/batch", {"requests": batch}),
        [requests[first : first + BATCH] for first in range(0, len(requests), BATCH)],
        url=url,
        headers={"Authorization": token},
        threads=2,
    )
    return Client(url, {"Authorization": user_tokens(url, token, users)[1]}), words


def _collection(name: str, *, searchable: bool) -> dict[str, Any]:
    return {
        "name": name,
        "type": "base",
        "fields": [
            {"name": "title", "type": "text", "searchable": searchable},
            {"name": "body", "type": "editor", "searchable": searchable},
            {"name": "author", "type": "text"},
            {"name": "public", "type": "bool"},
        ],
        "listRule": RULE,
        "createRule": "",
    }


# -- what is measured


def building(url: str, admin: Client, reader: Client) -> Iterator[list[str]]:
    """The index of all posts, and what a reader waits for meanwhile."""
    options.progress("the index …")
    fields = [
        {**field, "searchable": field["name"] in ("title", "body")}
        for field in admin("GET", "/api/collections/posts")["fields"]
    ]
    done = threading.Event()
    waited: list[float] = []

    def read() -> None:
        ask = Client(url, reader.headers)
        while not done.is_set():
            waited.append(_time(lambda: ask("GET", "/api/collections/posts/records?skipTotal=1")))
            time.sleep(0.02)

    beside = threading.Thread(target=read)
    beside.start()
    try:
        took = _time(lambda: admin("PATCH", "/api/collections/posts", {"fields": fields}))
    finally:
        done.set()
        beside.join()
    yield ["building the index", number(took), "", ""]
    yield _row("a list meanwhile", waited, "")


def searches(reader: Client, words: Sequence[str]) -> Iterator[list[str]]:
    for name, some in _searches(words).items():
        yield _row(name, _ask_each(reader, some), AIM)
    for name, more in {
        "common words, by id": {"sort": "-id"},
        "common words, third page": {"page": "3"},
    }.items():
        yield _row(name, _ask_each(reader, _searches(words)["common words"], **more), "")


def _searches(words: Sequence[str]) -> dict[str, Searches]:
    chance = random.Random(11)

    def some(low: int, high: int, count: int) -> str:
        return " ".join(words[chance.randrange(low, high)] for _ in range(count))

    pairs = [chance.sample(words[:40], 2) for _ in range(ASKED)]
    return {
        # In 18 to 100 % of the posts; in 2.5 %; in a hundred posts; in none.
        "common words": list(words[:ASKED]),
        "words in 2.5 % of the posts": list(words[300 : 300 + ASKED]),
        "rare words": list(words[8000 : 8000 + ASKED]),
        "words that are nowhere": [f"zz{at}zz" for at in range(ASKED)],
        "two words": [some(10, 300, 2) for _ in range(ASKED)],
        "three common words": [some(0, 30, 3) for _ in range(ASKED)],
        "a phrase of common words": [f'"{one} {other}"' for one, other in pairs],
        "the beginning of a word, 2 letters": list(dict.fromkeys(word[:2] for word in words[:300]))[:ASKED],
        "the beginning of a word, 3 letters": list(dict.fromkeys(word[:3] for word in words[:300]))[:ASKED],
        "a word, and the beginning of one": [
            f"{some(20, 400, 1)} {some(20, 400, 1)[:3]}" for _ in range(ASKED)
        ],
    }


def _ask_each(reader: Client, some: Searches, **more: str) -> list[float]:
    def ask(text: str) -> float:
        query = urlencode({"search": text, **more})
        return _time(lambda: reader("GET", f"/api/collections/posts/records?{query}"))

    return [ask(text) for text in some]


def writes(admin: Client, words: Sequence[str]) -> Iterator[list[str]]:
    chance = random.Random(13)
    for name, what in {
        "plain": "creating a record without an index",
        "indexed": "creating it with one",
    }.items():
        taken = []
        for _ in range(10 * ASKED):
            body = {
                "title": " ".join(chance.choices(words, k=TITLE_WORDS)),
                "body": " ".join(chance.choices(words, k=BODY_WORDS)),
            }
            taken.append(
                _time(lambda name=name, body=body: admin("POST", f"/api/collections/{name}/records", body))
            )  # type: ignore[misc]
        yield _row(what, taken, "")


def _time(once: Callable[[], Any]) -> float:
    started = time.perf_counter()
    once()
    return (time.perf_counter() - started) * MS


def _row(name: str, times: Sequence[float], aim: str) -> list[str]:
    worst = statistics.quantiles(times, n=20)[-1] if len(times) > 1 else times[0]
    return [name, number(statistics.median(times)), number(worst), aim]


if __name__ == "__main__":
    main()
