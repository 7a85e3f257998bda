"""Routes of the console's own pages, under ``/admin/``."""

from __future__ import annotations

from typing import Any

from django.urls import URLPattern, path

from admin_ui.pages import account, activity, collections, files, home, keys, members, project, rules


def console_urls(site: Any) -> list[URLPattern]:
    """All of them behind the site's sign-in."""
    routes = (
        ("new/", home.new_project, "project-new"),
        ("account/", account.account, "account"),
        ("account/password/", account.password, "account-password"),
        ("account/tokens/", account.create_token, "token-new"),
        ("account/tokens/<int:pk>/delete/", account.delete_token, "token-delete"),
        ("p/<slug:ref>/", project.overview, "project"),
        ("p/<slug:ref>/settings/", project.settings_page, "project-settings"),
        ("p/<slug:ref>/suspend/", project.suspend, "project-suspend"),
        ("p/<slug:ref>/resume/", project.resume, "project-resume"),
        ("p/<slug:ref>/delete/", project.delete, "project-delete"),
        ("p/<slug:ref>/keep/", project.keep, "project-keep"),
        ("p/<slug:ref>/members/", members.members, "members"),
        ("p/<slug:ref>/members/<int:pk>/", members.change, "member"),
        ("p/<slug:ref>/members/<int:pk>/remove/", members.remove, "member-remove"),
        ("p/<slug:ref>/keys/", keys.keys, "keys"),
        ("p/<slug:ref>/keys/<int:pk>/revoke/", keys.revoke, "key-revoke"),
        ("p/<slug:ref>/activity/", activity.activity, "activity"),
        ("p/<slug:ref>/files/", files.files, "files"),
        ("p/<slug:ref>/files/storage/", files.storage, "files-storage"),
        ("p/<slug:ref>/files/<slug:key>/preview/", files.preview, "file-preview"),
        ("p/<slug:ref>/files/<slug:key>/download/", files.download, "file-download"),
        ("p/<slug:ref>/rules/", rules.rules, "rules"),
        ("p/<slug:ref>/collections/", collections.collections, "collections"),
        ("p/<slug:ref>/collections/new/", collections.create, "collection-new"),
        ("p/<slug:ref>/collections/<slug:name>/", collections.edit, "collection"),
        ("p/<slug:ref>/collections/<slug:name>/delete/", collections.delete, "collection-delete"),
    )
    return [path(route, site.admin_view(view), name=name) for route, view, name in routes]
