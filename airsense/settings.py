"""Django settings, read from environment variables; .env.example lists every variable.

Without `DATABASE_URL` and `REDIS_URL` AirSense starts its own PostgreSQL and Valkey
(airsense.embedded). An invalid value raises StartError, whose message names the variable.
"""

import hashlib
import hmac
import importlib.util
import re
import socket
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import environ
from csp.constants import NONE, SELF
from django.templatetags.static import static

from airsense import alerting, data_folder, embedded, log_config, probes
from airsense.sign_in import provider_settings

BASE_DIR = Path(__file__).resolve().parent.parent
HOME = data_folder.folder()
VERSION = re.findall(r"^## (\S+)", (BASE_DIR / "CHANGELOG.md").read_text(), re.M)[0]
env = environ.Env()
_secret_values: set[str] = set()  # log lines must not show them


def secret(name: str) -> str:
    """Read a secret from the file that `NAME_FILE` names, else from the variable `NAME`.

    Returns "" if neither is set. Raises StartError if the file cannot be read.
    """
    file = env(f"{name}_FILE", default="")
    try:
        value = Path(file).read_text().strip() if file else str(env(name, default=""))
    except (OSError, ValueError) as error:
        raise data_folder.StartError(f"{name}_FILE={file} cannot be read: {error}") from None
    _secret_values.add(value)
    return value


def number(name: str, default: int, minimum: int = 1) -> int:
    """Read a whole number. Raises StartError if it is below `minimum` or not a number."""
    value = env(name, default=str(default))
    if not (value.isascii() and value.isdigit() and int(value) >= minimum):
        problem = f"is not a whole number of {minimum} or more."
        raise data_folder.StartError(f"{name}={value!r} {problem}")
    return int(value)


def choice(name: str, values: Sequence[str]) -> str:
    """Read one of `values`; the first is the default. Raises StartError for any other."""
    value = str(env(name, default=values[0]))
    if value not in values:
        raise data_folder.StartError(f"{name}={value!r} must be one of {', '.join(values)}.")
    return value


SECRET_KEY = secret("SECRET_KEY") or data_folder.secret("secret_key")
# Other keys whose signatures are accepted while SECRET_KEY is being replaced (docs/rotation.md).
SECRET_KEY_FALLBACKS = secret("SECRET_KEY_FALLBACKS").replace(",", " ").split()
# Password of the first administrator, whom `manage.py setup` creates. Generated if it is empty.
ADMIN_PASSWORD = secret("ADMIN_PASSWORD")
DEBUG = env.bool("DEBUG", default=False)
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", default=["localhost", "127.0.0.1", "[::1]"])
# The platform's own address, for links that leave it: citations, embedded figures, the sitemap.
PUBLIC_URL = env("PUBLIC_URL", default="http://localhost:8000").rstrip("/")
CSRF_TRUSTED_ORIGINS = env.list("CSRF_TRUSTED_ORIGINS", default=[])

INSTALLED_APPS = [
    "unfold",  # before django.contrib.admin, because it overrides the admin's templates
    "unfold.contrib.filters",
    "django.contrib.admin.apps.SimpleAdminConfig",  # no autodiscovery: airsense.urls does it
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "django.contrib.humanize",
    "django.contrib.sitemaps",
    "django.contrib.postgres",
    "rest_framework",
    "rest_framework.authtoken",
    "drf_spectacular",
    "drf_spectacular_sidecar",
    "django_filters",
    "django_celery_beat",
    "django_otp",
    "django_otp.plugins.otp_totp",
    "django_otp.plugins.otp_static",
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
    "airsense.hanging_database.Middleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "airsense.probes.HostMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "airsense.sign_in.second_factor.Middleware",
    "airsense.access_log.note_user",
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
                "flights.pages.views.base_context",
            ]
        },
    }
]


