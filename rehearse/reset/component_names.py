"""What names of components say about each other: one under another spelling, one that is part of another.

An org takes names in any letter case, so what a comparison calls created and deleted may be one and the same: deleting
the one would take the other along, with its values. Parts go with what they are part of. Pure.
"""

from __future__ import annotations

import re

from rehearse.baseline.component_types import FOLDER_TYPES, PARENT_OF
from rehearse.baseline.model import Change
from rehearse.reset.inputs import MetadataBook, PlanInputs

_CUSTOM = re.compile("__[a-z]+$", re.IGNORECASE)


def is_managed(type: str, full_name: str) -> bool:
    """Whether an object, or a part of one, came with an installed package: its own name begins with a namespace.

    Names that people give hold no two underscores in a row, but for what the platform puts at their end.
    """
    parent = PARENT_OF[type][0] if type in PARENT_OF else type
    if parent != "CustomObject":
        return False
    name = full_name.rpartition(".")[2]
    return "__" in (_CUSTOM.sub("", name) if type in ("CustomObject", "CustomField") else name)


def is_respelled(book: MetadataBook, type: str, full_name: str) -> bool:
    """Whether a component that only one side has is on the other side too, its name in other letters."""
    place = (type, full_name)
    if (place in book.before) == (place in book.after):
        return False
    other = book.after if place in book.before else book.before
    return any(kind == type and name.lower() == full_name.lower() for kind, name in other)


def is_part(type: str, full_name: str, of: tuple[str, str]) -> bool:
    """Whether a component goes along when another one is deleted: what an object or a folder holds."""
    kind, name = of
    if kind == "CustomObject":
        return full_name.startswith((f"{name}.", f"{name}-")) or (full_name == name and type != kind)
    if kind == "Territory2Model":
        return type in ("Territory2", "Territory2Rule") and full_name.startswith(f"{name}.")
    return kind in FOLDER_TYPES and type == kind and full_name.startswith(f"{name}/")


def find_kept_part(inputs: PlanInputs, change: Change) -> str:
    """A component that the user left out and that would go along with the one that the rehearsal added, if any."""
    if change.what != "created" or not inputs.choices.left_out:
        return ""
    place = (change.type, change.key)
    parts = (one for one in inputs.changes if one.kind == "component" and one.key in inputs.choices.left_out)
    return next((one.key for one in parts if is_part(one.type, one.key, place)), "")
