"""What a resident can choose, and the form that holds their choice."""

from __future__ import annotations

from dataclasses import dataclass

from django import forms
from django.conf import settings

from dispatcher.audience.asking import Choice
from dispatcher.audience.models import District, Topic
from dispatcher.web import languages


@dataclass(frozen=True, slots=True)
class Offered:
    """A topic as the page's language has it; ``explanation`` may be empty."""

    slug: str
    name: str
    explanation: str


def topics() -> list[Offered]:
    """The topics there are, in the town's order."""
    language = languages.spoken()
    return [
        Offered(topic.slug, topic.names.get(language) or topic.slug, topic.explanations.get(language, ""))
        for topic in Topic.objects.all()
    ]


def districts() -> list[tuple[str, str]]:
    """Slug and name of each part of the town."""
    return [(district.slug, district.name) for district in District.objects.all()]


class Choices(forms.Form):
    """The form. ``topics`` and ``district`` are slugs; an empty district is the whole town."""

    topics = forms.MultipleChoiceField(
        choices=lambda: [(topic.slug, topic.name) for topic in topics()],
        required=False,
    )
    district = forms.ChoiceField(choices=districts, required=False)
    language = forms.ChoiceField(choices=settings.LANGUAGES)

    def choice(self) -> Choice:
        """What was chosen, once it is known to be on offer."""
        return Choice(
            topics=tuple(Topic.objects.filter(slug__in=self.cleaned_data["topics"])),
            district=District.objects.filter(slug=self.cleaned_data["district"]).first(),
            language=self.cleaned_data["language"],
        )
