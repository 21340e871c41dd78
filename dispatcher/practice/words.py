"""What the practice town's pages say, in Dutch and English."""

from __future__ import annotations

from datetime import datetime
from typing import Literal
from zoneinfo import ZoneInfo

Language = Literal["nl", "en"]
_ZONE = ZoneInfo("Europe/Amsterdam")
_MONTHS = {
    "nl": ("januari", "februari", "maart", "april", "mei", "juni", "juli", "augustus", "september", "oktober",
           "november", "december"),
    "en": ("January", "February", "March", "April", "May", "June", "July", "August", "September", "October",
           "November", "December"),
}  # fmt: skip

WORDS: dict[Language, dict[str, str]] = {
    "nl": {
        "bar": "Oefendorp: wat u hier ziet, is een voorbeeld en niet van de gemeente.",
        "skip": "Naar de inhoud",
        "town": "Oefendorp",
        "main_menu": "Hoofdmenu",
        "mailbox": "Mailbox",
        "addresses": "Adressen",
        "faults": "Storingen",
        "other": "English",
        "mailbox_lead": "Hier komt alle mail van het oefendorp aan. Niets gaat echt de deur uit.",
        "search": "Zoek op adres of onderwerp",
        "search_button": "Zoek",
        "search_clear": "Wis de zoekvraag",
        "found_one": "1 bericht",
        "found": "{} berichten",
        "found_for": "voor {}",
        "refresh": "Kijk opnieuw",
        "to": "Aan",
        "sender": "Van",
        "subject": "Onderwerp",
        "time": "Tijd",
        "no_subject": "(geen onderwerp)",
        "again": "{}e keer",
        "previous": "Vorige bladzijde",
        "next": "Volgende bladzijde",
        "all_addresses": "Toon alle adressen",
        "pages": "Bladeren",
        "page_of": "Bladzijde {} van {}",
        "empty": "Er is nog geen mail.",
        "empty_next": "Stuur een bericht met Omroeper. Dan ziet u het hier binnenkomen.",
        "nothing_found": "Er is geen mail die hierbij past.",
        "addresses_lead": "Wie kreeg mail, en hoeveel.",
        "address": "Adres",
        "messages": "Berichten",
        "latest": "Laatste onderwerp",
        "back": "Terug naar de mailbox",
        "as_seen": "Zo ziet de ontvanger het",
        "as_text": "De tekst zonder opmaak",
        "no_html": "Dit bericht heeft geen deel met opmaak.",
        "no_text": "Dit bericht heeft geen tekst zonder opmaak.",
        "not_kept": "De inhoud van dit bericht is niet bewaard. Het oefendorp houdt nu alleen bij wat er binnenkwam.",
        "headers": "Kopregels",
        "name": "Naam",
        "value": "Waarde",
        "source": "Haal het hele bericht op (.eml)",
        "frame": "Bericht met opmaak",
        "faults_lead": "Zet een storing aan en stuur een bericht. Kijk dan wat Omroeper doet.",
        "on": "Nu aan",
        "on_none": "Er is geen storing aan. {} doet het gewoon.",
        "on_some": "{} heeft nu een storing.",
        "see_faults": "Bekijk de storingen",
        "are_on": "aan",
        "struck": "{} keer voorgekomen",
        "off": "Zet uit",
        "off_all": "Zet alle storingen uit",
        "choose_peer": "Waar moet er iets misgaan?",
        "choose": "Storingen om mee te oefenen",
        "switch_on": "Zet aan",
        "settings": "Instellen",
        "what_happened": "Wat er gebeurde",
        "not_on": "De storing staat niet aan.",
        "check": "Kijk dit na:",
        "fill_in": "{}: vul een getal in dat kan, bijvoorbeeld 2.",
        "field_seconds": "Seconden",
        "field_trickle": "Seconden per teken",
        "field_match": "Voor welke adressen (* is alles, ? is één teken)",
        "field_after": "Eerst gaan zoveel berichten goed",
        "field_times": "Hoe vaak (leeg: steeds)",
        "field_at_most": "Zoveel verbindingen mogen",
        "missing_page": "Deze bladzijde is er niet.",
        "missing_next": "Ga naar de mailbox en kijk daar verder.",
        "signal sent": "Proces {pid} kreeg {signal}, na {taken} berichten.",
        "signal not sent": "{signal} is niet gestuurd: {why}.",
        "switched": "De lijst met storingen is veranderd.",
    },
    "en": {
        "bar": "Practice town: what you see here is an example and not from the municipality.",
        "skip": "To the content",
        "town": "Practice town",
        "main_menu": "Main menu",
        "mailbox": "Mailbox",
        "addresses": "Addresses",
        "faults": "Faults",
        "other": "Nederlands",
        "mailbox_lead": "All mail of the practice town arrives here. Nothing really leaves.",
        "search": "Search for an address or subject",
        "search_button": "Search",
        "search_clear": "Clear the search",
        "found_one": "1 message",
        "found": "{} messages",
        "found_for": "for {}",
        "refresh": "Look again",
        "to": "To",
        "sender": "From",
        "subject": "Subject",
        "time": "Time",
        "no_subject": "(no subject)",
        "again": "time {}",
        "previous": "Previous page",
        "next": "Next page",
        "all_addresses": "Show all addresses",
        "pages": "Pages",
        "page_of": "Page {} of {}",
        "empty": "There is no mail yet.",
        "empty_next": "Send an announcement with Omroeper. You will see it come in here.",
        "nothing_found": "No mail fits this.",
        "addresses_lead": "Who got mail, and how much.",
        "address": "Address",
        "messages": "Messages",
        "latest": "Latest subject",
        "back": "Back to the mailbox",
        "as_seen": "As its reader sees it",
        "as_text": "The plain text",
        "no_html": "This message has no part with layout.",
        "no_text": "This message has no plain text.",
        "not_kept": "The content of this message was not kept. The practice town only records what came in.",
        "headers": "Headers",
        "name": "Name",
        "value": "Value",
        "source": "Download the whole message (.eml)",
        "frame": "Message with layout",
        "faults_lead": "Switch a fault on and send an announcement. Then see what Omroeper does.",
        "on": "On now",
        "on_none": "No fault is on. {} works as it should.",
        "on_some": "{} has a fault now.",
        "see_faults": "See the faults",
        "are_on": "on",
        "struck": "struck {} times",
        "off": "Switch off",
        "off_all": "Switch all faults off",
        "choose_peer": "Where should things go wrong?",
        "choose": "Faults to practise with",
        "switch_on": "Switch on",
        "settings": "Settings",
        "what_happened": "What happened",
        "not_on": "The fault is not on.",
        "check": "Please check:",
        "fill_in": "{}: fill in a number that is possible, for example 2.",
        "field_seconds": "Seconds",
        "field_trickle": "Seconds for each character",
        "field_match": "For which addresses (* is all, ? is one character)",
        "field_after": "So many messages go well first",
        "field_times": "How often (empty: always)",
        "field_at_most": "So many connections are allowed",
        "missing_page": "This page does not exist.",
        "missing_next": "Go to the mailbox and look from there.",
        "signal sent": "Process {pid} got {signal}, after {taken} messages.",
        "signal not sent": "{signal} was not sent: {why}.",
        "switched": "The list of faults changed.",
    },
}

