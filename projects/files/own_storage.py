"""A bucket of a project's own: what its setting may say, and how its secret is kept.

The setting is written by people of the project and used by the server, so what it may name is bounded: an
``https`` address of the public internet, unless MBAAS_FILES_PRIVATE_ENDPOINTS says that projects are trusted.
A server's certificate is checked, so no name can be turned to a service inside the network later on.
"""

from __future__ import annotations

import ipaddress
import re
import socket
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import urlsplit

from django.conf import settings

from projects import crypto
from projects.context import ProjectHandle
from projects.databases import DatabaseMissingError, read_session
from projects.errors import FieldError

_TEXTS: Final = ("bucket", "endpoint", "region", "accessKey", "secretKey", "prefix")
_BUCKET: Final = re.compile(r"[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]")
_PREFIX: Final = re.compile(r"[A-Za-z0-9!_.*'()/-]{0,200}")
# Where objects are: a change of it would lose sight of them.
_PLACE: Final = ("bucket", "endpoint", "prefix")


def check_file_storage(value: Any) -> FieldError | None:
    """What is wrong with a project's setting ``fileStorage``."""
    if not isinstance(value, Mapping) or set(value) - {*_TEXTS, "pathStyle"}:
        return FieldError(
            "validation_invalid_value", f"Must be an object with {', '.join(_TEXTS)} and pathStyle."
        )
    texts = {name: value.get(name, "") for name in _TEXTS}
    if not all(isinstance(text, str) and len(text) <= 300 for text in texts.values()):
        return FieldError("validation_invalid_value", "Texts must be texts of at most 300 characters.")
    if not isinstance(value.get("pathStyle", False), bool):
        return FieldError("validation_invalid_value", "pathStyle must be true or false.")
    if not _BUCKET.fullmatch(texts["bucket"]):
        return FieldError("validation_invalid_format", "bucket must be the name of a bucket.")
    if not _PREFIX.fullmatch(texts["prefix"]) or ".." in texts["prefix"]:
        return FieldError(
            "validation_invalid_format", "prefix must be a path of letters, digits and hyphens."
        )
    if not texts["accessKey"]:
        return FieldError("validation_required", "accessKey cannot be blank.")
    return _check_endpoint(texts["endpoint"])


def _check_endpoint(text: str) -> FieldError | None:
    if not text:
        return None
    wrong = FieldError("validation_invalid_format", "endpoint must look like https://s3.example.com.")
    try:
        parts = urlsplit(text)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return wrong
    if not host or parts.path not in ("", "/") or parts.query or parts.fragment or "@" in parts.netloc:
        return wrong
    if settings.MBAAS_FILES_PRIVATE_ENDPOINTS:
        return None if parts.scheme in ("http", "https") else wrong
    if parts.scheme != "https":
        return wrong
    if not _is_public(host):
        return FieldError("validation_invalid_value", "endpoint must be an address of the public internet.")
    return None


def _is_public(host: str) -> bool:
    try:
        found = socket.getaddrinfo(host, 443, proto=socket.IPPROTO_TCP)
    except (OSError, UnicodeError):
        return False
    return all(ipaddress.ip_address(str(address[4][0]).partition("%")[0]).is_global for address in found)


def seal_file_storage(value: Mapping[str, Any], before: Any) -> dict[str, Any]:
    """The setting as it is kept: its secret encrypted; a blank one is the one there was."""
    kept = before if isinstance(before, Mapping) else {}
    sealed = {name: value[name] for name in (*_TEXTS, "pathStyle") if value.get(name)}
    if secret := sealed.get("secretKey"):
        sealed["secretKey"] = crypto.encrypt(secret)
    elif kept.get("accessKey") == value.get("accessKey") and kept.get("secretKey"):
        sealed["secretKey"] = kept["secretKey"]
    return sealed


def show_file_storage(value: Any) -> Any:
    """The setting as people see it: nobody sees the secret again."""
    if not isinstance(value, Mapping):
        return value
    return {**{name: item for name, item in value.items() if name != "secretKey"}, "secretKey": ""}


def rotate_file_storage(value: Mapping[str, Any]) -> dict[str, Any]:
    """The setting with its secret encrypted by the newest key. Raises SecretUnreadableError."""
    return {**value, "secretKey": crypto.rotate(str(value.get("secretKey", "")))}


def is_same_place(before: Any, after: Any) -> bool:
    """Whether two values of the setting name the same objects; nothing is a place, too."""
    old, new = (one if isinstance(one, Mapping) else {} for one in (before, after))
    return all(old.get(name, "") == new.get(name, "") for name in _PLACE)


def check_move(project: ProjectHandle, before: Any, after: Any) -> FieldError | None:
    """The complaint that files are in the bucket which a change of the setting leaves."""
    if not before or is_same_place(before, after):
        return None
    try:
        with read_session(project) as session:
            left = session.row("SELECT 1 FROM _files WHERE storage = 'own' LIMIT 1")
    except DatabaseMissingError:
        return None
    if left is None:
        return None
    return FieldError(
        "validation_files_left_behind", "The project has files in this bucket: move them elsewhere first."
    )
