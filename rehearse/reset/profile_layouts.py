"""Which layout a profile shows: assignments are replaced by a deployment, never taken away (facts/metadata.md 4.1).

A record type without an assignment of its own shows the layout of its object. So what was assigned since goes back to
that layout, and the entry stays; where the baseline does not tell that layout, nothing can. Pure.
"""

from __future__ import annotations

import copy
from collections.abc import Iterator
from typing import Any

from rehearse.baseline.canonical_xml import tag_of
from rehearse.reset.component_xml import set_text, text_at

SECTION = "layoutAssignments"


def find_assigned(old: Any, live: Any) -> list[Any]:
    """The assignments of the live profile to objects and record types of which the baseline's has none."""
    known = {_who(one) for one in _assignments(old)}
    return [one for one in _assignments(live) if _who(one) not in known]


def redirect(old: Any, assignment: Any) -> Any | None:
    """The assignment with the layout that the baseline shows there; None where it does not tell."""
    object = _object(assignment)
    default = next((one for one in _assignments(old) if _who(one) == (object, "")), None)
    if default is None:
        return None
    found = copy.deepcopy(assignment)
    set_text(found, "layout", text_at(default, "layout") or "")
    return found


def without_redirected(old: Any, live: Any) -> Any:
    """A copy of the live profile without the assignments that show what the baseline shows without them."""
    kept = copy.deepcopy(live)
    for one in find_assigned(old, kept):
        back = redirect(old, one)
        if back is not None and text_at(back, "layout") == text_at(one, "layout"):
            kept.remove(one)
    return kept


def _assignments(profile: Any) -> Iterator[Any]:
    return (one for one in profile if tag_of(one) == SECTION)


def _who(assignment: Any) -> tuple[str, str]:
    return _object(assignment), text_at(assignment, "recordType") or ""


def _object(assignment: Any) -> str:
    return (text_at(assignment, "layout") or "").partition("-")[0]
