"""The system tables of every project's database. Written through Session; models make the migrations.

Their names begin with ``_``, which no collection of an app team can.
"""

from __future__ import annotations

from django.db import models


class Param(models.Model):
    """Small facts about the database itself: schema version, migration mark."""

    key = models.TextField(primary_key=True)
    value = models.TextField()

    class Meta:
        app_label = "tenant"
        db_table = "_params"


class Collection(models.Model):
    """A collection's metadata; the JSON columns are text on both engines, read by our own code only."""

    id = models.CharField(primary_key=True, max_length=100)
    name = models.CharField(max_length=255, unique=True)
    type = models.CharField(max_length=10)
    system = models.SmallIntegerField(default=0)
    fields = models.TextField(default="[]")
    indexes = models.TextField(default="[]")
    list_rule = models.TextField(null=True)
    view_rule = models.TextField(null=True)
    create_rule = models.TextField(null=True)
    update_rule = models.TextField(null=True)
    delete_rule = models.TextField(null=True)
    options = models.TextField(default="{}")
    created = models.TextField()
    updated = models.TextField()

    class Meta:
        app_label = "tenant"
        db_table = "_collections"


class Change(models.Model):
    """The change log: one row per write, in the write's own transaction.

    ``before`` is the whole row before the change as JSON (null for a create). ``xid`` is PostgreSQL's
    transaction id: sequences commit out of order there, and a reader that takes only rows below the
    oldest running transaction never skips one. It stays 0 on SQLite, which has one writer at a time.
    """

    seq = models.BigAutoField(primary_key=True)
    xid = models.BigIntegerField(default=0)
    collection = models.TextField()
    record = models.TextField()
    action = models.CharField(max_length=10)
    before = models.TextField(null=True)
    created = models.TextField()

    class Meta:
        app_label = "tenant"
        db_table = "_changes"
        indexes = [models.Index(fields=["collection", "record", "seq"], name="changes_record")]
