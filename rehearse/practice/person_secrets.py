"""What people and apps log in with besides client credentials: a password, a security token, a key pair for JWT.

One password and one security token serve every active user of the practice world, since its people are invented; one
certificate is registered with every client of it. They are files in `secrets/` of the estate folder, made when first
asked for, readable by their owner only, and they outlive a rebuild. Refuses any other password. Never logged.
"""

from __future__ import annotations

import contextlib
import hmac
import os
import secrets
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import rsa
from cryptography.x509.oid import NameOID

FOLDER = "secrets"
CERTIFICATE_YEARS = 20  # of real time; the key never leaves this machine


def ensure_password(folder: Path) -> Path:
    """The file with the password of every user."""
    return _ensure(folder, "user.password", lambda: secrets.token_urlsafe(12))


def ensure_security_token(folder: Path) -> Path:
    """The file with the security token that a client may append to the password."""
    return _ensure(folder, "user.security-token", lambda: secrets.token_urlsafe(18))


def is_password(folder: Path, given: str) -> bool:
    """Whether this is the password, with or without the security token: this machine is a trusted address."""
    password = ensure_password(folder).read_text(encoding="ascii")
    token = ensure_security_token(folder).read_text(encoding="ascii")
    fits = [hmac.compare_digest(given.encode(), one.encode()) for one in (password, password + token)]
    return any(fits)


def ensure_jwt_key(folder: Path) -> Path:
    """The file with the private key (PEM) whose certificate the clients of the practice world have registered."""
    return _ensure(folder, "jwt.key", _make_key)


def ensure_jwt_certificate(folder: Path) -> Path:
    """The file with the registered certificate (PEM)."""
    key_file = ensure_jwt_key(folder)
    return _ensure(folder, "jwt.crt", lambda: _sign_certificate(key_file.read_bytes()))


def _make_key() -> str:
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    return key.private_bytes(serialization.Encoding.PEM, form, plain).decode("ascii")


def _sign_certificate(key_pem: bytes) -> str:
    key = serialization.load_pem_private_key(key_pem, None)
    assert isinstance(key, rsa.RSAPrivateKey)
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "rehearse practice client")])
    now = datetime.now(UTC)
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).not_valid_before(now - timedelta(days=1))
    builder = builder.not_valid_after(now + timedelta(days=365 * CERTIFICATE_YEARS))
    return builder.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode("ascii")


def _ensure(folder: Path, name: str, make: Callable[[], str]) -> Path:
    """The file of this name, made whole or not at all; when two processes make it, the first one's stays."""
    home = (folder / FOLDER).resolve()
    path = home / name
    if path.exists():
        return path
    home.mkdir(mode=0o700, exist_ok=True)
    aside = home / f"{name}.{os.getpid()}.{secrets.token_hex(4)}"
    with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
        file.write(make())
    with contextlib.suppress(FileExistsError):
        os.link(aside, path)
    aside.unlink()
    return path
