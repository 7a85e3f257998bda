"""The console's site: Django's admin with its own sign-in, home, project pages and navigation."""

from __future__ import annotations

from typing import Any

from django.contrib.admin import autodiscover
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.template.response import TemplateResponse
from django.urls import URLPattern, reverse
from django.utils.decorators import method_decorator
from django.utils.http import url_has_allowed_host_and_scheme
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect
from django.views.decorators.debug import sensitive_post_parameters
from unfold.sites import UnfoldAdminSite

from projects.control.auth import console_user, sign_in
from projects.control.roles import Action
from projects.errors import ApiError


class ConsoleSite(UnfoldAdminSite):
    index_title = "Projects"

    def has_permission(self, request: HttpRequest) -> bool:
        """Only people of the console, whatever else may once be in a session."""
        return console_user(request) is not None

    @method_decorator(sensitive_post_parameters())
    @method_decorator(never_cache)
    @method_decorator(csrf_protect)
    def login(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        from admin_ui.forms import SignInForm

        home = reverse("admin:index")
        wanted = request.POST.get("next") or request.GET.get("next") or home
        safe = url_has_allowed_host_and_scheme(wanted, {request.get_host()}, request.is_secure())
        target = wanted if safe else home
        if request.method == "GET" and self.has_permission(request):
            return HttpResponseRedirect(target)
        form = SignInForm(request.POST or None)
        status = 200
        if request.method == "POST" and form.is_valid():
            try:
                email, password = form.cleaned_data["username"], form.cleaned_data["password"]
                sign_in(request, email, password, how="console")
                return HttpResponseRedirect(target)
            except ApiError as error:
                form.add_error(None, error.message)
                status = error.status if error.status == 429 else 200
        context = {**self.each_context(request), "title": "Sign in", "form": form, "next": target}
        return TemplateResponse(request, "admin_ui/sign_in.html", context, status=status)

    def index(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> HttpResponse:
        from admin_ui.pages.home import home

        return home(request)

    def app_index(
        self, request: HttpRequest, app_label: str, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:index"))

    def password_change(
        self, request: HttpRequest, extra_context: dict[str, Any] | None = None
    ) -> HttpResponse:
        return HttpResponseRedirect(reverse("admin:account"))

    def get_urls(self) -> list[URLPattern]:
        # The lists of admin_ui.admin; see ConsoleAdminConfig.
        autodiscover()
        urls: list[URLPattern] = super().get_urls()
        return urls

    def extra_urls(self) -> list[URLPattern]:
        from admin_ui.urls import console_urls

        return console_urls(self)

    def get_sidebar_list(self, request: HttpRequest) -> list[dict[str, Any]]:
        user = console_user(request)
        groups: list[dict[str, Any]] = [
            {"items": [_item(request, "Projects", "folder_open", "admin:index", exact=True)]}
        ]
        project = getattr(request, "console_project", None)
        if project is not None:
            rights: frozenset[Action] = request.console_rights  # type: ignore[attr-defined]
            pages = (
                ("Overview", "dashboard", "project", Action.PROJECT_VIEW),
                ("Collections", "database", "collections", Action.SCHEMA_VIEW),
                ("Files", "photo_library", "files", Action.DATA_SUPERUSER),
                ("Members", "group", "members", Action.MEMBERS_VIEW),
                ("API keys", "key", "keys", Action.KEYS_VIEW),
                ("Activity", "history", "activity", Action.AUDIT_VIEW),
                ("Settings", "tune", "project-settings", Action.PROJECT_VIEW),
            )
            items = [
                _item(request, title, icon, f"admin:{name}", project.ref, exact=name == "project")
                for title, icon, name, action in pages
                if action in rights
            ]
            groups.append({"title": project.name, "separator": True, "items": items})
        if user is not None and user.is_superuser:
            items = [
                _item(request, "People", "badge", "admin:projects_consoleuser_changelist"),
                _item(request, "Placements", "dns", "admin:projects_placement_changelist"),
                _item(request, "Audit", "policy", "admin:projects_auditentry_changelist"),
                _item(request, "All projects", "list", "admin:projects_project_changelist"),
            ]
            groups.append({"title": "Installation", "separator": True, "items": items})
        return groups


def _item(
    request: HttpRequest, title: str, icon: str, name: str, *args: str, exact: bool = False
) -> dict[str, Any]:
    """One entry of the sidebar. ``title`` is shown as it is, so it never comes from a person."""
    link = reverse(name, args=args)
    active = request.path == link if exact else request.path.startswith(link)
    return {"title": title, "icon": icon, "link": link, "active": active, "has_permission": True}
