"""Components that were deleted and made again since the baseline under their own names: equal, and not whole.

What no metadata shows went with them: the secret of a credential, the key of a connected app, values that nobody holds.
Both captures keep the Ids that the org listed, and another Id is another component (facts/metadata.md 6.1). Whether a
deletion loses anything says the table of hazards; a type whose Ids the org does not list hides here. Reads the store.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from rehearse.baseline.known_metadata import load_dates
from rehearse.baseline.model import Capture
from rehearse.baseline.record_store import CaptureStore
from rehearse.baseline.set_up_ids import ROWS_OF
from rehearse.reset.component_marks import FLOW_TYPES, component_marks
from rehearse.reset.gather import load_metadata_of
from rehearse.reset.hazards import find_hazard
from rehearse.reset.inputs import MetadataBook
from rehearse.reset.model import Outcome, ProofItem, ResetPlan

Place = tuple[str, str]
_BACK = ("restored", "already equal")
_LOST: dict[str, Outcome] = {"residue": "residue", "manual": "manual", "impossible": "impossible"}
_SEEN = frozenset({"master-detail-lost"})
"""Hazards of what is whole once it is there."""
_SHORT = 15
"""An Id without the letters that some APIs add."""


def with_made_again(
    store: CaptureStore, sides: tuple[Capture, Capture], items: Sequence[ProofItem], plan: ResetPlan | None = None
) -> tuple[ProofItem, ...]:
    """The items, and one for each component that is another one than the baseline's and lost something. Raises Damaged.

    An item that says more than "restored" stays as it is, and what the plan itself deployed again is graded already.
    """
    before, live = sides
    ours = (
        {(one.type, one.key) for one in plan.actions if one.do == "deploy" and one.expects is None} if plan else set()
    )
    places = find_renewed(store, before, live) - ours
    if not places:
        return tuple(items)
    found = {(one.type, one.key): one for one in items}
    for item in _find_losses(load_metadata_of(store, before, live, places), places):
        known = found.get((item.type, item.key))
        if known is None or known.outcome in _BACK:
            found[item.type, item.key] = item if known is None else replace(item, by=known.by)
    return tuple(sorted(found.values(), key=lambda one: (one.kind, one.type, one.key)))


def find_renewed(store: CaptureStore, before: Capture, live: Capture) -> set[Place]:
    """The components that both captures listed under one name and two Ids; set-up with rows, and flows, left out."""
    old, new = load_dates(store, before), load_dates(store, live)
    return {
        place
        for place, (id, _) in old.items()
        if id and place[0] not in ROWS_OF and place[0] not in FLOW_TYPES
        if (now := new.get(place, ("", ""))[0]) and now[:_SHORT] != id[:_SHORT]
    }


def _find_losses(book: MetadataBook, places: set[Place]) -> Iterator[ProofItem]:
    for place in sorted(places & book.before.keys() & book.after.keys()):
        gone = replace(book, after={key: one for key, one in book.after.items() if key != place})
        hazard = find_hazard("component", place[0], "deleted", component_marks(gone, *place))
        outcome = _LOST.get(hazard.grade)
        if outcome is not None and hazard.name not in _SEEN:
            told = f"deleted and made again since the baseline: {hazard.reason}"
            yield ProofItem("component", *place, outcome, told)
