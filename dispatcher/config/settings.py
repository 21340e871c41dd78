"""Settings of the product, read from the environment once.

``OMROEPER_DATA`` is the one folder for state (default: ``.omroeper`` in the checkout). ``DATABASE_URL`` and
``REDIS_URL`` replace the embedded parts with real servers; nothing else changes.
"""

from __future__ import annotations

import os
from pathlib import Path
from urllib.parse import urlsplit

import dj_database_url

ROOT = Path(__file__).resolve().parents[2]
DATA = Path(os.environ.get("OMROEPER_DATA") or ROOT / ".omroeper").absolute()


def _number(name: str, default: float) -> float:
    text = os.environ.get(name, "")
    try:
        return float(text) if text else default
    except ValueError:
        raise SystemExit(f"{name} is '{text}', which is not a number. Example: {name}={default:g}") from None


# The practice town is the default, so that a newcomer cannot reach a real resident by accident.
PRACTICE = os.environ.get("OMROEPER_PRACTICE", "1") == "1"
DEBUG = False
SECRET_KEY_FILE = Path(os.environ.get("OMROEPER_SECRET_KEY_FILE") or DATA / "secret.key")
SECRET_KEY = os.environ.get("OMROEPER_SECRET_KEY", "")
if not SECRET_KEY and SECRET_KEY_FILE.is_file():
    SECRET_KEY = SECRET_KEY_FILE.read_text().strip()

SECRET_KEY_FALLBACKS = [key for key in os.environ.get("OMROEPER_SECRET_KEY_FALLBACKS", "").split() if key]

BASE_URL = os.environ.get("OMROEPER_BASE_URL", "http://localhost:8700").rstrip("/")
SITE_FOLDER = Path(os.environ.get("OMROEPER_SITE") or DATA / "site").absolute()
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
    "dispatcher.announcements",
    "dispatcher.audience",
    "dispatcher.dispatching",
    "dispatcher.acts",
]
MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "django.middleware.locale.LocaleMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "csp.middleware.CSPMiddleware",
]
ROOT_URLCONF = "dispatcher.config.urls"
ALLOWED_HOSTS = sorted({urlsplit(BASE_URL).hostname or "localhost", "localhost", "127.0.0.1"})

_url = os.environ.get("DATABASE_URL") or f"sqlite:///{DATA / 'omroeper.sqlite3'}"
DATABASES = {"default": dj_database_url.parse(_url, conn_max_age=None)}
if DATABASES["default"]["ENGINE"].endswith("sqlite3"):
    DATABASES["default"]["OPTIONS"] = {
        "transaction_mode": "IMMEDIATE",
        "timeout": 10,
        # FULL: a lost commit would mean a lost hand-over mark, and that a blind repeat.
        "init_command": "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA secure_delete=ON;",
    }
else:
    DATABASES["default"]["OPTIONS"] = {
        "connect_timeout": 5,
        "options": "-c idle_in_transaction_session_timeout=5s -c lock_timeout=5s -c synchronous_commit=on",
    }

REDIS_URL = os.environ.get("REDIS_URL") or ""  # set by the supervisor where the embedded one is used

# The ledger's pace. Shipped values; tests use smaller ones through the environment.
LEASE_SECONDS = _number("OMROEPER_LEASE_SECONDS", 6)
SWEEP_SECONDS = _number("OMROEPER_SWEEP_SECONDS", 2)
WINDOW = int(_number("OMROEPER_WINDOW", 100))
BATCH_SIZE = int(_number("OMROEPER_BATCH_SIZE", 500))
TASK_SECONDS = _number("OMROEPER_TASK_SECONDS", 20)
GRACE_SECONDS = _number("OMROEPER_GRACE_SECONDS", 10)
STAGE_DELAY_SECONDS = _number("OMROEPER_STAGE_DELAY_SECONDS", 900)
UNKNOWN_REPEAT_SECONDS = _number("OMROEPER_UNKNOWN_REPEAT_SECONDS", 600)
EMERGENCY_PAGE_SECONDS = 2.0
# How many batches of a lane its pool works on at once: what the workers of all machines offer together.
LANE_SLOTS = {
    "urgent": int(_number("OMROEPER_URGENT_SLOTS", 1)),
    "transactional": int(_number("OMROEPER_TRANSACTIONAL_SLOTS", 2)),
    "broadcast": int(_number("OMROEPER_BROADCAST_SLOTS", 2)),
    "mail": int(_number("OMROEPER_MAIL_SLOTS", 2)),
}
