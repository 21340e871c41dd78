"""The settings of an e-mail outlet, checked all at once."""

from __future__ import annotations

import re
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, SecretStr, ValidationInfo, field_validator

from channels.contract import ChannelSettings
from channels.kit.dkim import Signer
from channels.kit.letter import envelope_address
from channels.kit.mime import header_text

_HOST = re.compile(r"[A-Za-z0-9](?:[A-Za-z0-9.:-]{0,252}[A-Za-z0-9.])?")


def _address(value: str) -> str:
    found = envelope_address(value.replace("{key}", "key"))
    if value and (found is None or found[1]):
        raise ValueError("is no plain e-mail address; example: berichten@losser.example")
    return value


def _one_line(value: str) -> str:
    if header_text(value) != value or not value.isascii():
        raise ValueError("may hold plain ASCII on one line only")
    return value


def _host(value: str) -> str:
    if not _HOST.fullmatch(value):
        raise ValueError("is no host name or address; example: smtp.losser.example")
    return value


Address = Annotated[str, AfterValidator(_address)]
OneLine = Annotated[str, AfterValidator(_one_line)]
Seconds = Annotated[float, Field(gt=0, le=600)]


class EmailSettings(ChannelSettings):
    """How to reach the mail server and who speaks. ``docs/channels/email.md`` tells about each."""

    host: Annotated[str, AfterValidator(_host)]
    port: int = Field(default=587, ge=1, le=65535)
    security: Literal["none", "starttls", "tls"] = "starttls"
    username: OneLine = ""
    password: SecretStr = Field(default=SecretStr(""), validate_default=True)
    sender: Annotated[str, Field(min_length=3), AfterValidator(_address)]
    sender_names: dict[str, str] = {}
    reply_to: Address = ""
    list_id: OneLine = ""
    bounce_address: Address = ""
    feedback_id: OneLine = ""
    hello: OneLine = ""
    ca_file: str = ""
    connections: int = Field(default=8, ge=1, le=64)
    messages_per_connection: int = Field(default=900, ge=1)
    idle_seconds: Seconds = 60.0
    opening_seconds: Seconds = 10.0
    reply_seconds: Seconds = 30.0
    attempt_seconds: Seconds = 60.0
    dkim_domain: OneLine = ""
    dkim_selector: OneLine = ""
    dkim_key: SecretStr = Field(default=SecretStr(""), validate_default=True)

    @field_validator("password")
    @classmethod
    def _never_in_clear_text(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        if value.get_secret_value() and info.data.get("security") == "none":
            raise ValueError("would travel in clear text: set security to starttls or tls")
        if bool(value.get_secret_value()) != bool(info.data.get("username", value)):
            raise ValueError("username and password go together")
        return value

    @field_validator("dkim_key")
    @classmethod
    def _complete_dkim(cls, value: SecretStr, info: ValidationInfo) -> SecretStr:
        domain, selector = info.data.get("dkim_domain", ""), info.data.get("dkim_selector", "")
        given = [bool(part) for part in (domain, selector, value.get_secret_value())]
        if any(given) and not all(given):
            raise ValueError("dkim_domain, dkim_selector and dkim_key go together")
        if all(given):
            try:
                Signer(domain, selector, value.get_secret_value())
            except (ValueError, TypeError):
                raise ValueError("is no RSA private key in PEM of at least 1024 bits") from None
        return value
