"""What staff reach."""

from django.urls import path, register_converter

from dispatcher.console.announcements import announcements
from dispatcher.console.follow import follow, state, stop


class KeyConverter:
    """A dispatch's key: 32 hexadecimal digits."""

    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(KeyConverter, "key")

urlpatterns = [
    path("", announcements, name="announcements"),
    path("follow/<key:key>/", follow, name="follow"),
    path("follow/<key:key>/state/", state, name="follow-state"),
    path("follow/<key:key>/stop/", stop, name="follow-stop"),
]
