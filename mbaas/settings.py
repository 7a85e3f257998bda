"""All settings, each from an environment variable with a default that suits one small machine.

docs/settings.md lists them; a test compares the two.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import dj_database_url

from admin_ui import theme
from mbaas import environment as env
from mbaas.logs import logging_config
from projects.control.api import config as control_api
from projects.databases.aliases import ProjectDatabases

BASE_DIR = Path(__file__).resolve().parent.parent

# --- where things are -----------------------------------------------------------------------------
MBAAS_DATA_DIR = Path(env.text("MBAAS_DATA_DIR", str(BASE_DIR / "data"))).resolve()
MBAAS_SECRET_KEYS = env.secret_keys(MBAAS_DATA_DIR)
MBAAS_REDIS_URL = env.text("MBAAS_REDIS_URL")
# The address people and apps use, when a proxy stands in front ("https://api.example.com").
MBAAS_PUBLIC_URL = env.text("MBAAS_PUBLIC_URL").rstrip("/")

SECRET_KEY = MBAAS_SECRET_KEYS[0]
SECRET_KEY_FALLBACKS = MBAAS_SECRET_KEYS[1:]
DEBUG = env.boolean("MBAAS_DEBUG", False)
ALLOWED_HOSTS = env.words("MBAAS_ALLOWED_HOSTS", ("*",))
CSRF_TRUSTED_ORIGINS = env.words("MBAAS_TRUSTED_ORIGINS", (MBAAS_PUBLIC_URL,) if MBAAS_PUBLIC_URL else ())

# --- databases ------------------------------------------------------------------------------------
_control_url = env.text("MBAAS_DATABASE_URL")
_control: dict[str, Any] = (
    dict(dj_database_url.parse(_control_url, conn_max_age=60, conn_health_checks=True))
    if _control_url
    else {
        "ENGINE": "django.db.backends.sqlite3",
        "NAME": str(MBAAS_DATA_DIR / "control.sqlite3"),
        "CONN_MAX_AGE": None,
        "OPTIONS": {
            "transaction_mode": "IMMEDIATE",
            "timeout": 10,
            "init_command": "PRAGMA journal_mode=WAL;PRAGMA synchronous=NORMAL;",
        },
    }
)
DATABASES = ProjectDatabases(default=_control)
DATABASE_ROUTERS = ["projects.databases.router.ProjectRouter"]
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# NORMAL: kill -9 loses nothing; a power cut may lose the last moments. FULL closes that, slower.
MBAAS_SQLITE_SYNCHRONOUS = env.choice("MBAAS_SQLITE_SYNCHRONOUS", "NORMAL", ("NORMAL", "FULL"))
MBAAS_SQLITE_BUSY_TIMEOUT = env.integer("MBAAS_SQLITE_BUSY_TIMEOUT", 5)  # seconds
MBAAS_STATEMENT_TIMEOUT_MS = env.integer("MBAAS_STATEMENT_TIMEOUT_MS", 10_000, least=10)
MBAAS_OPEN_DATABASES = env.integer("MBAAS_OPEN_DATABASES", 1_000, least=1)
# A change of the schema may take longer: indexes of big tables, columns that change their type.
MBAAS_SCHEMA_CHANGE_TIMEOUT_MS = env.integer("MBAAS_SCHEMA_CHANGE_TIMEOUT_MS", 600_000, least=1_000)
# PostgreSQL: how long one try for a table's lock may keep everybody else waiting.
MBAAS_SCHEMA_LOCK_MS = env.integer("MBAAS_SCHEMA_LOCK_MS", 200, least=10)
# Records that one transaction of a truncation deletes.
MBAAS_TRUNCATE_STEP = env.integer("MBAAS_TRUNCATE_STEP", 1_000, least=1)
# Records that one transaction of an import stores.
MBAAS_IMPORT_STEP = env.integer("MBAAS_IMPORT_STEP", 1_000, least=1)
# The longest row of a table that is imported, and the largest table that the API takes; 0: no limit.
MBAAS_IMPORT_MAX_ROW_BYTES = env.integer("MBAAS_IMPORT_MAX_ROW_BYTES", 8 * 1024**2, least=1024)
MBAAS_IMPORT_MAX_BYTES = env.integer("MBAAS_IMPORT_MAX_BYTES", 1024**3, least=0)
# The largest database that a PocketBase backup may unpack to, and what stays free of the disk that it is copied to.
MBAAS_IMPORT_MAX_DATABASE_BYTES = env.integer("MBAAS_IMPORT_MAX_DATABASE_BYTES", 100 * 1024**3, least=1024)
MBAAS_IMPORT_KEEP_FREE_BYTES = env.integer("MBAAS_IMPORT_KEEP_FREE_BYTES", 256 * 1024**2, least=0)
# Changes of a record that one page of its history shows at most, and how many are looked through for it.
MBAAS_HISTORY_PAGE = env.integer("MBAAS_HISTORY_PAGE", 100, least=1)
MBAAS_HISTORY_SCAN = env.integer("MBAAS_HISTORY_SCAN", 1_000, least=1)
# How long histories are kept; a project's own setting historyDays replaces it.
MBAAS_HISTORY_DAYS = env.integer("MBAAS_HISTORY_DAYS", 30)
# How long the change log is kept at least: what reads it must not be cut off. Totals are believed for an hour.
MBAAS_CHANGE_LOG_HOURS = env.integer("MBAAS_CHANGE_LOG_HOURS", 48, least=2)
# Rows that one transaction of the log's pruning removes.
MBAAS_PRUNE_STEP = env.integer("MBAAS_PRUNE_STEP", 1_000, least=1)
# Records that one transaction of the restoration of a collection looks at.
MBAAS_RESTORE_STEP = env.integer("MBAAS_RESTORE_STEP", 500, least=1)
# How long a restoration may be tried: nobody else writes to a SQLite project meanwhile.
MBAAS_RESTORE_DRY_RUN_MS = env.integer("MBAAS_RESTORE_DRY_RUN_MS", 10_000, least=10)
MBAAS_OPEN_DATABASES_PER_THREAD = env.integer("MBAAS_OPEN_DATABASES_PER_THREAD", 32, least=1)
MBAAS_POSTGRES_POOL_SIZE = env.integer("MBAAS_POSTGRES_POOL_SIZE", 20, least=1)
MBAAS_POSTGRES_POOL_TIMEOUT = env.integer("MBAAS_POSTGRES_POOL_TIMEOUT", 5, least=1)  # seconds

# --- the serving path -----------------------------------------------------------------------------
MBAAS_READ_THREADS = env.integer("MBAAS_READ_THREADS", 4, least=1)
MBAAS_WRITE_THREADS = env.integer("MBAAS_WRITE_THREADS", 2, least=1)
MBAAS_POSTGRES_READ_LANES = env.integer("MBAAS_POSTGRES_READ_LANES", 2, least=1)
MBAAS_POSTGRES_WRITE_LANES = env.integer("MBAAS_POSTGRES_WRITE_LANES", 4, least=1)
MBAAS_POSTGRES_THREADS = env.integer("MBAAS_POSTGRES_THREADS", 16, least=1)
MBAAS_PASSWORD_THREADS = env.integer("MBAAS_PASSWORD_THREADS", 2, least=1)
# Requests of one project that may wait or run at once; more are answered 503 with Retry-After.
MBAAS_PROJECT_CONCURRENCY = env.integer("MBAAS_PROJECT_CONCURRENCY", 1_000, least=1)
MBAAS_MAX_BODY_BYTES = env.integer("MBAAS_MAX_BODY_BYTES", 32 * 1024 * 1024, least=1024)
MBAAS_BATCH_MAX_REQUESTS = env.integer("MBAAS_BATCH_MAX_REQUESTS", 50, least=1)
# How long a batch's transaction may take; nobody else writes to a SQLite project meanwhile.
MBAAS_BATCH_TIMEOUT_MS = env.integer("MBAAS_BATCH_TIMEOUT_MS", 3_000, least=10)
# Records that ``expand`` may bring into one answer, each counted as often as it stands there.
MBAAS_EXPANDED_MAX = env.integer("MBAAS_EXPANDED_MAX", 50_000, least=1)
# Characters of a record's searchable fields, together, that can be found by.
MBAAS_SEARCH_MAX_CHARACTERS = env.integer("MBAAS_SEARCH_MAX_CHARACTERS", 100_000, least=1000)
# Of what a search finds, so many that were changed last are ranked.
MBAAS_SEARCH_RANKED = env.integer("MBAAS_SEARCH_RANKED", 2_000, least=100)
# Records that one update or deletion by filter may change.
MBAAS_FILTERED_WRITES_MAX = env.integer("MBAAS_FILTERED_WRITES_MAX", 1_000, least=1)
# How long the answer to a write with an Idempotency-Key is kept, to be given again.
MBAAS_IDEMPOTENCY_HOURS = env.integer("MBAAS_IDEMPOTENCY_HOURS", 24, least=1)
MBAAS_SHUTDOWN_SECONDS = env.integer("MBAAS_SHUTDOWN_SECONDS", 10, least=1)
MBAAS_CORS_ORIGINS = env.words("MBAAS_CORS_ORIGINS", ("*",))
# Behind a proxy: the header that holds the client's address ("X-Forwarded-For"); empty: none is trusted.
MBAAS_CLIENT_IP_HEADER = env.text("MBAAS_CLIENT_IP_HEADER")
# How many proxies add to that header; the address is taken that many places from its end.
MBAAS_TRUSTED_PROXIES = env.integer("MBAAS_TRUSTED_PROXIES", 1, least=1)
MBAAS_RATE_LIMITS = env.boolean("MBAAS_RATE_LIMITS", True)
# "<label> <requests>/<seconds>", counted by address; labels as in projects/rate_rules.py. A project adds its
# own and overrides one of these by its label. Generous: a carrier puts thousands of phones behind one address.
MBAAS_RATE_LIMIT_RULES = env.words(
    "MBAAS_RATE_LIMIT_RULES", ("*:auth 300/60", "*:signUp 100/600", "*:mail 30/600")
)
# Counters held in this process, where there is no Redis; the oldest are dropped.
MBAAS_RATE_LIMIT_MEMORY = env.integer("MBAAS_RATE_LIMIT_MEMORY", 100_000, least=1000)
# How long a process may serve a project by an earlier state (suspension, settings) set elsewhere.
MBAAS_PROJECT_CACHE_SECONDS = env.integer("MBAAS_PROJECT_CACHE_SECONDS", 2)

# --- sign-in of end users -------------------------------------------------------------------------
# Wrong passwords for one account: so many cost nothing, the next one a wait of FIRST_DELAY seconds, each
# further one twice as long, up to LONGEST_DELAY. The count begins anew after FORGET_AFTER seconds.
MBAAS_SIGN_IN_FREE_ATTEMPTS = env.integer("MBAAS_SIGN_IN_FREE_ATTEMPTS", 5, least=1)
MBAAS_SIGN_IN_FIRST_DELAY = env.integer("MBAAS_SIGN_IN_FIRST_DELAY", 2, least=1)
MBAAS_SIGN_IN_LONGEST_DELAY = env.integer("MBAAS_SIGN_IN_LONGEST_DELAY", 900, least=1)
MBAAS_SIGN_IN_FORGET_AFTER = env.integer("MBAAS_SIGN_IN_FORGET_AFTER", 86_400, least=1)
# Wrong passwords from one address (an IPv6 /64), for whichever accounts, in so many seconds.
MBAAS_SIGN_IN_ADDRESS_ATTEMPTS = env.integer("MBAAS_SIGN_IN_ADDRESS_ATTEMPTS", 100, least=1)
MBAAS_SIGN_IN_ADDRESS_WINDOW = env.integer("MBAAS_SIGN_IN_ADDRESS_WINDOW", 300, least=1)
# A refused sign-in is answered no sooner, so that a slow (imported, bcrypt) hash does not stand out.
MBAAS_SIGN_IN_REFUSAL_MS = env.integer("MBAAS_SIGN_IN_REFUSAL_MS", 200)

# --- realtime -------------------------------------------------------------------------------------
MBAAS_REALTIME_IDLE_SECONDS = env.integer("MBAAS_REALTIME_IDLE_SECONDS", 300, least=1)
MBAAS_REALTIME_QUEUE = env.integer("MBAAS_REALTIME_QUEUE", 1_000, least=1)
MBAAS_REALTIME_MAX_CLIENTS = env.integer("MBAAS_REALTIME_MAX_CLIENTS", 20_000, least=1)
MBAAS_REALTIME_MAX_SUBSCRIPTIONS = env.integer("MBAAS_REALTIME_MAX_SUBSCRIPTIONS", 1_000, least=1)

# --- files ----------------------------------------------------------------------------------------
# Where projects' files go that name no storage of their own: this machine's disk, or a bucket that speaks S3.
MBAAS_FILES_STORAGE = env.choice("MBAAS_FILES_STORAGE", "disk", ("disk", "s3"))
MBAAS_FILES_S3_BUCKET = env.text("MBAAS_FILES_S3_BUCKET")
MBAAS_FILES_S3_ENDPOINT = env.text("MBAAS_FILES_S3_ENDPOINT")
MBAAS_FILES_S3_REGION = env.text("MBAAS_FILES_S3_REGION")
MBAAS_FILES_S3_ACCESS_KEY = env.text("MBAAS_FILES_S3_ACCESS_KEY")
MBAAS_FILES_S3_SECRET_KEY = env.text("MBAAS_FILES_S3_SECRET_KEY")
# Comes before the project's uid in the name of every object.
MBAAS_FILES_S3_PREFIX = env.text("MBAAS_FILES_S3_PREFIX")
MBAAS_FILES_S3_PATH_STYLE = env.boolean("MBAAS_FILES_S3_PATH_STYLE", False)
# Whether a project may name a bucket at a private address, or without https: only where projects are trusted.
MBAAS_FILES_PRIVATE_ENDPOINTS = env.boolean("MBAAS_FILES_PRIVATE_ENDPOINTS", False)
# Seconds to wait for one answer of a bucket; tried three times in all.
MBAAS_FILES_TIMEOUT_SECONDS = env.integer("MBAAS_FILES_TIMEOUT_SECONDS", 20, least=1)
# Threads for reading and writing files, and as many for buckets; one project gets a quarter of the latter.
MBAAS_FILES_THREADS = env.integer("MBAAS_FILES_THREADS", 16, least=4)
# Where uploads wait until they are stored; on the disk of the data folder they are moved, not copied.
MBAAS_FILES_SPOOL_DIR = Path(env.text("MBAAS_FILES_SPOOL_DIR", str(MBAAS_DATA_DIR / "spool")))
# The largest file that any field may take, whatever its own maxSize.
MBAAS_MAX_FILE_BYTES = env.integer("MBAAS_MAX_FILE_BYTES", 5 * 1024**3, least=1024)
MBAAS_MAX_FILES_PER_REQUEST = env.integer("MBAAS_MAX_FILES_PER_REQUEST", 100, least=1)
# What the files of one project may take, in bytes; 0: no limit. A project's own setting overrides it.
MBAAS_FILES_QUOTA_BYTES = env.integer("MBAAS_FILES_QUOTA_BYTES", 0)
# How long clients may keep a public file without asking again, in seconds; its content never changes.
MBAAS_FILES_CACHE_SECONDS = env.integer("MBAAS_FILES_CACHE_SECONDS", 2_592_000)
# Larger images get no thumbs: a decoded pixel takes up to 6 bytes.
MBAAS_IMAGE_MAX_PIXELS = env.integer("MBAAS_IMAGE_MAX_PIXELS", 50_000_000, least=1)
MBAAS_IMAGE_THREADS = env.integer("MBAAS_IMAGE_THREADS", 2, least=1)
# Thumbs that may wait to be made; for more the answer is 503.
MBAAS_IMAGE_QUEUE = env.integer("MBAAS_IMAGE_QUEUE", 100, least=1)
# How long an upload may take to be attached to its record before it is removed.
MBAAS_FILES_PENDING_SECONDS = env.integer("MBAAS_FILES_PENDING_SECONDS", 86_400, least=60)
# How long a resumable upload may take from its creation to its last byte.
MBAAS_UPLOADS_EXPIRE_SECONDS = env.integer("MBAAS_UPLOADS_EXPIRE_SECONDS", 86_400, least=60)
# A request that uploads is ended when nothing came for so long; the client goes on where it stopped.
MBAAS_UPLOADS_IDLE_SECONDS = env.integer("MBAAS_UPLOADS_IDLE_SECONDS", 30, least=1)
# How long an address for an upload straight to a bucket can be used.
MBAAS_FILES_PRESIGN_SECONDS = env.integer("MBAAS_FILES_PRESIGN_SECONDS", 900, least=10)
# For how many seconds the addresses hold that downloads from buckets are redirected to; 0: they are passed through.
MBAAS_FILES_REDIRECT_SECONDS = env.integer("MBAAS_FILES_REDIRECT_SECONDS", 0)

# --- control plane --------------------------------------------------------------------------------
MBAAS_DELETE_GRACE_DAYS = env.integer("MBAAS_DELETE_GRACE_DAYS", 7)
# Whether a first start makes the project "demo", with a schema, rules, users and records to try.
MBAAS_DEMO_PROJECT = env.boolean("MBAAS_DEMO_PROJECT", True)
# Who may create projects: everyone who signs in to the console, or operators only.
MBAAS_PROJECT_CREATION = env.choice("MBAAS_PROJECT_CREATION", "everyone", ("everyone", "operators"))
MBAAS_PERSONAL_TOKEN_MAX_DAYS = env.integer("MBAAS_PERSONAL_TOKEN_MAX_DAYS", 366, least=1)
# Wrong passwords of one person from one address in one window; ten times as many from one address for
# anyone, and for one person from anywhere.
MBAAS_CONSOLE_SIGN_IN_LIMIT = env.integer("MBAAS_CONSOLE_SIGN_IN_LIMIT", 10, least=1)
MBAAS_CONSOLE_SIGN_IN_WINDOW = env.integer("MBAAS_CONSOLE_SIGN_IN_WINDOW", 300, least=1)  # seconds

INSTALLED_APPS = [
    "unfold.apps.BasicAppConfig",
    "admin_ui.apps.AdminUiConfig",
    "admin_ui.apps.ConsoleAdminConfig",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "rest_framework",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "mbaas",
    "projects",
    "projects.databases",
    "projects.accounts",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]
ROOT_URLCONF = "mbaas.urls"
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
            ],
        },
    },
]

# End users live in their project's database; the console's people are projects.ConsoleUser.
AUTH_USER_MODEL = "accounts.EndUser"
AUTHENTICATION_BACKENDS = ["projects.control.auth.ConsoleBackend"]
PASSWORD_HASHERS = [
    "projects.passwords.Argon2Hasher",
    "django.contrib.auth.hashers.BCryptPasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator"},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
SESSION_COOKIE_NAME = "mbaas_session"
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = MBAAS_PUBLIC_URL.startswith("https://")
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if MBAAS_CLIENT_IP_HEADER else None

REST_FRAMEWORK = control_api.REST_FRAMEWORK
SPECTACULAR_SETTINGS = control_api.SPECTACULAR_SETTINGS
UNFOLD = theme.UNFOLD

CACHES = {
    "default": (
        {"BACKEND": "django.core.cache.backends.redis.RedisCache", "LOCATION": MBAAS_REDIS_URL}
        if MBAAS_REDIS_URL
        else {"BACKEND": "django.core.cache.backends.locmem.LocMemCache"}
    )
}

# Without Redis the worker runs inside the server process, on a queue in memory.
CELERY_BROKER_URL = MBAAS_REDIS_URL or "memory://"
# Run Celery's worker and schedule inside the server process; off when workers of their own do it.
MBAAS_EMBEDDED_WORKER = env.boolean("MBAAS_EMBEDDED_WORKER", True)
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True

# The form of a collection has nine inputs for each of its fields.
DATA_UPLOAD_MAX_NUMBER_FIELDS = 10_000

LANGUAGE_CODE = "en"
TIME_ZONE = "UTC"
USE_I18N = True
USE_TZ = True
STATIC_URL = "/static/"
# Served straight from the packages that bring them: no collectstatic step, no folder of copies.
WHITENOISE_USE_FINDERS = True

MBAAS_LOG_LEVEL = env.choice("MBAAS_LOG_LEVEL", "INFO", ("DEBUG", "INFO", "WARNING", "ERROR"))
MBAAS_LOG_FORMAT = env.choice("MBAAS_LOG_FORMAT", "auto", ("auto", "json", "console"))
LOGGING = logging_config(MBAAS_LOG_LEVEL, MBAAS_LOG_FORMAT)
