"""What a benchmark found, and how it is shown: a table, JSON, and the page ``results.md``."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure. ``least`` or ``most`` is its target, where it has one. ``rates`` are messages per second behind it:
    they belong to this machine and this hour, the ratio does not. ``database`` is empty and ``size`` 0 where neither
    has a part in it.
    """

    what: str
    database: str
    size: int
    value: float
    unit: str
    least: float | None = None
    most: float | None = None
    rates: Mapping[str, float] = field(default_factory=dict)

    @property
    def target(self) -> str:
        """The target in words; empty where there is none."""
        if self.least is not None:
            return f"≥ {self.least:g}"
        return f"≤ {self.most:g}" if self.most is not None else ""

    @property
    def reached(self) -> bool | None:
        """Whether the target was reached; ``None`` where there is none."""
        if self.least is not None:
            return self.value >= self.least
        return self.value <= self.most if self.most is not None else None

    @property
    def shown(self) -> str:
        """The value with as many digits as mean something."""
        return f"{self.value:,.0f}" if self.value >= 100 else f"{self.value:.3g}"
