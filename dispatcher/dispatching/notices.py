"""Notices: messages about the reader, not about an announcement. They have a lane of their own and wait for nobody."""

from __future__ import annotations

from dataclasses import dataclass

import structlog
from django.db import transaction
from django.utils.timezone import now

from channels.contract import Act, Bulletin, Direct, Text
from dispatcher.audience.models import Address
from dispatcher.dispatching import bulletin, ring
from dispatcher.dispatching.lanes import lane_for
from dispatcher.dispatching.models import Batch, ComposedCopy, Delivery, Dispatch, Outlet
from dispatcher.dispatching.outlets import build, is_direct

log = structlog.get_logger("omroeper.notices")


@dataclass(frozen=True, slots=True)
class Wording:
    title: str
    summary: str
    button: str
    body: str


WORDINGS: dict[str, dict[str, Wording]] = {
    "confirm": {
        "nl": Wording(
            "Klopt uw aanmelding?",
            "U wilt berichten van de gemeente krijgen. Klik op de knop. Dan begint het.",
            "Ja, stuur mij berichten",
            "Hebt u dit niet gevraagd? Dan hoeft u niets te doen. U krijgt dan geen berichten.",
        ),
        "en": Wording(
            "Please confirm",
            "You asked for announcements from the municipality. Press the button. It starts when you do.",
            "Yes, send me announcements",
            "Did you not ask for this? Then you need not do anything. You will get no announcements.",
        ),
    },
    "known": {
        "nl": Wording(
            "U krijgt onze berichten al",
            "U vroeg om berichten van de gemeente. Die krijgt u al. Met de knop bekijkt of verandert u uw keuzes. "
            "De knop werkt een kwartier en één keer.",
            "Bekijk mijn keuzes",
            "Hebt u dit niet gevraagd? Dan hoeft u niets te doen. Er verandert niets.",
        ),
        "en": Wording(
            "You get our announcements already",
            "You asked for announcements from the municipality. You get them already. The button shows your choices, "
            "and you can change them. It works for a quarter of an hour, and once.",
            "See my choices",
            "Did you not ask for this? Then you need not do anything. Nothing changes.",
        ),
    },
    "login": {
        "nl": Wording(
            "Uw keuzes bekijken",
            "Met de knop ziet u welke berichten u krijgt. De knop werkt een kwartier en één keer.",
            "Bekijk mijn keuzes",
            "Hebt u dit niet gevraagd? Dan hoeft u niets te doen.",
        ),
        "en": Wording(
            "See your choices",
            "The button shows which announcements you get. It works for a quarter of an hour, and once.",
            "See my choices",
            "Did you not ask for this? Then you need not do anything.",
        ),
    },
}


def compose_source(kind: str) -> Bulletin:
    """The bulletin of a notice. Its link is the slot ``action_url``, filled in at hand-over."""
    sender = bulletin.sender()
    moment = now()
    return Bulletin(
        announcement="",
        slug=kind,
        revision=1,
        kind="notice",
        texts={
            language: Text(
                language=language,
                title=wording.title,
                summary=wording.summary,
                body_html=f"<p>{wording.body}</p>",
                body_text=wording.body,
                url=sender.base_url,
                contact=wording.button,
            )
            for language, wording in WORDINGS[kind].items()
        },
        sender=sender,
        published_at=moment,
        updated_at=moment,
    )


def plan(dispatch: Dispatch) -> None:
    """Plans the one delivery of a notice, unless that has been done."""
    kind = dispatch.notice["kind"]
    address = Address.objects.select_related("subscriber").filter(pk=dispatch.notice["address"]).first()
    if address is None:
        Dispatch.objects.filter(pk=dispatch.pk).update(planned_at=now(), ended_at=now(), ended_why="left")
        return
    outlet = Outlet.objects.filter(channel=address.channel, enabled=True).first()
    if outlet is None or not is_direct(outlet.channel):
        log.error("notice.no_outlet", channel=address.channel, dispatch=dispatch.key)
        return
    source = compose_source(kind)
    channel = build(outlet)
    assert isinstance(channel, Direct)
    language = address.subscriber.language if address.subscriber.language in source.texts else "nl"
    copy = channel.compose(source, language, Act.NOTICE, channel.limits)
    with transaction.atomic():
        locked = Dispatch.objects.select_for_update().get(pk=dispatch.pk)
        if locked.planned_at is not None:
            return
        moment = now()
        batch = Batch.objects.create(
            dispatch=dispatch,
            outlet=outlet,
            lane=lane_for(outlet.channel, direct=True, urgent=False, notice=True),
            language=language,
            act=Act.NOTICE,
            size=1,
            due_at=moment,
            starts_at=moment,
        )
        ComposedCopy.objects.create(
            dispatch=dispatch, outlet=outlet, language=language, act=Act.NOTICE, content=copy.to_json()
        )
        Delivery.objects.create(
            dispatch=dispatch,
            outlet=outlet,
            batch=batch,
            target=str(address.pk),
            address=address,
            position=0,
            due_at=moment,
        )
        Dispatch.objects.filter(pk=dispatch.pk).update(planned_at=moment)
    ring.batches([batch.pk])
