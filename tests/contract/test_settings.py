"""Settings: all that is wrong is said at once, and secrets are seen nowhere."""

from __future__ import annotations

import pytest

from channels.contract import SettingsInvalid
from channels.registry import channel
from tests.contract.cases import CASES


@pytest.mark.parametrize("name", CASES)
def test_everything_wrong_is_reported_at_once(name: str) -> None:
    case = CASES[name]
    assert case.wrong, "a channel has settings that can be wrong"
    for values, fields in case.wrong:
        with pytest.raises(SettingsInvalid) as caught:
            channel(name).read_settings(values)
        assert set(caught.value.problems) == set(fields)
        assert name in str(caught.value)


@pytest.mark.parametrize("name", CASES)
def test_an_unknown_setting_is_refused(name: str) -> None:
    with pytest.raises(SettingsInvalid) as caught:
        channel(name).read_settings({**CASES[name].settings, "unheard_of": 1})
    assert set(caught.value.problems) == {"unheard_of"}


@pytest.mark.parametrize("name", CASES)
def test_secrets_are_not_seen_in_settings_or_in_what_is_wrong_with_them(name: str) -> None:
    case = CASES[name]
    settings = channel(name).read_settings(case.settings)
    shown = f"{settings!r} {settings} {settings.model_dump_json()} {settings.model_dump()}"
    for wrong, _ in case.wrong:
        with pytest.raises(SettingsInvalid) as caught:
            channel(name).read_settings({**case.settings, **wrong, "unheard_of": 1})
        shown += f"{caught.value!r} {caught.value} {caught.value.problems}"
    assert not [secret for secret in case.secrets if secret in shown]


@pytest.mark.parametrize("name", CASES)
def test_settings_cannot_be_changed(name: str) -> None:
    settings = channel(name).read_settings(CASES[name].settings)
    first = next(iter(type(settings).model_fields))
    with pytest.raises(ValueError, match="frozen"):
        setattr(settings, first, "other")
