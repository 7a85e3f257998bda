"""Link tables and indexes of relations (projects/schema/links.py) for the collections that are there already.

Written out rather than called: a migration does the same however the code goes on. New projects have no
collections yet, and make theirs when they make them.
"""

import json
import re
from hashlib import blake2b

from django.db import migrations


def link_name(collection_id, field_id):
    return "_rel_" + blake2b(f"{collection_id}\n{field_id}".encode(), digest_size=10).hexdigest()


def is_served(name, indexes):
    """Whether an index of the app team's begins with the column. Saving the collection mends a mistake."""
    first = re.compile(rf'''\([\s`"\[]*{name}[`"\]]?\s*(?:asc|desc)?\s*[,)]''', re.I)
    return any(first.search(text) and not re.search(r"\bwhere\b", text, re.I) for text in indexes)


def make_links(apps, schema_editor):
    connection = schema_editor.connection
    sqlite = connection.vendor == "sqlite"
    quote = connection.ops.quote_name
    text, end = ("TEXT", " WITHOUT ROWID") if sqlite else ('TEXT COLLATE "C"', "")
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT id, name, fields, indexes FROM _collections WHERE type <> 'view' AND name <> '_superusers'"
        )
        for collection_id, table, fields, indexes in cursor.fetchall():
            for field in json.loads(fields):
                if field["type"] != "relation":
                    continue
                link, column = link_name(collection_id, field["id"]), quote(field["name"])
                if (field.get("maxSelect") or 0) <= 1:
                    if not is_served(field["name"], json.loads(indexes)):
                        cursor.execute(f"CREATE INDEX {quote(link)} ON {quote(table)} ({column})")
                    continue
                cursor.execute(
                    f"CREATE TABLE {quote(link)} (record {text} NOT NULL, target {text} NOT NULL,"
                    f" PRIMARY KEY (record, target)){end}"
                )
                cursor.execute(f"CREATE INDEX {quote(link + '_target')} ON {quote(link)} (target, record)")
                elements = (
                    f"json_each({column}) AS item"
                    if sqlite
                    else f"LATERAL jsonb_array_elements_text({column}) AS item(value)"
                )
                cursor.execute(
                    f"INSERT INTO {quote(link)} (record, target)"
                    f" SELECT DISTINCT {quote(table)}.id, item.value FROM {quote(table)}, {elements}"
                )


class Migration(migrations.Migration):

    dependencies = [
        ('tenant', '0001_system_tables'),
    ]

    operations = [
        migrations.RunPython(make_links, migrations.RunPython.noop),
    ]
