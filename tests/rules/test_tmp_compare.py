import json, sys

sys.path.insert(0, "/tmp/rules_oracle")
from dataset import ROWS, ORGS
from tests.rules.world import *
from projects.rules import RuleError


def test_all(session):
    from projects.schema.fields.registry import field_from_json

    w = make_world(
        session,
        [
            collection("d_orgs", field("name", "text"), field("active", "bool"), field("n", "number")),
            collection(
                "d_main",
                field("s", "text"),
                field("n", "number"),
                field("b", "bool"),
                field("d", "date"),
                field("j", "json"),
                field("sel", "select", values=["a", "b", "c"], maxSelect=1),
                field("ms", "select", values=["a", "b", "c"], maxSelect=3),
                relation("org", "d_orgs"),
                relation("orgs", "d_orgs", 5),
                field("g", "geoPoint"),
            ),
        ],
        {"d_orgs": ORGS, "d_main": ROWS},
    )
    diffs = []
    for e, exp in json.load(open("/tmp/rules_oracle/answers.json")):
        try:
            with session.savepoint():
                got = "".join(w.by_sql("d_main", e))
                p = w.by_predicate("d_main", e)
                if p is not None and "".join(p) != got:
                    diffs.append(("PRED", e, got, "".join(p)))
                assert "".join(w.filtered("d_main", e)) == got
        except RuleError as err:
            got = None
            msg = str(err)
        except Exception as err:
            diffs.append(("CRASH", e, repr(err)[:300]))
            continue
        if got != exp:
            diffs.append((e, "PB", exp, "OURS", got, msg if got is None else ""))
    for d in diffs:
        print(d)
    assert not diffs
