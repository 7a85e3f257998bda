"""The filter language as a client uses it."""

from __future__ import annotations

from tests.oracle.scenarios._network import ACME, BETA, C1, network
from tests.oracle.scenarios._shelf import APPLE, RED, shelf
from tests.oracle.scenarios.building import change, listing, people, sign_in, sign_up
from tests.oracle.table import Request, Scenario


def filtered(expression: str, as_: str = "guest", says: str = "") -> Request:
    return listing(says or f"filter {expression!r}", "items", as_, filter=expression, sort="id", fields="id")


SYNTAX_GOOD = (
    "",
    "1=1",
    "1=2",
    "'a' = 'a'",
    "null = null",
    "n=1&&b=true",
    "((n = 1))",
    "(n = 1) && (b = true)",
    "n = 1 || n = 10 && b = false",
    "(n = 1 || n = 10) && b = false",
    "n = 1 && (b = true || (n = 2 && (n = 3)))",
    "n = -3",
    "n = 01",
    'title = "Apple"',
    "title = 'Ap\\'ple'",
    'title = "it\'s"',
    "title = 'Apple' // a comment",
    "n = 1 // a\n// b",
    "title\t=\n'Apple'",
    "'Apple' = title",
    "1 = n",
    "n = n",
    "title = e",
)

SYNTAX_BAD = (
    "   ",
    "title",
    "title =",
    "= 1",
    "title = 'x",
    "title = x",
    "(title = 'x'",
    "title = 'x')",
    "title = 'x' &&",
    "&& title = 'x'",
    "title == 'x'",
    "title = 'x' and n = 1",
    "nope = 1",
    "title.x = 1",
    "title = 'a' title = 'b'",
    "// c",
    "/* c */ n=1",
    "!b",
    "n = - 3",
    "n = +1",
    "n = 1e0",
    "n = .5",
    "title = `Apple`",
    "n = 1;",
    "n IN (1,2)",
    "n = (1)",
    "n = 1 + 1",
    "@nope = 1",
    "n = @nope",
    "true",
    "title:nope = 1",
    "nope(1) = 1",
    "()",
    "j.list[0] = 1",
)

SYNTAX = Scenario(
    "filter_syntax",
    "What is an expression and what is not.",
    (
        *shelf(),
        *(filtered(expression) for expression in (*SYNTAX_GOOD, *SYNTAX_BAD)),
        filtered("(" * 50 + "n=1" + ")" * 50, says="fifty brackets"),
        filtered(" || ".join(["n=1"] * 200), says="two hundred conditions"),
        filtered(" || ".join(["n=1"] * 201), says="two hundred and one conditions"),
        filtered(f"title='{'x' * 3492}'", says="as long as a filter may be"),
        filtered(f"title='{'x' * 3493}'", says="one character too long"),
    ),
)

