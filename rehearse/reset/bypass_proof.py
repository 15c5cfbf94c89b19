"""Are the switches that silenced the org's automation as they were before the reset? One item of the proof each.

Rows and components that the plan itself has put back are judged by the comparison with the baseline, not by this.
Reads only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

from rehearse.org.connect import OrgReader
from rehearse.reset.apply_deactivation import was_off
from rehearse.reset.bypass_components import is_back, place_of
from rehearse.reset.bypass_rows import Prior, fetch_state
from rehearse.reset.model import ProofItem, Silenced

TYPE = "bypass"
WAS_ON = "as before the reset, and that was silent already: another reset of another workspace may have left it so"


def fetch_bypass_items(
    reader: OrgReader, silenced: Iterable[Silenced], planned: Collection[tuple[str, str]]
) -> tuple[ProofItem, ...]:
    """An item for each switch: restored, or failed with what is not back. Raises OrgError."""
    found = []
    for one in silenced:
        problem = _problem(reader, one, planned)
        kind: Literal["record", "component"] = "component" if one.prior is None else "record"
        detail = problem or (WAS_ON if _was_on(one) else "")
        found.append(ProofItem(kind, TYPE, str(one.switch), "failed" if problem else "restored", detail))
    return tuple(found)


def _was_on(silenced: Silenced) -> bool:
    """Whether the switch stood like this already: somebody may have left the automation silent."""
    if silenced.prior is None:
        return was_off(silenced)
    prior, wanted = Prior(**silenced.prior), dict(silenced.switch.values)
    return (
        bool(wanted) and bool(prior.rows) and all(row[one] == wanted[one] for row in prior.rows.values() for one in row)
    )


def _problem(reader: OrgReader, silenced: Silenced, planned: Collection[tuple[str, str]]) -> str:
    if silenced.prior is None:
        back = place_of(silenced.switch) in planned or is_back(reader, silenced)
        return "" if back else "it is not as it was before the reset"
    prior = Prior(**silenced.prior)
    rows, made = fetch_state(reader, prior)
    late = [id for id in prior.rows if (prior.object, id) not in planned and rows.get(id) != prior.rows[id]]
    if late:
        return f"{len(late)} row(s) of {prior.object} are not as they were before the reset"
    return f"a row of {prior.object} that the reset made is still there" if made else ""
