"""Every address of the web process, by face, and the pages for what goes wrong."""

from django.urls import include, path

urlpatterns = [
    path("", include("dispatcher.portal.urls")),
    path("console/", include("dispatcher.console.urls")),
    path("console/", include("dispatcher.console.queue_urls")),
    path("console/", include("dispatcher.console.settings_urls")),
]

handler400 = "dispatcher.web.errors.bad_request"
handler403 = "dispatcher.web.errors.forbidden"
handler404 = "dispatcher.web.errors.missing"
handler500 = "dispatcher.web.errors.failed"
