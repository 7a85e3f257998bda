from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from projects.schema.index_parts import (
    Index,
    IndexColumn,
    IndexSyntaxError,
    UnsupportedIndexError,
)
from projects.schema.indexes import parse_index


def test_all_parts_are_read() -> None:
    index = parse_index(
        'create unique index if not exists `idx x` on [posts] ("a" collate nocase desc, lower(b) ASC, c)'
        " where a != '' AND (b > -5 OR NOT c IS NOT NULL) and d in ('x', 1, null);"
    )
    assert (index.name, index.table, index.unique, index.if_not_exists) == ("idx x", "posts", True, True)
    assert index.columns == (
        IndexColumn("a", collation="NOCASE", order="DESC"),
        IndexColumn("b", function="lower", order="ASC"),
        IndexColumn("c"),
    )
    assert index.column_names() == {"a", "b", "c", "d"}


@pytest.mark.parametrize(
    ("text", "spelled"),
    [
        ("CREATE INDEX idx_two ON wrong (a)", "CREATE INDEX `idx_two` ON `posts` (`a`)"),
        ("CREATE INDEX i ON t (lower(a))", "CREATE INDEX `i` ON `posts` (lower(a))"),
        (
            "CREATE UNIQUE INDEX i ON t (a DESC, b) WHERE a != ''",
            "CREATE UNIQUE INDEX `i` ON `posts` (\n  `a` DESC,\n  `b`\n) WHERE a != ''",
        ),
        (
            "create index if not exists i on t(a) where length(a)>=2 and b in('x',-1)",
            "CREATE INDEX IF NOT EXISTS `i` ON `posts` (`a`) WHERE length(a) >= 2 and b in ('x', -1)",
        ),
    ],
)
def test_an_index_on_another_table_is_spelled_anew(text: str, spelled: str) -> None:
    again = parse_index(text).renamed("posts", {})
    assert again.text() == spelled
    assert parse_index(again.text()).definition == again.definition


def test_renamed_columns_are_renamed_everywhere_but_in_texts() -> None:
    index = parse_index("CREATE INDEX i ON t (a, lower(A)) WHERE a != 'a' AND lower(a) = 'x'")
    renamed = index.renamed("t", {"a": "b"})
    assert renamed.column_names() == {"b"}
    assert renamed.text() == (
        "CREATE INDEX `i` ON `t` (\n  `b`,\n  lower(b)\n) WHERE `b` != 'a' AND lower(`b`) = 'x'"
    )


@pytest.mark.parametrize(
    "text",
    [
        "", "nope", "DROP TABLE users", "CREATE TABLE x (a)", "CREATE INDEX ON t (a)", "CREATE INDEX i ON t ()",
        "CREATE INDEX i ON t", "CREATE INDEX i ON t (a", "CREATE INDEX i ON t (a))", "CREATE INDEX i ON t (a,)",
        "CREATE INDEX i ON t (a); DROP TABLE users", "CREATE INDEX i ON t (a) -- c", "CREATE INDEX i ON t (a) /**/",
        "CREATE INDEX main.i ON t (a)", "CREATE INDEX i ON t (a) WHERE", "CREATE INDEX i ON t (a) WHERE (a = 1",
        "CREATE INDEX i ON t (a) WHERE a = (SELECT 1)", "CREATE INDEX i ON t (a) WHERE EXISTS (SELECT 1)",
        "CREATE INDEX i ON t (a) WHERE a = 1 UNION SELECT 1", "CREATE INDEX i ON t (a) WHERE a LIKE 'x'",
        "CREATE INDEX i ON t (a || b)", "CREATE INDEX i ON t (1)", "CREATE INDEX i ON t ('a')",
        "CREATE INDEX i ON t (a) WITH (fillfactor=10)", "CREATE INDEX i ON t (a) TABLESPACE x",
        "CREATE INDEX CONCURRENTLY i ON t (a)", "CREATE INDEX i ON t USING gin (a)", "CREATE INDEX `a\"b` ON t (a)",
        "CREATE INDEX `a\nb` ON t (a)", "CREATE INDEX i ON t (a) WHERE a = 'x\0'", "CREATE INDEX i ON t (a\0)",
        "CREATE INDEX i ON t (a) WHERE a = $1", "CREATE INDEX i ON t (a) WHERE a = ?",
        "CREATE INDEX i ON t (a) WHERE " + "(" * 50 + "a = 1" + ")" * 50,
        "CREATE INDEX i ON t (a) WHERE a = 'unclosed",
    ],
)  # fmt: skip
def test_everything_else_is_refused(text: str) -> None:
    with pytest.raises(IndexSyntaxError):
        parse_index(text)


@pytest.mark.parametrize(
    "text",
    [
        "CREATE INDEX i ON t (json_extract(a, '$.x'))",
        "CREATE INDEX i ON t (random())",
        "CREATE INDEX i ON t (pg_sleep(a))",
        "CREATE INDEX i ON t (a) WHERE load_extension(a) = 1",
        "CREATE INDEX i ON t (a COLLATE pg_catalog)",
    ],
)
def test_a_function_or_collation_that_engines_do_not_share_is_refused_by_name(text: str) -> None:
    with pytest.raises(UnsupportedIndexError, match="not allowed in an index"):
        parse_index(text)


names = st.from_regex(r"[A-Za-z_][A-Za-z0-9_]{0,20}", fullmatch=True).filter(
    lambda name: name.upper() not in {"ON", "WHERE", "COLLATE", "IF", "UNIQUE"}
)


@settings(deadline=None)
@given(names, names, st.lists(names, min_size=1, max_size=4), st.booleans())
def test_what_is_spelled_is_read_back(name: str, table: str, columns: list[str], unique: bool) -> None:
    index = Index(name, table, tuple(map(IndexColumn, columns)), unique)
    assert parse_index(index.text()) == index


@settings(deadline=None)
@given(st.text(max_size=80))
def test_no_text_makes_the_parser_fail_otherwise(text: str) -> None:
    for candidate in (text, f"CREATE INDEX i ON t ({text})", f"CREATE INDEX i ON t (a) WHERE {text}"):
        try:
            parse_index(candidate)
        except IndexSyntaxError:
            continue
