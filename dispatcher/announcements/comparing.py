"""Whether texts in several languages tell the same facts."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from urllib.parse import urlsplit

import phonenumbers

from dispatcher.announcements import wording
from dispatcher.announcements.facts import PHONE_REGION, Fact, FactKind, facts
from dispatcher.announcements.links import with_scheme

_MERIDIEM_TIME = re.compile(r"(\d{1,2})(?:[:.](\d\d))?[ \t\u00a0\u202f]?(?:(am?|pm?)\b|([ap])\.m\.)?", re.IGNORECASE)
_NOON = {"noon": "12:00", "midnight": "00:00", "middernacht": "00:00"}
_KIND_WORDS = {
    "nl": {
        FactKind.DATE: "De datum",
        FactKind.TIME: "De tijd",
        FactKind.PHONE: "Het telefoonnummer",
        FactKind.AMOUNT: "Het bedrag",
        FactKind.ADDRESS: "Het adres",
        FactKind.URL: "De website",
        FactKind.EMAIL: "Het e-mailadres",
        FactKind.NEGATION: "Wat niet zo is,",
    },
    "en": {
        FactKind.DATE: "The date",
        FactKind.TIME: "The time",
        FactKind.PHONE: "The phone number",
        FactKind.AMOUNT: "The amount",
        FactKind.ADDRESS: "The address",
        FactKind.URL: "The website",
        FactKind.EMAIL: "The e-mail address",
        FactKind.NEGATION: "What is not so",
    },
}


@dataclass(frozen=True, slots=True)
class Difference:
    """Facts of one kind that stand in some languages and not in others: as written, by language."""

    kind: FactKind
    found: Mapping[str, tuple[str, ...]]

    def sentence(self, language: str) -> str:
        """The difference in a sentence, in Dutch for ``nl`` and in English for any other language."""
        dutch = language == "nl"
        says, nothing = ("heeft", "heeft er geen") if dutch else ("has", "has none")
        each = ", ".join(
            f"{code} {says} " + ", ".join(f"'{text}'" for text in texts) if texts else f"{code} {nothing}"
            for code, texts in self.found.items()
        )
        words = _KIND_WORDS["nl" if dutch else "en"][self.kind]
        return f"{words} verschilt per taal: {each}." if dutch else f"{words} differs between languages: {each}."


def normal_form(fact: Fact, language: str) -> str:
    """``fact`` in a form that is the same in every language: equal forms say the same.

    Dates are ISO 8601 (``--03-16`` without a year, ``weekday-1`` for Monday alone), times ``17:00``, phone numbers
    E.164, amounts ``EUR 12.5`` or ``12 %``, streets their last word and number, postcodes ``7581AA``, web addresses
    their address in lower case without closing slash, denials ``not``. Several in one fact stand apart by ``/``.
    """
    return "/".join(_FORMS[fact.kind](fact.text, language))


def differences(texts: Mapping[str, str]) -> list[Difference]:
    """Where plain ``texts`` (by language) tell different facts.

    Web addresses are compared by their host only, because a page in another language has another path. A date without
    a year is the same as that day in any year. Denials differ where one language has some and another has none. Times,
    amounts and denials are compared between Dutch and English only: in other languages they are not all recognised.
    """
    found = {language: _by_kind(text, language) for language, text in texts.items()}
    return [
        difference
        for kind in FactKind
        if (difference := _difference(kind, {language: kinds[kind] for language, kinds in found.items()}))
    ]


_Forms = dict[str, str]  # how it was written, by normal form


def _by_kind(text: str, language: str) -> dict[FactKind, _Forms]:
    kinds: dict[FactKind, _Forms] = {kind: {} for kind in FactKind}
    for fact in facts(text, language):
        forms = _FORMS[fact.kind](fact.text, language)
        if fact.kind == FactKind.URL:
            forms = [urlsplit(form).hostname or form for form in forms]
        for form in forms:
            kinds[fact.kind].setdefault(form, fact.text)
    return kinds


def _difference(kind: FactKind, found: dict[str, _Forms]) -> Difference | None:
    if kind in (FactKind.TIME, FactKind.AMOUNT, FactKind.NEGATION):
        found = {language: forms for language, forms in found.items() if language.split("-", 1)[0] in ("nl", "en")}
    if kind == FactKind.DATE:
        found = _without_doubtful_years(found)
    everywhere = set.intersection(*map(set, found.values())) if found else set()
    apart = {
        language: tuple(dict.fromkeys(text for form, text in forms.items() if form not in everywhere))
        for language, forms in found.items()
    }
    return Difference(kind, apart) if any(apart.values()) else None


def _without_doubtful_years(found: dict[str, _Forms]) -> dict[str, _Forms]:
    yearless = {form for forms in found.values() for form in forms if form.startswith("--")}
    return {
        language: {(f"-{form[4:]}" if f"-{form[4:]}" in yearless else form): text for form, text in forms.items()}
        for language, forms in found.items()
    }


def _date(text: str, language: str) -> list[str]:
    if numeric := wording.NUMERIC_DATE.search(text):
        year = numeric["year"] or f"20{numeric['y']}"[-4:]
        return [f"{year}-{int(numeric['month'] or numeric['m']):02}-{int(numeric['day'] or numeric['d']):02}"]
    calendar = wording.calendar(language.split("-", 1)[0])
    words = [word.lower() for word in re.findall(r"[^\W\d_]+", text)]
    months = [calendar.months[word] for word in words if word in calendar.months]
    if not months:
        names = [word.removesuffix("en").removesuffix("s") for word in words]
        return [f"weekday-{calendar.weekdays[name] + 1}" for name in names if name in calendar.weekdays]
    numbers = re.findall(r"\d+", text)
    year = next((number for number in numbers if len(number) == 4), "-")
    days = [int(number) for number in numbers if len(number) < 3]
    return [f"{year}-{months[0]:02}-{day:02}" for day in days] or [f"{year}-{months[0]:02}"]


def _time(text: str, _language: str) -> list[str]:
    if text.lower() in _NOON:
        return [_NOON[text.lower()]]
    moments = [
        (int(match[1]), int(match[2] or 0), (match[3] or match[4] or "").lower()[:1])
        for match in _MERIDIEM_TIME.finditer(text)
    ]
    last = moments[-1]
    # "9 to 11 am" means both in the morning, "8 to 5 pm" from the morning on.
    full = [
        (hour, minute, half or (last[2] if hour <= last[0] % 12 or last[2] == "a" else "a" if last[2] else ""))
        for hour, minute, half in moments
    ]
    return [f"{(hour % 12 + 12 * (half == 'p') if half else hour % 24):02}:{minute:02}" for hour, minute, half in full]


def _phone(text: str, _language: str) -> list[str]:
    try:
        number = phonenumbers.parse(text, PHONE_REGION)
    except phonenumbers.NumberParseException:
        return [re.sub(r"\D", "", text)]
    if len(str(number.national_number)) <= 3:
        return [str(number.national_number)]
    return [phonenumbers.format_number(number, phonenumbers.PhoneNumberFormat.E164)]


def _amount(text: str, language: str) -> list[str]:
    digits = re.search(r"[\d.,]*\d", text)
    value = Decimal(_point(digits.group(), language)) if digits else Decimal(0)
    lower = text.lower()
    value *= next((factor for word, factor in wording.MULTIPLIERS.items() if word in lower), 1)
    number = f"{value.normalize():f}"
    return [f"{number} %" if re.search("%|procent|per.?cent", lower) else f"EUR {number}"]


def _point(number: str, language: str) -> str:
    """``number`` with a point before its decimals and nothing between its thousands.

    With both marks the last one is the decimal one; three digits after the only mark are thousands, as they are in
    sums of money, unless that mark is the language's own decimal one.
    """
    marks = [character for character in number if character in ".,"]
    if not marks:
        return number
    decimal = marks[-1]
    own = "," if language.split("-", 1)[0] != "en" else "."
    thousands = len(number.rsplit(decimal, 1)[1]) == 3 and (decimal != own or len(marks) > 1)
    if marks.count(decimal) > 1 or (len(set(marks)) == 1 and thousands):
        return number.replace(decimal, "")
    other = "." if decimal == "," else ","
    return number.replace(other, "").replace(decimal, ".")


def _address(text: str, _language: str) -> list[str]:
    if wording.POSTCODE.fullmatch(text):
        return ["".join(text.split())]
    words = text.lower().split()
    first_number = next(index for index, word in enumerate(words) if word[0].isdigit())
    street = "postbus" if wording.BOX.match(text) else words[first_number - 1]
    return [f"{street} {''.join(words[first_number:])}"]


def _url(text: str, _language: str) -> list[str]:
    return [with_scheme(text).lower().rstrip("/")]


_FORMS: dict[FactKind, Callable[[str, str], list[str]]] = {
    FactKind.DATE: _date,
    FactKind.TIME: _time,
    FactKind.PHONE: _phone,
    FactKind.AMOUNT: _amount,
    FactKind.ADDRESS: _address,
    FactKind.URL: _url,
    FactKind.EMAIL: lambda text, _language: [text.lower()],
    FactKind.NEGATION: lambda _text, _language: ["not"],
}
