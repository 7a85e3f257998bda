from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenant", "0007_change_actors")]

    operations = [
        migrations.AddIndex(
            model_name="storedfile",
            index=models.Index(fields=["name"], condition=models.Q(state="stored"), name="files_named"),
        ),
    ]
