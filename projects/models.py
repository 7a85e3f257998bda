"""The control plane: who runs which project where. Nothing of a project's own data is here.

All of it lives in the ``default`` database. The operations that change it are in ``projects.control``;
nothing else writes these tables.
"""

from __future__ import annotations

import re
import secrets
from typing import Any, ClassVar, cast

from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.core.exceptions import ValidationError
from django.core.validators import RegexValidator
from django.db import models
from django.db.models.functions import Lower

from projects import crypto
from projects.context import Engine, ProjectHandle

UID_ALPHABET = "abcdefghijklmnopqrstuvwxyz0123456789"
UID_LENGTH = 15

REF_PATTERN = re.compile(r"[a-z0-9](?:-?[a-z0-9])+")
REF_MIN, REF_MAX = 3, 40
# Names that mean something else in a URL or a sub-domain, now or soon.
# fmt: off
RESERVED_REFS = frozenset({
    "admin", "api", "app", "apps", "assets", "auth", "cdn", "console", "dashboard", "default", "docs",
    "health", "healthz", "help", "internal", "local", "localhost", "login", "logout", "mail", "mbaas",
    "metrics", "new", "null", "platform", "projects", "public", "readyz", "root", "sdk", "security",
    "settings", "signup", "smtp", "static", "status", "support", "system", "undefined", "ws", "www",
})
# fmt: on


def new_uid() -> str:
    """15 random characters ``[a-z0-9]`` (77 bits), the first a letter: a name any engine takes unquoted."""
    head = secrets.choice(UID_ALPHABET[:26])
    return head + "".join(secrets.choice(UID_ALPHABET) for _ in range(UID_LENGTH - 1))


def validate_ref(value: str) -> None:
    """Raise ValidationError unless ``value`` can be a project's ref."""
    if not REF_MIN <= len(value) <= REF_MAX or not REF_PATTERN.fullmatch(value):
        raise ValidationError(
            f"Use {REF_MIN} to {REF_MAX} lower-case letters, digits and single hyphens; "
            "begin and end with a letter or digit.",
            code="invalid",
        )
    if value in RESERVED_REFS:
        raise ValidationError(f"“{value}” is reserved; choose another ref.", code="reserved")


class ConsoleUserManager(BaseUserManager["ConsoleUser"]):
    def get_by_natural_key(self, username: str | None) -> ConsoleUser:
        return self.get(email=normalize_email(username or ""))

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> ConsoleUser:
        user = self.model(email=normalize_email(email), **fields)
        user.set_password(password)
        user.save()
        return user


def normalize_email(email: str) -> str:
    """E-mail addresses are compared and stored in lower case, without spaces around them."""
    return email.strip().lower()


class ConsoleUser(AbstractBaseUser):
    """A person of the admin. Never an end user of an app: those live in a project's own database."""

    email = models.EmailField("e-mail", max_length=254)
    name = models.CharField(max_length=150, blank=True)
    is_active = models.BooleanField(default=True)
    # Sees every project and runs the installation: placements, people.
    is_operator = models.BooleanField(default=False)
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"
    REQUIRED_FIELDS: ClassVar[list[str]] = []

    objects: ClassVar[ConsoleUserManager] = ConsoleUserManager()

    class Meta:
        ordering = ("email",)
        verbose_name = "person"
        verbose_name_plural = "people"
        constraints = (models.UniqueConstraint(Lower("email"), name="console_user_email_unique"),)

    def __str__(self) -> str:
        return self.email

    def clean(self) -> None:
        self.email = normalize_email(self.email)

    def get_full_name(self) -> str:
        return self.name

    def get_short_name(self) -> str:
        return self.name or self.email

    # What the Django admin asks of a user. What a person may do with a project depends on the role in
    # it, so each admin class decides with projects.control.roles; here only that they may come in.
    @property
    def is_staff(self) -> bool:
        return self.is_active

    @property
    def is_superuser(self) -> bool:
        return self.is_active and self.is_operator

    def has_perm(self, perm: str, obj: object = None) -> bool:
        return self.is_superuser

    def has_perms(self, perm_list: list[str], obj: object = None) -> bool:
        return self.is_superuser

    def has_module_perms(self, app_label: str) -> bool:
        return self.is_active and app_label == "projects"


