from django.apps import AppConfig


class DatabasesConfig(AppConfig):
    name = "projects.databases"
    label = "tenant"
    default_auto_field = "django.db.models.BigAutoField"
