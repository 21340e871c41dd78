"""The ledger's tests play in a small town of their own."""

from __future__ import annotations

from tests.support.scene_fixtures import practice_town, scene, site

__all__ = ["practice_town", "scene", "site"]
