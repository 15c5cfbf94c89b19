"""How long planning takes: 6 sandboxes, 24 rehearsals, 26 weeks, ten named seeds; `large` is 12, 80 and a year.

The reference in the same run is a greedy placement (first grid point that passes the judge's cheap rules), so that the
number to look at is a ratio and not a property of the machine; when the first schedule was there and how much memory it
took stand beside it. `explain` plants a conflict and measures the reasons and ways out alone.
Run: python -m tests.bench.plan [large|explain] [SEED ...]
"""

from __future__ import annotations

import os
import random
import resource
import sys
import threading
import time
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from rehearse import clock
from rehearse.clock import Hours, Span, parse_time
from rehearse.events import Noted
from rehearse.release.model import Needs, Pin, Rehearsal, Release
from rehearse.schedule.explain import explain
from rehearse.schedule.ledger import Cycle
from rehearse.schedule.model import Closed, Policy, Schedule, Supply, Window, Wish
from rehearse.schedule.problem import build_problem
from rehearse.schedule.solver import solve
from tests.bench.measure import MAXRSS_UNIT, show

SEEDS = tuple(range(1, 11))
ZONE = ZoneInfo("Europe/Dublin")
NOW = clock.from_iso("2026-11-23T08:00:00Z")
HOUR, DAY = timedelta(hours=1), timedelta(days=1)
OFFICE = Hours((0, 1, 2, 3, 4), parse_time("09:00"), parse_time("18:00"))


