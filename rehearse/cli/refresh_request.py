"""A request for a refresh as steps of a command: what refuses it, sending it, and what begins with it.

With a request begin the ready list of the new generation and the booking of the time in which the sandbox changes
hands. A request that was sent before is found again and never sent twice.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from rehearse import clock
from rehearse.cli.answers import user
from rehearse.cli.refresh_booking import book_refresh
from rehearse.errors import NotConfirmed, Refused
from rehearse.refresh.ask import MAY_NOT
from rehearse.report import refreshes as view
from rehearse.report.view import Paragraph
from rehearse.schedule.ledger_store import set_expected

ABOUT_LICENCES = ("LIMIT_EXCEEDED",)
"""What production answers where no licence of the type is free; the ledger shows what is bought, and who uses it."""

if TYPE_CHECKING:
    from rehearse.cli.refresh_desk import Blocks, Case
    from rehearse.refresh.act import Taken
    from rehearse.refresh.model import Losses
    from rehearse.schedule.ledger import Refusal


def check_request(case: Case, *, anyway: bool) -> None:
    """Raise Refused where the ledger says that a request would be refused."""
    answer = case.load_answer()
    if answer.refreshable != "no" or anyway or case.was_asked() or "refresh" in case.load_open_kinds():
        return
    until = f" It is possible from {clock.show(answer.possible_from, case.zone)}." if answer.possible_from else ""
    raise Refused(
        f"{case.name} cannot be refreshed now: {'; '.join(answer.reasons) or 'a copy is under way'}.{until}",
        "Nothing was asked for. With --anyway production is asked all the same, and its answer is kept.",
    )


def check_auto_activation(case: Case, confirm: str | None, *, wanted: bool) -> None:
    """Raise unless production may replace the sandbox by itself: confirmed by name, and nobody has booked it."""
    if not wanted:
        return
    if bookings := case.load_answer().bookings:
        booked = ", ".join(one.label for one in bookings[:3])
        raise Refused(
            f"{case.name} is booked ({booked}), and with auto-activation nobody could keep it from being replaced.",
            "Leave --auto-activate off, and activate when the sandbox is free.",
        )
    if confirm is None or confirm.casefold() != case.name.casefold():
        raise NotConfirmed(
            f"With auto-activation production replaces {case.name} for good as soon as the copy is made.",
            f"Add --confirm {case.name}, or leave --auto-activate off.",
        )


def request_refresh(case: Case, *, auto_activate: bool, losses: Losses | None) -> tuple[dict[str, Any], Blocks]:
    """Ask for the refresh, keep what was expected of it, and start its ready list and its booking."""
    from rehearse.refresh.act import Taken

    if case.was_asked():
        return _asked(case, Taken(found=True), losses)
    with case.open_actor("refresh request") as actor:
        taken = actor.request(actor.fetch_record(), user(), case.now, auto_activate=auto_activate)
    case.observe()
    return _asked(case, taken, losses) if taken.refusal is None else _refused(case, taken.refusal)


def _refused(case: Case, refusal: Refusal) -> tuple[dict[str, Any], Blocks]:
    """Production's own words; where they say that this login may not, the letter to those who may."""
    refused = {"at": refusal.at, "code": refusal.code, "text": refusal.text}
    words = f"Production refused, and that is kept in the ledger: {refusal.code}: {refusal.text}"
    if refusal.code in MAY_NOT:
        letter, page = case.letter("request")
        return {**letter, "refused": refused}, [Paragraph(words, "bad"), *page]
    then = "rehearse ledger list" if refusal.code in ABOUT_LICENCES else f"rehearse ledger show {case.name}"
    return {"asked": False, "refused": refused, "run_next": then}, [Paragraph(words, "bad")]


def _asked(case: Case, taken: Taken, losses: Losses | None) -> tuple[dict[str, Any], Blocks]:
    found = case.progress()
    if found.estimate and case.last is not None and not (taken.found and case.last.expected_p50):
        set_expected(case.desk.database, case.last.id, found.estimate.p50, found.estimate.p90)
        book_refresh(case, found.estimate.p90, user())
    case.start_list(case.last, losses)
    copy = case.last
    body = {
        "asked": True,
        "found": taken.found,
        "copy": copy and {"id": copy.id, "org_id": copy.org_id, "requested": copy.requested},
        "fields_differ": list(taken.differs),
        "refused": None,
        **view.build_progress_body(found),
    }
    how = "was asked for earlier and is on its way" if taken.found else "was asked for"
    blocks: Blocks = [Paragraph(f"The refresh of {case.name} {how}.", "good")]
    if taken.differs:
        words = f"These settings of the sandbox are not what was sent: {', '.join(taken.differs)}."
        blocks.append(Paragraph(words, "warn"))
    return body, [*blocks, *view.build_progress_blocks(found, case.zone, case.now)]
