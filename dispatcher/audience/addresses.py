"""The normal form of an e-mail address: one person is one address, however it was typed."""

from __future__ import annotations

import unicodedata

import idna
from django.conf import settings
from email_validator import EmailNotValidError, validate_email

# The far side of the practice town. RFC 2606 keeps ``.invalid`` from ever being a real domain.
PRACTICE_DOMAIN = "practice.invalid"
_STAND_IN = "practice.nl"


class AddressInvalid(ValueError):
    """What was given is no e-mail address that we can write to.

    One message for every cause: it helps who made a typing error and teaches nothing to who tries things out. It
    never holds the address.
    """

    sentences = {
        "nl": "Dit e-mailadres klopt niet. Vul één adres in, bijvoorbeeld naam@voorbeeld.nl.",
        "en": "This e-mail address is not right. Enter one address, for example name@example.org.",
    }

    def __init__(self) -> None:
        super().__init__(self.sentences["en"])


def normal_form(address: str) -> str:
    """``address`` as it is stored and compared: NFC, the domain as lower-case A-label (RFC 5891).

    A local part in ASCII becomes lower case: by RFC 5321 it could differ by case, in practice it does not, and two
    spellings must not become two subscribers. A local part outside ASCII (RFC 6531) is kept as it is. Quoted local
    parts, address literals, names without a dot and names that are reserved are refused. Nothing is looked up.

    Raises:
        AddressInvalid: always with the same message.
    """
    if len(address) > 320:  # 64 and 255 octets are the most that RFC 5321 lets the two parts have
        raise AddressInvalid
    before, _, after = address.strip(" ").rpartition("@")
    practice = settings.PRACTICE and after.lower() == PRACTICE_DOMAIN
    try:
        # The library refuses reserved names; in practice mode one of them stands for every mailbox there is.
        valid = validate_email(f"{before}@{_STAND_IN if practice else after}", check_deliverability=False, strict=True)
    except EmailNotValidError:
        raise AddressInvalid from None
    domain = PRACTICE_DOMAIN if practice else valid.ascii_domain
    local = unicodedata.normalize("NFC", valid.local_part)
    # A dash first reads as an option wherever an address ends up on a command line.
    if domain is None or local.startswith("-"):
        raise AddressInvalid
    return f"{local.lower() if local.isascii() else local}@{domain.lower()}"


def shown(address: str) -> str:
    """A normal form as people read it: with the domain in its own script, unless that mixes scripts.

    A domain that mixes Latin letters with letters that look the same stays an A-label, so that it shows as strange.
    """
    local, _, domain = address.rpartition("@")
    try:
        readable = idna.decode(domain)
    except idna.IDNAError:
        return address
    return f"{local}@{domain if len(_scripts(readable)) > 1 else readable}"


def _scripts(text: str) -> set[str]:
    """The scripts of the letters in ``text``, by the first word of their names: LATIN, CYRILLIC, GREEK."""
    return {unicodedata.name(letter, "").partition(" ")[0] for letter in text if letter.isalpha()}
