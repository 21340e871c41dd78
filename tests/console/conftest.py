"""The small town, for the pages of the console."""

from __future__ import annotations

from tests.support.scene_fixtures import practice_town, scene, site

__all__ = ["practice_town", "scene", "site"]
