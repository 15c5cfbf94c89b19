"""Fields that stay away: deleted ones that a plan does not make anew, for what they held or by choice.

Rows that held values in them cannot be put back by this plan, and it says so in place of promising a write that no
field takes. Pure; a field that is only hidden from this login is none of them.
"""

from __future__ import annotations

from rehearse.reset.component_marks import element_of
from rehearse.reset.inputs import MetadataBook
from rehearse.reset.lost_values import SHARED, loss_marks
from rehearse.reset.model import Choices


def fields_away(book: MetadataBook, object: str, choices: Choices) -> frozenset[str]:
    """The deleted fields of an object that a plan does not make anew: their values have nowhere to go."""
    found = set()
    for (type, full_name), one in book.before.items():
        parent, _, name = full_name.partition(".")
        if type != "CustomField" or (type, full_name) in book.after or object not in SHARED.get(parent, (parent,)):
            continue
        stays = not choices.create_missing or full_name in choices.left_out
        if stays or loss_marks(book, type, full_name, element_of(one, book.files_before)) - {"master-detail"}:
            found.add(name)
    return frozenset(found)