OPERATORS: dict[str, tuple[str, ...]] = {
    "text": (
        "title = 'Apple'",
        "title = 'apple'",
        "title != 'Apple'",
        "title > 'a'",
        "title <= 'Apple'",
        "title = ''",
        "title = null",
        "title != ''",
        "title != null",
        "title > null",
        "title = 0",
        "title = true",
        "title:lower = 'apple'",
        "title ?= 'Apple'",
        "title ?!= 'Apple'",
    ),
    "likeness": (
        "title ~ 'APP'",
        "title !~ 'app'",
        "title ~ 'app%'",
        "title ~ '%an%'",
        "title ~ 'pple%'",
        "title ~ 'a_ple'",
        "title ~ '_'",
        "title ~ '%'",
        "title ~ '100%'",
        "title ~ '\\_'",
        "title ~ '100\\%'",
        "title ~ '\\\\'",
        "title ~ ''",
        "title !~ ''",
        "title ~ null",
        "title ~ 1",
        "title ~ title",
        "n ~ 2",
        "n ~ '1'",
        "title ?~ 'a'",
        "r.name ~ 'r'",
    ),
    "number": (
        "n = 1",
        "n = 1.0",
        "n = '1'",
        "n = 'abc'",
        "n = ''",
        "n = null",
        "n != null",
        "n > 1",
        "n >= 1",
        "n < 0",
        "n <= 0",
        "n > '1'",
        "n = true",
        "n = false",
        "n ?> 1",
    ),
    "bool": (
        "b = true",
        "b = false",
        "b != true",
        "b = 1",
        "b = 0",
        "b = 'true'",
        "b = ''",
        "b = null",
        "b > 0",
        "false = b",
    ),
    "date": (
        "d = ''",
        "d = null",
        "d != ''",
        "d > '2024'",
        "d >= '2024-01-01'",
        "d = '2024-01-01'",
        "d = '2024-01-01 00:00:00.000Z'",
        "d = '2024-01-01T00:00:00.000Z'",
        "d ~ '2024-06'",
        "d > @now",
        "d != '' && d < @now",
        "d > @todayStart && d > @yearEnd",
        "d >= '2024-06-15 12:30:45.123Z'",
    ),
    "macros": (
        "@yesterday < @now && @now < @tomorrow",
        "@todayStart < @todayEnd && @monthStart < @monthEnd && @yearStart < @yearEnd",
        "@second >= 0 && @minute < 60 && @hour < 24",
        "@day > 0 && @month > 0 && @year > 2000 && @weekday < 7",
        "@now ~ 'Z'",
    ),
    "select": ("s = 'x'", "s = ''", "s = null", "s != 'x'", "s ~ 'x'"),
    "json": (
        "j.a.b = 1",
        "j.a.b = '1'",
        "j.a.b > 0",
        "j.s = 'str'",
        "j.list.0 = 1",
        "j.list = '[1,2,3]'",
        "j.0.k = 'v'",
        "j.nope = null",
        "j.nope != ''",
        "j = 'text'",
        "j = 5",
        "j ~ 'k'",
        "j = null",
        "j != null",
    ),
    "point": ("g.lon = 10", "g.lon > 0", "g.lat = 0.5", "g.nope = 1"),
    "relation": (
        f"r = '{RED}'",
        "r = ''",
        "r = null",
        "r != ''",
        f"r.id = '{RED}'",
        "r.name = 'red'",
        "r.name = ''",
        "r.name != 'red'",
        "r.nope = 1",
        "r.name.x = 1",
    ),
    "id": (f"id = '{APPLE}'", f"id > '{APPLE}'", "id ~ 'item'", "collectionName = 'items'"),
}

VALUES = Scenario(
    "filter_values",
    "Each operator on each type of field, with values of its own and of other types.",
    (*shelf(), *(filtered(one) for expressions in OPERATORS.values() for one in expressions)),
)

FORBIDDEN = (
    "secret = 'one'",
    "r.secret = 'rrr'",
    "@request.auth.id != ''",
    "@request.method = 'GET'",
    "@collection.colours.name = 'red'",
)

SECRETS = Scenario(
    "filter_secrets",
    "What clients may not ask about, superusers may.",
    (
        people(),
        sign_up("alice"),
        sign_in("alice"),
        *shelf(),
        *(
            filtered(expression, as_=who, says=f"filter {expression!r} as {who}")
            for expression in FORBIDDEN[:4]
            for who in ("guest", "alice", "superuser")
        ),
        filtered(FORBIDDEN[4], says="another collection in a filter"),
    ),
)

THROUGH = ("r.name != 'zzz'", "r.name = ''", "r.id != ''", "r != ''")


def through(when: str, as_: str) -> list[Request]:
    return [
        *(filtered(one, as_=as_, says=f"{one!r} as {as_} when {when}") for one in THROUGH),
        listing(f"sort by r.name as {as_} when {when}", "items", as_, sort="r.name,id", fields="id"),
    ]


RELATED = Scenario(
    "filter_through_relations",
    "Through a relation a client finds only what it could list there.",
    (
        people(),
        sign_up("alice"),
        sign_in("alice"),
        *shelf(),
        change("red ones can be listed", "colours", listRule="name = 'red'"),
        *through("red ones can be listed", "guest"),
        change("members can list", "colours", listRule="@request.auth.id != ''"),
        *through("members can list", "guest"),
        *through("members can list", "alice"),
        change("superusers can list", "colours", listRule=None),
        *through("superusers can list", "guest"),
        *through("superusers can list", "superuser"),
    ),
)


def found(expression: str, as_: str = "superuser", when: str = "") -> Request:
    says = f"{expression!r} as {as_}{f' when {when}' if when else ''}"
    return listing(says, "posts", as_, filter=expression, sort="id", fields="id")


