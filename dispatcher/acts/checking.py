"""Asking an outlet whether it can work, away from the web process: a channel may load much, and wait long."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from dataclasses import dataclass
from datetime import datetime

from django.conf import settings

from dispatcher.acts.audit import record
from dispatcher.acts.models import AuditEntry
from dispatcher.acts.rights import By, Right, need
from dispatcher.dispatching.models import Outlet

SECONDS = 60.0
_LONGEST = 300


@dataclass(frozen=True, slots=True)
class Checked:
    """What the last check found: rows of ``level`` (fine, warning, fault), ``what`` and ``remedy``."""

    at: datetime
    findings: list[dict[str, str]]


def check_in_a_process(outlet: Outlet, *, by: By) -> list[dict[str, str]]:
    """The findings of one outlet, asked for in a process of its own, and written down. Sends nothing to anyone.

    Raises:
        NotAllowed: only administrators configure.
    """
    author = need(by, Right.CONFIGURE, f"outlet {outlet.name}")
    environment = {**os.environ, "OMROEPER_DATA": str(settings.DATA)}
    try:
        done = subprocess.run(
            [sys.executable, "-m", "dispatcher.cli", "outlets", "check", outlet.name, "--json"],
            env=environment, capture_output=True, text=True, timeout=SECONDS, check=False,
        )  # fmt: skip
        findings = [
            {name: str(row[name])[:_LONGEST] for name in ("level", "what", "remedy")} for row in json.loads(done.stdout)
        ]
    except subprocess.TimeoutExpired:
        findings = [_fault(f"No answer within {SECONDS:.0f} seconds.", "See whether the address is right.")]
    except (OSError, ValueError, KeyError, TypeError):
        findings = [_fault("The check ended without a result.", "Look in the log of the web process.")]
    record(author, "check outlet", f"outlet {outlet.name}", findings=findings)
    return findings


def last_check(outlet: Outlet) -> Checked | None:
    """What the last check of an outlet found, ``None`` where there was none."""
    entry = AuditEntry.objects.filter(subject=f"outlet {outlet.name}", act="check outlet").order_by("-pk").first()
    return Checked(entry.at, entry.details["findings"]) if entry else None


def _fault(what: str, remedy: str) -> dict[str, str]:
    return {"level": "fault", "what": what, "remedy": remedy}
