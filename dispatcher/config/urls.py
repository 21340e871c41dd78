"""Every address of the web process, by face."""

from django.urls import include, path

urlpatterns = [
    path("", include("dispatcher.portal.urls")),
    path("console/", include("dispatcher.console.urls")),
]
