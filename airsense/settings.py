"""Settings of the whole platform, read from the environment; .env.example lists them.

Without `DATABASE_URL` and `REDIS_URL` the embedded servers of the data folder are used.
"""

import hashlib
import hmac
import re
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.templatetags.static import static

from airsense import alerting, data_folder, embedded

BASE_DIR = Path(__file__).resolve().parent.parent
HOME = data_folder.folder()
VERSION = re.findall(r"^## (\S+)", (BASE_DIR / "CHANGELOG.md").read_text(), re.M)[0]
env = environ.Env()


def secret(name: str) -> str:
    """A secret of the environment, or of the file that `NAME_FILE` names; "" where neither is."""
    file = env(f"{name}_FILE", default="")
    try:
        return Path(file).read_text().strip() if file else str(env(name, default=""))
    except (OSError, ValueError) as error:
        raise data_folder.StartError(f"{name}_FILE={file} cannot be read: {error}") from None


def number(name: str, default: int, least: int = 1) -> int:
    """A setting that is a whole number of `least` or more."""
    value = env(name, default=str(default))
    if not (value.isascii() and value.isdigit() and int(value) >= least):
        raise data_folder.StartError(f"{name}={value!r} is not a whole number of {least} or more.")
    return int(value)


SECRET_KEY = secret("SECRET_KEY") or data_folder.secret("secret_key")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold",  # before the admin, whose templates it replaces
    "unfold.contrib.filters",
    "django.contrib.admin.apps.SimpleAdminConfig",  # airsense.urls loads its pages
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.postgres",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_celery_beat",
    "airsense",
    "flights",
    "transfers",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "airsense.csp.PolicyMiddleware",
    "airsense.cors.reads_for_all_sites",
    "flights.access.throttles.client_errors",
    "flights.query.limits.requests",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
]

ROOT_URLCONF = "airsense.urls"
WSGI_APPLICATION = "airsense.wsgi.application"

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "flights.pages.views.around",
            ]
        },
    }
]


def server_database() -> dict[str, Any]:
    """The database that transfers write: `DATABASE_URL`, or the embedded PostgreSQL."""
    if env("DATABASE_URL", default=""):
        named = _outside("DATABASE_URL")
        return {**named, "PASSWORD": named["PASSWORD"] or secret("DATABASE_PASSWORD")}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "airsense",
        "USER": "airsense",
        "PASSWORD": "",
        "HOST": str(embedded.socket_folder()),
        "PORT": "5432",
    }


def reader_database(writer: dict[str, Any]) -> dict[str, Any]:
    """The same database for the public: another role that can only read, time-limited.

    Each thread of a web process keeps its connection: to take one from a pool doubles what a small
    query costs the process (0.07 ms instead of 0.04), and there would be as many.

    Its password follows from SECRET_KEY, so there is no second secret to keep; `READER_URL` names
    a role that a server's owner made by hand.
    """
    made = {
        **writer,
        "USER": f"{writer['NAME']}_reader",
        "PASSWORD": hmac.new(SECRET_KEY.encode(), b"reader", hashlib.sha256).hexdigest(),
    }
    reader = _outside("READER_URL") if READER_GIVEN else made
    limits = f"-c statement_timeout={READER_TIMEOUT_MS} -c default_transaction_read_only=on"
    limits += " -c pg_trgm.word_similarity_threshold=0.5"  # what search takes for a typo
    limits += " -c max_parallel_workers_per_gather=0"  # one query, one core: others need the rest
    options = {**reader.get("OPTIONS", {}), "options": limits}
    return {**reader, "OPTIONS": options, "CONN_MAX_AGE": None, "TEST": {"MIRROR": "default"}}


def watch_database(database: dict[str, Any]) -> dict[str, Any]:
    """The same database for what must not wait: the response cache's watch, and checks.

    It gives up a connection that is silent for a second.
    """
    limits = {"connect_timeout": 2, "tcp_user_timeout": 1_000}
    return {**database, "OPTIONS": {**database.get("OPTIONS", {}), **limits}}


def _outside(name: str) -> dict[str, Any]:
    """The database that a variable names. Its value holds a password, so no error shows it."""
    form = f"{name} is not of the form postgresql://user:password@host:5432/database."
    try:
        database = dict(environ.Env.db_url_config(secret(name)))
    except (environ.ImproperlyConfigured, ValueError):
        raise data_folder.StartError(form) from None
    if not str(database.get("ENGINE")).endswith(".postgresql") or not database["NAME"]:
        raise data_folder.StartError(form)
    return database


def valkey_url(broker: str) -> str:
    """The queue's server as redis-py calls it, which has other words for a socket."""
    url = broker.replace("redis+socket:", "unix:").replace("virtual_host=", "db=")
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise data_folder.StartError("REDIS_URL is not of the form redis://host:6379/0.")
    return url


