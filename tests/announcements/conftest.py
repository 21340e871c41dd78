"""An announcement to hand in, good as it is."""

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import settings

from dispatcher.announcements.source import AnnouncementSource

# Other work on the machine is no fault of the code.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture
def new_source() -> Callable[..., AnnouncementSource]:
    """Makes a source; ``nl`` and ``en`` change fields of a text, ``without`` leaves a language out."""

    def make(nl: dict[str, Any] | None = None, en: dict[str, Any] | None = None, **more: Any) -> AnnouncementSource:
        dutch = {"title": "Gemeentehuis dicht", "summary": "Vanaf maandag 16 maart.", "body": "Kom **niet**."}
        english = {"title": "Town hall closed", "summary": "From Monday 16 March.", "body": "Do **not** come."}
        texts = {"nl": dutch | (nl or {}), "en": english | (en or {})}
        texts.pop(more.pop("without", ""), None)
        values = {"kind": "service-change", "audience": ["resident", "colleague"], "texts": texts} | more
        return AnnouncementSource.model_validate(values)

    return make
