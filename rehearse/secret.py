"""Secrets by reference only: `{env: NAME}`, `{file: PATH}`, `{keyring: NAME}`, `{command: [...]}`.

A literal secret in a file is a mistake. A resolved value is returned to the one who needs it and never kept, logged
or shown; errors name the reference, never the value.
"""

from __future__ import annotations

import os
import stat
import subprocess
from dataclasses import dataclass
from pathlib import Path

from rehearse.errors import LoginError

_LONGEST = 400


@dataclass(frozen=True)
class Reference:
    """Where a secret is found; exactly one of the four is set. `base` is the folder that relative paths start from."""

    env: str = ""
    file: str = ""
    keyring: str = ""
    command: tuple[str, ...] = ()
    base: Path = Path()

    def __str__(self) -> str:
        if self.env:
            return f"environment variable {self.env}"
        if self.file:
            return f"file {_place(self.file)}"
        return f"keyring entry {_place(self.keyring)}" if self.keyring else f"command {self.command[0]}"


def _place(text: str) -> str:
    """A path or name as it may be shown; a key that was pasted where its path belongs is neither."""
    return text if len(text) <= _LONGEST and "\n" not in text and "-----BEGIN" not in text else "(no path or name)"


def resolve(reference: Reference) -> str:
    """The secret that a reference names, without a final line end. Raises LoginError where there is none."""
    value = _look_up(reference).rstrip("\r\n")
    if not value:
        raise LoginError(f"The {reference} holds no secret: it is empty or not set.", "Set it, and run again.")
    return value


def _look_up(reference: Reference) -> str:
    if reference.env:
        return os.environ.get(reference.env, "")
    if reference.file:
        return _from_file(reference)
    if reference.keyring:
        return _from_keyring(reference.keyring)
    return _from_command(reference)


def path_of(reference: Reference) -> Path:
    """The file that a file reference means; `~` and paths relative to the workspace are understood."""
    return reference.base / Path(reference.file).expanduser()


def is_open_to_all(reference: Reference) -> bool:
    """Whether every user of this machine can read or change the file of a secret: neither it nor a folder above it
    keeps them out. A group may be meant, and is none of our business."""
    if not reference.file:
        return False
    path = path_of(reference).absolute()
    try:
        if not path.stat().st_mode & (stat.S_IROTH | stat.S_IWOTH):
            return False
        return all(folder.stat().st_mode & stat.S_IXOTH for folder in path.resolve().parents)
    except OSError:  # whoever reads it is told what is wrong
        return False


def _from_file(reference: Reference) -> str:
    try:
        return path_of(reference).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        why = getattr(error, "strerror", None) or "it is not text"
        raise LoginError(f"The {reference} cannot be read: {why}.", "Check the path in rehearse.yaml.") from error


def _from_keyring(name: str) -> str:
    import keyring
    from keyring.errors import KeyringError

    try:
        return keyring.get_password("rehearse", name) or ""
    except KeyringError as error:
        raise LoginError(
            f"The system keyring cannot be asked for {name!r}.", "Use a file or a variable instead, or unlock it."
        ) from error


def _from_command(reference: Reference) -> str:
    try:
        done = subprocess.run(
            reference.command, capture_output=True, text=True, timeout=60, check=False, cwd=reference.base or None
        )
    except (OSError, subprocess.TimeoutExpired, UnicodeDecodeError) as error:
        raise LoginError(f"The {reference} could not be run to get a secret.", "Try it by hand.") from error
    if done.returncode:
        raise LoginError(f"The {reference} ended with exit code {done.returncode}.", "Try it by hand.")
    return done.stdout
