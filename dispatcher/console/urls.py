"""What staff reach."""

from django.conf import settings
from django.urls import URLPattern, path, register_converter

from dispatcher.console import announcement, correct, hand, write
from dispatcher.console.announcements import announcements
from dispatcher.console.follow import follow, state, stop
from dispatcher.console.sign_in import sign_in, sign_in_for_practice, sign_out


class KeyConverter:
    """A dispatch's key, an announcement's public id: 32 hexadecimal digits."""

    regex = "[0-9a-f]{32}"

    def to_python(self, value: str) -> str:
        return value

    def to_url(self, value: str) -> str:
        return value


register_converter(KeyConverter, "key")


def routes(*, practice: bool) -> list[URLPattern]:
    """Every address of the console. Without a password people get in in the practice town alone."""
    found = [
        path("", announcements, name="announcements"),
        path("write/", write.write, name="write"),
        path("write/preview/", write.preview, name="write-preview"),
        path("announcements/<key:public_id>/", announcement.announcement, name="announcement"),
        path("announcements/<key:public_id>/edit/", write.edit, name="edit"),
        path("announcements/<key:public_id>/hand-in/", announcement.hand_in_it, name="hand-in"),
        path("announcements/<key:public_id>/approve/", announcement.approve_it, name="approve"),
        path("announcements/<key:public_id>/return/", announcement.return_it, name="return"),
        path("announcements/<key:public_id>/correct/", correct.correct, name="correct"),
        path("announcements/<key:public_id>/withdraw/", announcement.withdraw, name="withdraw"),
        path("hand/", hand.hand, name="hand"),
        path("hand/<int:number>/done/", hand.hand_done, name="hand-done"),
        path("hand/<int:number>/undo/", hand.hand_undo, name="hand-undo"),
        path("sign-in/", sign_in, name="sign-in"),
        path("sign-out/", sign_out, name="sign-out"),
        path("follow/<key:key>/", follow, name="follow"),
        path("follow/<key:key>/state/", state, name="follow-state"),
        path("follow/<key:key>/stop/", stop, name="follow-stop"),
    ]
    if practice:
        found.append(path("sign-in/practice/", sign_in_for_practice, name="sign-in-practice"))
    return found


urlpatterns = routes(practice=settings.PRACTICE)
