"""Files: uploads, names, what is refused, who is served what, thumbs and tokens.

Files are called ``upload_…``, so that the random part of their stored names is known for one.
"""

from __future__ import annotations

import io
import json
import re
from typing import Final

from PIL import Image

from tests.oracle.scenarios.building import (
    OPEN,
    change,
    field,
    make,
    people,
    records,
    sign_in,
    sign_up,
    update,
)
from tests.oracle.table import Json, Request, Scenario

_BOUNDARY: Final = "files-of-the-oracle"
Sent = tuple[str, str, bytes]


def _picture(form: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (60, 30), (200, 30, 30)).save(out, form)
    assert not re.search(rb"\$[a-z]", out.getvalue()), "it would be read as a capture"
    return out.getvalue()


PNG, JPEG, GIF = _picture(), _picture("JPEG"), _picture("GIF")
SVG = b"<svg xmlns='http://www.w3.org/2000/svg'><script>alert(1)</script></svg>"
TEXT = b"0123456789"


def upload(
    says: str,
    collection: str,
    *files: Sent,
    record: str = "",
    as_: str = "guest",
    values: dict[str, str] | None = None,
    save: dict[str, str] | None = None,
) -> Request:
    """A record is created, or ``record`` changed, by a form with these files: (field, name, content)."""
    parts = [
        f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"\r\n\r\n{value}\r\n'.encode()
        for name, value in (values or {}).items()
    ]
    for name, filename, content in files:
        head = f'--{_BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="{filename}"\r\n'
        parts.append(head.encode() + b"Content-Type: application/x-lie\r\n\r\n" + content + b"\r\n")
    return Request(
        name=says,
        method="PATCH" if record else "POST",
        path=f"{records(collection)}/{record}" if record else records(collection),
        as_=as_,
        raw=b"".join((*parts, f"--{_BOUNDARY}--\r\n".encode())),
        headers={"Content-Type": f"multipart/form-data; boundary={_BOUNDARY}"},
        save=save or {},
    )


def fetch(
    says: str, path: str, method: str = "GET", headers: dict[str, str] | None = None, **query: str
) -> Request:
    return Request(
        name=says,
        method=method,
        path=f"/api/files/{path}",
        query=query,
        headers={"Accept": "*/*", **(headers or {})},
    )


def docs(*more: dict[str, Json], **options: Json) -> Request:
    return make(
        "docs",
        field("title", "text"),
        field(
            "one", "file", thumbs=["20x20", "20x20t", "20x20b", "20x20f", "0x10", "10x0", "90x90", "90x90f"]
        ),
        field("many", "file", maxSelect=3, maxSize=1000, mimeTypes=["text/plain", "image/png"]),
        field("secret", "file", protected=True),
        *more,
        **(OPEN | options),
    )


A: Sent = ("many", "upload_aaa.txt", b"a")
B: Sent = ("many", "upload_bbb.txt", b"b")
C: Sent = ("many+", "upload_ccc.txt", b"c")

