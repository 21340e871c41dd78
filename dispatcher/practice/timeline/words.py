"""What the pages of the timeline say, in Dutch and English."""

from __future__ import annotations

from dispatcher.practice.words import Language

TIMELINE: dict[Language, dict[str, str]] = {
    "nl": {
        "title": "Tijdlijn van @losser",
        "post": "Bericht van @losser",
        "account": "Gemeente Losser (oefenstad)",
        "lead": "Zo ziet iedereen op Mastodon de berichten van de gemeente.",
        "empty": "Er zijn nog geen berichten.",
        "empty_next": "Stuur een bericht met Omroeper. Dan ziet u het hier verschijnen.",
        "edited": "Gewijzigd op {}",
        "by_stranger": "Een vreemde heeft dit bericht veranderd.",
        "reply": "Vervolg op een ander bericht",
        "open": "Bekijk dit bericht",
        "back": "Naar de tijdlijn",
        "practise": "Oefenen",
        "practise_lead": "Doe alsof een vreemde bij het account kan. Kijk daarna of Omroeper het merkt.",
        "tamper_edit": "Verander de tekst",
        "tamper_delete": "Haal het bericht weg",
        "history": "Wat er eerder stond",
        "missing": "Dit bericht is er niet.",
        "missing_next": "Het is weggehaald, of het heeft nooit bestaan.",
    },
    "en": {
        "title": "Timeline of @losser",
        "post": "Post by @losser",
        "account": "Municipality of Losser (practice town)",
        "lead": "This is how everybody on Mastodon sees the municipality's posts.",
        "empty": "There are no posts yet.",
        "empty_next": "Send an announcement with Omroeper. You will see it appear here.",
        "edited": "Edited on {}",
        "by_stranger": "A stranger changed this post.",
        "reply": "Follows another post",
        "open": "See this post",
        "back": "To the timeline",
        "practise": "Practise",
        "practise_lead": "Pretend that a stranger has the account. Then see whether Omroeper notices.",
        "tamper_edit": "Change the text",
        "tamper_delete": "Take the post away",
        "history": "What it said before",
        "missing": "This post does not exist.",
        "missing_next": "It was taken away, or it never existed.",
    },
}
