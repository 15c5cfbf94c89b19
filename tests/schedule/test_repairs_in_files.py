"""A way out is what it says: written into the files as its words tell, and planned again, everything of the set fits.

Worlds from a number, as files, with rules that the other generator does not mix: people in other zones, hours of the
go-live, working days, recurring blackouts, copies that make a sandbox unusable, both dates of the ledger.
"""

import copy
import json
import os
import random
import re
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from rehearse import clock
from rehearse.cli import planning
from rehearse.cli.desk import open_desk
from rehearse.schedule.model import Schedule, Wish
from rehearse.schedule.rules import check
from rehearse.schedule.solver import solve
from rehearse.schedule.wall import shift_days

LONG = os.environ.get("REHEARSE_TEST") == "all"
NOWS = ("2026-10-20T08:17:00Z", "2027-03-22T13:41:00Z", "2026-12-22T10:00:00Z")
ZONES = ("Europe/Dublin", "America/St_Johns", "Australia/Lord_Howe", "Asia/Kathmandu", "Pacific/Kiritimati")
GIVE_WAY = " Something that is placed now must then give way."
Files = tuple[dict[str, Any], dict[str, Any]]
"""rehearse.yaml and the release."""


def _world(seed: int) -> tuple[str, Files]:
    dice = random.Random(seed)
    now, zone = dice.choice(NOWS), dice.choice(ZONES)

    def day(most: int) -> str:
        return str((clock.from_iso(now) + timedelta(days=dice.randint(1, most))).astimezone(ZoneInfo(zone)).date())

    def rehearsal(number: int) -> dict[str, Any]:
        one: dict[str, Any] = {"name": f"m{number}", "kind": "mock", "duration": dice.choice(["2h", "4h", "6h"])}
        one["needs"] = {"start": dice.choice(["any", "fresh"]), "type": dice.choice([["FULL"], ["PARTIAL"]])}
        one["needs"] |= dice.choice([{}, {"tags": ["sap"]}, {"data_age": "3d"}])
        one |= {"before_go_live": dice.choice(["0m", "1d", "2d"]), "target": "3bd", "people": ["ann"]}
        one |= {"forecast": dice.choice(["undoable", "burns"]), "hours": dice.choice(["calendar", "any", "go_live"])}
        one |= dice.choice([{}, {"hold": "1bd"}, {"not_before": day(9)}, {"not_after": f"{day(5)} 18:00"}])
        one |= dice.choice([{}, {"pin": {"sandbox": "UAT"}}, {"timezone": dice.choice(ZONES)}])
        return one | ({"after": "m0", "gap": dice.choice(["1d", "2bd"])} if number and dice.random() < 0.5 else {})

    asked = clock.from_iso(now) - timedelta(days=dice.choice([4, 27]))
    last = {"requested": asked.isoformat(), "activated": (asked + timedelta(hours=30)).isoformat()}
    workspace = {
        "version": 1,
        "timezone": zone,
        "sandboxes": {"UAT": {"type": "FULL", "last_refresh": last}, "SIT": {"type": "PARTIAL", "tags": ["sap"]}},
        "calendar": {
            "grid": "1h",
            "horizon": "14d",
            "blackouts": [
                {"name": "run", "rrule": "FREQ=WEEKLY;BYDAY=TU,TH", "from": day(1), "at": "12:00", "for": "6h"},
                {"name": "freeze", "from": day(6), "to": day(8)},
            ],
        },
        "people": {"ann": {"timezone": dice.choice(ZONES), "hours": {"from": "08:00", "to": "20:00"}}},
        "refresh": {"usable_during_copy": dice.random() < 0.5, "plan_with": dice.choice(["certain", "possible"])},
    }
    freeze = workspace["calendar"]["blackouts"][1]  # type: ignore[index]
    freeze["from"], freeze["to"] = sorted((freeze["from"], freeze["to"]))
    rehearsals = [rehearsal(number) for number in range(2)]
    return now, (workspace, {"version": 1, "release": "R", "go_live": f"{day(10)} 18:00", "rehearsals": rehearsals})


def _plan(folder: Path, files: Files) -> tuple[Wish, Schedule]:
    (folder / "rehearse.yaml").write_text(json.dumps(files[0]))
    (folder / "r.yaml").write_text(json.dumps(files[1]))
    with open_desk() as desk:
        wish = planning.build_wish(desk, planning.load_plans(desk, [Path("r.yaml")]), desk.fetch_now())
    return wish, solve(wish, seconds=20)