def server_database() -> dict[str, Any]:
    """The read-write database: `DATABASE_URL`, or the embedded PostgreSQL."""
    if env("DATABASE_URL", default=""):
        external = _external_database("DATABASE_URL")
        return {**external, "PASSWORD": external["PASSWORD"] or secret("DATABASE_PASSWORD")}
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": "airsense",
        "USER": "airsense",
        "PASSWORD": "",
        "HOST": str(embedded.socket_folder()),
        "PORT": "5432",
    }


def reader_database(writer: dict[str, Any]) -> dict[str, Any]:
    """The same database through the role that answers public queries: read-only, with a timeout.

    Each thread keeps its own connection. A pool would open as many connections, and a small query
    would take 0.07 ms of CPU instead of 0.04 ms.

    `manage.py setup` creates the role, with a password derived from SECRET_KEY so that there is no
    second secret to store. `READER_URL` replaces it: another role, or another server's address.
    """
    passwords = [reader_password(key) for key in (SECRET_KEY, *SECRET_KEY_FALLBACKS)]
    default = {**writer, "USER": f"{writer['NAME']}_reader", "PASSWORD": passwords[0]}
    if SECRET_KEY_FALLBACKS:
        default |= {"ENGINE": "flights.rotating_password", "PASSWORDS": passwords}
    reader = _external_database("READER_URL") if HAS_READER_URL else default
    flags = f"-c statement_timeout={READER_TIMEOUT_MS} -c default_transaction_read_only=on"
    flags += " -c pg_trgm.word_similarity_threshold=0.5"  # how similar a word must be to match
    flags += " -c max_parallel_workers_per_gather=0"  # a query uses one core and leaves the rest
    # Plan prepared statements for their values: a generic plan could read far more rows.
    flags += " -c plan_cache_mode=force_custom_plan"
    options = {**network_timeouts(3), **reader.get("OPTIONS", {}), "options": flags}
    return {**reader, "OPTIONS": options, "CONN_MAX_AGE": None, "TEST": {"MIRROR": "default"}}


def reader_password(key: str) -> str:
    """The password of the reader role under a SECRET_KEY."""
    return hmac.new(key.encode(), b"reader", hashlib.sha256).hexdigest()


def network_timeouts(seconds: int) -> dict[str, int]:
    """Options of libpq that end a TCP connection whose network or machine is gone.

    `seconds` limits how long connecting to each host takes, and how long sent data stays
    unacknowledged. It is also the pause between probes of a connection on which nothing is sent,
    for instance while a long statement runs. The duration of a statement is not limited.
    """
    probes = {"keepalives_idle": seconds, "keepalives_interval": seconds, "keepalives_count": 2}
    return {"connect_timeout": seconds, "tcp_user_timeout": 1_000 * seconds, **probes}


def watch_database(database: dict[str, Any]) -> dict[str, Any]:
    """The same database, with short timeouts for health checks and for the version watch.

    Connecting may take 2 s. A connection without an acknowledgement for 1 s is closed.
    """
    timeouts = {**network_timeouts(2), "tcp_user_timeout": 1_000}
    return {**database, "OPTIONS": {**database.get("OPTIONS", {}), **timeouts}}


def first_server(database: dict[str, Any]) -> dict[str, Any]:
    """The same database, only on the first of the servers that a URL names."""
    return {**database, **{k: str(database[k]).partition(",")[0] for k in ("HOST", "PORT")}}


def _external_database(name: str) -> dict[str, Any]:
    """Parse a database URL. Its errors never show the value, which contains a password."""
    form = f"{name} is not of the form postgresql://user:password@host:5432/database."
    try:
        database = dict(environ.Env.db_url_config(secret(name)))
    except (environ.ImproperlyConfigured, ValueError):
        raise data_folder.StartError(form) from None
    if not str(database.get("ENGINE")).endswith(".postgresql") or not database["NAME"]:
        raise data_folder.StartError(form)
    return database


def valkey_url(broker: str) -> str:
    """Convert Celery's broker URL into redis-py's: the two spell Unix sockets differently."""
    url = broker.replace("redis+socket:", "unix:").replace("virtual_host=", "db=")
    if not url.startswith(("redis://", "rediss://", "unix://")):
        raise data_folder.StartError("REDIS_URL is not of the form redis://host:6379/0.")
    return url


