"""One table of hazards: what each kind of change can be undone to, and why. Data, with one look-up.

Forecast, plan and proof read the same table, so that they cannot disagree. Rows go from the particular to the
general; the first one that fits decides. A row fits when its kind, type and change fit and every one of its `when`
marks was observed on the change. A mark is an observation (`in-bin`, `autonumber`), never a wish.
Sources are named by the fact that they rest on; where Salesforce is silent, the assumption has a name of its own.
"""

from __future__ import annotations

from collections.abc import Collection
from functools import lru_cache
from typing import Literal

from rehearse.reset.component_hazards import COMPONENT_HAZARDS
from rehearse.reset.deleted_hazards import DELETED_HAZARDS
from rehearse.reset.model import Hazard
from rehearse.reset.record_hazards import RECORD_HAZARDS
from rehearse.reset.step_hazards import STEP_HAZARDS
from rehearse.reset.unseen_hazards import UNSEEN_HAZARDS

HAZARDS: tuple[Hazard, ...] = UNSEEN_HAZARDS + RECORD_HAZARDS + DELETED_HAZARDS + COMPONENT_HAZARDS + STEP_HAZARDS

Kind = Literal["record", "component", "step"]


def find_hazard(kind: Kind, type: str, what: str, marks: Collection[str] = ()) -> Hazard:
    """The first row of the table that fits; the last rows fit everything, so there always is one."""
    return _find(kind, type, what, frozenset(marks))


@lru_cache(maxsize=10_000)
def _find(kind: Kind, type: str, what: str, marks: frozenset[str]) -> Hazard:
    return next(row for row in HAZARDS if row.kind == kind and row.fits(type, what, marks))
