"""What residents reach beside the published pages, which are served ahead of Django."""

from django.urls import path

from dispatcher.portal import addresses, log_in, pushing
from dispatcher.portal.confirm import confirm
from dispatcher.portal.health import health
from dispatcher.portal.leave import leave, undo
from dispatcher.portal.preferences import preferences
from dispatcher.portal.subscribe import subscribe

urlpatterns = [
    path("subscribe/", subscribe, name="subscribe"),
    path("leave/<str:token>", leave, name="leave"),
    path("leave/<str:token>/undo", undo, name="leave-undo"),
    path("confirm/<str:token>", confirm, name="confirm"),
    path("preferences/", log_in.ask, name="log-in-ask"),
    path("preferences/<str:token>", preferences, name="preferences"),
    path("preferences/<str:token>/remove", addresses.remove, name="preferences-remove"),
    path("preferences/<str:token>/restore", addresses.restore, name="preferences-restore"),
    path("preferences/<str:token>/device", addresses.device, name="preferences-device"),
    path("preferences/<str:token>/stop", addresses.stop, name="preferences-stop"),
    path("preferences/<str:token>/resume", addresses.resume, name="preferences-resume"),
    path("login/<str:token>", log_in.log_in, name="login"),
    path("manifest.webmanifest", pushing.manifest, name="manifest"),
    path("push-worker.js", pushing.worker, name="push-worker"),
    path("push/renew", pushing.renew, name="push-renew"),
    path("health", health, name="health"),
]
