"""The example releases, and how they come into the folder of a user.

A checkout has them in its top folder, an installed copy inside the package. Refuses to touch anything that is there
already; what it writes is there whole or not at all.
"""

from __future__ import annotations

import shutil
from pathlib import Path

from rehearse.errors import RehearseError

PLANS = "plans"


def copy_plans(folder: Path) -> Path | None:
    """Put the example releases into `folder`/plans; None where something of that name is there, which stays as it is.

    Raises RehearseError where this copy of rehearse came without them.
    """
    target = folder / PLANS
    if target.is_symlink() or target.exists():
        return None
    making = folder / f".{PLANS}.new"
    shutil.rmtree(making, ignore_errors=True)
    try:
        shutil.copytree(find_plans(), making)
        making.rename(target)
    finally:
        shutil.rmtree(making, ignore_errors=True)
    return target


def find_plans() -> Path:
    """The folder of the example releases: inside the package where it is installed, beside it in a checkout."""
    package = Path(__file__).parent.parent
    for place in (package / PLANS, package.parent / PLANS):
        if (place / "r41.yaml").is_file():
            return place
    raise RehearseError("This copy of rehearse came without its example releases.", "Install it again, whole.")