MANY = (
    "orgs.name = 'acme'",
    "orgs.name ?= 'acme'",
    "orgs.name != 'acme'",
    "orgs.name ?!= 'acme'",
    "orgs.name = ''",
    "orgs.n > 0",
    "orgs.n ?> 0",
    "orgs.active = true",
    "orgs.active ?= false",
    "orgs.name ~ 'a'",
    "orgs.name !~ 'a'",
    "orgs.name = t",
    "orgs.name ?= t",
    "orgs.n ?< n",
    f"orgs.id = '{ACME}'",
    f"orgs.id ?= '{BETA}'",
    "orgs.id = ''",
    "orgs:length > 1",
    f"orgs:each ?= '{BETA}'",
    f"orgs ~ '{BETA}'",
    "tags:each = 'a'",
    "tags:each ?= 'a'",
    "tags:each ?!= 'a'",
    "tags:length = 2",
    "tags:each = tags:each",
    "tags:each ?= orgs.name",
    "orgs.name:lower = 'acme'",
    "orgs.id = orgs.id",
    "orgs.name ?!= orgs.name",
    "members.org.name ?= 'acme'",
    "members.org.name = 'acme'",
    "members.org.name != 'acme'",
    "members.org.active = true",
    "members.org.id ?= orgs.id",
    "members.name = orgs.name",
    "members.id ?= author",
    "orgs.name ?= 'acme' && orgs.active ?= false",
    "orgs.name ?= 'acme' && orgs.n ?= 5",
    "orgs.name ?= 'acme' && orgs.n > 0",
    "orgs.name ?= 'acme' && (members.name ?= 'Bob' || orgs.n ?= 0)",
    "(orgs.name ?= 'acme' && members.name ?= 'Bob') || t = 'q'",
    "tags:each ?= 'a' && tags:each ?= 'b'",
    "members:each ?= author && members.id ?!= author",
)
BACK = (
    "comments_via_post.n > 1",
    "comments_via_post.n ?> 1",
    "comments_via_post.n ?= 1",
    "comments_via_post.id = ''",
    "comments_via_post.id != ''",
    f"comments_via_posts.id ?= '{C1}'",
    "comments_via_posts.n = 1",
    "comments_via_post.author.name ?= 'Alice'",
    "comments_via_post.author.name = 'Alice'",
    "comments_via_post.author ?= author",
    "comments_via_post.author.name ?= 'Alice' && comments_via_post.n ?> 1",
    "comments_via_post.posts.t ?= 'beta'",
    "comments_via_post.posts:each ?= id",
    "author.posts_via_author.t ?= 'q'",
    "author.posts_via_author.comments_via_post.n ?= 2",
    "author.cards_via_user.bio = 'A'",
    "author.cards_via_user.id = ''",
    "nothing_via_post.id = ''",
    "Comments_via_post.n ?= 1",
    "comments_via_post = ''",
    "comments_via_author.id = ''",
    "comments_via_nope.id = ''",
    "nope_via_post.id = ''",
)
OTHERS = (
    "@collection.roles.role ?= 'admin'",
    "@collection.roles.role = 'admin'",
    "@collection.roles.post ?= id",
    "@collection.roles.post = id",
    "@collection.roles.post ?= id && @collection.roles.role ?= 'admin'",
    "@collection.roles.post ?= id && @collection.roles:b.role ?= 'admin'",
    "@collection.roles.post ?= id && @collection.roles.user ?= author",
    "@collection.comments.post.t ?= t && @collection.comments.n ?= 3",
    "@collection.nothing.id = ''",
    "@collection.nothing.x != 'a'",
    "@collection.orgs.id ?= orgs.id && @collection.orgs.active ?= false",
    "@collection.orgs.n ?> n",
    "@collection.nope.id = 1",
    "@collection.roles = 1",
)
FUNCTIONS = (
    "geoDistance(g.lon, g.lat, 23, 42) < 100",
    "geoDistance(g.lon, g.lat, 23, 42) >= 100",
    "geoDistance(g.lon, g.lat, n, n) < 2000",
    "geoDistance(g.lon, g.lat, t, 42) < 2000",
    "geoDistance(0, 0, 0, 1) > 111 && geoDistance(0, 0, 0, 1) < 112",
    "geoDistance(g.lon, g.lat, '23', 42) < 100",
    "geoDistance(g.lon, g.lat, 23) < 100",
    "geoDistance(orgs.n, orgs.n, 0, 0) > 1",
    "strftime('%Y-%m', d) = '2024-02'",
    "strftime('%Y-%m-%d', d, 'start of month', '+1 month', '-1 day') = '2024-02-29'",
    "strftime('%H:%M:%f', d) = '13:14:15.678'",
    "strftime('%G-%V-%u %j %w', d) = '2024-09-4 060 4'",
    "strftime('%s', d) > '1709212454'",
    "strftime('%s', d) > 5",
    "strftime('%Y', d) = ''",
    "strftime('%Y', t) = null",
    "strftime('%Y', d, 'nope') = ''",
    "strftime('%Q', d) = ''",
    "strftime('%d', '2024-01-31', '+1 month', 'floor') = '29'",
    "strftime('%d', '2024-01-31', '+1 month') = '02'",
    "strftime('%d', d, 'weekday 0') = '03'",
    "strftime('%Y', comments_via_post.post.d) ?= '2024'",
    "strftime(t, d) = ''",
    "strftime('%Y', d, t) = ''",
    "strftime() = ''",
    "nope(1) = 1",
)
SORTS = (
    "orgs.name,id",
    "-orgs.n,id",
    "members.org.name,id",
    "comments_via_post.n,id",
    "-comments_via_post.n,id",
    "tags:each,id",
    "author.cards_via_user.bio,id",
    "comments_via_post",
)
PATHS = Scenario(
    "filter_paths",
    "Paths through many records, back relations, other collections, functions.",
    (
        *network(),
        *(found(expression) for expression in (*MANY, *BACK, *OTHERS, *FUNCTIONS)),
        *(listing(f"sort {sort}", "posts", "superuser", sort=sort, fields="id") for sort in SORTS),
        found(OTHERS[0], as_="alice"),
        found("comments_via_post.secret ?= 's'"),
        found("comments_via_post.secret ?= 's'", as_="guest"),
        found("members.email ?= 'bob@example.com'", as_="guest"),
        found("members.email ?= 'alice@example.com'", as_="guest"),
        found("comments_via_post.author.email ?= 'bob@example.com'", as_="guest"),
    ),
)

