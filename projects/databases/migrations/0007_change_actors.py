from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("tenant", "0006_uploads")]

    operations = [
        migrations.AddField(model_name="change", name="actor", field=models.TextField(null=True)),
    ]
