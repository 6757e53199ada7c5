"""Django's settings, derived from the platform's configuration; the only module that meets the environment."""

from __future__ import annotations

import secrets
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from csp.constants import NONCE, NONE, SELF

from spacelab.site.configuration import Configuration
from spacelab.site.roles import PERMISSION_MEANINGS, ROLE_MATRIX

SPACELAB = Configuration()
"""The platform's own settings; code below `site` reads them as `settings.SPACELAB.<name>`."""


def _secret_key(configuration: Configuration) -> str:
    if configuration.secret_key:
        return configuration.secret_key
    file = configuration.state / "secret-key"
    if not file.exists():
        configuration.state.mkdir(mode=0o700, parents=True, exist_ok=True)
        file.touch(mode=0o600)
        file.write_text(secrets.token_urlsafe(50))
    return file.read_text().strip()


def _database(configuration: Configuration) -> dict[str, Any]:
    if not configuration.database_url:
        return {
            "ENGINE": "django.db.backends.sqlite3",
            "NAME": configuration.state / "spacelab.sqlite3",
            "OPTIONS": {
                "transaction_mode": "IMMEDIATE",
                "timeout": 20,
                "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=NORMAL; PRAGMA cache_size=-16000;",
            },
        }
    url = urlsplit(configuration.database_url)
    return {
        "ENGINE": "django.db.backends.postgresql",
        "NAME": url.path.lstrip("/"),
        "USER": unquote(url.username or ""),
        "PASSWORD": unquote(url.password or ""),
        "HOST": url.hostname or "",
        "PORT": url.port or "",
        "CONN_MAX_AGE": 60,
        "CONN_HEALTH_CHECKS": True,
    }


DEBUG = SPACELAB.debug
SECRET_KEY = _secret_key(SPACELAB)
ALLOWED_HOSTS = [SPACELAB.portal_host, f".{SPACELAB.apps_domain}"]
ROOT_URLCONF = "spacelab.site.urls"
ASGI_APPLICATION = "spacelab.site.asgi.application"
DATABASES = {"default": _database(SPACELAB)}
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
AUTH_USER_MODEL = "accounts.Person"
AUTHENTICATION_BACKENDS = ["spacelab.accounts.backends.LocalBackend"]
LOGIN_URL = "accounts:sign-in"
LOGIN_REDIRECT_URL = "datalabs:catalogue"
USE_TZ = True
TIME_ZONE = "UTC"
LANGUAGE_CODE = "en-gb"

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "django.contrib.messages",
    "django.contrib.staticfiles",
    "csp",
    "django_htmx",
    "spacelab.ui",
    "spacelab.audit",
    "spacelab.accounts",
    "spacelab.notifications",
    "spacelab.volumes",
    "spacelab.workloads",
    "spacelab.publishing",
    "spacelab.feedback",
    "spacelab.datalabs",
    "spacelab.images",
    "spacelab.builds",
    "spacelab.pipelines",
    "spacelab.runs",
    "spacelab.sessions",
    "spacelab.testing",
    "spacelab.moderation",
    "spacelab.edge",
    "spacelab.site",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "csp.middleware.CSPMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "spacelab.site.middleware.PermissionsMiddleware",
    "spacelab.site.middleware.RefusalMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "spacelab.site.context.platform",
            ],
            "builtins": ["spacelab.ui.templatetags.ui"],
        },
    }
]

PASSWORD_HASHERS = ["django.contrib.auth.hashers.Argon2PasswordHasher"]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]

STATIC_URL = "/static/"
STATIC_ROOT = SPACELAB.state / "static"
STORAGES = {
    "default": {"BACKEND": "django.core.files.storage.FileSystemStorage"},
    "staticfiles": {
        "BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"
        if DEBUG
        else "spacelab.site.static.HashedStaticFiles"
    },
}

_PREFIX = "__Host-" if SPACELAB.secure else ""
SESSION_COOKIE_NAME = f"{_PREFIX}spacelab"
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_SECURE = SPACELAB.secure
CSRF_COOKIE_NAME = f"{_PREFIX}spacelab_csrf"
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
CSRF_COOKIE_SECURE = SPACELAB.secure
CSRF_FAILURE_VIEW = "spacelab.ui.views.csrf_failure"
CSRF_TRUSTED_ORIGINS = [SPACELAB.portal_url]
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CONTENT_TYPE_NOSNIFF = True
X_FRAME_OPTIONS = "DENY"
USE_X_FORWARDED_HOST = False
SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
DATA_UPLOAD_MAX_MEMORY_SIZE = 2 * 1024 * 1024
DATA_UPLOAD_MAX_NUMBER_FILES = 5000
FILE_UPLOAD_HANDLERS = [
    "spacelab.builds.uploads.SizeLimit",
    "django.core.files.uploadhandler.MemoryFileUploadHandler",
    "django.core.files.uploadhandler.TemporaryFileUploadHandler",
]

CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "form-action": [
            SELF,
            *(
                [f"http://*.{SPACELAB.apps_domain}:{SPACELAB.port}"]
                if not SPACELAB.secure
                else [f"https://*.{SPACELAB.apps_domain}"]
            ),
        ],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "manifest-src": [SELF],
    }
}

DEFAULT_FROM_EMAIL = SPACELAB.mail_from
EMAIL_BACKEND = (
    "spacelab.notifications.adapters.smtp.SmtpBackend"
    if SPACELAB.mail_host
    else "django.core.mail.backends.console.EmailBackend"
)

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"line": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "line"}},
    "root": {"handlers": ["stderr"], "level": "INFO"},
    "loggers": {"httpx": {"level": "WARNING"}, "django.request": {"level": "ERROR"}},
}

ROLES = ROLE_MATRIX
PERMISSIONS = {str(name): meaning for name, meaning in PERMISSION_MEANINGS.items()}
"""Role name → the permissions it gives; a fresh install starts with these."""

RUNTIMES = {
    "process": "spacelab.workloads.runtimes.process.ProcessRuntime",
    "container": "spacelab.workloads.runtimes.container.ContainerRuntime",
}
WORKLOAD_RUNTIME = RUNTIMES.get(SPACELAB.runtime, SPACELAB.runtime)
WORKLOAD_SECRETS = "spacelab.sessions.secrets.workload_secrets"
"""Dotted name of what provides a workload's secret variables right before its start (`ports.Secrets`), or empty."""
VOLUME_USES = "spacelab.site.uses.of_volume"
"""Dotted name of what lists the pages that build on a volume: from its name to `volumes.rules.Use`."""
VERSION_USES = "spacelab.site.uses.of_version"
"""Dotted name of what lists the sessions that run a version now: from a `DatalabVersion` to `datalabs.rules.Use`."""
PIPELINE_USES = "spacelab.site.uses.of_pipeline_version"
"""Dotted name of what names the runs and schedules that need a version: from a `PipelineVersion` to their names."""
RECONCILERS: list[tuple[str, float]] = [
    ("spacelab.sessions.upkeep.apply_idle_policy", 15.0),
    ("spacelab.sessions.upkeep.finish_restarts", 0.5),
    ("spacelab.sessions.upkeep.keep_logs", 0.5),
    ("spacelab.sessions.upkeep.count_launches", 5.0),
    ("spacelab.sessions.upkeep.end_tokens", 5.0),
    ("spacelab.builds.upkeep.attend_builds", 0.4),
    ("spacelab.builds.retention.attend_retention", 30.0),
    ("spacelab.builds.late_checks.attend_late_checks", 2.0),
    ("spacelab.pipelines.upkeep.attend_imports", 0.5),
    ("spacelab.runs.upkeep.attend_runs", 0.2),
    ("spacelab.runs.upkeep.attend_disk", 1.0),
    ("spacelab.runs.upkeep.attend_folders", 300.0),
    ("spacelab.runs.schedules.upkeep.attend_schedules", 1.0),
    ("spacelab.testing.upkeep.attend_tests", 0.5),
    ("spacelab.notifications.upkeep.tell_of_accounts", 5.0),
    ("spacelab.notifications.upkeep.attend_mail", 10.0),
    ("spacelab.notifications.upkeep.remove_old", 3600.0),
]
"""Dotted names of functions without arguments that the controller calls, each with the seconds between two calls."""
CONTROLLER_SERVICES: list[str] = ["spacelab.workloads.runtimes.shared.egress.serve_egress"]
"""Dotted names of asynchronous functions without arguments that run for as long as the controller does."""
CATALOGUE_DIRECTORY: Path = Path(__file__).resolve().parents[3] / "catalogue"
"""The datalabs and archives that a fresh install offers."""
BASE_IMAGES_DIRECTORY: Path = CATALOGUE_DIRECTORY.with_name("base-images")
"""The platform's base images: a folder each, with a Dockerfile and an image.toml."""
NOTEBOOK_BASE = "jupyterlab"
"""The catalogue's datalab whose packages and start every notebook's environment builds upon."""
BUILDERS = {
    "environment": "spacelab.builds.adapters.environment.EnvironmentBuilder",
    "image": "spacelab.builds.adapters.image.ImageBuilder",
}
"""Dotted names of what builds, by what the runtime carries (`builds.ports.Builder`)."""
BUILD_CHECKS: list[str] = [
    "spacelab.builds.checks.describe_contents",
    "spacelab.builds.checks.look_for_vulnerabilities",
    "spacelab.builds.checks.record_provenance",
]
"""Dotted names of functions that look at what a build made before it may be launched (`builds.ports.Check`)."""
VOLUMES_DIRECTORY: Path = SPACELAB.state / "volumes"
ENVIRONMENTS_DIRECTORY: Path = SPACELAB.state / "environments"
CATALOGUER = "spacelab.images.adapters.syft.Syft"
"""The class that lists what images and environments contain (`images.ports.Cataloguer`)."""
IMAGE_STORE = "spacelab.workloads.runtimes.container.store.EngineStore"
"""The class that reaches the images of the platform's engine (`images.ports.ImageStore`)."""
