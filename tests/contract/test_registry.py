"""A channel is one file, a template folder, a registry line, a docs page and a contract case: none may be missing."""

from __future__ import annotations

import inspect
from pathlib import Path

import pytest

import channels
from channels.contract import Broadcast, Direct, Limits
from channels.kit.templates import FOLDER
from channels.registry import CHANNELS, channel
from tests.contract.cases import BROADCAST, CASES, DIRECT

ROOT = Path(__file__).parents[2]
NOT_CHANNELS = {"__init__", "contract", "registry"}


def test_each_channel_file_is_registered() -> None:
    files = {path.stem for path in Path(channels.__path__[0]).glob("*.py")} - NOT_CHANNELS
    assert files == {name.replace("-", "_") for name in CHANNELS}


@pytest.mark.parametrize("name", CHANNELS)
def test_a_registered_channel_is_complete(name: str) -> None:
    found = channel(name)
    assert found.name == name
    assert found.__module__ == f"channels.{name.replace('-', '_')}"
    assert isinstance(found.limits, Limits)
    assert name in CASES, f"tests/contract/cases/{name}.py is missing"
    assert (ROOT / "docs" / "channels" / f"{name}.md").is_file(), f"docs/channels/{name}.md is missing"
    family = name.partition("-")[0]  # the direct form of a channel has the texts of its broadcast form
    assert any((FOLDER / family).iterdir()), f"templates/{family}/ is missing"
    assert inspect.getdoc(found), "a channel says what it promises"


@pytest.mark.parametrize("name", CHANNELS)
def test_a_channel_is_of_one_kind_and_its_case_of_the_same(name: str) -> None:
    assert issubclass(channel(name), Direct) == (name in DIRECT)
    assert issubclass(channel(name), Broadcast) == (name in BROADCAST)
    assert (name in DIRECT) != (name in BROADCAST)


@pytest.mark.parametrize("name", CHANNELS)
def test_its_docs_page_names_every_setting(name: str) -> None:
    page = (ROOT / "docs" / "channels" / f"{name}.md").read_text()
    assert [field for field in channel(name).Settings.model_fields if f"`{field}`" not in page] == []
