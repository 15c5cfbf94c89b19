"""The practice team holds the rehearsal of R41 in a sandbox, from outside, over the wire, and it goes wrong.

`play` deploys the package, loads, changes and deletes rows through REST and Bulk, lets the administrator switch off a
rule by hand, and ends with a smoke check that is false. What it touches depends on the seed alone, so a rehearsal can
be repeated. It refuses an org that is not a sandbox. Each thing done is one Step whose `line` can be printed as it is.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

from rehearse.practice import play_hard, play_records
from rehearse.practice.estate import Estate
from rehearse.practice.play_client import Caller, PlayFailed, Seat
from rehearse.practice.play_package import build_package, hand_change
from rehearse.practice.play_records import Crew


@dataclass(frozen=True)
class Step:
    """One thing that the team did: who, what, in one line, and whether it went as planned."""

    who: str
    line: str
    good: bool = True


def take_seats(estate: Estate, sandbox: str, url: str, ca_file: Path | None = None) -> tuple[Seat, Seat]:
    """Seats of the release manager and of the administrator in a sandbox. Raises PlayFailed for an unknown sandbox."""
    org = estate.sandbox(sandbox)
    if org is None:
        raise PlayFailed(f"There is no practice sandbox {sandbox}.")
    seats = []
    for alias in ("release", "admin"):
        with org.lock:
            row = org.db.execute('SELECT "Id" FROM "User" WHERE "Alias" = ?', (alias,)).fetchone()
        if row is None:
            raise PlayFailed(f"The practice sandbox {sandbox} has no user {alias}; it was not made by the seed.")
        seats.append(Seat(url, estate.issue_token(org, str(row[0])), ca_file))
    return seats[0], seats[1]


def play(
    manager: Seat, admin: Seat, seed: int = 1, *, hard: bool = False, on_step: Callable[[Step], None] = lambda _: None
) -> tuple[Step, ...]:
    """Hold the rehearsal; `hard` adds what is hard to undo. Answers the steps, the last of them not good.

    `on_step` hears of each step when it is done. Raises PlayFailed when the org refuses what the team needs.
    """
    steps: list[Step] = []
    with Caller(manager) as first, Caller(admin) as second:
        (org,) = first.query("SELECT IsSandbox, Name FROM Organization")
        if not org["IsSandbox"]:
            raise PlayFailed("This org is not a sandbox; nobody rehearses in production.")
        for step in _hold(Crew(first, second, random.Random(f"play {seed}")), hard):
            steps.append(step)
            on_step(step)
    return tuple(steps)


def _hold(crew: Crew, hard: bool) -> Iterator[Step]:
    files = build_package()
    touched = crew.manager.deploy(files)
    yield Step("release manager", f"deployed R41: {len(files)} files, {touched} components")
    for what in play_records.STORY:
        yield Step("release manager", what(crew))
    for what in play_hard.STORY if hard else ():
        yield Step("data loader", what(crew))
    crew.admin.deploy(hand_change())
    yield Step("administrator", "switched off the validation rule Refund_Below_Zero by hand, and told nobody")
    yield Step("administrator", play_records.correct_by_hand(crew))
    left = crew.manager.count("SELECT COUNT() FROM Payment__c WHERE State__c = 'Open' AND Route__c = null")
    yield Step("release manager", f"smoke check failed: {left} open payments without a route, expected 0", left == 0)
