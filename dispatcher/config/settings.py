"""Settings of the product, read from the environment once.

``OMROEPER_DATA`` is the one folder for state (default: ``.omroeper`` in the checkout). ``DATABASE_URL`` and
``REDIS_URL`` replace the embedded parts with real servers; nothing else changes.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import dj_database_url

from .environment import ROOT, data_folder, lease_seconds, networks, number, text
from .installation import data_set

DATA = data_folder()

# The practice town is the default, so that a newcomer cannot reach a real resident by accident.
PRACTICE = text("OMROEPER_PRACTICE", "1") == "1"
DEBUG = False
# Made at the first start by ``embedded.layout``, unless it is given.
SECRET_KEY = text("OMROEPER_SECRET_KEY")
if not SECRET_KEY and (DATA / "secret.key").is_file():
    SECRET_KEY = (DATA / "secret.key").read_text().strip()

SECRET_KEY_FALLBACKS = text("OMROEPER_SECRET_KEY_FALLBACKS").split()

BASE_URL = text("OMROEPER_BASE_URL", "http://localhost:8700").rstrip("/")
DATA_SET = data_set(DATA)
SITE_FOLDER = Path(os.environ.get("OMROEPER_SITE") or DATA_SET / "site").absolute()
# Until the municipality says otherwise (``dispatcher.town``).
TOWN = {
    "nl": os.environ.get("OMROEPER_TOWN_NL", "Gemeente Losser"),
    "en": os.environ.get("OMROEPER_TOWN_EN", "Municipality of Losser"),
}

LANGUAGE_CODE = "nl"
LANGUAGES = [("nl", "Nederlands"), ("en", "English")]
LOCALE_PATHS = [ROOT / "dispatcher" / "locale"]
TIME_ZONE = "Europe/Amsterdam"
USE_TZ = True
USE_I18N = True

INSTALLED_APPS = [
    "django.contrib.contenttypes",
    "django.contrib.auth",
    "django.contrib.sessions",
    "dispatcher.staff",
    "dispatcher.town",
    "dispatcher.announcements",
    "dispatcher.audience",
    "dispatcher.dispatching",
    "dispatcher.acts",
]
MIDDLEWARE = [
    "dispatcher.web.access.AccessLogMiddleware",
    # The headers come before all that may refuse a request: a refusal is a page too.
    "csp.middleware.CSPMiddleware",
    "django.middleware.security.SecurityMiddleware",
    "dispatcher.web.languages.LanguageMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "dispatcher.web.origin.OriginMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "dispatcher.web.errors.FailureMiddleware",
]
TEMPLATES = [
    {
        "BACKEND": "django.template.backends.jinja2.Jinja2",
        "DIRS": [ROOT / "templates"],
        "OPTIONS": {"environment": "dispatcher.web.rendering.environment"},
    }
]
# Employees sign in by e-mail address and password.
AUTH_USER_MODEL = "staff.Employee"
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 12}},
    {"NAME": "django.contrib.auth.password_validation.CommonPasswordValidator"},
]
CSRF_FAILURE_VIEW = "dispatcher.web.errors.csrf_refused"
# Our forms have no files, and none is larger than an announcement in some languages: what else comes is refused before
# it is kept.
DATA_UPLOAD_MAX_MEMORY_SIZE = 512 * 1024
DATA_UPLOAD_MAX_NUMBER_FIELDS = 200
FILE_UPLOAD_HANDLERS: list[str] = []
ROOT_URLCONF = "dispatcher.config.urls"
ALLOWED_HOSTS = sorted({urlsplit(BASE_URL).hostname or "localhost", "localhost", "127.0.0.1"})

# Nothing inline, nothing from elsewhere, no page of ours inside another.
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "font-src": ["'self'"],
        "img-src": ["'self'"],
        "connect-src": ["'self'"],
        "manifest-src": ["'self'"],
        "worker-src": ["'self'"],
        "form-action": ["'self'"],
        "object-src": ["'none'"],
        "base-uri": ["'none'"],
        "frame-ancestors": ["'none'"],
    }
}
SECURE_CONTENT_TYPE_NOSNIFF = True
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
_tls = BASE_URL.startswith("https:")
# Networks of the proxies in front: what they say about the client's address and scheme is believed, nobody else's.
TRUSTED_PROXIES = networks("OMROEPER_TRUSTED_PROXIES")
if _tls:
    # A client that writes this header itself gets headers that are meant for TLS, and nothing more.
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
    SECURE_HSTS_SECONDS = 365 * 24 * 3600
CSRF_COOKIE_NAME = "__Host-form" if _tls else "form"  # that prefix needs TLS
CSRF_COOKIE_SECURE = _tls
CSRF_COOKIE_HTTPONLY = True
CSRF_COOKIE_SAMESITE = "Lax"
SESSION_COOKIE_NAME = "__Host-session" if _tls else "session"
SESSION_COOKIE_SECURE = _tls
SESSION_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = "Lax"
# Gone with the browser, after so long without a sign of life, and after a long day in any case.
SESSION_EXPIRE_AT_BROWSER_CLOSE = True
SESSION_IDLE_SECONDS = 30 * 60
SESSION_COOKIE_AGE = 12 * 3600
CSRF_TRUSTED_ORIGINS = ["{0.scheme}://{0.netloc}".format(urlsplit(BASE_URL))]

LOGGING_CONFIG = "dispatcher.config.logs.configure"
LOGGING = {"level": text("OMROEPER_LOG_LEVEL", "INFO").upper()}

_url = text("DATABASE_URL")
# The embedded file does not go through a URL: a folder may have any name.
_file = {"ENGINE": "django.db.backends.sqlite3", "NAME": str(DATA_SET / "omroeper.sqlite3"), "CONN_MAX_AGE": None}
DATABASES: dict[str, Any] = {"default": dj_database_url.parse(_url, conn_max_age=None) if _url else _file}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 10,
        # FULL: a lost commit would mean a lost hand-over mark, and that a blind repeat.
        # Half the usual caches (KiB): planning for many fills them in one go, and is no slower.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON; "
        "PRAGMA cache_size=-1000; PRAGMA temp.cache_size=-500;",
    }
else:
    DATABASES["default"]["OPTIONS"] = {
        **DATABASES["default"].get("OPTIONS", {}),  # what the URL asks for, such as sslmode
        "connect_timeout": 5,
        "prepare_threshold": 2**31 - 1,  # prepared is what asks for it (settling), and nothing by itself
        "options": "-c idle_in_transaction_session_timeout=5s -c lock_timeout=5s -c synchronous_commit=on"
        " -c plan_cache_mode=force_generic_plan",
    }

REDIS_URL = text("REDIS_URL")  # set by the supervisor where the embedded one is used

# Where channels may connect although it is not public: "host:port host:port". The practice town's own far sides are
# named here by the supervisor that started them; in practice mode there is nowhere else to connect to.
EGRESS_EXCEPTIONS = [
    (host.strip("[]").lower(), int(port))
    for host, _, port in (pair.rpartition(":") for pair in text("OMROEPER_EGRESS").split())
]

# The practice town's far sides (``host:port``), set by the supervisor; its push service stands in for the browsers'.
PRACTICE_TIMELINE = text("OMROEPER_PRACTICE_TIMELINE") if PRACTICE else ""
PRACTICE_PUSH = text("OMROEPER_PRACTICE_PUSH") if PRACTICE else ""
PRACTICE_COLLEAGUES = text("OMROEPER_PRACTICE_COLLEAGUES") if PRACTICE else ""

# The ledger's pace. Shipped values; tests use smaller ones through the environment.
LEASE_SECONDS = lease_seconds()
SWEEP_SECONDS = number("OMROEPER_SWEEP_SECONDS", 2)
WINDOW = int(number("OMROEPER_WINDOW", 100))
BATCH_SIZE = int(number("OMROEPER_BATCH_SIZE", 500))
TASK_SECONDS = number("OMROEPER_TASK_SECONDS", 20)
GRACE_SECONDS = number("OMROEPER_GRACE_SECONDS", 10)
UNKNOWN_REPEAT_SECONDS = number("OMROEPER_UNKNOWN_REPEAT_SECONDS", 600)
EMERGENCY_PAGE_SECONDS = 2.0
# How many batches of a lane its pool works on at once: what the workers of all machines offer together.
LANE_SLOTS = {
    "urgent": int(number("OMROEPER_URGENT_SLOTS", 2)),
    "transactional": int(number("OMROEPER_TRANSACTIONAL_SLOTS", 2)),
    "broadcast": int(number("OMROEPER_BROADCAST_SLOTS", 2)),
    "mail": int(number("OMROEPER_MAIL_SLOTS", 2)),
    "push": int(number("OMROEPER_PUSH_SLOTS", 2)),
    "apprise": int(number("OMROEPER_APPRISE_SLOTS", 1)),
}
