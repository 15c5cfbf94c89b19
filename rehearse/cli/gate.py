"""The gates before a capture as steps of a command: is the org quiet, and are its records masked?"""

from __future__ import annotations

import os
from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from datetime import timedelta
from typing import TYPE_CHECKING, Annotated

import typer

from rehearse.cli.answers import say
from rehearse.events import OnEvent, ignore

if TYPE_CHECKING:
    from rehearse.baseline.model import Capture, Scope
    from rehearse.cli.desk import Desk
    from rehearse.org.model import ObjectSummary
    from rehearse.org.reader import OrgReader
    from rehearse.reset.gates import Noise, Patience

Wait = Annotated[
    str, typer.Option(help="Wait up to so long (15m, 1h) for other work in the org to end, before refusing.")
]
AT_LEAST = timedelta(minutes=10)
"""What is expected of any work that nobody knows more of."""
AFTER_OURSELVES = timedelta(minutes=5)
"""How long the proof of an apply waits at the least: jobs that our own writes set off are over by then as a rule."""


def check_quiet(
    reader: OrgReader,
    objects: Iterable[str],
    patience: Patience | None = None,
    lasts: timedelta = AT_LEAST,
    on_event: OnEvent = ignore,
) -> tuple[str, ...]:
    """Raise GateClosed while something else writes to the org, or will while our work `lasts`; what passes, in
    sentences for `tell_passed`."""
    from rehearse.reset.gates import Patience, await_quiet, fetch_noise

    names, patience = tuple(objects), patience or Patience()
    return await_quiet(lambda: fetch_noise(reader, names, lasts, ours=patience.ours), patience, on_event)


def tell_passed(passed: Iterable[str], told: Collection[str] = ()) -> None:
    """Name what the quiet gate let pass, but for what the same command has told already."""
    for sentence in passed:
        if sentence not in told:
            say(f"note: {sentence}")


class QuietGate:
    """The quiet gate of a capture that will last so long: looked through once, and waited at where it is shut."""

    def __init__(
        self, reader: OrgReader, scope: Scope, patience: Patience, lasts: timedelta | None, on_event: OnEvent
    ) -> None:
        self._reader = reader
        self._scope = scope
        self._patience = patience
        self._lasts = lasts
        self._on_event = on_event
        self._names: tuple[str, ...] = ()
        self._seen: list[tuple[Noise, ...]] = []

    def look(self, objects: Sequence[ObjectSummary]) -> None:
        """What moves in the org now, also in its objects in scope."""
        from rehearse.baseline.scope import match_objects

        self._names = match_objects(self._scope, objects) if self._scope.objects else ()
        if self._lasts is None:
            self._lasts = expect_first(self._reader, self._names)
        self._seen = [self._fetch()]

    def pass_through(self) -> bool:
        """Name what passes; whether the first look was enough. Raises GateClosed while something else writes."""
        from rehearse.reset.gates import await_quiet

        looks = 0

        def see() -> tuple[Noise, ...]:
            nonlocal looks
            looks += 1
            return self._seen.pop() if self._seen else self._fetch()

        tell_passed(await_quiet(see, self._patience, self._on_event))
        return looks == 1

    def _fetch(self) -> tuple[Noise, ...]:
        from rehearse.reset.gates import fetch_noise

        return fetch_noise(self._reader, self._names, self._lasts or AT_LEAST)


def expect_first(reader: OrgReader, objects: Iterable[str]) -> timedelta:
    """How long a first capture may take, by about how many rows there are; the least where the org does not tell."""
    from rehearse.baseline.estimate import PUBLISHED_ROWS_PER_SECOND
    from rehearse.errors import OrgRejected

    try:
        counts = reader.fetch_record_counts()
    except OrgRejected:
        return AT_LEAST
    rows = sum(counts.get(one, 0) for one in set(objects))
    return max(AT_LEAST, timedelta(seconds=rows / PUBLISHED_ROWS_PER_SECOND))


def expect_reading(last: Capture | None, *, full: bool = True) -> timedelta:
    """How long a capture may take: half as long again as an earlier one; a fifth of it where only changes are read."""
    took = (last.ended - last.started) * 1.5 if last else AT_LEAST
    return max(AT_LEAST, took if full else took / 5)


def expect_reset(desk: Desk, sandbox: str, baseline: Capture) -> timedelta:
    """How long a reset may take: half as long again as earlier ones of this sandbox usually did, else as its capture
    did; one that was broken off and went on the next morning says nothing."""
    from rehearse.cli.planning import load_reset_times
    from rehearse.schedule.ledger import percentile

    usual = percentile(load_reset_times(desk, sandbox), 50)
    return max(AT_LEAST, usual * 1.5) if usual else expect_reading(baseline)


def read_patience(wait: str) -> Patience:
    """The patience of a reset: running work is always awaited, recent writes of others where `--wait` is given.

    Without it they are named: the plan has read them, and a proof names who wrote what. Raises UsageError.
    """
    from rehearse.reset.gates import Patience

    bound = read_wait(wait)
    without = "Run it again later, or without --wait: then recent writes of others are named, and nothing waits."
    return Patience(bound, strict=bool(bound), otherwise=without)


def after_ourselves(patience: Patience) -> Patience:
    """The patience of the proof that ends an apply: for work that our writes set off; writes of others are graded."""
    return replace(patience, bound=max(patience.bound, AFTER_OURSELVES), strict=False)


def check_masked(desk: Desk, org: str, *, unmasked: bool) -> None:
    """Raise GateClosed where a refresh copied people's records into this org and nobody has said that they are masked.

    Only a sandbox whose ready list (`rehearse refresh ready`) has that item waits for it; where this is another org
    than the ledger knows, production is asked first, which begins that list.
    """
    from rehearse.errors import GateClosed
    from rehearse.refresh.ready_store import MASKED, is_masking_open, tick_command
    from rehearse.schedule.ledger_store import load_cycles

    org_id, known = desk.connect_org(org).org_id, load_cycles(desk.database)
    if unmasked:
        return
    told = {one.org_id for one in known.get(org, ()) if not one.by_hand}
    if told and org_id not in told:
        from rehearse.cli.overview import refresh_ledger
        from rehearse.events import ignore

        refresh_ledger(desk, ignore)
    if is_masking_open(desk.database, org, org_id):
        raise GateClosed(
            f"{org} holds records of people that are not masked yet: {MASKED!r} is open on its ready list.",
            f"Tick it when it is done: {tick_command(desk.database, org, org_id)}. Or add --unmasked.",
        )


def longest_call() -> timedelta:
    """How long a lost write may still take effect: ten minutes, unless REHEARSE_LONGEST_CALL gives seconds (tests)."""
    from rehearse.errors import UsageError

    given = os.environ.get("REHEARSE_LONGEST_CALL", "600")
    if not given.isdigit():
        raise UsageError(f"REHEARSE_LONGEST_CALL is {given!r}, not a number of seconds.", "Unset it.")
    return timedelta(seconds=int(given))


def read_wait(text: str) -> timedelta:
    """The bound that `--wait` gives. Raises UsageError."""
    from rehearse import clock
    from rehearse.errors import UsageError

    span = clock.parse_span(text)
    if span.working_days:
        raise UsageError(f"--wait {text} counts working days.", "Write for example 15m or 1h.")
    return span.amount
