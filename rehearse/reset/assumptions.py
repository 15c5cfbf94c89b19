"""What a proof rests on that no document of Salesforce settles; each is named in every proof until it is confirmed.

An assumption with a question is confirmed where a drill got the expected answer from an org of the same production;
another answer is told with the assumption. The others no drill can ask.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from rehearse.reset.model import Settled


@dataclass(frozen=True)
class Assumption:
    """One sentence; `question` is that of a drill, `expected` how an answer begins that confirms it."""

    text: str
    question: str = ""
    expected: str = "yes"


ASSUMPTIONS: tuple[Assumption, ...] = (
    Assumption(
        "formulas, roll-ups, audit fields, history, feed and share rows are not compared: they follow the compared "
        "fields, but for rows that were shared by hand"
    ),
    Assumption(
        "a row is undeleted with every field value that it had when it was deleted; what differs is written",
        "hazard deleted",
    ),
    Assumption("a lost call takes effect within 10 minutes or never"),
    Assumption("what a profile shows depends only on the frozen manifest that both captures were retrieved with"),
    Assumption("standard value sets are compared as far as their names are known, since no org lists them"),
    Assumption(
        "which versions of packages a class, a page or a component is bound to, and the order of active approval "
        "processes, are not compared"
    ),
    Assumption("nobody else works as the user of this login while a reset runs: its writes count as our own"),
    Assumption(
        "of a flow the newest version is compared by its contents, and which one is active; the others by "
        "their numbers and by when they were made"
    ),
    Assumption("an edit of somebody else on a row that automation of our own writes touches in the same pass is ours"),
    Assumption(
        "between the last read of a row and its write nobody edited it (each batch is read right before it is written; "
        "small ones are written on that condition)"
    ),
    Assumption("an update of up to 25 rows is refused for each row that was changed since it was read", "data 2.2"),
    Assumption("undelete takes 200 ids a call", "data 8.5"),
    Assumption("a field may be made again while the deleted one is in the bin", "metadata 9.2"),
    Assumption("a picklist value that is left out of a deployment stays, inactive", "hazard picklist-added"),
    Assumption(
        "a permission set that somebody holds, a group and a queue may be deleted",
        "metadata 9.4",
        "PermissionSet deleted; Group deleted; Queue deleted",
    ),
    Assumption("a retrieve with singlePackage is laid out at the root of the zip or in one folder", "metadata 9.3", ""),
)


def list_unconfirmed(answers: Mapping[str, Settled]) -> tuple[str, ...]:
    """The assumptions that nothing confirms yet, as sentences; with an answer that says otherwise, that answer."""
    found = []
    for one in ASSUMPTIONS:
        known = answers.get(one.question)
        if known is None or not known.settled:
            ask = " (a drill with --facts settles it)" if one.question else ""
            found.append(f"{one.text}{ask}")
        elif not known.answer.startswith(one.expected):
            found.append(f"{one.text}; a drill says otherwise: {known.answer}")
    return tuple(found)


BY_STAMP = (
    "a row whose SystemModstamp is older than the baseline is unchanged, but for look-ups that a deletion clears and "
    "for objects whose counts differ, which are read again (--full reads every row)"
)
"""What a proof rests on that was not asked to read everything."""
OLDER_RULES = (
    "the baseline was digested by another rehearse, by other rules: what these tell apart is compared file by file, "
    "and its snapshot id is another one although nothing differs"
)
"""What a proof rests on whose baseline is older than the rules of today."""
