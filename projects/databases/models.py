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
    ``actor`` is who asked for it, as ``projects.records.changelog`` writes it; null for nobody who is known.
    Rows about collections themselves: see ``projects.databases.changes``.
    """

    seq = models.BigAutoField(primary_key=True)
    xid = models.BigIntegerField(default=0)
    collection = models.TextField()
    record = models.TextField()
    action = models.CharField(max_length=10)
    before = models.TextField(null=True)
    actor = models.TextField(null=True)
    created = models.TextField()

    class Meta:
        app_label = "tenant"
        db_table = "_changes"
        indexes = [
            models.Index(fields=["collection", "record", "seq"], name="changes_record"),
            # The last change of a collection: what remembered totals are checked by. (xid is 0 on SQLite.)
            models.Index(fields=["collection", "xid", "seq"], name="changes_order"),
        ]


class StoredFile(models.Model):
    """One object in a file storage, from before it is there until after it is gone.

    ``state``: *pending* (being uploaded, or waiting to be attached to a record, until ``due``), *stored*
    (a record's), *released* (no record's any more; whoever claims it until ``due`` removes the object, then
    the row). A row is there before its object is, so a crash leaves no object that nothing knows of.
    ``variant_of`` is the key of the file that a thumb was made of. ``collection`` and ``field`` are ids.
    """

    key = models.CharField(primary_key=True, max_length=64)
    # Which storage holds the object: a project can have files in two while it moves.
    storage = models.CharField(max_length=20)
    state = models.CharField(max_length=10)
    due = models.TextField(default="")
    collection = models.TextField(default="")
    record = models.TextField(default="")
    field = models.TextField(default="")
    name = models.TextField(default="")
    variant_of = models.CharField(max_length=64, default="")
    original = models.TextField(default="")
    size = models.BigIntegerField()
    type = models.TextField()
    checksum = models.CharField(max_length=64)
    created = models.TextField()

    class Meta:
        app_label = "tenant"
        db_table = "_files"
        constraints = [
            models.UniqueConstraint(
                fields=["collection", "record", "name"],
                condition=models.Q(state="stored"),
                name="files_of_record",
            )
        ]
        indexes = [
            models.Index(fields=["state", "due"], condition=~models.Q(state="stored"), name="files_due"),
            models.Index(fields=["variant_of"], condition=~models.Q(variant_of=""), name="files_variants"),
            # Records of views name files of others: nobody knows whose.
            models.Index(fields=["name"], condition=models.Q(state="stored"), name="files_named"),
        ]


class Upload(models.Model):
    """An upload that was announced and is to be a record's later: the file ``key``, which is pending until then.

    ``id`` is what a record is given for it, ``owner`` who may go on with it, ``metadata`` what its client said.
    """

    id = models.CharField(primary_key=True, max_length=64)
    key = models.CharField(max_length=64, unique=True)
    owner = models.TextField()
    kind = models.CharField(max_length=10)
    metadata = models.TextField(default="")
    # 1: the whole file is in its storage.
    stored = models.SmallIntegerField(default=0)

    class Meta:
        app_label = "tenant"
        db_table = "_uploads"


class Answer(models.Model):
    """What a write with an ``Idempotency-Key`` was answered, committed with the write itself.

    ``key`` is a hash of who asked and the client's key, ``request`` a keyed hash of what was asked; ``created``
    is Unix time in seconds.
    """

    key = models.TextField(primary_key=True)
    request = models.TextField()
    status = models.SmallIntegerField()
    body = models.TextField()
    tag = models.TextField()
    created = models.BigIntegerField(db_index=True)

    class Meta:
        app_label = "tenant"
        db_table = "_answers"
