"""The workspace key, and the data keys that it wraps: one 256-bit key a capture, kept in `keys/<ULID>`.

The workspace key comes from the system keyring, a file, a variable or a command; for the first two it is made on
first use. A data key is stored wrapped (AES-256-GCM, bound to its capture), never in a manifest: destroying
`keys/<ULID>` makes the rows of that capture unreadable for good and leaves manifest and proofs valid.
Refuses to make a new workspace key while wrapped keys exist: that would hide that the right one is lost.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
import os
from contextlib import suppress
from pathlib import Path

from rehearse.baseline.writing import make_private_folder, storing, sync_folder, write_durably
from rehearse.errors import Damaged, KeyUnavailable, LoginError
from rehearse.secret import Reference, path_of, resolve

KEY_BYTES = 32
_HINT = "Use the key that this store was made with (storage.key in rehearse.yaml)."
_HINT_LOST = f"{_HINT} If it is lost, so are the rows: begin a new store (docs/store.md, Another key)."


class Keys:
    """The keys of one store. Nothing is read before it is needed; a key is never shown."""

    def __init__(self, folder: Path, source: Reference) -> None:
        self._folder = folder
        self._source = source
        self._workspace: bytes | None = None

    def __repr__(self) -> str:
        return f"Keys({self._folder})"

    def create(self, ulid: str) -> bytes:
        """Make, wrap and store the data key of a new capture.

        Raises KeyUnavailable, also where this store was made with another workspace key: a store has one. DiskFull.
        """
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        self.require_fit()
        make_private_folder(self._folder)
        data_key, nonce = os.urandom(KEY_BYTES), os.urandom(12)
        wrapped = AESGCM(self._load_workspace()).encrypt(nonce, data_key, _bound_to(ulid))
        content = {"version": 1, "key": self._name(), "nonce": nonce.hex(), "wrapped": wrapped.hex()}
        write_durably(self._folder / ulid, json.dumps(content).encode())
        return data_key

    def load(self, ulid: str) -> bytes:
        """The data key of a capture. Raises KeyUnavailable (gone, or wrapped by another workspace key) or Damaged."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        try:
            content = json.loads((self._folder / ulid).read_bytes())
            named, nonce, wrapped = content["key"], bytes.fromhex(content["nonce"]), bytes.fromhex(content["wrapped"])
        except FileNotFoundError as error:
            raise KeyUnavailable(
                f"The data key of capture {ulid} is gone; its rows cannot be read any more.",
                "Its manifest and proofs stay valid. Take a new baseline.",
            ) from error
        except (ValueError, KeyError, TypeError) as error:
            raise Damaged(f"The key file of capture {ulid} is damaged.", "Restore keys/ from a copy.") from error
        if named != self._name():
            raise KeyUnavailable(f"The workspace key is not the one that wrapped the key of capture {ulid}.", _HINT)
        try:
            return AESGCM(self._load_workspace()).decrypt(nonce, wrapped, _bound_to(ulid))
        except (InvalidTag, ValueError) as error:
            raise Damaged(f"The key file of capture {ulid} is damaged.", "Restore keys/ from a copy.") from error

    def drop(self, ulid: str) -> None:
        """Destroy a data key: the rows of that capture can never be read again. Nothing happens when it is gone."""
        path = self._folder / ulid
        if not path.exists():
            return
        with storing(path):
            with path.open("r+b") as file:  # in place: a full disk must not keep a key alive
                file.write(b"\0" * path.stat().st_size)
                file.flush()
                os.fsync(file.fileno())
            path.unlink()
            sync_folder(path.parent)

    def has(self, ulid: str) -> bool:
        """Whether the data key of a capture is still there."""
        return (self._folder / ulid).is_file()

    def sign(self, message: bytes) -> str:
        """HMAC-SHA256 (hex) of a message under the workspace key. Raises KeyUnavailable."""
        derived = hashlib.sha256(b"rehearse sign/1:" + self._load_workspace()).digest()
        return hmac.new(derived, message, hashlib.sha256).hexdigest()

    def check(self, message: bytes, signature: str) -> bool:
        """Whether `sign` made this signature for this message. Raises KeyUnavailable."""
        return hmac.compare_digest(self.sign(message), signature)

    def require_fit(self) -> bool:
        """Whether a wrapped key of this store proves that the workspace key is the right one: False without any.

        Raises KeyUnavailable where there are wrapped keys, and none of them is of this workspace key.
        """
        named = {name for path in self._folder.glob("*") if (name := _named_in(path))}
        if named and self._name() not in named:
            raise KeyUnavailable("The workspace key is not the one that this store was made with.", _HINT_LOST)
        return bool(named)

    def require_ready(self) -> None:
        """Load the workspace key, or make it, before long work whose end needs it. Raises KeyUnavailable."""
        self.require_fit()
        self._load_workspace()

    def seal(self, text: str) -> str:
        """A text encrypted under the workspace key, for where no value may be readable. Raises KeyUnavailable."""
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        nonce = os.urandom(12)
        return (nonce + AESGCM(self._sealing_key()).encrypt(nonce, text.encode(), b"rehearse seal/1")).hex()

    def unseal(self, sealed: str) -> str:
        """What `seal` took. Raises Damaged for anything else, KeyUnavailable."""
        from cryptography.exceptions import InvalidTag
        from cryptography.hazmat.primitives.ciphers.aead import AESGCM

        key = self._sealing_key()
        try:
            content = bytes.fromhex(sealed)
            return AESGCM(key).decrypt(content[:12], content[12:], b"rehearse seal/1").decode()
        except (InvalidTag, ValueError) as error:
            raise Damaged("A sealed value of the journal cannot be opened.", _HINT) from error

    def _sealing_key(self) -> bytes:
        return hashlib.sha256(b"rehearse seal key/1:" + self._load_workspace()).digest()

    def _name(self) -> str:
        return hashlib.sha256(b"rehearse name/1:" + self._load_workspace()).hexdigest()[:16]

    def _load_workspace(self) -> bytes:
        if self._workspace is None:
            self._workspace = self._find_workspace()
        return self._workspace

    def _find_workspace(self) -> bytes:
        if self._is_missing():
            if self._folder.is_dir() and any(self._folder.iterdir()):
                raise KeyUnavailable(f"The workspace key in {self._source} is gone, and captures need it.", _HINT)
            return self._make_workspace()
        try:
            return _decoded(resolve(self._source), self._source)
        except KeyUnavailable:
            raise
        except LoginError as error:
            raise KeyUnavailable(f"The workspace key cannot be had: {error.message}", error.hint) from error

    def _is_missing(self) -> bool:
        if self._source.file:
            return not path_of(self._source).exists()
        return bool(self._source.keyring) and _asked_keyring(self._source.keyring) is None

    def _make_workspace(self) -> bytes:
        made = os.urandom(KEY_BYTES)
        text = base64.b64encode(made).decode()
        if self._source.file:
            return _made_once(path_of(self._source), text, self._source)
        _set_keyring(self._source.keyring, text)
        return made


