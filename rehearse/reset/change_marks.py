"""Marks of changes that metadata shows and that no deployment undoes whole: what went along with them unseen (history
of a field, shares by hand, a place in an order), and what stays although the file that is deployed lacks it. Pure.

Each looks at the elements of one component on both sides; whether it matters says the table of hazards.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from rehearse.baseline.canonical_xml import tag_of
from rehearse.reset import component_xml as xml

Place = tuple[str, str]

_WIDTH: Mapping[str, int] = {"Private": 0, "Read": 1, "ReadWrite": 2, "ReadWriteTransfer": 3, "FullAccess": 4}
"""How much a default of sharing opens; one that follows another object leaves rows no shares of their own."""
_WIDEST = 5
_SHARING = ("sharingModel", "externalSharingModel")
_ASSIGNED: Mapping[str, tuple[str, ...]] = {
    "actionOverrides": ("actionName", "pageOrSobjectType", "formFactor"),
    "profileActionOverrides": ("actionName", "pageOrSobjectType", "formFactor", "recordType", "profile"),
}
"""What assigns Lightning pages in an app -> what names an assignment."""


def lost_marks(type: str, old: Any) -> set[str]:
    """Marks of a component of the baseline that is gone: a field whose history went with it."""
    tracked = type == "CustomField" and old is not None and xml.text_at(old, "trackHistory") == "true"
    return {"tracked"} if tracked else set()


def change_marks(type: str, old: Any, new: Any) -> set[str]:
    """Marks of a component that differs."""
    marks: set[str] = set()
    if type == "CustomObject" and any(_width(new, one) > _width(old, one) for one in _SHARING):
        marks.add("opened")
    if type == "CustomField" and _kind(old) != _kind(new):
        marks.add("kind-changed")
    if type == "CustomApplication" and not set(_assigned(new)) <= set(_assigned(old)):
        marks.add("page-assigned")
    if type == "ApprovalProcess" and [xml.text_at(one, "active") == "true" for one in (old, new)] == [True, False]:
        marks.add("put-off")
    return marks


def is_of_platform(type: str, full_name: str) -> bool:
    """Whether a component is one of Salesforce's own, by its name: it comes and goes with a feature."""
    name = full_name.rpartition(".")[2]
    if type == "CustomObject":
        return not full_name.endswith(("__c", "__mdt", "__e", "__x", "__b"))
    if type == "CustomField":
        return "__" not in name
    own = {"CustomApplication": "standard__", "CustomTab": "standard-", "MatchingRule": "Standard_"}
    return type in own and name.startswith(own[type])


def _width(root: Any, tag: str) -> int:
    model = xml.text_at(root, tag)
    return -1 if model is None else _WIDTH.get(model, _WIDEST)


def _kind(field: Any) -> str:
    """The kinds that no deployment turns into each other (facts/metadata.md 4.1)."""
    if xml.text_at(field, "formula") is not None:
        return "formula"
    return "summary" if xml.text_at(field, "type") == "Summary" else "value"


def _assigned(app: Any) -> Iterator[tuple[str, ...]]:
    for one in app:
        if tag_of(one) in _ASSIGNED:
            yield (tag_of(one), *(xml.text_at(one, name) or "" for name in _ASSIGNED[tag_of(one)]))


def translation_marks(place: Place, old: Any | None, new: Any, added: Collection[Place]) -> set[str]:
    """A mark of a translation that says more than before (`old` None: it is new), which no deployment takes away.

    What is translated of something that was added goes with it; an entry without a text says nothing.
    """
    type, full_name = place
    if not type.endswith(("Translation", "Translations")):
        return set()
    of = "" if type == "Translations" else full_name.rpartition("-")[0]
    if any(name == of for _, name in added):
        return set()
    gone = {name.removeprefix(of)[1:] if of else name for _, name in added if name.startswith(of)}
    more = set(_texts(new, gone)) - (set(_texts(old, gone)) if old is not None else set())
    return {"entry-added"} if more else set()


_NAMED = ("fullName", "name", "masterLabel", "layout", "section", "aspect")
"""What names an entry of a translation."""


def _texts(root: Any, but: Collection[str]) -> Iterator[tuple[str, ...]]:
    """Where a translation has a text, as a path of elements and names; `but`: entries of these names left out."""
    if any(name in but for tag in _NAMED[:4] if (name := xml.text_at(root, tag)) is not None):
        return
    for one in root:
        name = next((found for tag in _NAMED if (found := xml.text_at(one, tag)) is not None), "")
        if len(one):
            yield from ((tag_of(one), name, *path) for path in _texts(one, but))
        elif (one.text or "").strip() and tag_of(one) not in _NAMED:
            yield (tag_of(one),)