class Placement(models.Model):
    """A place where projects' databases live: a folder of SQLite files or a PostgreSQL server."""

    class Engines(models.TextChoices):
        SQLITE = "sqlite", "SQLite"
        POSTGRESQL = "postgresql", "PostgreSQL"

    # Part of every alias on this placement, so it never changes.
    name = models.CharField(
        max_length=40,
        unique=True,
        validators=[RegexValidator(r"^[a-z0-9][a-z0-9-]*$", "Use lower-case letters, digits and hyphens.")],
    )
    engine = models.CharField(max_length=16, choices=Engines.choices)
    url_encrypted = models.TextField(blank=True, default="", editable=False)
    is_default = models.BooleanField(default=False)
    accepts_projects = models.BooleanField("accepts new projects", default=True)
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("name",)
        constraints = (
            models.UniqueConstraint(
                fields=["is_default"], condition=models.Q(is_default=True), name="placement_one_default"
            ),
        )

    def __str__(self) -> str:
        return self.name

    @property
    def url(self) -> str:
        """The DSN of a PostgreSQL server; empty for SQLite. Raises SecretUnreadableError."""
        return crypto.decrypt(self.url_encrypted)

    @url.setter
    def url(self, plain: str) -> None:
        self.url_encrypted = crypto.encrypt(plain)


class Project(models.Model):
    class Status(models.TextChoices):
        ACTIVE = "active", "Active"
        SUSPENDED = "suspended", "Suspended"
        DELETING = "deleting", "Deleting"

    # Never changes and is never used again: files, schemas, roles and cache keys are named by it.
    uid = models.CharField(
        primary_key=True,
        max_length=UID_LENGTH,
        default=new_uid,
        editable=False,
        validators=[RegexValidator(r"^[a-z0-9]{15}$")],
    )
    # Stands in URLs. Unique among all rows, so a project in deletion holds its ref until it is purged.
    ref = models.CharField(max_length=REF_MAX, unique=True, validators=[validate_ref])
    name = models.CharField(max_length=100)
    status = models.CharField(max_length=16, choices=Status.choices, default=Status.ACTIVE)
    placement = models.ForeignKey(Placement, on_delete=models.PROTECT, related_name="projects")
    settings = models.JSONField(default=dict, blank=True)
    # When the data of a project in deletion goes; null for every other project.
    delete_after = models.DateTimeField(null=True, blank=True)
    # Its data is being removed: from here there is no way back.
    purging = models.BooleanField(default=False, editable=False)
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    members = models.ManyToManyField(ConsoleUser, through="Membership", related_name="projects")

    class Meta:
        ordering = ("ref",)
        constraints = (
            models.CheckConstraint(
                condition=models.Q(status="deleting", delete_after__isnull=False)
                | (~models.Q(status="deleting") & models.Q(delete_after__isnull=True)),
                name="project_delete_after_when_deleting",
            ),
        )

    def __str__(self) -> str:
        return self.ref

    def handle(self) -> ProjectHandle:
        """What the serving path carries. Reads the placement: select it along when handling many."""
        return ProjectHandle(
            uid=self.uid,
            ref=self.ref,
            engine=cast(Engine, self.placement.engine),
            placement=self.placement.name,
            status=self.status,
            settings=tuple(sorted(self.settings.items())),
        )


class Membership(models.Model):
    """What a person may do in one project; the table of rights is ``projects.control.roles``."""

    class Role(models.TextChoices):
        OWNER = "owner", "Owner"
        DEVELOPER = "developer", "Developer"
        VIEWER = "viewer", "Viewer"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="memberships")
    user = models.ForeignKey(ConsoleUser, on_delete=models.CASCADE, related_name="memberships")
    role = models.CharField(max_length=16, choices=Role.choices)
    created = models.DateTimeField(auto_now_add=True)
    updated = models.DateTimeField(auto_now=True)

    class Meta:
        ordering = ("project", "user")
        verbose_name = "member"
        constraints = (
            models.UniqueConstraint(fields=["project", "user"], name="membership_once_per_project"),
        )

    def __str__(self) -> str:
        return f"{self.user} · {self.get_role_display()}"