def _named_in(path: Path) -> str:
    """The name of the workspace key that wrapped a data key; none where the file does not tell."""
    try:
        return str(json.loads(path.read_bytes())["key"])
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def _bound_to(ulid: str) -> bytes:
    return f"rehearse data key/1:{ulid}".encode()


def _made_once(path: Path, text: str, source: Reference) -> bytes:
    """Of two commands that start together on a new store, the first one's key holds."""
    candidate = path.with_name(f"{path.name}.{os.getpid()}")
    with storing(path):
        path.parent.mkdir(parents=True, exist_ok=True)
    write_durably(candidate, text.encode() + b"\n")
    with storing(path):
        with suppress(FileExistsError):
            os.link(candidate, path)
        candidate.unlink()
        sync_folder(path.parent)
    return _decoded(path.read_text(), source)


def _decoded(text: str, source: Reference) -> bytes:
    try:
        key = base64.b64decode(text.strip(), validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyUnavailable(f"The {source} holds no base64 text.", _HINT) from error
    if len(key) != KEY_BYTES:
        raise KeyUnavailable(f"The {source} holds {len(key)} bytes; a workspace key has {KEY_BYTES}.", _HINT)
    return key


def _asked_keyring(name: str) -> str | None:
    import keyring
    from keyring.errors import KeyringError

    try:
        found: str | None = keyring.get_password("rehearse", name)
    except KeyringError as error:
        raise KeyUnavailable(
            f"The system keyring cannot be asked for {name!r}.",
            "Name a key file instead: storage: {key: {file: PATH}} in rehearse.yaml.",
        ) from error
    return found


def _set_keyring(name: str, text: str) -> None:
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password("rehearse", name, text)
    except KeyringError as error:
        raise KeyUnavailable(
            f"The system keyring did not keep {name!r}.",
            "Name a key file instead: storage: {key: {file: PATH}} in rehearse.yaml.",
        ) from error
