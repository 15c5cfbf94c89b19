"""What components say of others that the plan leaves away, or leaves there: no promise is made over such a name.

Pure. A deleted field may stay away by choice, or because making it anew would not bring its values back. What names it
is then deployed without a promise: profiles and permission sets without their entries about it, anything else as it
is. In the same way an added component is deleted without a promise where one that stays names it. A name counts where
the text has it as a word, beside that of its object: an org may think otherwise, and says so when it is asked.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from rehearse.baseline.canonical_xml import parse_xml
from rehearse.baseline.component_types import PARENT_OF
from rehearse.baseline.model import Change, Component
from rehearse.reset.component_marks import FLOW_TYPES, element_of
from rehearse.reset.deploy_zip import ACCESS
from rehearse.reset.flow_states import flow_of
from rehearse.reset.listed import listed
from rehearse.reset.model import Action, Blocked
from rehearse.reset.profile_undo import without_entries_of

if TYPE_CHECKING:
    from rehearse.reset.inputs import MetadataBook

Place = tuple[str, str]
NAMED = frozenset({
    "ApexClass", "ApexComponent", "ApexPage", "AuraDefinitionBundle", "CustomField", "CustomLabel", "CustomObject",
    "CustomPermission", "Flow", "GlobalValueSet", "LightningComponentBundle", "QuickAction", "RecordType",
    "StaticResource",
})  # fmt: skip
"""Types that other components call by names of one word."""
MOST_TOLD = 3
_WORD = re.compile(r"\w+")


def without_promises(
    book: MetadataBook, changes: Sequence[Change], actions: Sequence[Action]
) -> tuple[list[Action], list[Blocked]]:
    """The actions on components, with no promise where a name stands against it, and what is left of profiles."""
    acted = {(one.type, flow_of(one.key) if one.type == "Flow" else one.key) for one in actions}
    left = [
        (one.type, one.key)
        for one in changes
        if one.kind == "component"
        and (one.type, one.key) not in acted
        and not (one.type in FLOW_TYPES and ("Flow", flow_of(one.key)) in acted)
    ]
    live = {(type, name.lower()) for type, name in book.after} if left else set()
    away = [one for one in left if one in book.before and (one[0], one[1].lower()) not in live]
    there = {one: _words(book.after[one], book.files_after) for one in left if one in book.after}
    kept: list[Action] = []
    blocked: list[Blocked] = []
    for action in actions:
        place = (action.type, action.key)
        told = ""
        if action.do == "deploy" and action.type in ACCESS:
            blocked += _entries_about(book, action, away)
        elif action.do == "deploy" and away and place in book.before:
            words = _words(book.before[place], book.files_before)
            named = [one for one in away if _names(words, action.key, one)]
            told = f"it names {_list(named)}, which stays away: the org may refuse it" if named else ""
        elif action.do == "destroy" and place not in book.before:
            named = [one for one, words in there.items() if one != place and _names(words, one[1], place)]
            told = f"{_list(named)} stays and names it: the org may refuse to delete it" if named else ""
        kept.append(replace(action, grade="unknown", reason=told, source="") if told else action)
    return kept, blocked


def _entries_about(book: MetadataBook, action: Action, away: Collection[Place]) -> Iterable[Blocked]:
    component = book.before.get((action.type, action.key))
    root = parse_xml(book.files_before.get(component.files[0], b"")) if component and away else None
    if root is None:
        return
    about = [one for one in away if len(without_entries_of(root, {one})) < len(root)]
    if about:
        reason = f"it comes back without its entries about {_list(about)}, which stays away"
        yield Blocked("component", action.type, action.key, "manual", reason)


def _names(words: Collection[str], of: str, place: Place) -> bool:
    """Whether a text with these words, of the component `of`, may name the component at `place`."""
    type, full_name = place
    container, _, name = full_name.rpartition(".") if type in PARENT_OF else ("", "", full_name)
    if type not in NAMED or name.lower() not in words:
        return False
    return not container or container.lower() in words or re.split(r"[.-]", of)[0].lower() == container.lower()


def _words(component: Component, files: Mapping[str, bytes]) -> frozenset[str]:
    root = element_of(component, files)
    texts = [one.text or "" for one in root.iter()] if root is not None else []
    if root is None and component.type not in PARENT_OF:
        texts = [files[one].decode("utf-8", "replace") for one in component.files if one in files]
    return frozenset(_WORD.findall(" ".join(texts).lower()))


def _list(places: Sequence[Place]) -> str:
    return listed([f"{type} {name}" for type, name in places], MOST_TOLD)