HAS_READER_URL = bool(secret("READER_URL"))
# Milliseconds that PostgreSQL may spend on one public query before it is cancelled (503). A larger
# value lets slow queries occupy threads for longer. The slowest on 2.4 million rows takes 0.4 s.
READER_TIMEOUT_MS = number("READER_TIMEOUT_MS", 5_000)
# Milliseconds that all SQL of one GraphQL operation may take together. A larger value lets one
# operation occupy a thread for longer.
GRAPHQL_TIMEOUT_MS = number("GRAPHQL_TIMEOUT_MS", 3_000)

# Optional: an endpoint of OpenAI's chat completions protocol, such as https://api.openai.com/v1. It
# plans the queries of questions that the grammar cannot read (docs/ask.md). Off without a URL.
ASK_MODEL_URL = env("ASK_MODEL_URL", default="")
ASK_MODEL_KEY = secret("ASK_MODEL_KEY")
ASK_MODEL_NAME = env("ASK_MODEL_NAME", default="")
# Seconds to wait for the model. A larger value lets each such question occupy a thread for longer.
ASK_MODEL_TIMEOUT = number("ASK_MODEL_TIMEOUT", 10)

# How many expensive queries run at the same time in all web processes together. PostgreSQL's
# planner estimates whether a query is heavy or medium (flights/query/cost.py). Each occupies an
# additional thread and a connection; larger values slow down light queries.
HEAVY_AT_ONCE = number("HEAVY_AT_ONCE", 1)
MEDIUM_AT_ONCE = number("MEDIUM_AT_ONCE", 4)
# How many downloads of large tables run at the same time. Each occupies an additional thread and a
# connection until its client has read the file.
FILES_AT_ONCE = number("FILES_AT_ONCE", 4)

# Long-polling requests per web process: they wait until a transfer or an export ends. Each occupies
# one of the 12 additional threads of the process.
WAITING_AT_ONCE = number("WAITING_AT_ONCE", 2)

# Size in bytes of each web process's response cache. A larger value takes more memory.
RESPONSE_CACHE_BYTES = number("RESPONSE_CACHE_BYTES", 64 << 20)

_writer = server_database()
# A PostgreSQL that hangs (SIGSTOP) accepts connections and then sends nothing.
_writer["OPTIONS"] = {**network_timeouts(5), **_writer.get("OPTIONS", {})}
_reader = reader_database(_writer)
DATABASES = {
    "default": _writer,
    "reader": _reader,
    "watch": watch_database(_reader),
    "replica": first_server(watch_database(_reader)),
    "status": {**watch_database(_writer), "TEST": {"MIRROR": "default"}},
}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"

# The warehouse that builds the tables: duckdb:///FOLDER, databricks://... (docs/databricks.md) or
# spark://... (docs/spark.md).
WAREHOUSE_URL = env("WAREHOUSE_URL", default=f"duckdb://{HOME / 'warehouse'}")
# Seconds to wait for a Databricks SQL warehouse that is starting. A larger value keeps the worker
# busy for longer when the warehouse does not start.
WAREHOUSE_START_TIMEOUT = number("WAREHOUSE_START_TIMEOUT", 600)
# Sent to a Spark Connect server as `Authorization: Bearer TOKEN`.
SPARK_TOKEN = secret("SPARK_TOKEN")
DATABRICKS_TOKEN = secret("DATABRICKS_TOKEN")
DATABRICKS_CLIENT_ID = env("DATABRICKS_CLIENT_ID", default="")
DATABRICKS_CLIENT_SECRET = secret("DATABRICKS_CLIENT_SECRET")
# The directory of a service principal of Microsoft Entra ID, and where it logs in.
DATABRICKS_AZURE_TENANT_ID = env("DATABRICKS_AZURE_TENANT_ID", default="")
DATABRICKS_AZURE_AUTHORITY = env(
    "DATABRICKS_AZURE_AUTHORITY", default="https://login.microsoftonline.com"
).rstrip("/")
# JSON file with the key of a Google service account.
DATABRICKS_GOOGLE_CREDENTIALS = env("DATABRICKS_GOOGLE_CREDENTIALS", default="")
# PEM file of certificate authorities to trust for Databricks.
DATABRICKS_CA_FILE = env("DATABRICKS_CA_FILE", default="")
# Whether large results come from the cloud's storage. Without it they come through the warehouse,
# which is slower, but works where the workers cannot reach the storage.
DATABRICKS_CLOUDFETCH = env.bool("DATABRICKS_CLOUDFETCH", default=True)

