"""Captures of the store that no baseline names: those of plans and comparisons, and all of them where the workspace
database was lost. Listing one again makes it a baseline; refuses one of which anything is damaged.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehearse.cli.answers import say

if TYPE_CHECKING:
    from rehearse.baseline.model import Baseline, Capture
    from rehearse.cli.desk import Desk

_TOLD = 5


def find_unlisted(desk: Desk, sandbox: str = "", start: str = "") -> tuple[Capture, ...]:
    """Captures that can be read and that no baseline names, oldest first: of a sandbox, or whose id starts so."""
    from rehearse.errors import Damaged, NotFound
    from rehearse.ids import is_same_name

    folder = desk.workspace.storage.folder / "captures"
    listed = {one.capture for one in desk.baselines().load()}
    found = []
    for path in sorted(folder.glob(f"{start.upper()}*/manifest.json" if start.isalnum() else "*/manifest.json")):
        if path.parent.name in listed:
            continue
        try:
            capture = desk.store().load(path.parent.name)
        except (Damaged, NotFound):
            continue
        if not sandbox or is_same_name(capture.sandbox, sandbox):
            found.append(capture)
    return tuple(found)


def tell_of_unlisted(desk: Desk, sandbox: str = "") -> None:
    """Where there is no baseline at all, say what the store holds all the same: a database may have been lost."""
    from rehearse import clock

    found = find_unlisted(desk, sandbox)
    for one in found[:_TOLD]:
        taken = clock.show(one.started, desk.workspace.zone)
        say(
            f"note: The store holds a capture of {one.sandbox} of {taken} ({one.record_count:,} records) that no "
            f"baseline names. Was the database lost? List it again: rehearse baseline repair {one.ulid}"
        )
    if len(found) > _TOLD:
        say(f"note: and {len(found) - _TOLD:,} later ones")
    if len(found) > 1:
        say("note: Plans and comparisons made some of them; what was captured before the rehearsal is to go back to.")


def list_again(desk: Desk, start: str, sandbox: str | None, *, dry_run: bool) -> Baseline | None:
    """Make the one unlisted capture whose id starts so a baseline again; None where there is none.

    Raises AmbiguousId, and Damaged unless all of it is whole.
    """
    from rehearse.baseline.index import describe_capture
    from rehearse.baseline.verify import verify_capture
    from rehearse.cli.baseline_capture import choose_name
    from rehearse.ids import find_by_prefix

    known = {one.ulid: one for one in find_unlisted(desk, sandbox or "", start)} if start.isalnum() else {}
    if not known:
        return None
    taken = known[find_by_prefix(start.upper(), known, "capture")]
    verify_capture(desk.store(), taken.ulid, deep=True, records=desk.store().keys.has(taken.ulid))
    desk.name_org(taken.sandbox)
    baseline = describe_capture(desk.store(), taken, choose_name(desk, taken.sandbox, None))
    if not dry_run:
        desk.baselines().add(baseline)
    now = "It would be" if dry_run else "It is"
    lost = "Proofs against it, and which rows came back under new Ids, were in the database."
    say(f"{now} baseline {baseline.name} of {baseline.sandbox} again. {lost}")
    return baseline