def _applied(text: str, files: Files) -> Files:
    """The files as somebody changes them who reads a way out."""
    workspace, release = copy.deepcopy(files)
    texts = re.split(r"(?<=\.) (?=[A-Z])", text.removesuffix(GIVE_WAY).removeprefix("Together: "))
    for one in texts:
        if not _of_rehearsal(one, workspace, release) and not _of_world(one, workspace, release):
            raise AssertionError(f"nobody can tell what this means: {one}")
    return workspace, release


def _of_world(text: str, workspace: dict[str, Any], release: dict[str, Any]) -> bool:
    if found := re.match(r"Move the go-live of R (\d+)d later\.", text):
        release["go_live"] = _later(release["go_live"], int(found[1]), workspace["timezone"])
    elif text.startswith("Have ann come outside"):
        del workspace["people"]["ann"]["hours"]
    elif text.startswith("Do without ann"):
        for one in release["rehearsals"]:
            del one["people"]
    elif found := re.match(r"Lift the blackout (\w+)\.", text):
        kept = [one for one in workspace["calendar"]["blackouts"] if one["name"] != found[1]]
        workspace["calendar"]["blackouts"] = kept
    elif text.startswith("Try to refresh"):
        workspace["refresh"]["plan_with"] = "possible"
    else:
        return False
    return True


def _later(text: str, days: int, zone: str, *, last: bool = False) -> str:
    where = ZoneInfo(zone)
    return shift_days(clock.parse_edge(text, where, last=last), days, where).isoformat()


Change = Callable[[dict[str, Any], re.Match[str], str], Any]
WAYS: tuple[tuple[str, Change], ...] = (
    (r"Let R (\w+) run before \w+\.", lambda one, found, zone: one.pop("after")),
    (r"Let R (\w+) start from a reset baseline\.", lambda one, found, zone: one["needs"].update(start="baseline")),
    (r"Change R (\w+) so that it can be undone\.", lambda one, found, zone: one.update(forecast="undoable")),
    (r"Do not hold the sandbox after R (\w+)\.", lambda one, found, zone: one.pop("hold")),
    (r"Let R (\w+) run in a sandbox without these tags\.", lambda one, found, zone: one["needs"].pop("tags")),
    (r"Let R (\w+) run in a (\w+) sandbox\.", lambda one, found, zone: one["needs"]["type"].append(found[2])),
    (r"Let R (\w+) run in another sandbox than UAT\.", lambda one, found, zone: one.pop("pin")),
    (r"Shorten R (\w+) to (\d+h)\.", lambda one, found, zone: one.update(duration=found[2])),
    (
        r"Let the data of R (\w+) be (\d+)d older\.",
        lambda one, found, zone: one["needs"].update(data_age=f"{int(one['needs']['data_age'][:-1]) + int(found[2])}d"),
    ),
    (
        r"Let R (\w+) end (\d+)d nearer to the go-live\.",
        lambda one, found, zone: one.update(before_go_live=f"{int(one['before_go_live'][:-1]) - int(found[2])}d"),
    ),
    (
        r"Let R (\w+) start (\d+)d earlier\.",
        lambda one, found, zone: one.update(not_before=_later(one["not_before"], -int(found[2]), zone)),
    ),
    (
        r"Let R (\w+) end (\d+)d later\.",
        lambda one, found, zone: one.update(not_after=_later(one["not_after"], int(found[2]), zone, last=True)),
    ),
)


def _of_rehearsal(text: str, workspace: dict[str, Any], release: dict[str, Any]) -> bool:
    for pattern, change in WAYS:
        if found := re.match(pattern, text):
            one = next(each for each in release["rehearsals"] if each["name"] == found[1])
            change(one, found, one.get("timezone", workspace["timezone"]))
            return True
    return False


SEEDS = (1, 5, *(range(100, 160) if LONG else ()))


@pytest.mark.parametrize("seed", SEEDS)
def test_a_way_out_works_as_its_words_say(seed: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    now, files = _world(seed)
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("REHEARSE_NOW", now)
    wish, found = _plan(tmp_path, files)
    assert check(found, wish) == []
    placed = {one.rehearsal for one in found.bookings}
    for missing in found.unplaced:
        for way in missing.repairs:
            assert way.checked
            changed = _applied(way.text, files)
            alone = way.text.endswith(GIVE_WAY) or way.text.startswith("Together: ")
            follows = {one["name"]: one.get("after") for one in changed[1]["rehearsals"]}
            wanted = {missing.rehearsal, follows[missing.rehearsal]} - {None} | (set() if alone else placed)
            changed[1]["rehearsals"] = [one for one in changed[1]["rehearsals"] if one["name"] in wanted]
            again_wish, again = _plan(tmp_path, changed)
            assert check(again, again_wish) == []
            assert {one.rehearsal for one in again.bookings} == wanted, way.text
