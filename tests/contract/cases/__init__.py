"""The case of each registered channel, by name. A channel without one is named by ``test_registry``."""

from __future__ import annotations

from importlib import import_module
from importlib.util import find_spec

from channels.registry import CHANNELS
from tests.contract.case import BroadcastCase, Case, DirectCase

CASES: dict[str, Case] = {
    name: import_module(module).CASE for name in CHANNELS if find_spec(module := f"{__name__}.{name.replace('-', '_')}")
}
DIRECT = {name: case for name, case in CASES.items() if isinstance(case, DirectCase)}
BROADCAST = {name: case for name, case in CASES.items() if isinstance(case, BroadcastCase)}