WRITTEN = Scenario(
    "files_written",
    "Files are set, appended, taken away and kept.",
    (
        docs(),
        upload("a record with files", "docs", ("one", "upload one.TXT", TEXT), A, B, values={"title": "5"},
               save={"doc": "id", "first": "many.0", "second": "many.1"}),
        upload("one is appended", "docs", C, record="$doc", save={"third": "many.2"}),
        upload("one too many is appended", "docs", ("many+", "upload_ddd.txt", b"d"), record="$doc"),
        update("one is taken away", "docs", "$doc", {"many-": "$first"}),
        update("names that are not there are taken away", "docs", "$doc", {"many-": ["nope.txt"]}),
        upload("one is put in front", "docs", ("+many", "upload_eee.txt", b"e"), record="$doc"),
        update("the order is changed and one left out", "docs", "$doc", {"many": ["$third", "$second"]}),
        update("a name is given three times", "docs", "$doc", {"many": ["$second"] * 3}),
        upload("a name is kept and a file added", "docs", ("many", "upload_fff.txt", b"f"), record="$doc",
               values={"many": "$second"}),
        upload("the name is in the payload", "docs", ("many", "upload_ggg.txt", b"g"), record="$doc",
               values={"@jsonPayload": json.dumps({"many": ["$second"], "title": "t"})}),
        upload("a file alone replaces all", "docs", ("many", "upload_hhh.txt", b"h"), record="$doc"),
        upload("a single file is replaced", "docs", ("one", "upload_two.txt", b"2"), record="$doc"),
        upload("two files for one", "docs", ("one", "upload_x.txt", b"x"), ("one", "upload_y.txt", b"y"), record="$doc"),
        upload("an empty file", "docs", ("one", "upload_empty.txt", b""), record="$doc"),
        update("null clears", "docs", "$doc", {"many": None}),
        upload("files again", "docs", A, B, record="$doc"),
        update("blank text clears", "docs", "$doc", {"many": "", "one": ""}),
        upload("files once more", "docs", A, record="$doc"),
        upload("a blank value of a form clears", "docs", record="$doc", values={"many": ""}),
        upload("a file for a text, and one for nothing", "docs", ("title", "upload_t.txt", b"t"),
               ("nothing", "upload_n.txt", b"n"), record="$doc"),
    ),
)  # fmt: skip

REFUSED = Scenario(
    "files_refused",
    "What a field does not take is refused by name.",
    (
        docs(field("needed", "file")),
        upload("four where three may be", "docs", A, A, B, B),
        upload("one that is too large", "docs", ("many", "upload_large.txt", b"x" * 1001)),
        upload("one that is too large for the default", "docs", ("one", "upload_large.txt", b"x" * 5_242_881)),
        upload("one of another type", "docs", ("many", "upload_lie.txt", b"%PDF-1.4")),
        upload("one that is too large and of another type", "docs", ("many", "upload_l.txt", b"%PDF-1.4" + b"x" * 2000)),
        upload("several too large ones that are too many", "docs", *[("many", "upload_l.txt", b"x" * 2000)] * 4),
        upload("a name for a file", "docs", values={"one": "upload_forged.txt"}),
        upload("a name and a file that is too large", "docs", ("many", "upload_l.txt", b"x" * 2000),
               values={"many": "upload_forged.txt"}),
        Request(name="names in JSON", method="POST", path=records("docs"), body={"many": ["a.txt", "b.txt"], "one": 5}),
        Request(name="an object", method="POST", path=records("docs"), body={"one": {"a": 1}, "many": [{"a": 1}]}),
        change("a file is needed", "docs", fields=[
            field("title", "text"), field("one", "file"), field("needed", "file", required=True),
            field("several", "file", required=True, maxSelect=2),
        ]),
        upload("none of the needed ones", "docs", values={"title": "x"}),
    ),
)  # fmt: skip

OPTIONS: Final[dict[str, dict[str, Json]]] = {
    "fewer than none": {"maxSelect": -1},
    "more than a number holds": {"maxSelect": 2**53},
    "smaller than nothing": {"maxSize": -1},
    "larger than a number holds": {"maxSize": 2**53},
    "thumbs that are none": {"thumbs": ["x", "0x0", "10x10x", "1x1"]},
    "thumbs of nothing": {"thumbs": ["0x0t"]},
    "all forms of thumbs": {"thumbs": ["1x2", "1x2t", "1x2b", "1x2f", "0x2", "1x0", "0x2f", ""]},
    "types that are none": {"mimeTypes": ["nope", ""]},
    "a type in a text": {"mimeTypes": "image/png"},
    "protected by a word": {"protected": "yes"},
    "nothing set": {},
    "nulls": {"thumbs": None, "mimeTypes": None, "maxSize": None},
}

FIELDS = Scenario(
    "files_fields",
    "The options of a file field.",
    tuple(
        Request(
            name=says,
            method="POST",
            path="/api/collections",
            as_="superuser",
            body={"name": f"options_{number}", "type": "base", "fields": [field("f", "file", **options)]},
        )
        for number, (says, options) in enumerate(OPTIONS.items())
    ),
)

