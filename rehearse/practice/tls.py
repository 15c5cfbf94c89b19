"""The certificate of the practice org: a CA of its own in `tls/` of the estate folder, made once.

Refuses to sign for anything but loopback names. Promise: the CA file stays the same for the life of the folder, so a
workspace that points to it keeps working after a restart; private keys are readable by their owner only.
"""

import os
from pathlib import Path

import trustme

NAMES = ("127.0.0.1", "localhost", "::1")


def ensure_certificate(folder: Path) -> tuple[Path, Path]:
    """The CA file and the server's key-and-chain file of an estate folder, made when they are missing."""
    home = folder / "tls"
    ca_file, server_file = home / "ca.pem", home / "server.pem"
    if ca_file.exists() and server_file.exists():
        return ca_file, server_file
    home.mkdir(mode=0o700, parents=True, exist_ok=True)
    authority = trustme.CA(organization_name="rehearse practice org")
    server = authority.issue_cert(*NAMES)
    _write_private(server_file, server.private_key_and_cert_chain_pem.bytes())
    _write_private(ca_file, authority.cert_pem.bytes())
    return ca_file, server_file


def _write_private(path: Path, content: bytes) -> None:
    aside = path.with_suffix(".new")
    aside.unlink(missing_ok=True)
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
        file.write(content)
    aside.replace(path)
