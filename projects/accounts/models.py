"""The end user as Django knows it: an anchor in the project's database for foreign keys.

Who a person is stands in the record of the project's auth collection: e-mail, password, token key.
Django's AUTH_USER_MODEL is this one and not the console's, so that nothing which signs in an end user
can ever produce somebody with rights in the console.
"""

from __future__ import annotations

from typing import ClassVar

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.db import models


class EndUser(AbstractBaseUser):
    """``id`` is ``<collection id>.<record id>``; made when something first has to point to the record."""

    # Both belong to the record; the columns of AbstractBaseUser are left out.
    password = None  # type: ignore[assignment]
    last_login = None

    id = models.CharField(primary_key=True, max_length=120)

    USERNAME_FIELD = "id"
    REQUIRED_FIELDS: ClassVar[list[str]] = []
    is_staff = False
    is_superuser = False

    objects = BaseUserManager()

    class Meta:
        app_label = "accounts"
        db_table = "_identities"
