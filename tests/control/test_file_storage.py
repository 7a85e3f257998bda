"""A project's own bucket and its quota: who may set them, what is refused, and that no secret is seen again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from projects import crypto
from projects.control import placements, projects
from projects.control.actor import COMMAND, Actor
from projects.control.project_settings import shown_settings
from projects.databases import write_session
from projects.databases.stored_files import FileRow, reserve
from projects.errors import ApiError
from projects.files.storages import own_account
from projects.models import AuditEntry, Project

OWN = {"bucket": "photos", "region": "eu-central-1", "accessKey": "AKIA1", "secretKey": "very secret"}


def change(actor: Actor, project: Project, **settings: Any) -> Project:
    return projects.change_project(actor, project, settings=settings)


def test_a_secret_is_kept_encrypted_and_shown_to_nobody(shop: Project, actors: dict[str, Actor]) -> None:
    project = change(actors["owner"], shop, fileStorage=OWN)
    assert "very secret" not in json.dumps(project.settings)
    assert own_account(project.handle()).secret_key == "very secret"
    shown = shown_settings(project.settings)["fileStorage"]
    assert shown == {**OWN, "secretKey": ""}
    trail = json.dumps(list(AuditEntry.objects.values_list("details", flat=True)))
    assert "very secret" not in trail
    assert project.settings["fileStorage"]["secretKey"] not in trail


def test_a_blank_secret_is_the_one_there_was_unless_the_key_is_another(
    shop: Project, actors: dict[str, Actor]
) -> None:
    project = change(actors["owner"], shop, fileStorage=OWN)
    project = change(actors["owner"], project, fileStorage={**OWN, "secretKey": "", "region": "us-east-1"})
    account = own_account(project.handle())
    assert (account.secret_key, account.region) == ("very secret", "us-east-1")
    project = change(actors["owner"], project, fileStorage={**OWN, "secretKey": "", "accessKey": "AKIA2"})
    assert own_account(project.handle()).secret_key == ""


def test_a_rotation_of_keys_reaches_it(shop: Project, actors: dict[str, Actor], settings: Any) -> None:
    project = change(actors["owner"], shop, fileStorage=OWN)
    before = project.settings["fileStorage"]["secretKey"]
    settings.MBAAS_SECRET_KEYS = ["a newer secret key", *settings.MBAAS_SECRET_KEYS]
    assert placements.rotate_secrets(COMMAND) >= 1
    project.refresh_from_db()
    assert project.settings["fileStorage"]["secretKey"] != before
    settings.MBAAS_SECRET_KEYS = settings.MBAAS_SECRET_KEYS[:1]
    assert crypto.decrypt(project.settings["fileStorage"]["secretKey"]) == "very secret"


@pytest.mark.parametrize(
    "wrong",
    [
        "photos", [], {}, {**OWN, "bucket": "../etc"}, {**OWN, "bucket": ""}, {**OWN, "more": 1}, {**OWN, "region": 5},
        {**OWN, "pathStyle": "yes"}, {**OWN, "accessKey": ""}, {**OWN, "prefix": "../other"}, {**OWN, "prefix": "a b"},
        {**OWN, "endpoint": "s3.example.com"}, {**OWN, "endpoint": "http://s3.example.com"},
        {**OWN, "endpoint": "https://127.0.0.1:9000"}, {**OWN, "endpoint": "https://localhost"},
        {**OWN, "endpoint": "https://169.254.169.254/"}, {**OWN, "endpoint": "https://[::1]/"},
        {**OWN, "endpoint": "https://10.0.0.1"}, {**OWN, "endpoint": "https://user@s3.example.com"},
        {**OWN, "endpoint": "https://8.8.8.8/path"}, {**OWN, "endpoint": "https://8.8.8.8:99999"},
        {**OWN, "endpoint": "file:///etc/passwd"}, {**OWN, "secretKey": "x" * 301},
    ],
)  # fmt: skip
def test_what_names_no_bucket_of_the_public_internet_is_refused(
    wrong: Any, shop: Project, actors: dict[str, Actor]
) -> None:
    with pytest.raises(ApiError) as refused:
        change(actors["owner"], shop, fileStorage=wrong)
    assert list(refused.value.as_json()["data"]["settings"]) == ["fileStorage"]
    assert Project.objects.get().settings == {}


def test_private_addresses_are_for_installations_that_trust_their_projects(
    shop: Project, actors: dict[str, Actor], settings: Any
) -> None:
    change(actors["owner"], shop, fileStorage={**OWN, "endpoint": "https://8.8.8.8"})
    settings.MBAAS_FILES_PRIVATE_ENDPOINTS = True
    change(actors["owner"], shop, fileStorage={**OWN, "endpoint": "http://minio:9000"})


def test_a_bucket_with_files_in_it_cannot_be_left(shop: Project, actors: dict[str, Actor]) -> None:
    project = change(actors["owner"], shop, fileStorage=OWN)
    row = FileRow("k", "own", "pending", "", "", "", "", "", "a.txt", 1, "text/plain", "0" * 64, "")
    with write_session(project.handle()) as session:
        reserve(session, [row], seconds=60)
    for value in (None, {**OWN, "bucket": "others"}, {**OWN, "prefix": "moved"}):
        with pytest.raises(ApiError) as refused:
            change(actors["owner"], project, fileStorage=value)
        error = refused.value.as_json()["data"]["settings"]["fileStorage"]
        assert error["code"] == "validation_files_left_behind"
    change(actors["owner"], project, fileStorage={**OWN, "accessKey": "AKIA2", "secretKey": "another"})


def test_a_quota_is_set_by_operators_only(shop: Project, actors: dict[str, Actor]) -> None:
    for who in ("owner", "developer"):
        with pytest.raises(ApiError) as refused:
            change(actors[who], shop, filesQuotaBytes=10**12)
        assert refused.value.status == 403
    assert change(actors["operator"], shop, filesQuotaBytes=1000).handle().setting("filesQuotaBytes") == 1000
    for wrong in (-1, "1000", True, 1.5):
        with pytest.raises(ApiError):
            change(actors["operator"], shop, filesQuotaBytes=wrong)


def test_the_control_api_shows_no_secret(shop: Project, actors: dict[str, Actor]) -> None:
    from projects.control.api.serializers import ProjectOut

    project = change(actors["owner"], shop, fileStorage=OWN)
    assert ProjectOut().get_settings(project)["fileStorage"]["secretKey"] == ""
