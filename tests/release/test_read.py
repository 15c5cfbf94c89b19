"""plans/RELEASE.yaml: what it becomes, and each mistake at its place."""

from datetime import UTC, datetime, time, timedelta
from pathlib import Path

import pytest

from rehearse import clock
from rehearse.errors import DocumentError
from rehearse.release.read import Calendar, load_release, load_releases

CALENDAR = Calendar(
    clock.zone("Europe/Dublin"),
    clock.Hours((0, 1, 2, 3, 4), time(9), time(18)),
    timedelta(minutes=30),
    people=("payments-lead",),
    sandboxes=("UATFULL",),
)
EXAMPLE = """\
version: 1
release: R41
title: Payments rework
go_live: 2026-12-18 18:00
ready: 2026-11-30
window: 6h
advance: 4h
priority: 1
package: {mdapi: package}
rehearsals:
  - {name: mock, kind: mock, duration: 6h, needs: {type: [FULL, PARTIAL], data_age: 60d}}
  - {name: dress, kind: dress, duration: 8h, after: mock, needs: {type: FULL}, hold: 3d, people: [payments-lead]}
  - {name: late, kind: dry-run, duration: 30h, hours: go_live, pin: {sandbox: UATFULL, at: 2026-12-08 09:00}}
runbook:
  - {id: freeze, manual: {where: the channel, value: R41 starts}, takes: 10m}
  - {id: deploy, needs: [freeze], deploy: package, tests: local, mode: validate+quick}
  - {id: load, needs: [deploy], records: {object: Routing__c, upsert: r.csv, key: Code__c}, no_return: true}
"""


def _write(folder: Path, text: str, name: str = "r41.yaml") -> Path:
    (folder / "package").mkdir(exist_ok=True)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


def test_a_release_file_becomes_a_release(tmp_path: Path) -> None:
    release = load_release(_write(tmp_path, EXAMPLE), CALENDAR)
    assert release.go_live == datetime(2026, 12, 18, 18, tzinfo=UTC) and release.priority == 1
    assert release.package and release.package.path == tmp_path / "package"
    mock, dress, late = release.rehearsals
    assert mock.needs.types == ("FULL", "PARTIAL") and mock.target.amount == timedelta(days=14)
    assert dress.after == "mock" and dress.needs.types == ("FULL",) and dress.hold.amount == timedelta(days=3)
    assert late.pin.at == datetime(2026, 12, 8, 9, tzinfo=UTC) and late.hours == "go_live"


def test_a_release_that_is_not_rehearsed_counts_by_its_go_live(tmp_path: Path) -> None:
    release = load_release(
        _write(tmp_path, "version: 1\nrelease: R9\ngo_live: 2026-12-18 18:00\nrehearsals: []\n"), CALENDAR
    )
    assert release.rehearsals == () and release.go_live == datetime(2026, 12, 18, 18, tzinfo=UTC)


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("duration: 6h", "duration: 10h", 11, "can never fit"),
        ("duration: 6h", "duration: 0h", 11, "more than nothing"),
        ("after: mock", "after: mocks", 12, "no rehearsal 'mocks'"),
        ("duration: 6h, needs", "duration: 6h, after: dress, needs", 11, "circle"),
        ("name: dress", "name: mock", 12, "stands here twice"),
        ("[payments-lead]", "[payment-lead]", 12, "no person"),
        ("sandbox: UATFULL", "sandbox: UATFUL", 13, "no sandbox"),
        ("go_live: 2026-12-18 18:00", "go_live: 2026-12-18", 4, "clock time"),
        ("go_live: 2026-12-18 18:00", "go_live: 2026-12-18 18:10", 13, "off the grid"),
        ("mdapi: package", "mdapi: nowhere", 9, "does not exist"),
        ("mdapi: package", "mdapi: package, zip: x.zip", 9, "exactly one of"),
        ("kind: mock", "kind: mokc", 11, "'mock'"),
        ("needs: [freeze]", "needs: [frieze]", 16, "no step 'frieze'"),
        ("deploy: package, tests", "tests", 16, "exactly one of manual, deploy"),
        ("priority: 1", "priority: 5", 8, "less than or equal to 4"),
        ("key: Code__c", "kee: Code__c", 17, "did you mean 'key'"),
        (
            "duration: 6h",
            "duration: 6h, hours: nights",
            11,
            "'rehearsals.0.hours': input should be 'calendar', 'any' or 'go_live'; or it must hold keys and values",
        ),
    ],
)
def test_a_mistake_is_named_at_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in EXAMPLE
    with pytest.raises(DocumentError) as caught:
        load_release(_write(tmp_path, EXAMPLE.replace(old, new, 1)), CALENDAR)
    assert any(words in one.message and one.line == line for one in caught.value.problems), caught.value.problems


def test_the_mistakes_of_several_files_come_together(tmp_path: Path) -> None:
    first = _write(tmp_path, EXAMPLE.replace("priority: 1", "priority: 7"))
    second = _write(tmp_path, EXAMPLE.replace("kind: mock", "kind: x").replace("R41", "R42"), "r42.yaml")
    with pytest.raises(DocumentError) as caught:
        load_releases([first, second], CALENDAR)
    assert {Path(one.file).name for one in caught.value.problems} == {"r41.yaml", "r42.yaml"}


def test_one_release_in_two_files_is_a_mistake(tmp_path: Path) -> None:
    first, second = _write(tmp_path, EXAMPLE), _write(tmp_path, EXAMPLE, "copy.yaml")
    with pytest.raises(DocumentError, match="given twice"):
        load_releases([first, second], CALENDAR)
