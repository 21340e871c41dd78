"""The answers that setting up asks for: their shape alone, so that they can be read before there is a database."""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel, ConfigDict, SecretStr

from .installation import Installation

PRODUCTION = "production"


class _Answer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class TopicAnswer(_Answer):
    """A topic by its names and explanations, by language. One with a name that is there is that one."""

    names: dict[str, str]
    explanations: dict[str, str] = {}


class OutletAnswer(_Answer):
    """An outlet with its channel's settings. One with a name that is there is changed."""

    name: str
    label: str
    channel: str
    settings: dict[str, Any] = {}
    languages: list[str] = []
    groups: list[str] = []
    rate: float | None = None
    enabled: bool = True


class AdministratorAnswer(_Answer):
    """Who may change all this from the console. One who is there keeps their password."""

    email: str
    name: str = ""
    password: SecretStr = SecretStr("")


class Answers(_Answer):
    """What ``omroeper setup`` asks; a file with these fields answers all of it at once (``--answers``)."""

    practice: bool = False
    base_url: str
    trusted_proxies: str = ""
    egress: str = ""
    names: dict[str, str]
    languages: list[str] = ["nl", "en"]
    topics: list[TopicAnswer] = []
    districts: list[str] = []
    outlets: list[OutletAnswer] = []
    administrator: AdministratorAnswer | None = None

    def installation(self, said: Installation) -> Installation:
        """What the installation's own file is to say, where it says ``said`` now.

        Production has a data set of its own from its first day, so that nothing of the practice town is in it.
        """
        return Installation(
            practice=self.practice,
            base_url=self.base_url.strip(),
            trusted_proxies=" ".join(self.trusted_proxies.split()),
            egress=" ".join(self.egress.split()).lower(),
            data_set="" if self.practice else said.data_set or PRODUCTION,
        )
