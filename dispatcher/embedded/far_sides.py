"""Where the practice town is, as every process of an installation is told."""

from __future__ import annotations

from collections.abc import Mapping
from urllib.parse import urlsplit

from .ports import HOST

FAR_SIDES = ("timeline", "push", "colleagues")
"""Those that speak HTTP."""


def environment(ports: Mapping[str, int], site: str, egress: str) -> dict[str, str]:
    """The settings that name the practice town's far sides, and allow connections to them and to ``site``.

    ``ports`` has ``web``, ``town``, ``smtp`` and ``FAR_SIDES``. Exactly these may be connected to, beside the
    pairs that ``egress`` names already.
    """
    found = {f"OMROEPER_PRACTICE_{name.upper()}": f"{HOST}:{ports[name]}" for name in ("smtp", *FAR_SIDES)}
    found["OMROEPER_PRACTICE_WEB"] = f"{HOST}:{ports['town']}"
    reached = [ports[name] for name in ("web", "smtp", *FAR_SIDES)]
    ours = [f"{host}:{port}" for port in reached for host in (HOST, "localhost")]
    public = urlsplit(site)  # our own pages are read back where the public finds them
    ours.append(f"{public.hostname}:{public.port or (443 if public.scheme == 'https' else 80)}")
    found["OMROEPER_EGRESS"] = " ".join([*egress.split(), *ours])
    return found
