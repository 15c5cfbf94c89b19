"""Versions and links of files: they go with their document, which alone can be deleted; no link says who made it.

Pure. Whoever made a version of his own in a document of the rehearsal keeps the document.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from rehearse.baseline.model import Change
from rehearse.reset.inputs import PlanInputs, RowBook
from rehearse.reset.model import Blocked
from rehearse.reset.row_marks import creator_of, is_foreign

FILE_PARTS = frozenset({"ContentVersion", "ContentDocumentLink"})


def parts_last(changes: Iterable[Change]) -> list[Change]:
    """The same changes, with parts of files after everything else: they follow what becomes of their documents."""
    return sorted(changes, key=lambda one: one.type in FILE_PARTS)


def find_document(inputs: PlanInputs, change: Change, deleted: Collection[str]) -> str | None:
    """The document, one of those that are deleted, with which a part of a file goes; None for everything else."""
    if change.type not in FILE_PARTS or (is_foreign(inputs, change) and creator_of(inputs, change)):
        return None
    book = inputs.rows.get(change.type, RowBook())
    document = book.after.get(change.key, {}).get("ContentDocumentId")
    return document if document in deleted else None


def goes_along(one: Blocked) -> bool:
    """Whether a row that no action of its own undoes goes with its document, so that it keeps no document alive."""
    return one.type in FILE_PARTS and one.grade == "unknown"
