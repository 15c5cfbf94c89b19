"""`rehearse book drop`: a release that was called off, or has another name now, no longer counts in any planning.

Go-lives are kept for later plannings: one that never comes would make every sandbox unlike production from then on.
What took place stays in the history. A go-live that is over is forgotten only with a reason.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import Json, finish, one_line, say, user

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import datetime

    from rehearse.cli.desk import Desk
    from rehearse.release.model import Release
    from rehearse.schedule.model import Booking


def drop(
    release: Annotated[str, typer.Argument(help="Name of the release.")],
    why: Annotated[str, typer.Option(help="Why; it is kept. Needed where its go-live is over.")] = "",
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would be given back, and change nothing.")
    ] = False,
    as_json: Json = False,
) -> None:
    """Take a release out of the calendar.

    Gives back its coming rehearsals and advances, and forgets its go-live, which counts in the plannings of other
    releases. A planning that is given its file again knows it again.

    Example: rehearse book drop R41 --why "called off"
    """
    from rehearse.cli.desk import open_desk
    from rehearse.report.schedule import build_booking_body, build_bookings_table
    from rehearse.report.view import Page, Paragraph
    from rehearse.schedule.releases_store import forget_release
    from rehearse.schedule.store import cancel_bookings

    with open_desk() as desk:
        now = desk.fetch_now()
        name, known, coming = _find(desk, release, now)
        _check(desk, known, now, why)
        if not dry_run:
            cancel_bookings(desk.database, coming, (user(), one_line(why) or f"{name} was dropped"), now)
            forget_release(desk.database, name)
        head = f"{'Would drop' if dry_run else 'Dropped'} {name}: its go-live counts in no planning any more."
        table = build_bookings_table("Given back", coming, desk.workspace.zone)
        given_back = [build_booking_body(one) for one in coming]
        body = {"release": name, "go_live": known and known.go_live, "dropped": not dry_run, "given_back": given_back}
        finish("release-drop", now, body, Page("", (Paragraph(head), table)), as_json=as_json)
    if not (as_json or dry_run):
        say("See what that changes for the others with `rehearse book list`.")


def _find(desk: Desk, asked: str, now: datetime) -> tuple[str, Release | None, Sequence[Booking]]:
    """The release as it is spelled, what is known of it, and what is booked for it from now on. Raises NotFound."""
    from rehearse.errors import NotFound
    from rehearse.schedule.releases_store import load_other_releases

    bookings = [one for one in desk.load_bookings() if one.release]
    releases = {one.name: one for one in load_other_releases(desk.database, ())}
    names = sorted({*releases, *(one.release for one in bookings if one.release)})
    name = asked if asked in names else next((one for one in names if one.casefold() == asked.casefold()), None)
    if name is None:
        raise NotFound(f"No release {asked} is known here.", f"Known are: {', '.join(names) or 'none'}.")
    return name, releases.get(name), [one for one in bookings if one.release == name and one.start > now]


def _check(desk: Desk, known: Release | None, now: datetime, why: str) -> None:
    """Raise Refused where the go-live is over, unless somebody says why: production has what it brought."""
    from rehearse import clock
    from rehearse.errors import Refused

    if known is not None and known.go_live <= now and not why.strip():
        at = clock.show(known.go_live, desk.workspace.zone)
        raise Refused(
            f"{known.name} went live on {at}: without it, sandboxes that lack it would count as like production.",
            "If it never did, say so with --why.",
        )