# Lets a caller read all metrics (`Authorization: Bearer TOKEN`), not only those of the cache.
METRICS_TOKEN = secret("METRICS_TOKEN") or data_folder.secret("metrics_token")

# Milliseconds that a health check may take (PostgreSQL, Valkey, warehouse, worker). A part that
# takes longer is reported as down; a larger value makes a status page that much slower.
STATUS_TIMEOUT_MS = number("STATUS_TIMEOUT_MS", 2_000)

# Requests per minute and IP address without an API key (docs/public.md). Cached responses do not
# count. A larger value lets one client take a larger share of the server.
THROTTLE_PER_MINUTE = number("THROTTLE_PER_MINUTE", 600)
# Number of proxies in front of the web server that append to X-Forwarded-For. With 0 the header is
# ignored. If the number is too large, clients can forge their address and evade rate limits.
TRUSTED_PROXIES = number("TRUSTED_PROXIES", 0, minimum=0)

CELERY_BROKER_URL = env("REDIS_URL", default="") or embedded.broker_url()
VALKEY_URL = valkey_url(CELERY_BROKER_URL)  # for the rate limits that web processes share
# Prefix of every key, so that several platforms can share one server.
VALKEY_PREFIX = env("REDIS_PREFIX", default="airsense:")
# A connection whose network is cut ends after about 10 seconds; otherwise TCP waits for 15 minutes.
CELERY_BROKER_TRANSPORT_OPTIONS = {
    "global_keyprefix": VALKEY_PREFIX,
    "socket_connect_timeout": 5,
    "socket_timeout": 10,
    "socket_keepalive": True,
    "socket_keepalive_options": {
        socket.TCP_KEEPIDLE: 5,
        socket.TCP_KEEPINTVL: 2,
        socket.TCP_KEEPCNT: 3,
        socket.TCP_USER_TIMEOUT: 10_000,
    },
}
CELERY_TASK_ACKS_LATE = True  # a task stays in the queue until it has ended,
CELERY_TASK_REJECT_ON_WORKER_LOST = True  # and returns to it if its worker is killed
CELERY_RESULT_EXPIRES = None  # no results are stored, so beat needs no task that deletes them
CELERY_TASK_IGNORE_RESULT = True  # the outcome is stored in the row of the transfer or job
CELERY_WORKER_PREFETCH_MULTIPLIER = 1  # workers reserve no long tasks that others could run
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_CHANNEL_ERROR_RETRY = True  # also if Valkey refuses writes, as with a full disk
CELERY_WORKER_HIJACK_ROOT_LOGGER = False  # keep LOGGING
CELERY_TIMEZONE = "UTC"
CELERY_BEAT_SCHEDULER = "airsense.schedules:Scheduler"
CELERY_BEAT_MAX_LOOP_INTERVAL = 5  # seconds until beat notices a schedule edited in the admin
CELERY_BEAT_SYNC_EVERY = 1  # save `last_run_at` after every task: airsense.status reads it

