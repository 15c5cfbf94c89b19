"""What the deadline radar looks at, from rehearse.yaml and the workspace database."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, time, timedelta

from rehearse.cli.desk import Desk
from rehearse.report.radar import Deadline, Sky, build_radar
from rehearse.report.sandboxes import SandboxLine
from rehearse.schedule.model import Booking
from rehearse.schedule.uses import load_uses
from rehearse.schedule.validations import load_validations


def load_radar(desk: Desk, lines: Sequence[SandboxLine], now: datetime) -> tuple[Deadline, ...]:
    """Everything that is due soon."""
    bookings = desk.load_bookings()
    used: dict[str, datetime] = {}
    for one in bookings:
        if one.start <= now:
            used[one.sandbox] = max(used.get(one.sandbox, one.start), min(one.end, now))
    seen = load_uses(desk.database)
    for line in lines:
        name = line.availability.sandbox
        if (at := seen.get(name)) is not None:
            used[name] = max(used.get(name, at), at)
    broken = _find_broken(desk, bookings, now)
    sky = Sky(
        previews=tuple((one.name, _as_meant(desk, one.cut_off)) for one in desk.workspace.previews),
        validations=tuple((one.id, one.completed) for one in load_validations(desk.database)),
        bookings=bookings,
        broken=broken,
        free=_find_moves(desk, [one for one in bookings if one.id in broken and one.what == "use"], now),
        used=used,
    )
    return build_radar(lines, now, sky)


def _as_meant(desk: Desk, end: datetime) -> datetime:
    """The last minute of a day that is included: its end reads like the next day."""
    return end - timedelta(minutes=1) if end.astimezone(desk.workspace.zone).time() == time(0) else end


def _find_broken(desk: Desk, bookings: Sequence[Booking], now: datetime) -> dict[str, str]:
    """Why bookings cannot be kept; where nothing is to come, what would find it is not even loaded."""
    if all(one.end <= now for one in bookings):
        return {}
    from rehearse.cli.booking import find_broken

    return find_broken(desk, now)


def _find_moves(desk: Desk, bookings: Sequence[Booking], now: datetime) -> dict[str, str]:
    """How each of these could be moved to the first time at which its sandbox is free."""
    if not bookings:
        return {}
    from rehearse import clock
    from rehearse.cli.booking import find_move

    starts = {one.id: find_move(desk, one, now) for one in bookings}
    zone = desk.workspace.zone
    return {key: f'rehearse book move {key} --from "{clock.show_minute(at, zone)}"' for key, at in starts.items() if at}
