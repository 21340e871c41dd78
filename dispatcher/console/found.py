"""What an address names."""

from __future__ import annotations

from django.http import Http404

from dispatcher.announcements.models import Announcement


def announced(public_id: str) -> Announcement:
    """The announcement with that public id; a page that says that there is none."""
    try:
        return Announcement.objects.get(public_id=public_id)
    except Announcement.DoesNotExist:
        raise Http404 from None
