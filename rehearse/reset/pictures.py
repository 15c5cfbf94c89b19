"""Pictures in rich texts: a text names them, and no API writes them.

A picture belongs to its row and goes with it, or when somebody saves the text without it; whether an org still holds it
then no document says. A text that is written back names it again and compares equal, so a plan names each such row and
a proof says that nobody compared the pictures. Pure.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import replace

from rehearse.reset.inputs import PlanInputs, RowBook
from rehearse.reset.model import Action, ResetPlan
from rehearse.reset.row_state import Values, scope_fields

TOLD = "no API brings back the pictures in"
_PICTURE = re.compile(r"rtaImage\?[^\"'<>\s]*?refid=([A-Za-z0-9]{15,18})")


def name_pictures(inputs: PlanInputs, actions: Sequence[Action]) -> list[Action]:
    """The actions, with what is said of pictures on each that writes a text whose pictures may be gone."""
    found = []
    for one in actions:
        names = sorted(_lost(inputs, one)) if one.do in ("insert", "update") else []
        grade = "unknown" if one.grade == "exact" else one.grade
        said = f"{one.reason}; {TOLD} {', '.join(names)}, if they are gone"
        found.append(replace(one, grade=grade, reason=said) if names else one)
    return found


def _lost(inputs: PlanInputs, action: Action) -> Iterator[str]:
    """Texts of the baseline that this action writes and that name a picture which the live text does not."""
    book = inputs.rows.get(action.type, RowBook())
    before, after = book.before.get(action.key, {}), book.after.get(action.key, {})
    for one in scope_fields(inputs.before, action.type):
        written = action.do == "insert" or one.name in action.fields
        if written and one.type == "textarea" and _pictures(before, one.name) - _pictures(after, one.name):
            yield one.name


def _pictures(values: Values, name: str) -> set[str]:
    return {id[:15] for id in _PICTURE.findall(values.get(name) or "")}


def list_pictures(plan: ResetPlan | None) -> tuple[str, ...]:
    """A sentence for each object with texts that were written back and whose pictures nobody compares."""
    counted = Counter(one.type for one in plan.actions if TOLD in one.reason) if plan else Counter[str]()
    return tuple(
        f"records {type} (pictures): texts of {count} row(s) that name pictures were written back; whether these are "
        "there is not compared"
        for type, count in sorted(counted.items())
    )
