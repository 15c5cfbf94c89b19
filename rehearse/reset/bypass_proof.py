"""Are the switches that silenced the org's automation as they were before the reset? One item of the proof each.

Rows and components that the plan itself has put back are judged by the comparison with the baseline, not by this.
Reads only.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Literal

from rehearse.org.connect import OrgReader
from rehearse.reset.bypass_components import is_back, place_of
from rehearse.reset.bypass_rows import Prior, fetch_state
from rehearse.reset.model import ProofItem, Silenced

TYPE = "bypass"


def fetch_bypass_items(
    reader: OrgReader, silenced: Iterable[Silenced], planned: Collection[tuple[str, str]]
) -> tuple[ProofItem, ...]:
    """An item for each switch: restored, or failed with what is not back. Raises OrgError."""
    found = []
    for one in silenced:
        problem = _problem(reader, one, planned)
        kind: Literal["record", "component"] = "component" if one.prior is None else "record"
        found.append(ProofItem(kind, TYPE, str(one.switch), "failed" if problem else "restored", problem))
    return tuple(found)


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
