"""The egress gate as a step of `reset apply`: what is let out is said, journalled, and remembered when it continues."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rehearse.cli.answers import say

if TYPE_CHECKING:
    from collections.abc import Sequence

    from rehearse.cli.desk import Desk
    from rehearse.events import OnEvent
    from rehearse.journal import Journal
    from rehearse.org.connect import OrgWriter
    from rehearse.reset.model import Allowed


def check_egress(
    desk: Desk, writer: OrgWriter, journal: Journal, given: Sequence[Allowed], on_event: OnEvent
) -> tuple[Allowed, ...]:
    """Raise GateClosed unless every way out is shut or let through by name; answers what was let through, ever.

    What a run of this plan that was broken off let through needs not be said again.
    """
    from rehearse.journal import load_entries
    from rehearse.reset.egress import fetch_leaks, require_no_egress, used
    from rehearse.reset.let_out import join_allowed, list_remembered, load_let_out, note_let_out

    before = load_let_out(load_entries(desk.database, journal.run))
    again = {one.name for one in given}
    for sentence in list_remembered(one for one in before if one.name not in again):
        say(f"note: {sentence}")
    allowed = join_allowed(before, given)
    leaks = fetch_leaks(writer.reader, desk.connect_production(), writer.fetch_deliverability(), on_event)
    for sentence in require_no_egress(leaks, {one.name for one in allowed}):
        say(f"note: {sentence}")
    let_out = used(leaks, allowed)
    note_let_out(journal, [one for one in let_out if one not in before])
    return join_allowed(before, let_out)
