"""Writes down what PocketBase answers to the whole table: ``python -m tests.oracle.record out.json``."""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from tests.oracle.play import Answer, Player
from tests.oracle.pocketbase import pocketbase
from tests.oracle.scenarios import SCENARIOS
from tests.oracle.table import NO_BODY, Json, Request, Step


def recording(directory: Path) -> list[Json]:
    """Per scenario its steps, each as ``{name, request, response}`` with the answers untouched."""
    with pocketbase(directory) as server, Player(server) as player:
        return [
            {
                "scenario": scenario.key,
                "about": scenario.about,
                "steps": [
                    {"name": step.name, "request": _request(step), "response": _response(answer)}
                    for step, answer in zip(scenario.steps, player.play(scenario).answers, strict=True)
                ],
            }
            for scenario in SCENARIOS
        ]


def _request(step: Step) -> Json:
    if not isinstance(step, Request):
        return {"kind": type(step).__name__.lower(), "stream": step.stream}
    shown: dict[str, Json] = {"method": step.method, "path": step.path, "as": step.as_}
    shown |= {key: dict(value) for key in ("query", "headers", "save") if (value := getattr(step, key))}
    if step.raw is not None:
        shown["raw"] = step.raw.decode("latin-1")
    elif step.body is not NO_BODY:
        shown["body"] = step.body
    return shown


def _response(answer: Answer) -> Json:
    if answer.problem:
        return {"problem": answer.problem}
    shown: dict[str, Json] = {}
    if answer.status:
        shown = {"status": answer.status, "headers": dict(answer.headers), "body": answer.body}
    if answer.events:
        shown["events"] = [
            {"id": event.id, "event": event.topic, "data": event.data} for event in answer.events
        ]
    return shown


def main(arguments: list[str]) -> int:
    """Command line: the path to write to. Ends with 1 when a step could not be sent."""
    if len(arguments) != 1:
        print(__doc__, file=sys.stderr)
        return 2
    with tempfile.TemporaryDirectory(prefix="oracle-") as directory:
        stories = recording(Path(directory))
    Path(arguments[0]).write_text(json.dumps(stories, indent=1, ensure_ascii=False) + "\n")
    steps = [(story["scenario"], step) for story in stories for step in story["steps"]]
    broken = [f"{key} / {step['name']}: {p}" for key, step in steps if (p := step["response"].get("problem"))]
    print(f"{len(stories)} scenarios, {len(steps)} steps", *broken, sep="\n")
    return 1 if broken else 0


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