# Seconds without a heartbeat after which a transfer counts as orphaned and is marked as failed.
# Workers send a heartbeat every second. A larger value delays the next attempt.
TRANSFER_LOST_AFTER = number("TRANSFER_LOST_AFTER", 20)
# Attempts of a transfer whose error may be temporary, such as an unreachable warehouse. A larger
# value delays the alert about a permanent failure.
TRANSFER_ATTEMPTS = number("TRANSFER_ATTEMPTS", 5)
# The same two limits for warehouse jobs (ingests and table builds that users start in the admin).
JOB_LOST_AFTER = number("JOB_LOST_AFTER", 20)
JOB_ATTEMPTS = number("JOB_ATTEMPTS", 5)
# Free disk space that a transfer leaves for PostgreSQL's write-ahead log. Checked only if the
# worker can see PostgreSQL's disk. A larger value makes transfers fail earlier on a full disk.
DISK_RESERVE = number("DISK_RESERVE_MIB", 256) << 20
# Versions of each table to keep, including the current one; users can roll back to them. Each takes
# the disk space of a whole table.
VERSIONS_KEPT = number("VERSIONS_KEPT", 3)

# Where alerts are sent (docs/alerts.md). Without an address and a webhook, none are sent.
ALERT_MAIL_TO = env.list("ALERT_MAIL_TO", default=[])
vars().update(alerting.mail(secret("EMAIL_URL"), ALERT_MAIL_TO))
DEFAULT_FROM_EMAIL = env("ALERT_MAIL_FROM", default="airsense@localhost")
EMAIL_TIMEOUT = 10  # seconds to wait for the mail server
ALERT_WEBHOOK_URL, ALERT_WEBHOOK_SECRET = alerting.webhook(
    secret("ALERT_WEBHOOK_URL"), secret("ALERT_WEBHOOK_SECRET")
)

# Rows per response: without `limit`, and the largest `limit`.
DEFAULT_LIMIT = 1_000
MAX_LIMIT = 10_000
# Flights that an airline, an airport, an hour or a month needs to be ranked on a page. A small
# value lets those with few flights and extreme delays lead them.
FLIGHTS_TO_RANK = number("FLIGHTS_TO_RANK", 100)
# New citations in 24 hours; each takes about 30 kB and stays for ever.
CITATIONS_A_DAY = number("CITATIONS_A_DAY", 2_000)

REST_FRAMEWORK = {
    "DEFAULT_RENDERER_CLASSES": ["flights.web.renderers.JSON", "flights.web.renderers.Browsable"],
    "DEFAULT_PARSER_CLASSES": [
        "flights.web.json_input.JSON",
        "flights.web.form_input.Form",
        "flights.web.form_input.MultiPart",
    ],
    "DEFAULT_PERMISSION_CLASSES": ["rest_framework.permissions.IsAuthenticated"],
    "DEFAULT_FILTER_BACKENDS": [],
    "DEFAULT_CONTENT_NEGOTIATION_CLASS": "flights.web.negotiation.Negotiation",
    "DEFAULT_SCHEMA_CLASS": "flights.web.openapi.ApiSchema",
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
        {"name": "Tables", "description": "Rows and metadata of each table. No key needed."},
        {"name": "Search", "description": "Search for words in every column of every table."},
        {"name": "GraphQL", "description": "The same data; docs/schema.graphql is the schema."},
        {
            "name": "Transfers",
            "description": (
                "For users with permission to view or start transfers. Authenticate with the header"
                " `Authorization: Token KEY` (create the token in the admin) or with an admin"
                " session; a session must send its CSRF token as `X-CSRFToken` to change anything."
            ),
        },
        {"name": "First AirSense", "description": "Paths that clients of the first AirSense use."},
    ],
    "SORT_OPERATION_PARAMETERS": False,  # common parameters come first, then those of each column
    "SWAGGER_UI_SETTINGS": {
        "deepLinking": True,
        "docExpansion": "none",  # all tags are collapsed at first
        "defaultModelsExpandDepth": -1,  # no list of schemas: each response shows its own
        "filter": True,
        "tryItOutEnabled": True,
    },
    "SERVE_INCLUDE_SCHEMA": False,
    "SERVE_PERMISSIONS": ["rest_framework.permissions.AllowAny"],
    "SERVE_AUTHENTICATION": [],
    "POSTPROCESSING_HOOKS": [
        "drf_spectacular.hooks.postprocess_schema_enums",
        "flights.web.openapi.share",
    ],
    # Serve the scripts and styles of Swagger UI and Redoc from this server, not from a CDN.
    "SWAGGER_UI_DIST": "SIDECAR",
    "SWAGGER_UI_FAVICON_HREF": "SIDECAR",
    "REDOC_DIST": "SIDECAR",
}

