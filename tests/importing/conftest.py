"""One PocketBase for all tests of an import from it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.files.conftest import s3_server  # noqa: F401 - a fixture
from tests.importing.world import World, build
from tests.oracle.pocketbase import NoBinaryError, pocketbase
from tests.services import skip_or_fail


@pytest.fixture(scope="session")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A running PocketBase with something of everything."""
    directory = tmp_path_factory.mktemp("pocketbase")
    try:
        with pocketbase(directory) as server:
            yield build(server, directory / "pb_data")
    except NoBinaryError as missing:
        skip_or_fail(str(missing))
