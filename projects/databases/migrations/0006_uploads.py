from django.db import migrations, models


class Migration(migrations.Migration):

    dependencies = [
        ('tenant', '0005_answers'),
    ]

    operations = [
        migrations.CreateModel(
            name='Upload',
            fields=[
                ('id', models.CharField(max_length=64, primary_key=True, serialize=False)),
                ('key', models.CharField(max_length=64, unique=True)),
                ('owner', models.TextField()),
                ('kind', models.CharField(max_length=10)),
                ('metadata', models.TextField(default='')),
                ('stored', models.SmallIntegerField(default=0)),
            ],
            options={
                'db_table': '_uploads',
            },
        ),
    ]