READER_GIVEN = bool(secret("READER_URL"))
# A public query that takes longer answers 503; the slowest query of the 2.4M-row table needs 0.4 s.
READER_TIMEOUT_MS = number("READER_TIMEOUT_MS", 5_000)
# All queries of one GraphQL operation together.
GRAPHQL_TIMEOUT_MS = number("GRAPHQL_TIMEOUT_MS", 3_000)

# The queries of all web processes that run at the same time, by the cost that PostgreSQL's planner
# estimates (flights/query/cost.py). Together they hold less than half of the 12 threads of two
# cores, so that light queries are answered beside them.
HEAVY_AT_ONCE = number("HEAVY_AT_ONCE", 1)
MEDIUM_AT_ONCE = number("MEDIUM_AT_ONCE", 4)
# Files of large tables that are sent at once; each takes as long as its client reads.
FILES_AT_ONCE = number("FILES_AT_ONCE", 4)

# Requests that wait at once in a web process until a transfer or an export has ended. Each holds a
# thread, of which a process has 6.
WAITING_AT_ONCE = number("WAITING_AT_ONCE", 2)

# Bytes that each web process spends on answers that it keeps.
RESPONSE_CACHE_BYTES = number("RESPONSE_CACHE_BYTES", 64 << 20)

_writer = server_database()
_reader = reader_database(_writer)
DATABASES = {
    "default": _writer,
    "reader": _reader,
    "watch": watch_database(_reader),
    "status": {**watch_database(_writer), "TEST": {"MIRROR": "default"}},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

WAREHOUSE_URL = env("WAREHOUSE_URL", default=f"duckdb://{HOME / 'warehouse'}")
# Seconds that a warehouse on Databricks may take to start.
WAREHOUSE_START_TIMEOUT = number("WAREHOUSE_START_TIMEOUT", 600)
DATABRICKS_TOKEN = secret("DATABRICKS_TOKEN")
DATABRICKS_CLIENT_ID = env("DATABRICKS_CLIENT_ID", default="")
DATABRICKS_CLIENT_SECRET = secret("DATABRICKS_CLIENT_SECRET")
DATABRICKS_CA_FILE = env("DATABRICKS_CA_FILE", default="")

# How long whoever asks for the state of PostgreSQL, the warehouse, ... waits for it.
STATUS_TIMEOUT_MS = number("STATUS_TIMEOUT_MS", 2_000)

# What the public may ask of Django (docs/public.md); what the response cache answers is free.
THROTTLE_PER_MINUTE = number("THROTTLE_PER_MINUTE", 600)
# Proxies in front, whose X-Forwarded-For is believed. Without any it is what a client wrote.
TRUSTED_PROXIES = number("TRUSTED_PROXIES", 0, least=0)

CELERY_BROKER_URL = env("REDIS_URL", default="") or embedded.broker_url()
VALKEY_URL = valkey_url(CELERY_BROKER_URL)  # for what web processes share
# Several platforms can share one server.
VALKEY_PREFIX = env("REDIS_PREFIX", default="airsense:")
CELERY_BROKER_TRANSPORT_OPTIONS = {"global_keyprefix": VALKEY_PREFIX}
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_RESULT_EXPIRES = None  # there are no results, so nothing has to clean them up
CELERY_TASK_IGNORE_RESULT = True  # a transfer's row says how it went
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "airsense.schedules:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5  # seconds until a schedule changed in the admin is seen
CELERY_BEAT_SYNC_EVERY = 1  # task, then its last run is written: it shows that beat is alive

# A transfer whose heartbeat is older than this has lost its worker (a beat is due every second).
TRANSFER_LOST_AFTER = number("TRANSFER_LOST_AFTER", 20)
# How often a transfer is tried where its fault may pass, such as a warehouse that does not answer.
TRANSFER_ATTEMPTS = number("TRANSFER_ATTEMPTS", 5)
# The same two of a job: an ingest, or a build of the final tables, that was asked for in the admin.
JOB_LOST_AFTER = number("JOB_LOST_AFTER", 20)
JOB_ATTEMPTS = number("JOB_ATTEMPTS", 5)
# Bytes of PostgreSQL's disk that a transfer leaves free for PostgreSQL's log, where it sees it.
DISK_RESERVE = number("DISK_RESERVE_MIB", 256) << 20
# Versions of a table that stay for rolling back, the current one among them.
VERSIONS_KEPT = number("VERSIONS_KEPT", 3)

# Where alerts go (docs/alerts.md); nowhere where neither is set.
ALERT_MAIL_TO = env.list("ALERT_MAIL_TO", default=[])
vars().update(alerting.mail(secret("EMAIL_URL"), ALERT_MAIL_TO))
DEFAULT_FROM_EMAIL = env("ALERT_MAIL_FROM", default="airsense@localhost")
EMAIL_TIMEOUT = 10  # seconds
ALERT_WEBHOOK_URL, ALERT_WEBHOOK_SECRET = alerting.webhook(
    secret("ALERT_WEBHOOK_URL"), secret("ALERT_WEBHOOK_SECRET")
)

# Rows of an answer when a query names no limit, and at most.
DEFAULT_LIMIT = 1_000
MAX_LIMIT = 10_000
# What has fewer flights is in no ranking of the home page.
FLIGHTS_TO_RANK = number("FLIGHTS_TO_RANK", 1_000)

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["flights.web.renderers.JSON", "flights.web.renderers.Browsable"],
    "DEFAULT_PARSER_CLASSES": [
        "flights.web.json_input.JSON",
        "rest_framework.parsers.FormParser",
        "rest_framework.parsers.MultiPartParser",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_FILTER_BACKENDS": [],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "flights.web.negotiation.Negotiation",
    "DEFAULT_SCHEMA_CLASS": "flights.web.openapi.Described",
    "EXCEPTION_HANDLER": "flights.errors.responses.error_response",
    "DATETIME_FORMAT": None,  # the JSON renderer writes times in ISO 8601
    "UNAUTHENTICATED_USER": "django.contrib.auth.models.AnonymousUser",
}

SPECTACULAR_SETTINGS = {
    "TITLE": "AirSense",
    "DESCRIPTION": "Delays of flights: tables of verified versions, queried and searched.",
    "VERSION": VERSION,
    "OAS_VERSION": "3.1.1",
    "TAGS": [
        {"name": "Tables", "description": "Rows of each table, and what it is. No key needed."},
        {"name": "Search", "description": "Words in every column of every table."},
        {"name": "GraphQL", "description": "The same by docs/schema.graphql."},
        {
            "name": "Transfers",
            "description": (
                "For users who may see or start transfers: by the header `Authorization: Token KEY`"
                " (made in the admin), or by a session of the admin, which to change anything sends"
                " its CSRF token as `X-CSRFToken`."
            ),
        },
        {"name": "First AirSense", "description": "The addresses of the first AirSense."},
    ],
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "flights.web.openapi.share",
    ],
    # Their files come from here, not from another host.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

AUTHENTICATION_BACKENDS = ["airsense.login_throttle.Passwords"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# Files that are uploaded in the admin, until a worker has ingested them. Never served.
MEDIA_ROOT = HOME
UPLOAD_LIMIT = number("UPLOAD_LIMIT_MIB", 1_024) << 20
FILE_UPLOAD_TEMP_DIR = HOME  # files of a form, until they are where they are kept

# What the web server reads of a client, whatever the address (docs/gateway.md).
BODY_LIMIT = number("BODY_LIMIT_BYTES", 100_000)
# Seconds that a body may take, and those that its size adds: 4,096 bytes a second, and more, go on.
BODY_TIMEOUT = number("BODY_TIMEOUT", 10)
BODY_RATE = number("BODY_BYTES_PER_SECOND", 4_096)
# Bytes of bodies that a web process holds at once.
BODIES_LIMIT = number("BODIES_MIB", 64) << 20
# Seconds for the headers of a request. A connection that asks nothing more ends after them, too.
HEADERS_TIMEOUT = number("HEADERS_TIMEOUT", 15)
# Seconds in which a client has to take the next 64 KiB of an answer.
ANSWER_TIMEOUT = number("ANSWER_TIMEOUT", 30)

# Files of flight records (docs/data-sources.md). The longest line of a CSV file and the longest
# text of a Parquet file: Python's csv has this limit for a value.
INGEST_LINE_BYTES = number("INGEST_LINE_BYTES", 131_072)
INGEST_COLUMNS = number("INGEST_COLUMNS", 1_000)  # the DOT's own files have 110
# A file may unpack to so much; a larger one to so many times its size. Real records take 10 to 30.
INGEST_UNPACKED_BYTES = number("INGEST_UNPACKED_MIB", 1_024) << 20
INGEST_RATIO = number("INGEST_RATIO", 100)
# What Arrow holds of a Parquet file at once: a page and a dictionary of each column, of 1 MiB each
# as files are usually written.
INGEST_PAGES_BYTES = number("INGEST_PAGES_MIB", 256) << 20

# Exports that workers make at once; they share the workers with transfers.
EXPORTS_AT_ONCE = number("EXPORTS_AT_ONCE", 1)
# Exports of one user that are queued or running.
EXPORTS_WAITING = number("EXPORTS_WAITING", 5)
EXPORTS_KEPT_HOURS = number("EXPORTS_KEPT_HOURS", 24)
# Bytes of the files of all exports together.
EXPORTS_MAX_BYTES = number("EXPORTS_MAX_MIB", 10_240) << 20
# How often an export is tried where its fault may pass, such as a storage that does not answer.
EXPORT_ATTEMPTS = number("EXPORT_ATTEMPTS", 5)
# An export whose heartbeat is older than this has lost its worker (a beat is due every second).
EXPORT_LOST_AFTER = number("EXPORT_LOST_AFTER", 20)


def exports_storage() -> dict[str, Any]:
    """Where exports are kept: a bucket that speaks S3, or a folder beside the other data.

    boto3 finds credentials and region as it always does.
    """
    bucket = env("EXPORTS_S3_BUCKET", default="")
    if not bucket:
        return {
            "BACKEND": "flights.exports.folder.Folder",
            "OPTIONS": {"location": HOME / "exports"},
        }
    options = {
        "bucket_name": bucket,
        "location": env("EXPORTS_S3_PREFIX", default="airsense-exports").strip("/"),
        "endpoint_url": env("EXPORTS_S3_ENDPOINT", default=None),
    }
    if not options["location"]:
        raise data_folder.StartError("EXPORTS_S3_PREFIX is empty. Name a folder for exports alone.")
    return {"BACKEND": "flights.exports.bucket.Bucket", "OPTIONS": options}


STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "exports": exports_storage(),
}

STATIC_URL = "static/"
# Where `collectstatic` puts files; without it each is served from where it is.
STATIC_ROOT = env("STATIC_ROOT", default=None)
WHITENOISE_USE_FINDERS = not STATIC_ROOT
WHITENOISE_AUTOREFRESH = False
LOGIN_REDIRECT_URL = "admin:index"
# The public pages' blue.
BLUE = {
    "50": "#eff5fc",
    "100": "#dbe8f8",
    "200": "#bcd4f1",
    "300": "#8fb8e8",
    "400": "#5b95db",
    "500": "#2f74c7",
    "600": "#0b57a4",
    "700": "#0a4a8c",
    "800": "#0d3f73",
    "900": "#10355f",
    "950": "#0b2340",
}
UNFOLD = {
    "SITE_TITLE": "AirSense",
    "SITE_HEADER": "AirSense",
    "SITE_SYMBOL": "flight",
    "SITE_FAVICONS": [{"rel": "icon", "href": lambda request: static("airsense.svg")}],
    "STYLES": [lambda request: static("airsense/admin.css")],
    "DASHBOARD_CALLBACK": "airsense.dashboard.show",
    "SIDEBAR": {"navigation": "airsense.navigation.sidebar"},
    "COLORS": {"primary": BLUE},
}

# What a page may load and do: its own files and forms, nothing inline and no other host.
# airsense.csp relaxes it for the admin and the API's description.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "connect-src": [SELF],
        "form-action": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
    }
}
SESSION_COOKIE_HTTPONLY = True
SECURE_CONTENT_TYPE_NOSNIFF = True
# People come by https, through a proxy that says so: AirSense itself speaks plain HTTP.
HTTPS = env.bool("HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
# What asks these is on this machine or its network, and not a person.
SECURE_REDIRECT_EXEMPT = [r"^(healthz|readyz|metrics)$"]
# Seconds for which browsers then refuse plain HTTP: long enough for regular visitors, and short
# enough to be undone where a certificate cannot be renewed.
SECURE_HSTS_SECONDS = number("HSTS_SECONDS", 30 * 86_400) if HTTPS else 0
# Other hosts of the domain may not speak https; to promise it for them is its owner's decision.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# Warnings and errors of one kind that a process logs in a minute.
LOG_REPEATS_PER_MINUTE = number("LOG_REPEATS_PER_MINUTE", 20)
LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {
        "line": {"format": "{asctime} {levelname} {request_id} {name}: {message}", "style": "{"}
    },
    "filters": {
        "request": {"()": "airsense.request_ids.Named"},
        "limits": {"()": "airsense.log_limits.Limits", "most": LOG_REPEATS_PER_MINUTE},
    },
    "handlers": {
        "stderr": {
            "class": "logging.StreamHandler",
            "formatter": "line",
            "filters": ["request", "limits"],
        }
    },
    # What clients do wrong is no news here, and would fill a disk with what they asked.
    "loggers": {
        "django.request": {"level": "ERROR"},
        "django.security.DisallowedHost": {"level": "CRITICAL"},
    },
    "root": {"handlers": ["stderr"], "level": "INFO"},
}