class ApiKey(models.Model):
    """A key of one project. Its text is shown once; only the SHA-256 of it is kept."""

    class Kind(models.TextChoices):
        SERVICE = "service", "Service"
        PUBLIC = "public", "Public"

    project = models.ForeignKey(Project, on_delete=models.CASCADE, related_name="keys")
    kind = models.CharField(max_length=16, choices=Kind.choices)
    name = models.CharField(max_length=100, blank=True)
    # The first characters of the text, so that people can tell keys apart.
    prefix = models.CharField(max_length=16)
    hash = models.CharField(max_length=64, unique=True, editable=False)
    created_by = models.ForeignKey(ConsoleUser, null=True, on_delete=models.SET_NULL, related_name="+")
    created = models.DateTimeField(auto_now_add=True)
    last_used_at = models.DateTimeField(null=True, blank=True)
    revoked_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created",)
        verbose_name = "API key"

    def __str__(self) -> str:
        return self.name or f"{self.prefix}…"

    @property
    def is_valid(self) -> bool:
        return self.revoked_at is None


class PersonalToken(models.Model):
    """Stands for a person on the control API, for scripts. Shown once; only its SHA-256 is kept."""

    user = models.ForeignKey(ConsoleUser, on_delete=models.CASCADE, related_name="tokens")
    name = models.CharField(max_length=100)
    prefix = models.CharField(max_length=16)
    hash = models.CharField(max_length=64, unique=True, editable=False)
    created = models.DateTimeField(auto_now_add=True)
    expires_at = models.DateTimeField()
    last_used_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        ordering = ("-created",)
        verbose_name = "personal token"

    def __str__(self) -> str:
        return self.name


class AppendOnlyError(TypeError):
    """An audit entry was to be changed or removed."""


class AuditEntryQuerySet(models.QuerySet["AuditEntry"]):
    def update(self, **kwargs: Any) -> int:
        raise AppendOnlyError("audit entries are never changed")

    def delete(self) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError("audit entries are never removed")


class AuditEntry(models.Model):
    """Who did what to which thing. Plain values, no foreign keys: an entry outlives what it speaks of."""

    at = models.DateTimeField(auto_now_add=True)
    actor_id = models.BigIntegerField(null=True, blank=True)
    # The person's e-mail then, or "command", "system".
    actor = models.CharField(max_length=254)
    project_uid = models.CharField(max_length=UID_LENGTH, blank=True, default="")
    project_ref = models.CharField(max_length=REF_MAX, blank=True, default="")
    action = models.CharField(max_length=64)
    target = models.CharField(max_length=300, blank=True, default="")
    details = models.JSONField(default=dict, blank=True)
    ip = models.GenericIPAddressField(null=True, blank=True)
    request_id = models.CharField(max_length=64, blank=True, default="")

    objects: ClassVar[models.Manager[AuditEntry]] = models.Manager.from_queryset(AuditEntryQuerySet)()

    class Meta:
        ordering = ("-id",)
        verbose_name = "audit entry"
        verbose_name_plural = "audit entries"
        indexes = (
            models.Index(fields=["project_uid", "-id"], name="audit_by_project"),
            models.Index(fields=["actor_id", "-id"], name="audit_by_actor"),
        )

    def __str__(self) -> str:
        return f"{self.actor} {self.action} {self.target}".strip()

    def save(self, *args: Any, **kwargs: Any) -> None:
        if not self._state.adding:
            raise AppendOnlyError("audit entries are never changed")
        super().save(*args, **kwargs)

    def delete(self, *args: Any, **kwargs: Any) -> tuple[int, dict[str, int]]:
        raise AppendOnlyError("audit entries are never removed")