KINDS: Final[dict[str, tuple[str, bytes]]] = {
    "png": ("upload_a.png", PNG),
    "jpeg under another name": ("upload_a.gif", JPEG),
    "gif": ("upload_a.gif", GIF),
    "svg": ("upload_a.svg", SVG),
    "svg that says it is a png": ("upload_a.png", SVG),
    "html": ("upload_a.html", b"<html><script>alert(1)</script></html>"),
    "html that says it is text": ("upload_a.txt", b"<!doctype html><p>x"),
    "text": ("upload_a.txt", b"hello"),
    "pdf": ("upload_a.pdf", b"%PDF-1.4\n"),
    "json": ("upload_a.json", b'{"a":1}'),
    "css": ("upload_a.css", b"body{}"),
    "script": ("upload_a.js", b"alert(1)"),
    "zip": ("upload_a.zip", b"PK\x05\x06" + b"\0" * 18),
    "mp4": ("upload_a.mp4", b"\0\0\0\x18ftypmp42\0\0\0\0isommp42" + b"\0" * 20),
    "mp3": ("upload_a.mp3", b"ID3\x03" + b"\0" * 40),
    "bytes": ("upload_a.bin", bytes(range(1, 36))),
    "a name without extension": ("upload_a", PNG),
}

SERVED = Scenario(
    "files_served",
    "What is said of a file that is served.",
    (
        docs(),
        *(
            step
            for number, (says, (name, content)) in enumerate(KINDS.items())
            for step in (
                upload(f"{says} is uploaded", "docs", ("one", name, content),
                       save={f"record_{number}": "id", f"file_{number}": "one"}),
                fetch(f"{says} is served", f"docs/$record_{number}/$file_{number}"),
            )
        ),
        upload("ten bytes", "docs", ("one", "upload_ten.txt", TEXT), save={"doc": "id", "ten": "one"}),
        fetch("by the collection's id", "$docs_collection/$doc/$ten"),
        fetch("its head", "docs/$doc/$ten", "HEAD"),
        *(
            fetch(f"with Range: {wanted}", "docs/$doc/$ten", headers={"Range": wanted})
            for wanted in ("bytes=0-3", "bytes=5-", "bytes=-3", "bytes=0-100", "bytes=10-", "bytes=3-1", "bytes=a-b",
                           "items=0-1")
        ),
        *(
            fetch(f"download={value}", "docs/$doc/$ten", download=value)
            for value in ("1", "true", "0")
        ),
        fetch("a thumb of what is no image", "docs/$doc/$ten", thumb="100x100"),
        fetch("another name", "docs/$doc/nope.txt"),
        fetch("another record", "docs/nobody000000000/$ten"),
        fetch("another collection", "nope/$doc/$ten"),
        fetch("by POST", "docs/$doc/$ten", "POST"),
        change("only superusers may view", "docs", viewRule=None),
        fetch("a public file all the same", "docs/$doc/$ten"),
        Request(name="the record is deleted", method="DELETE", path=f"{records('docs')}/$doc"),
        fetch("its file is gone", "docs/$doc/$ten"),
    ),
)  # fmt: skip

THUMBS = Scenario(
    "files_thumbs",
    "Thumbs in the sizes that the field lists, and in one that is always there.",
    (
        docs(),
        *(
            upload(f"a picture as {form}", "docs", ("one", f"upload_{form}.{form}", content),
                   save={f"{form}_record": "id", f"{form}_file": "one"})
            for form, content in (("png", PNG), ("jpg", JPEG), ("gif", GIF))
        ),
        *(
            fetch(f"{form} as {size}", f"docs/${form}_record/${form}_file", thumb=size)
            for form in ("png", "jpg", "gif")
            for size in ("20x20", "20x20t", "20x20b", "20x20f", "0x10", "10x0", "90x90", "90x90f", "100x100", "77x77", "0x0")
        ),
    ),
)  # fmt: skip

