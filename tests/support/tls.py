"""An authority of our own and a certificate for ``localhost``, made once per process."""

from __future__ import annotations

import ssl
from functools import cache
from pathlib import Path

import trustme


@cache
def _made() -> tuple[trustme.CA, trustme.LeafCert]:
    made = trustme.CA()
    return made, made.issue_cert("localhost")


def authority(folder: Path) -> tuple[str, ssl.SSLContext]:
    """The authority's certificate as a file in ``folder``, and a server context that it vouches for."""
    made, certificate = _made()
    path = folder / "authority.pem"
    made.cert_pem.write_to_path(path)
    return str(path), server_context(certificate)


def server_context(certificate: trustme.LeafCert) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    certificate.configure_cert(context)
    return context
