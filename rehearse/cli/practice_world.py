"""Where the practice world is, how a command opens it, and how its room's errors become ours.

Refuses a folder without a practice world. A world that was opened here is closed at the end of the block.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from rehearse.errors import NotFound, RehearseError

if TYPE_CHECKING:
    from rehearse.practice.estate import Estate

_SPACE = "Look at the permissions of its folder and at the space on the disk."
Folder = Annotated[Path | None, typer.Option(help="Folder of the practice world; the nearest .practice unless given.")]


def find_home(folder: Path | None, *, must_exist: bool = True) -> Path:
    """The folder of the practice world: as given, or the nearest .practice upward, or .practice here."""
    if folder is not None:
        home = folder
    else:
        here = Path.cwd()
        near = (one / ".practice" for one in (here, *here.parents) if (one / ".practice" / "estate.db").is_file())
        home = next(near, here / ".practice")
    if must_exist and not (home / "estate.db").is_file():
        raise NotFound(f"There is no practice world in {home}.", "Make one with `rehearse practice up`.")
    return home.resolve()


@contextmanager
def open_world(home: Path) -> Iterator[Estate]:
    """The practice world of a folder for one block, beside a running server."""
    from rehearse.practice.estate import Estate

    with translated():
        estate = Estate.open(home)
        try:
            yield estate
        finally:
            estate.close()


def world_now(home: Path) -> datetime:
    """What the practice clock says."""
    with open_world(home) as estate:
        return estate.clock.now()


@contextmanager
def translated() -> Iterator[None]:
    """The practice room has errors of its own; here they become ours."""
    from rehearse.practice.control import ControlError

    try:
        yield
    except ControlError as error:
        raise RehearseError(error.message, error.hint) from error
    except BrokenPipeError:  # of whoever read what we print, and has seen enough
        raise
    except OSError as error:
        raise RehearseError(f"The practice world cannot be written: {error.strerror or error}.", _SPACE) from error
    except sqlite3.Error as error:
        raise RehearseError(f"The practice world cannot be read or written: {error}.", _SPACE) from error


def as_text(instant: Any) -> str:
    """An instant to the minute; a dash for none."""
    return "-" if instant is None else f"{instant:%Y-%m-%d %H:%M}"
