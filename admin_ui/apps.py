"""The console's Django apps."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import SimpleAdminConfig


class AdminUiConfig(AppConfig):
    name = "admin_ui"


class ConsoleAdminConfig(SimpleAdminConfig):
    """Django's admin app with the console as its site, which loads its pages when they are first routed:
    they cost a quarter of a second that no command need pay."""

    default_site = "admin_ui.site.ConsoleSite"
