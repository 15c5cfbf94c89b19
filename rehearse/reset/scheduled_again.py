"""How scheduled work that is lost or changed is put back by hand: by whom, and by which line of Apex. Pure.

The baseline holds the line; plan and proof print it, so that nobody has to look for it. Work that is not Apex has none.
"""

from __future__ import annotations

from rehearse.baseline.canonical_xml import parse_xml, tag_of, text_of
from rehearse.baseline.model import Change
from rehearse.reset.inputs import MetadataBook


def schedule_line(book: MetadataBook, change: Change) -> str:
    """What to add to the sentence about a piece of scheduled work: its owner, and what schedules it again; else ""."""
    before = book.before.get((change.type, change.key)) if change.type == "CronTrigger" else None
    root = parse_xml(book.files_before[before.files[0]]) if before and before.files[0] in book.files_before else None
    jobs = [one for one in root if tag_of(one) == "jobs"] if root is not None else []
    lines = [(text_of(one, "owner"), text_of(one, "apexLine")) for one in jobs]
    if not any(line for _, line in lines):
        return ""
    owners = ", ".join(sorted({owner for owner, line in lines if line and owner}))
    return f"{f' ({owners})' if owners else ''}: {' '.join(line for _, line in lines if line)}"