AUTHENTICATION_BACKENDS = ["airsense.login_throttle.Passwords"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": f"django.contrib.auth.password_validation.{name}"}
    for name in ("MinimumLengthValidator", "CommonPasswordValidator", "NumericPasswordValidator")
]

# Whether everybody who may change something needs a second factor (docs/sign-in.md).
REQUIRE_TOTP = env.bool("REQUIRE_TOTP", default=False)
OTP_TOTP_ISSUER = "AirSense"  # the name under which an authenticator lists the secret
OTP_TOTP_THROTTLE_FACTOR = OTP_STATIC_THROTTLE_FACTOR = 0  # airsense.login_throttle counts codes

# Sign-in by an OpenID Connect provider (docs/sign-in.md). Off without OIDC_ISSUER.
OIDC_CLIENT_ID = env("OIDC_CLIENT_ID", default="")
OIDC_CLIENT_SECRET = secret("OIDC_CLIENT_SECRET")
OIDC_ISSUER = provider_settings.issuer(
    env("OIDC_ISSUER", default=""), OIDC_CLIENT_ID, OIDC_CLIENT_SECRET
)
OIDC_NAME = env("OIDC_NAME", default="single sign-on")  # on the button of the login page
OIDC_SCOPES = env("OIDC_SCOPES", default="openid email profile")
# The claim that lists a person's groups at the provider, and the values that give each group here.
OIDC_GROUPS_CLAIM = env("OIDC_GROUPS_CLAIM", default="groups")
OIDC_GROUPS = provider_settings.groups(env.list("OIDC_GROUPS", default=[]))

LANGUAGE_CODE = "en-us"
TIME_ZONE = "UTC"
USE_TZ = True
USE_I18N = False

# Files uploaded in the admin stay here until a worker has ingested them. They are never served.
MEDIA_ROOT = HOME
# Largest file that can be uploaded in the admin. A larger value takes more disk and worker time.
UPLOAD_LIMIT = number("UPLOAD_LIMIT_MIB", 1_024) << 20
FILE_UPLOAD_TEMP_DIR = HOME  # on the same disk as MEDIA_ROOT

# Limits of the web server for every client and path (docs/gateway.md). Larger values let slow or
# malicious clients hold connections and memory for longer.
BODY_LIMIT = number("BODY_LIMIT_BYTES", 100_000)  # bytes of a request body, uploads excepted
# Seconds to receive a body. Each BODY_RATE bytes received add a second, so a client that sends
# faster than BODY_RATE bytes per second never times out.
BODY_TIMEOUT = number("BODY_TIMEOUT", 10)
BODY_RATE = number("BODY_BYTES_PER_SECOND", 4_096)
# Memory for all request bodies of a web process together.
BODIES_LIMIT = number("BODIES_MIB", 64) << 20
# Seconds to receive the headers of a request; also closes idle keep-alive connections.
HEADERS_TIMEOUT = number("HEADERS_TIMEOUT", 15)
# Seconds in which a client must read each 64 KiB of a response.
ANSWER_TIMEOUT = number("ANSWER_TIMEOUT", 30)