PROTECTED = Scenario(
    "files_protected",
    "A protected file needs a token, and the view rule.",
    (
        people(),
        docs(viewRule="@request.auth.name = title && @request.context = 'protectedFile'"),
        sign_up("alice"),
        sign_in("alice"),
        sign_up("bob"),
        sign_in("bob"),
        upload("a secret", "docs", ("secret", "upload_secret.txt", b"secret"), values={"title": "Alice"},
               save={"doc": "id", "secret": "secret"}),
        Request(name="a guest asks for a token", method="POST", path="/api/files/token"),
        *(
            Request(name=f"{who} gets a token", method="POST", path="/api/files/token", as_=who,
                    save={f"{who}_short": "token"})
            for who in ("alice", "bob", "superuser")
        ),
        fetch("without a token", "docs/$doc/$secret"),
        fetch("with a token that is none", "docs/$doc/$secret", token="nope"),
        fetch("with the token of a session", "docs/$doc/$secret", token="$alice_token"),
        fetch("with the right token", "docs/$doc/$secret", token="$alice_short"),
        fetch("with the wrong person's token", "docs/$doc/$secret", token="$bob_short"),
        fetch("with a superuser's token", "docs/$doc/$secret", token="$superuser_short"),
        Request(name="a file token is no other", method="POST", path="/api/files/token",
                headers={"Authorization": "$alice_short"}),
    ),
)  # fmt: skip

RULES: Final = (
    "@request.body.one:isset = true", "@request.body.one ~ '.txt'", "@request.body.many:length = 2",
    "@request.body.many:each ~ 'upload'", "@request.body.many ?~ 'bbb'", "one ~ 'upload'", "one != ''", "one = ''",
    "many:length = 2", "@request.body.many.0 != ''", "@request.body.one:length = 1",
)  # fmt: skip
FILTERS: Final = (
    "one ~ 'txt'", "many ~ 'upload'", "many ?~ 'aaa'", "many:length > 1", "many:each ~ 'upload'", "one != ''",
    "many = ''", "one:lower ~ 'upload'", "secret = ''",
)  # fmt: skip

LANGUAGE = Scenario(
    "files_language",
    "Rules and filters see files as the names they have.",
    (
        docs(),
        *(
            step
            for number, rule in enumerate(RULES)
            for step in (
                change(f"the rule {rule}", "docs", createRule=rule),
                upload(f"files under the rule {number}", "docs", ("one", "upload_one.txt", b"1"), A, B),
            )
        ),
        *(
            Request(name=f"filtered by {text}", method="GET", path=records("docs"),
                    query={"filter": text, "fields": "one,many"})
            for text in FILTERS
        ),
        *(
            Request(name=f"sorted by {text}", method="GET", path=records("docs"), query={"sort": text, "fields": "title"})
            for text in ("one", "-many")
        ),
        change("the rule @request.body.one:changed = true", "docs", createRule="@request.body.one:changed = true"),
        upload("a new record with a changed file", "docs", ("one", "upload_one.txt", b"1")),
    ),
)  # fmt: skip

SCENARIOS = (WRITTEN, REFUSED, FIELDS, SERVED, THUMBS, PROTECTED, LANGUAGE)

# The steps that are answered with a file.
ANSWERED_WITH_FILES: Final = (
    *(f"files_served / {says} is served" for says in KINDS),
    *(
        f"files_served / {name}"
        for name in (
            "by the collection's id", "its head", "with Range: bytes=0-3", "with Range: bytes=5-", "with Range: bytes=-3",
            "with Range: bytes=0-100", "download=1", "download=true", "download=0", "a thumb of what is no image",
            "a public file all the same",
        )
    ),
    *(f"files_thumbs / {step.name}" for step in THUMBS.steps if isinstance(step, Request) and step.method == "GET"),
    "files_protected / with the right token",
    "files_protected / with a superuser's token",
    *(
        f"views_files / {name}"
        for name in (
            "a file", "one of many", "of a view over a view", "under a rule that refuses", "of a view for superusers",
            "of another record than the view's", "of a numbered record", "a protected one of an open view", "a thumb",
            "a thumb of another size",
        )
    ),
)  # fmt: skip