def build_world(seed: int, *, large: bool = False) -> Wish:
    """A believable half year (or year): a release every other week or so, three rehearsals each, few Full sandboxes."""
    dice = random.Random(seed)
    weeks, releases = (52, 27) if large else (26, 8)
    types = ["FULL", "FULL", "PARTIAL", "PARTIAL", "DEVELOPER_PRO", "DEVELOPER"] * (2 if large else 1)
    supplies = tuple(_supply(dice, f"S{number}", kind) for number, kind in enumerate(types))
    every = weeks / releases
    made = tuple(_release(dice, number, every) for number in range(1, releases + 1))
    closed = tuple(
        Closed("Payment run", Window(start, start + 2 * DAY))
        for start in (NOW + timedelta(weeks=4 * number, days=3) for number in range(weeks // 4))
    )
    policy = Policy(ZONE, OFFICE, timedelta(minutes=30), Span(timedelta(weeks=weeks)))
    return Wish(NOW, policy, supplies, made, closed)


def _supply(dice: random.Random, name: str, kind: str) -> Supply:
    requested = NOW - dice.randint(3, 60) * DAY
    copied = requested + 30 * HOUR
    cycle = Cycle(name, name, kind, "completed", "00D000000000001AAA", requested, copied, copied + 4 * HOUR)
    hours = {"FULL": 40, "PARTIAL": 12, "DEVELOPER_PRO": 4, "DEVELOPER": 2}[kind]
    tags = tuple(one for one in ("sap", "payments") if dice.random() < 0.6)
    return Supply(name, kind, tags, (cycle,), copy_time=hours * HOUR)


def _release(dice: random.Random, number: int, every: float) -> Release:
    name = f"R{number:02}"
    day = (NOW + timedelta(weeks=every * number)).astimezone(ZONE).date()
    go_live = clock.wall_forward(day + (4 - day.weekday()) * DAY, parse_time("18:00"), ZONE)
    rehearsals = (
        Rehearsal(
            "mock", name, "mock", Span(6 * HOUR), ZONE, Span(14 * DAY), Needs(("FULL", "PARTIAL"), (), "baseline"),
            Span(8 * DAY), forecast="undoable",
        ),
        Rehearsal(
            "dry", name, "dry-run", Span(4 * HOUR), ZONE, Span(10 * DAY),
            Needs(data_age=Span(60 * DAY) if dice.random() < 0.3 else None), Span(5 * DAY), forecast="undoable",
        ),
        Rehearsal(
            "dress", name, "dress", Span(8 * HOUR), ZONE, Span(7 * DAY),
            Needs(("FULL",), ("sap",) if dice.random() < 0.2 else (), "fresh" if dice.random() < 0.1 else "baseline"),
            Span(3 * DAY), "mock", Span(DAY), Span(DAY), "burns" if dice.random() < 0.12 else "undoable",
        ),
    )  # fmt: skip
    return Release(name, name, "", go_live, go_live - 40 * DAY, Span(6 * HOUR), Span(4 * HOUR), dice.randint(1, 4),
                   None, rehearsals)  # fmt: skip


def place_greedily(wish: Wish) -> int:
    """The reference: each rehearsal in turn at the first start that is free; refreshes and states are not looked at."""
    taken: dict[str, list[tuple[int, int]]] = {}
    placed = 0
    for demand in build_problem(wish).demands:
        options = ((start, name) for name, starts in demand.starts.items() for start in starts)
        for start, name in sorted(options):
            end = start + demand.length + 120
            if all(end <= one or other <= start for one, other in taken.setdefault(name, [])):
                taken[name].append((start, end))
                placed += 1
                break
    return placed


@dataclass
class Timing:
    """Seconds and processor seconds of a planning, until its first schedule, of the reference; bytes; the schedule."""

    seconds: float
    used: float
    first: float | None
    greedy: float
    peak: int
    schedule: Schedule


def measure(seed: int, *, large: bool) -> Timing:
    """Plan one world; a large planning says when its first schedule is there."""
    wish = build_world(seed, large=large)
    begun = time.perf_counter()
    place_greedily(wish)
    greedy = time.perf_counter() - begun
    begun, used, first = time.perf_counter(), _count_used(), []

    def hear(event: object) -> None:
        if isinstance(event, Noted) and event.text.startswith("A first schedule"):
            first.append(time.perf_counter() - begun)

    sizes, over = list[int](), threading.Event()
    watching = threading.Thread(target=_watch, args=(sizes, over))
    watching.start()
    schedule = solve(wish, seconds=60 if large else 30, on_event=hear)
    seconds, used = time.perf_counter() - begun, _count_used() - used
    over.set()
    watching.join()
    own = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * MAXRSS_UNIT
    return Timing(seconds, used, first[0] if first else None, greedy, max(own, *sizes, 0), schedule)


def _watch(sizes: list[int], over: threading.Event) -> None:
    """How much this process and those that solve pictures for it hold together, every quarter of a second (Linux)."""
    tasks = Path("/proc/self/task")
    while tasks.exists() and not over.wait(0.25):
        children = {pid for task in tasks.glob("*/children") for pid in _read(task).split()}
        sizes.append(sum(_count_resident(pid) for pid in ("self", *children)))


def _count_resident(pid: str) -> int:
    held = _read(Path(f"/proc/{pid}/statm")).split()
    return int(held[1]) * resource.getpagesize() if held else 0


def _read(path: Path) -> str:
    """What a file says; nothing where the process has ended."""
    try:
        return path.read_text()
    except OSError:
        return ""


def _count_used() -> float:
    """Processor seconds so far, with those of the processes that have ended."""
    return sum(os.times()[:4])


def plant(seed: int) -> Wish:
    """The small world with a conflict of two bounds, of a pin and the hours, or of two pins at one time."""
    wish, dice = build_world(seed), random.Random(seed + 1000)
    releases = list(wish.releases)
    number = dice.randrange(2, len(releases))
    release = releases[number]
    mock, dry, dress = release.rehearsals
    at = clock.wall_forward(release.go_live.astimezone(ZONE).date() - 11 * DAY, parse_time("10:00"), ZONE)
    kind = dice.choice(["bounds", "hours", "pins"])
    if kind == "bounds":
        dry = replace(dry, not_before=at, not_after=at + 2 * HOUR)
    elif kind == "hours":
        dry = replace(dry, pin=Pin(None, at + 6 * HOUR))
    else:
        dry, mock = replace(dry, pin=Pin("S2", at)), replace(mock, pin=Pin("S2", at))
    releases[number] = replace(release, rehearsals=(mock, dry, dress))
    return replace(wish, releases=tuple(releases))


def show_explanation(seed: int) -> None:
    """One line: how long the reasons and the ways out of what was planted took, after the planning itself."""
    wish = plant(seed)
    found = solve(wish, seconds=30)
    bare = replace(found, unplaced=tuple(replace(one, reasons=(), repairs=()) for one in found.unplaced))
    begun, used = time.perf_counter(), time.process_time()
    told = explain(wish, bare, seconds=60)
    seconds, used = time.perf_counter() - begun, time.process_time() - used
    why = "; ".join(
        f"{one.release} {one.rehearsal}: {', '.join(row.rule for row in one.reasons)} ({len(one.repairs)} ways out)"
        for one in told.unplaced
    )
    show(f"plan why nothing fits, 26 weeks, seed {seed}: {seconds:.1f} s ({used:.1f} of processors); {why}")


def run(rounds: int) -> None:
    """The planner's lines of `make bench`: as many seeds of half a year as rounds, and one of a year."""
    for large, seeds in ((False, SEEDS[:rounds]), (True, SEEDS[:1])):
        for seed in seeds:
            show_seed(seed, large=large)
    for seed in SEEDS[:rounds]:
        show_explanation(seed)


def show_seed(seed: int, *, large: bool) -> None:
    """One line: how long, and what each goal reached; `>=` is the bound of one that is not proven."""
    found = measure(seed, large=large)
    goals = " ".join(f"{one.name}={one.value}{'' if one.proven else f'>={one.bound}'}" for one in found.schedule.goals)
    size = "a year" if large else "26 weeks"
    first = "" if found.first is None else f", a first schedule after {found.first:.1f} s"
    show(
        f"plan {size} seed {seed}: {found.seconds:.1f} s ({found.used:.1f} of processors){first}, "
        f"{found.seconds / found.greedy:.0f} x greedy, at most {found.peak / 1e6:.0f} MB; {goals}"
    )


def main(arguments: list[str]) -> None:
    """Named seeds, or all of them."""
    for seed in [int(one) for one in arguments if one.isdigit()] or list(SEEDS):
        if "explain" in arguments:
            show_explanation(seed)
        else:
            show_seed(seed, large="large" in arguments)


if __name__ == "__main__":
    main(sys.argv[1:])