# Limits of files of flight records (docs/data-sources.md). Larger values let a file take more of
# the worker's memory or disk.
# Bytes of a CSV line or of a text value in Parquet; the default is the field limit of Python's csv.
INGEST_LINE_BYTES = number("INGEST_LINE_BYTES", 131_072)
INGEST_COLUMNS = number("INGEST_COLUMNS", 1_000)  # columns of a file; the DOT's files have 110
# A file may decompress to INGEST_UNPACKED_MIB or to INGEST_RATIO times its size, whichever is more.
# Flight records compress by a factor of 10 to 30.
INGEST_UNPACKED_BYTES = number("INGEST_UNPACKED_MIB", 1_024) << 20
INGEST_RATIO = number("INGEST_RATIO", 100)
# Memory for the pages of a Parquet file that Arrow decodes together: per column one page and one
# dictionary, usually of 1 MiB each.
INGEST_PAGES_BYTES = number("INGEST_PAGES_MIB", 256) << 20


def download_url() -> str:
    """The address of a month's file, with {year} and {month}; StartError if it names no month."""
    default = (
        "https://transtats.bts.gov/PREZIP/"
        "On_Time_Reporting_Carrier_On_Time_Performance_1987_present_{year}_{month}.zip"
    )
    url = str(env("DOWNLOAD_URL", default=default))
    try:
        months = {url.format(year=year, month=month) for year in (2007, 2008) for month in (1, 2)}
    except (LookupError, ValueError):
        months = set()
    if len(months) < 4 or not url.startswith(("https://", "http://")):
        raise data_folder.StartError(
            "DOWNLOAD_URL is not of the form https://host/file_{year}_{month}.zip."
        )
    return url


# Address of the DOT's monthly files; `{month}` is 1 to 12 without a zero before it.
DOWNLOAD_URL = download_url()
# Attempts to download a month. A larger value delays the report of a permanent failure.
DOWNLOAD_ATTEMPTS = number("DOWNLOAD_ATTEMPTS", 5)
# Seconds in which the server must send something. A larger value delays the next attempt.
DOWNLOAD_TIMEOUT = number("DOWNLOAD_TIMEOUT", 60)
# Largest monthly file; the DOT's have 20 to 35 MiB. A larger value lets the server fill the disk.
DOWNLOAD_LIMIT = number("DOWNLOAD_LIMIT_MIB", 256) << 20

# The folder whose files and folders schedules may ingest (transfers.tasks.ingest_folder).
INGEST_FOLDER = Path(env("INGEST_FOLDER", default=str(HOME / "inbox")))

# Exports that workers write at the same time. A larger value leaves fewer workers for transfers.
EXPORTS_AT_ONCE = number("EXPORTS_AT_ONCE", 1)
# Queued and running exports per user.
EXPORTS_WAITING = number("EXPORTS_WAITING", 5)
# Hours until the file of a finished export is deleted. A larger value takes more storage.
EXPORTS_KEPT_HOURS = number("EXPORTS_KEPT_HOURS", 24)
# Storage for the files of all exports together.
EXPORTS_MAX_BYTES = number("EXPORTS_MAX_MIB", 10_240) << 20
# Attempts of an export whose error may be temporary, such as an unreachable bucket. A larger value
# delays the report of a permanent failure.
EXPORT_ATTEMPTS = number("EXPORT_ATTEMPTS", 5)
# Seconds without a heartbeat after which an export counts as orphaned and is retried. Workers
# send a heartbeat every second. A larger value delays the next attempt.
EXPORT_LOST_AFTER = number("EXPORT_LOST_AFTER", 20)


