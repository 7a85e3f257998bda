"""A project's API keys. A new key's text is in the answer to its making and nowhere else."""

from __future__ import annotations

from django.contrib import messages
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.views.decorators.http import require_POST

from admin_ui.forms import KeyForm
from admin_ui.pages.base import project_page, render, show_errors
from projects.control import keys as operations
from projects.control.actor import Actor
from projects.control.roles import Action, rights_in
from projects.errors import ApiError, not_found
from projects.models import Project


@project_page(Action.KEYS_VIEW)
def keys(request: HttpRequest, actor: Actor, project: Project) -> HttpResponse:
    service = Action.KEYS_SERVICE in rights_in(actor, project)
    form = KeyForm(request.POST or None, service=service)
    new = None
    if request.method == "POST":
        if request.POST.get("kind") == "service":
            # Not in this person's form, so the form would only say "not a choice".
            form = KeyForm(request.POST, service=True)
        if form.is_valid():
            try:
                new = operations.create_key(actor, project, **form.cleaned_data)
                form = KeyForm(service=service)
            except ApiError as error:
                show_errors(form, error)
    rows = project.keys.select_related("created_by")
    # No redirect: it would have to carry the key in a cookie or the session. Never cached (admin_view).
    return render(request, "keys.html", "API keys", form=form, rows=rows, new=new)


@require_POST
@project_page(Action.KEYS_VIEW)
def revoke(request: HttpRequest, actor: Actor, project: Project, pk: int) -> HttpResponse:
    key = project.keys.select_related("project").filter(pk=pk).first()
    if key is None:
        raise not_found()
    operations.revoke_key(actor, key)
    messages.success(request, f"The key {key} is revoked.")
    return HttpResponseRedirect(reverse("admin:keys", args=[project.ref]))
