"""``manage.py import_records``."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import IO, Any

import orjson
from django.core.management.base import CommandError, CommandParser
from tqdm import tqdm

from projects.context import ProjectHandle
from projects.control import audit
from projects.control.actor import COMMAND
from projects.databases import read_session, write_session
from projects.importing.tables.preparing import Columns
from projects.importing.tables.rows import Refused, Row
from projects.importing.tables.run import (
    Format,
    Prepared,
    SchemaChangedError,
    TableImport,
    TableOptions,
    hash_all,
)
from projects.importing.tables.storing import Outcome
from projects.management.base import ControlCommand
from projects.records.call import Call
from projects.schema.store import load_schema

_PIECE = 256 * 1024
_FORMATS: dict[str, Format] = {".csv": "csv", ".tsv": "csv", ".jsonl": "jsonl", ".ndjson": "jsonl"}


class Command(ControlCommand):
    help = (
        "Bring the rows of a CSV file or of JSON lines into a collection, in steps. Rows that are refused are told of;"
        " the others are stored. No rule of the collection is asked."
    )

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("ref", help="the project's ref")
        parser.add_argument("collection", help="the collection's name or id")
        parser.add_argument("file", help="the file; - for standard input")
        parser.add_argument("--format", choices=("csv", "jsonl"), help="where the file's name does not tell")
        parser.add_argument("--delimiter", default="", help="of CSV, where its header does not tell")
        parser.add_argument(
            "--map",
            action="append",
            default=[],
            metavar="NAME=FIELD",
            help="the column NAME means the field FIELD; NAME= to leave it out",
        )
        parser.add_argument(
            "--upsert", action="store_true", help="a row whose id is there changes that record"
        )
        parser.add_argument("--dry-run", action="store_true", help="only say what would be refused")
        parser.add_argument("--refused", metavar="FILE", help="write the refused rows there, as JSON lines")
        parser.add_argument("--json", action="store_true", help="the totals as JSON")
        parser.add_argument("--no-progress", action="store_true", help="no progress bar")

    def run(self, options: dict[str, Any]) -> None:
        project = self.find_project(options["ref"])
        table = TableImport(options["collection"], _options(options))
        quiet = options["no_progress"] or not sys.stderr.isatty()
        with ExitStack() as stack:
            source = stack.enter_context(_open(options["file"]))
            refused = stack.enter_context(_refused_file(options["refused"]))
            size = Path(options["file"]).stat().st_size if options["file"] != "-" else None
            bar = stack.enter_context(
                tqdm(total=size, unit="B", unit_scale=True, disable=quiet, file=sys.stderr)
            )
            try:
                for step in _steps(table, source, bar):
                    for row in _take(project.handle(), table, step):
                        if refused is not None:
                            refused.write(_line(row))
            except KeyboardInterrupt:
                raise CommandError(f"Interrupted after {_words(table)}; these are stored.") from None
        totals = table.totals
        if not options["dry_run"]:
            details = {"created": totals.created, "updated": totals.updated, "refused": totals.refused}
            audit.record(
                COMMAND, "records.imported", project=project, target=options["collection"], details=details
            )
        self._show(table, as_json=options["json"])
        if totals.refused:
            raise CommandError(f"{totals.refused} rows were refused.")

    def _show(self, table: TableImport, *, as_json: bool) -> None:
        totals = table.totals
        if as_json:
            self.stdout.write(orjson.dumps(totals.as_json(), option=orjson.OPT_INDENT_2).decode())
            return
        if totals.unknown:
            self.stdout.write(f"Columns that are no fields, and were left out: {', '.join(totals.unknown)}")
        for row in totals.first_refused:
            details = " ".join(f"{name}: {error.message}" for name, error in row.errors.items())
            self.stdout.write(f"line {row.line}: {row.message} {details}".rstrip())
        if totals.refused > len(totals.first_refused):
            self.stdout.write(f"… and {totals.refused - len(totals.first_refused)} more.")
        self.stdout.write(f"{_words(table)}.")


def _options(options: dict[str, Any]) -> TableOptions:
    suffix = Path(options["file"]).suffix.lower()
    kind: Format | None = options["format"] or _FORMATS.get(suffix)
    if kind is None:
        raise CommandError("Say with --format whether it is csv or jsonl.")
    renamed: dict[str, str] = {}
    for text in options["map"]:
        name, equals, field = text.rpartition("=")
        if not equals:
            raise CommandError(f"--map takes NAME=FIELD, not {text!r}.")
        renamed[name] = field
    delimiter = "\t" if options["delimiter"] in ("\\t", "tab") else options["delimiter"]
    return TableOptions(
        format=kind,
        delimiter=delimiter or ("\t" if suffix == ".tsv" else ""),
        columns=Columns(renamed),
        upsert=options["upsert"],
        dry_run=options["dry_run"],
    )


@contextmanager
def _open(name: str) -> Iterator[IO[bytes]]:
    if name == "-":
        yield sys.stdin.buffer
        return
    try:
        source = open(name, "rb")  # noqa: SIM115 - what is raised inside is not about this file
    except OSError as error:
        raise CommandError(f"{name} cannot be read: {error.strerror}.") from error
    with source:
        yield source


@contextmanager
def _refused_file(name: str | None) -> Iterator[IO[bytes] | None]:
    if name is None:
        yield None
        return
    try:
        target = open(name, "wb")  # noqa: SIM115 - as above
    except OSError as error:
        raise CommandError(f"{name} cannot be written: {error.strerror}.") from error
    with target:
        yield target


def _steps(table: TableImport, source: IO[bytes], bar: Any) -> Iterator[list[Row | Refused]]:
    while data := source.read(_PIECE):
        yield from table.feed(data)
        bar.update(len(data))
    yield from table.end()


def _take(project: ProjectHandle, table: TableImport, step: list[Row | Refused]) -> list[Refused]:
    """Store a step; its refused rows."""
    while True:
        with read_session(project) as session:
            call = Call(session, load_schema(session))
            prepared = table.prepare(call, step)
            plain = table.passwords(call, prepared)
        hash_all(plain)
        try:
            return table.count(prepared, _store(project, table, prepared))
        except SchemaChangedError:
            continue


def _store(project: ProjectHandle, table: TableImport, prepared: Prepared) -> Outcome:
    with write_session(project) as session:
        return table.store(Call(session, load_schema(session)), prepared)


def _line(row: Refused) -> bytes:
    return orjson.dumps({**row.as_json(), "row": dict(row.values)}, option=orjson.OPT_APPEND_NEWLINE)


def _words(table: TableImport) -> str:
    totals = table.totals
    return (
        f"{totals.created} records created, {totals.updated} changed, {totals.unchanged} as they were,"
        f" {totals.refused} rows refused"
    )
