"""What residents reach beside the published pages, which are served ahead of Django."""

from django.urls import path

from dispatcher.portal.confirm import confirm
from dispatcher.portal.health import health
from dispatcher.portal.leave import leave, undo
from dispatcher.portal.preferences import preferences

urlpatterns = [
    path("leave/<str:token>", leave, name="leave"),
    path("leave/<str:token>/undo", undo, name="leave-undo"),
    path("confirm/<str:token>", confirm, name="confirm"),
    path("preferences/<str:token>", preferences, name="preferences"),
    path("health", health, name="health"),
]
