"""Two commands on one sandbox, two people on one database, and an org that goes wrong in the middle."""

import os
from pathlib import Path
from typing import Any

import pytest

from rehearse import clock, lock
from rehearse.state import open_database

LONG = os.environ.get("REHEARSE_TEST") == "all"


def test_two_commands_on_one_sandbox_never_work_at_once(kept_desk: Any) -> None:
    database = open_database(kept_desk.folder / ".rehearse")
    with lock.hold(database, "SIT1", "a long capture", clock.now()) as held:
        for words in (("baseline", "capture", "SIT1"), ("reset", "prove", "SIT1")):
            error = kept_desk.refused(*words, code=11)
            assert "a long capture" in error["message"] and held.token in error["hint"]
        (shown,) = kept_desk.json("status")["locks"]
        assert shown["id"] == held.token and shown["sandbox"] == "SIT1"
        kept_desk.run("diff", "SIT1")  # only reads
        kept_desk.run("status", "--break-lock", held.token[:20])
        assert kept_desk.json("status")["locks"] == []
    database.close()


def test_two_people_share_one_database(desk: Any, kept_desk: Any, tmp_path: Path) -> None:
    shared = {"REHEARSE_DATABASE": f"sqlite:///{tmp_path / 'team.db'}"}
    desk.run("baseline", "capture", "DEV1", "--metadata-only", "--name", "mine", **shared)
    desk.run("book", "add", "DEV1", "--from", "2026-12-01 09:00", "--to", "2026-12-01 10:00", "--why", "x", **shared)
    assert [one["name"] for one in kept_desk.json("baseline", "list", **shared)["baselines"]] == ["mine"]
    error = kept_desk.refused("diff", "DEV1", code=1, **shared)
    assert str(desk.folder) in error["message"] and "storage.path" in error["hint"]
    overlap = ("book", "add", "DEV1", "--from", "2026-12-01 09:30", "--to", "2026-12-01 10:30", "--why", "y")
    kept_desk.refused(*overlap, code=11, **shared)
    kept_desk.run("baseline", "capture", "DEV1", "--metadata-only", **shared)
    kept_desk.run("diff", "DEV1", **shared)


@pytest.mark.parametrize(
    ("deed", "at", "code"),
    [("401", "query", 12), ("403-limit", "query", 4)]
    + ([("500", "describe", 1), ("truncate", "query", 1), ("truncate", "check-retrieve", 4)] if LONG else []),
)  # fmt: skip
def test_an_org_that_goes_wrong_is_said_and_the_next_try_works(desk: Any, deed: str, at: str, code: int) -> None:
    world = ("--folder", str(desk.world))
    desk.run("practice", "fault", "add", deed, "--at", at, "--times", "200", "--org", "DEV1", *world)
    error = desk.refused("baseline", "capture", "DEV1", code=code)
    assert not list((desk.folder / ".rehearse").glob("captures/*/manifest.json")), error
    desk.run("practice", "fault", "clear", *world)
    assert desk.json("baseline", "capture", "DEV1", "--allow-empty", "all")["verdict"] == "usable"
    assert len(list((desk.folder / ".rehearse" / "captures").iterdir())) == 1


def test_one_lost_answer_is_nothing_to_speak_of(desk: Any) -> None:
    world = ("--folder", str(desk.world))
    for deed, at in (("truncate", "query"), ("lose-reply", "describe"), ("401", "query"), ("503-html", "describe")):
        desk.run("practice", "fault", "add", deed, "--at", at, "--org", "DEV2", "--nth", "2", *world)
    assert desk.json("baseline", "capture", "DEV2", "--allow-empty", "all")["verdict"] == "usable"
    desk.run("practice", "fault", "clear", *world)


def test_now_is_what_the_variable_says(kept_desk: Any) -> None:
    assert kept_desk.json("status", REHEARSE_NOW="2027-02-01T10:00:00+01:00")["at"] == "2027-02-01T09:00:00Z"
    kept_desk.refused("status", code=2, REHEARSE_NOW="2027-02-01 10:00")
    assert kept_desk.json("status")["at"].startswith("2026-11-23T")


def test_the_workspace_is_found_from_a_folder_below(kept_desk: Any) -> None:
    below = kept_desk.folder / "deep" / "er"
    below.mkdir(parents=True)
    assert type(kept_desk)(below, kept_desk.world).json("baseline", "list")["baselines"]
    assert list(below.iterdir()) == []
