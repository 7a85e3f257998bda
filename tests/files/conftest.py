"""The storages that the conformance suite runs on."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest

from projects.files.s3_account import S3Account

BUCKET = "mbaas-tests"
# Never real ones: the machine's own credentials have no business in tests.
CREDENTIALS = {"access_key": "test-access", "secret_key": "test-secret"}


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """The address of an S3 server on loopback with one empty bucket."""
    import boto3
    from moto.server import ThreadedMotoServer

    os.environ.setdefault("AWS_EC2_METADATA_DISABLED", "true")
    server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
    server.start()
    host, port = server.get_host_and_port()
    address = f"http://{host}:{port}"
    boto3.client(
        "s3",
        endpoint_url=address,
        region_name="us-east-1",
        aws_access_key_id=CREDENTIALS["access_key"],
        aws_secret_access_key=CREDENTIALS["secret_key"],
    ).create_bucket(Bucket=BUCKET)
    yield address
    server.stop()


def account(address: str, **given: Any) -> S3Account:
    return S3Account(
        bucket=BUCKET, endpoint=address, region="us-east-1", path_style=True, **CREDENTIALS, **given
    )


@pytest.fixture(params=["disk", "s3"])
def storage_kind(request: pytest.FixtureRequest, settings: Any) -> str:
    """Each storage in turn, as the installation's own."""
    kind = str(request.param)
    if kind == "s3":
        use_s3(settings, request.getfixturevalue("s3_server"))
    return kind


def use_s3(settings: Any, address: str) -> None:
    settings.MBAAS_FILES_STORAGE = "s3"
    settings.MBAAS_FILES_S3_BUCKET = BUCKET
    settings.MBAAS_FILES_S3_ENDPOINT = address
    settings.MBAAS_FILES_S3_REGION = "us-east-1"
    settings.MBAAS_FILES_S3_ACCESS_KEY = CREDENTIALS["access_key"]
    settings.MBAAS_FILES_S3_SECRET_KEY = CREDENTIALS["secret_key"]
    settings.MBAAS_FILES_S3_PREFIX = "installation"
    settings.MBAAS_FILES_S3_PATH_STYLE = True
