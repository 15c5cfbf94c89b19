"""Components that were renamed since the baseline: another name under the same Id, with all that they hold.

A comparison calls the old name deleted and the new one created. Deleting the new one would take along the very values
of the baseline, who was assigned, or a secret, and the old name would come back without. So these wait for whoever
renamed them; what loses nothing is deployed under its old name.
"""

from __future__ import annotations

from collections.abc import Mapping

from rehearse.baseline.known_metadata import load_dates
from rehearse.baseline.model import Capture
from rehearse.baseline.record_store import CaptureStore
from rehearse.reset.component_marks import element_of
from rehearse.reset.hazards import find_hazard
from rehearse.reset.inputs import MetadataBook
from rehearse.reset.lost_values import loss_marks

Place = tuple[str, str]
_HOLDING = frozenset({
    "AuthProvider", "Certificate", "ConnectedApp", "CustomField", "CustomObject", "EmailServicesFunction",
    "ExternalClientApplication", "ExternalCredential", "ExternalDataSource", "Group", "NamedCredential",
    "PermissionSet", "PermissionSetGroup", "Profile", "Queue", "RecordType", "Role", "Territory2",
})  # fmt: skip
_SHORT = 15
"""An Id without the letters that some APIs add."""


def find_renamed(
    store: CaptureStore, before: Capture, after: Capture, gone: set[Place], new: set[Place]
) -> dict[Place, Place]:
    """Each place that is gone with the new one of the same Id, and the other way round. Raises Damaged."""
    if not ({type for type, _ in gone} & {type for type, _ in new} & _HOLDING):
        return {}
    old, now = load_dates(store, before), load_dates(store, after)
    by_id = {(place[0], old[place][0][:_SHORT]): place for place in gone if place in old and old[place][0]}
    found: dict[Place, Place] = {}
    for place in new:
        was = by_id.get((place[0], now.get(place, ("", ""))[0][:_SHORT])) if place[0] in _HOLDING else None
        if was is not None:
            found |= {place: was, was: place}
    return found


def waits_for_its_name(book: MetadataBook, type: str, full_name: str) -> bool:
    """Whether a component is renamed, or part of a renamed object, and holds what a deployment would not bring back."""
    if of_renamed_object(book.renamed, full_name):
        return True
    other = book.renamed.get((type, full_name))
    if other is None:
        return False
    was = (type, full_name) if (type, full_name) in book.before else other
    if type in ("CustomField", "CustomObject"):
        gone = element_of(book.before[was], book.files_before) if was in book.before else None
        return bool(loss_marks(book, *was, gone))
    return find_hazard("component", type, "deleted").grade != "exact"


def of_renamed_object(renamed: Mapping[Place, Place], full_name: str) -> bool:
    """Whether a name is that of a renamed object, old or new, or of a part of one."""
    return ("CustomObject", full_name.partition(".")[0].partition("-")[0]) in renamed
