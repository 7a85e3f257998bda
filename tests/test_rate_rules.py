from __future__ import annotations

from typing import Any

import pytest

from projects.rate_rules import RateRule, check_rate_limits, parse_rate_rule, read_rate_rules


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("*:auth 300/60", RateRule("*:auth", 300, 60)),
        ("posts:create 0/1", RateRule("posts:create", 0, 1)),
        ("/api/ 10/1", RateRule("/api/", 10, 1)),
        ("POST /api/batch 3/1", RateRule("POST /api/batch", 3, 1)),
    ],
)
def test_a_rule_of_the_settings_is_a_label_and_a_rate(text: str, rule: RateRule) -> None:
    assert parse_rate_rule(text) == rule


@pytest.mark.parametrize(
    "text",
    ["", "*:auth", "*:auth 10", "*:auth 10/0", "*:auth -1/5", "auth 10/1", "a b:c 10/1", "get /x 10/1"],
)
def test_anything_else_is_no_rule(text: str) -> None:
    with pytest.raises(ValueError, match="no rate limit"):
        parse_rate_rule(text)


def rules(**changes: Any) -> dict[str, Any]:
    return {"enabled": True, "rules": [{"label": "*:list", "duration": 10, "maxRequests": 5, **changes}]}


@pytest.mark.parametrize(
    "value",
    [
        {},
        {"enabled": False},
        {"enabled": True, "rules": []},
        rules(),
        rules(audience="@guest", by="user", maxRequests=0),
        rules(label="/api/collections/"),
        {
            "enabled": True,
            "rules": [*rules(audience="@guest")["rules"], *rules(audience="@auth")["rules"]],
        },
    ],
)
def test_a_projects_limits_that_are_accepted_can_be_read(value: dict[str, Any]) -> None:
    assert check_rate_limits(value) is None
    assert len(read_rate_rules(value)) == (len(value.get("rules", [])) if value.get("enabled") else 0)


@pytest.mark.parametrize(
    "value",
    [
        None,
        [],
        "on",
        {"enabled": "yes"},
        {"enabled": True, "rules": {}},
        {"more": 1},
        {"enabled": True, "rules": ["*:list"]},
        {"enabled": True, "rules": rules()["rules"] * 2},
        {"enabled": True, "rules": [{**rules()["rules"][0], "label": f"*:a{i}"} for i in range(101)]},
        rules(label=""),
        rules(label="bad label"),
        rules(label="x" * 201 + ":a"),
        rules(label=5),
        rules(audience="x"),
        rules(by="planet"),
        rules(duration=0),
        rules(duration=1.5),
        rules(duration=True),
        rules(duration=None),
        rules(maxRequests=-1),
        rules(maxRequests=10**9),
        rules(more=1),
    ],
)
def test_a_projects_limits_that_are_wrong_are_refused_in_a_sentence(value: Any) -> None:
    error = check_rate_limits(value)
    assert error is not None and error.message.endswith(".")


def test_a_projects_rules_are_read_as_they_were_checked() -> None:
    assert read_rate_rules(rules(by="user", audience="@auth")) == (RateRule("*:list", 5, 10, "@auth", True),)


@pytest.mark.parametrize("setting", [None, "x", [], {"enabled": False, "rules": rules()["rules"]}])
def test_there_are_none_while_they_are_not_enabled(setting: object) -> None:
    assert read_rate_rules(setting) == ()
