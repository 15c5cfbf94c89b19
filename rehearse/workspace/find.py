"""Which rehearse.yaml counts: the nearest one, from a folder upward, unless a stranger may have put it there.

A rehearse.yaml names commands that are run and addresses that secrets are sent to. One that another user laid into a
folder where everybody may write (`/tmp` above one's own folder) is refused, never read.
"""

from __future__ import annotations

import os
import stat
from pathlib import Path

from rehearse.errors import NotFound, Refused
from rehearse.workspace.model import FILE


def find_workspace(start: Path, user: int | None = None) -> Path:
    """The path of the nearest rehearse.yaml, from a folder upward; raises NotFound, and Refused for a stranger's.

    `user` is who asks, this process's by default.
    """
    for folder in (start, *start.parents):
        if (folder / FILE).is_file():
            _check_owner(folder / FILE, os.geteuid() if user is None else user)
            return folder / FILE
    raise NotFound(
        f"There is no {FILE} in {start} or above it.",
        "Write one with `rehearse init`, or try everything on a practice org with `rehearse practice up`.",
    )


def _check_owner(path: Path, user: int) -> None:
    owners = {path.stat().st_uid, path.lstat().st_uid}  # of a link, too
    if owners <= {0, user} or not path.parent.stat().st_mode & stat.S_IWOTH:
        return
    raise Refused(
        f"{path} was put there by another user, in a folder where everybody may write; it was not read.",
        "Work in a folder of your own, or make the file yours if you trust what it says: it names commands to run.",
    )
