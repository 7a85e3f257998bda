from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenant", "0003_stored_files")]

    operations = [
        migrations.AddIndex(
            model_name="change",
            index=models.Index(fields=["collection", "xid", "seq"], name="changes_order"),
        ),
    ]