# What a client finds through records of which it may list some.
GUARDED = (
    "orgs.name ?= 'acme'",
    "orgs.name ?= 'beta'",
    "orgs.name ?!= 'acme'",
    "orgs.name ?= ''",
    f"orgs.id ?= '{BETA}'",
    f"orgs:each ?= '{BETA}'",
    "t = 'beta' || orgs.name ?= 'beta'",
    "members.org.name ?= 'beta'",
)
GUARDED_BACK = (
    "comments_via_post.n ?= 1",
    "comments_via_post.n ?= 2",
    "comments_via_post.id ?!= ''",
    "comments_via_posts.n ?= 1",
    "t = 'acme' || comments_via_post.n ?= 3",
)
GUARDS = Scenario(
    "filter_paths_guarded",
    "Through many records and back a client finds only what it could list there.",
    (
        *network(),
        change("active ones can be listed", "orgs", listRule="active = true"),
        *(found(one, as_="guest", when="active orgs can be listed") for one in GUARDED),
        change("superusers can list orgs", "orgs", listRule=None),
        *(found(one, as_="guest", when="superusers can list orgs") for one in GUARDED),
        change("one's own can be listed", "comments", listRule="author = @request.auth.id && author != ''"),
        *(
            found(one, as_=who, when="one's own comments can be listed")
            for one in GUARDED_BACK
            for who in ("guest", "alice")
        ),
        change("comments on two can be listed", "comments", listRule="posts.t = 'acme'"),
        *(found(one, as_="guest", when="a rule has many") for one in GUARDED_BACK),
        change("superusers can list comments", "comments", listRule=None),
        *(found(one, as_="guest", when="superusers can list comments") for one in GUARDED_BACK),
    ),
)

SCENARIOS = (SYNTAX, VALUES, SECRETS, RELATED, PATHS, GUARDS)