PRESET_WORDS: dict[str, dict[Language, tuple[str, str]]] = {
    "slow": {
        "nl": ("Traag", "Elk antwoord laat op zich wachten."),
        "en": ("Slow", "Each answer takes its time."),
    },
    "refused": {
        "nl": ("Buiten werking", "De mailserver neemt geen verbindingen aan en verbreekt wat er is."),
        "en": ("Out of order", "The mail server takes no connections and breaks those that are open."),
    },
    "closed": {
        "nl": ("Hangt meteen op", "De verbinding komt tot stand en gaat meteen weer dicht."),
        "en": ("Hangs up at once", "A connection is made and closed again at once."),
    },
    "silent": {
        "nl": ("Zwijgt", "De mailserver luistert, maar antwoordt niet meer."),
        "en": ("Silent", "The mail server listens but does not answer any more."),
    },
    "trickle": {
        "nl": ("Druppelt", "De begroeting komt teken voor teken."),
        "en": ("Trickles", "The greeting comes one character at a time."),
    },
    "busy": {
        "nl": ("Te druk", "Na een aantal berichten op een verbinding zegt de mailserver: later weer (421)."),
        "en": ("Too busy", "After so many messages on a connection the mail server says: later (421)."),
    },
    "crowded": {
        "nl": ("Vol", "Meer dan zoveel verbindingen tegelijk mag niet (421)."),
        "en": ("Full house", "No more than so many connections at a time (421)."),
    },
    "greylist": {
        "nl": ("Eerst wachten", "Elk adres wordt de eerste keer afgewezen, en na een tijd aangenomen (451)."),
        "en": ("Wait first", "Each address is turned away at first and taken after a while (451)."),
    },
    "full": {
        "nl": ("Volle mailboxen", "Sommige mailboxen zijn vol (452)."),
        "en": ("Full mailboxes", "Some mailboxes are full (452)."),
    },
    "unknown-address": {
        "nl": ("Adres bestaat niet", "Sommige adressen bestaan niet meer (550 5.1.1)."),
        "en": ("Address does not exist", "Some addresses do not exist any more (550 5.1.1)."),
    },
    "not-allowed": {
        "nl": ("Mag niet", "De mailserver weigert deze afzender (550 5.7.1)."),
        "en": ("Not allowed", "The mail server refuses this sender (550 5.7.1)."),
    },
    "contradiction": {
        "nl": ("Spreekt zichzelf tegen", "Het ene cijfer zegt: later. Het andere zegt: nooit (421 5.7.32)."),
        "en": ("Contradicts itself", "One number says later, the other says never (421 5.7.32)."),
    },
    "cut-taken": {
        "nl": ("Valt weg na ontvangst", "Het bericht is binnen, maar de verbinding valt weg voor het antwoord."),
        "en": ("Lost after taking it", "The message is in, but the connection breaks before the answer."),
    },
    "cut-not-taken": {
        "nl": ("Valt weg zonder ontvangst", "De verbinding valt weg voor het antwoord, en het bericht is niet binnen."),
        "en": ("Lost without taking it", "The connection breaks before the answer, and the message is not in."),
    },
    "cut-before-data": {
        "nl": ("Valt weg voor het bericht", "De verbinding valt weg voordat het bericht mag komen."),
        "en": ("Lost before the message", "The connection breaks before the message may come."),
    },
    "cut-in-body": {
        "nl": ("Valt weg in het bericht", "De verbinding valt weg terwijl het bericht binnenkomt."),
        "en": ("Lost within the message", "The connection breaks while the message comes in."),
    },
    "half-answer": {
        "nl": ("Half antwoord", "Het bericht is binnen, maar van het antwoord komt alleen het begin."),
        "en": ("Half an answer", "The message is in, but only the beginning of the answer comes."),
    },
    "garbage": {
        "nl": ("Onzin", "De mailserver antwoordt onzin."),
        "en": ("Nonsense", "The mail server answers nonsense."),
    },
    "no-starttls": {
        "nl": ("Geen beveiliging", "De mailserver biedt geen beveiligde verbinding meer aan."),
        "en": ("No encryption", "The mail server does not offer encryption any more."),
    },
    "kill": {
        "nl": ("Werker valt uit", "Het proces dat stuurt stopt, midden in een bericht."),
        "en": ("Worker dies", "The process that sends is killed in the middle of a message."),
    },
    "freeze": {
        "nl": ("Werker bevriest", "Het proces dat stuurt staat stil, midden in een bericht."),
        "en": ("Worker freezes", "The process that sends stands still in the middle of a message."),
    },
}


def count(number: int, language: Language) -> str:
    """A number as people write it: 1.732 in Dutch, 1,732 in English."""
    return f"{number:,}".replace(",", "." if language == "nl" else ",")


def moment(seconds: float, language: Language) -> str:
    """A time in the town's own zone: "24 november 2026, 17.03.10 uur"."""
    at = datetime.fromtimestamp(seconds, _ZONE)
    day = f"{at.day} {_MONTHS[language][at.month - 1]} {at.year}"
    return f"{day}, {at:%H.%M.%S} uur" if language == "nl" else f"{day}, {at:%H:%M:%S}"