def exports_storage() -> dict[str, Any]:
    """Django's storage of export files: an S3 bucket, or a folder in the data folder.

    boto3 reads the credentials and the region from its usual places (environment, role, profile).
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
        raise data_folder.StartError("EXPORTS_S3_PREFIX is empty. Name a folder only for exports.")
    return {"BACKEND": "flights.exports.bucket.Bucket", "OPTIONS": options}


STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    "exports": exports_storage(),
}

STATIC_URL = "static/"
# Where `collectstatic` copies static files; without it they are served from their packages.
STATIC_ROOT = env("STATIC_ROOT", default=None)
WHITENOISE_USE_FINDERS = not STATIC_ROOT
WHITENOISE_AUTOREFRESH = False
LOGIN_REDIRECT_URL = "admin:index"
# Shades of the public pages' blue, for the admin.
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
    "ACCOUNT": {"navigation": "airsense.navigation.account"},
    "COLORS": {"primary": BLUE},
}

# Pages load only this server's files: nothing inline, nothing from another host. airsense.csp
# relaxes this for the admin and for the pages of the OpenAPI description.
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
CSRF_FAILURE_VIEW = "flights.errors.pages.csrf_failure"
SESSION_COOKIE_HTTPONLY = True
# Hours until a session ends. A larger value lets a person whom the provider no longer lets in, or
# the finder of a laptop, act for longer.
SESSION_COOKIE_AGE = number("SESSION_HOURS", 336) * 3_600
SECURE_CONTENT_TYPE_NOSNIFF = True
# AirSense speaks plain HTTP. True: a proxy terminates TLS and sets X-Forwarded-Proto.
HTTPS = env.bool("HTTPS", default=False)
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = SECURE_SSL_REDIRECT = HTTPS
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https") if HTTPS else None
# Requested over plain HTTP inside the network.
SECURE_REDIRECT_EXEMPT = [f"^({'|'.join(probes.PATHS)})$"]
# Seconds for which browsers refuse plain HTTP after a visit (HSTS). A larger value protects rare
# visitors, but locks everybody out for longer if the certificate cannot be renewed.
SECURE_HSTS_SECONDS = number("HSTS_SECONDS", 30 * 86_400) if HTTPS else 0
# HSTS for subdomains (W005) and preloading (W021) concern other hosts of the domain, which may not
# use https; the domain's owner has to decide on them.
SILENCED_SYSTEM_CHECKS = ["security.W005", "security.W021"]

# Warnings and errors from the same line of code that a process logs per minute; it only counts the
# others. A larger value lets a flood of errors fill the disk faster.
LOG_REPEATS_PER_MINUTE = number("LOG_REPEATS_PER_MINUTE", 20)
# The form of log lines: text for people, json for containers (the image sets it).
LOG_FORMAT = choice("LOG_FORMAT", log_config.FORMATS)
# Requests that get a log line (docs/monitoring.md): those that failed or were slow (errors), also
# those that the response cache did not answer (misses), all, or none.
LOG_REQUESTS = choice("LOG_REQUESTS", ("misses", "errors", "all", "none"))
# Lines about requests that a web process writes in a second, for each class of status; it only
# counts the others. A larger value lets clients fill the disk faster.
LOG_REQUESTS_PER_SECOND = number("LOG_REQUESTS_PER_SECOND", 10)
# Optional: traces, sent by OTLP over HTTP (docs/monitoring.md). Off without an address.
OTEL_EXPORTER_OTLP_ENDPOINT = env("OTEL_EXPORTER_OTLP_ENDPOINT", default="")
OTEL_EXPORTER_OTLP_HEADERS = secret("OTEL_EXPORTER_OTLP_HEADERS")
if OTEL_EXPORTER_OTLP_ENDPOINT and not importlib.util.find_spec("opentelemetry.sdk"):
    needed = "OTEL_EXPORTER_OTLP_ENDPOINT needs the packages of requirements/tracing.txt."
    raise data_folder.StartError(needed)
# Optional: a group of CloudWatch Logs that also gets each line (docs/monitoring.md).
LOG_CLOUDWATCH_GROUP = env("LOG_CLOUDWATCH_GROUP", default="")
_passwords = {_writer["PASSWORD"], _reader["PASSWORD"], *_reader.get("PASSWORDS", ())}
# Values that no log may contain; the formatters replace them.
LOG_SECRETS = sorted(
    {*_secret_values, SECRET_KEY, *SECRET_KEY_FALLBACKS, METRICS_TOKEN, *_passwords}
)
LOGGING = log_config.config(LOG_FORMAT, LOG_REPEATS_PER_MINUTE, LOG_SECRETS, LOG_CLOUDWATCH_GROUP)
