"""Routes of the control API, under ``/api/v1/``."""

from __future__ import annotations

from django.urls import path, re_path
from drf_spectacular.views import SpectacularAPIView, SpectacularSwaggerView

from projects.control.api import keys, members, operations, projects, session
from projects.control.api.errors import unknown_route

urlpatterns = [
    path("session/", session.SessionView.as_view(), name="control-session"),
    path("me/", session.MeView.as_view(), name="control-me"),
    path("me/password/", session.PasswordView.as_view(), name="control-password"),
    path("tokens/", session.TokensView.as_view(), name="control-tokens"),
    path("tokens/<int:pk>/", session.TokenView.as_view(), name="control-token"),
    path("projects/", projects.ProjectsView.as_view(), name="control-projects"),
    path("projects/<str:ref>/", projects.ProjectView.as_view(), name="control-project"),
    path("projects/<str:ref>/suspend/", projects.SuspendView.as_view(), name="control-suspend"),
    path("projects/<str:ref>/resume/", projects.ResumeView.as_view(), name="control-resume"),
    path("projects/<str:ref>/cancel-deletion/", projects.KeepView.as_view(), name="control-keep"),
    path("projects/<str:ref>/members/", members.MembersView.as_view(), name="control-members"),
    path("projects/<str:ref>/members/<int:pk>/", members.MemberView.as_view(), name="control-member"),
    path("projects/<str:ref>/keys/", keys.KeysView.as_view(), name="control-keys"),
    path("projects/<str:ref>/keys/<int:pk>/", keys.KeyView.as_view(), name="control-key"),
    path("projects/<str:ref>/audit/", operations.ProjectAuditView.as_view(), name="control-project-audit"),
    path("audit/", operations.AuditView.as_view(), name="control-audit"),
    path("placements/", operations.PlacementsView.as_view(), name="control-placements"),
    path("placements/<str:name>/", operations.PlacementView.as_view(), name="control-placement"),
    path("schema/", SpectacularAPIView.as_view(), name="control-schema"),
    path("docs/", SpectacularSwaggerView.as_view(url_name="control-schema"), name="control-docs"),
    re_path("", unknown_route),
]
