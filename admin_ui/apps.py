"""The console's Django apps."""

from __future__ import annotations

from django.apps import AppConfig
from django.contrib.admin.apps import AdminConfig


class AdminUiConfig(AppConfig):
    name = "admin_ui"


class ConsoleAdminConfig(AdminConfig):
    """Django's admin app with the console as its site."""

    default_site = "admin_ui.site.ConsoleSite"
