"""The page about the files that users write: its examples are read as they stand, and no key is left out."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from rehearse import clock, documents
from rehearse.errors import DocumentError
from rehearse.release.file import ReleaseEntry
from rehearse.release.read import Calendar, load_release
from rehearse.workspace.file import WorkspaceEntry
from rehearse.workspace.model import Workspace
from rehearse.workspace.read import load_workspace

PAGE = (Path(__file__).parents[1] / "docs" / "files.md").read_text(encoding="utf-8")
WORKSPACE, RELEASE = re.findall(r"```yaml\n(.*?)```", PAGE, re.DOTALL)


def _entries(model: Any) -> Iterator[type[BaseModel]]:
    for one in documents._models(model):
        yield one
        for info in one.model_fields.values():
            for deeper in documents._flatten(info.annotation):
                for inner in getattr(deeper, "__args__", ()):
                    yield from _entries(inner)
                yield from _entries(deeper)


def _lost(model: type[BaseModel], text: str) -> set[str]:
    keys = {info.alias or name for one in _entries(model) for name, info in one.model_fields.items()}
    assert len(keys) > 30
    return {one for one in keys if not re.search(rf"(?<![\w.]){one}: ", text + " ")} - {
        one for one in keys if re.search(rf"^\s*(- )?{one}:$|^\s*{one}:\s+#", text, re.MULTILINE)
    }


def _read(folder: Path, old: str = "", new: str = "") -> Workspace:
    assert old in WORKSPACE
    (folder / "holidays.ics").write_text("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nEND:VCALENDAR\n")
    (folder / "rehearse.yaml").write_text(WORKSPACE.replace(old, new, 1) if old else WORKSPACE, encoding="utf-8")
    return load_workspace(folder / "rehearse.yaml")


def test_every_key_of_rehearse_yaml_is_on_the_page_and_the_example_is_read(tmp_path: Path) -> None:
    assert _lost(WorkspaceEntry, WORKSPACE) - {"file", "command"} == set()  # these two stand in the list of secrets
    assert "{file: PATH}" in PAGE and "{command: [" in PAGE
    workspace = _read(tmp_path)
    assert [one.name for one in workspace.sandboxes] == ["UATFULL", "SIT1", "SIT2", "OLDDEV"]
    assert len(workspace.scope.bypass) == 4 and workspace.not_acted_on
    assert [one.item for one in workspace.refresh.ready or ()] == [
        "masking finished"
    ] and workspace.budget.sandbox == 0.5
    ((left, back),) = workspace.people[0].away  # in the zone of the person, the last day included
    assert (left.isoformat(), back.isoformat()) == ("2026-12-14T05:00:00+00:00", "2026-12-17T05:00:00+00:00")
    (preview,) = workspace.previews
    assert clock.iso(preview.cut_off) == "2027-01-08T00:00:00Z" and clock.iso(preview.end) == "2027-02-15T00:00:00Z"
    closed = {one.name: (one.sandboxes, one.end) for one in workspace.blackouts if one.end}
    assert closed["Spring '27"] == (("SIT1",), preview.end) and closed["Instance move"][0] == ()
    assert [one.ics[:15] for one in workspace.blackouts if one.name == "holidays.ics"] == ["BEGIN:VCALENDAR"]
    assert _read(tmp_path, "closed: true", "closed: false").previews == (preview,)
    assert "Spring '27" not in {one.name for one in _read(tmp_path, "closed: true", "closed: false").blackouts}


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        ("settle: 6h", "settle: 5bd", "working days make no sense here"),
        ("to: 2027-02-14", "to: 2027-01-09", 'the preview "Spring \'27" ends before it starts'),
        ("to: 2027-02-21 04:00", "to: 2027-02-20 22:00", "the blackout 'Instance move' ends before it starts"),
        ("production: 10%", "production: 0%", "'0%' is no part of the daily API calls"),
        ("sandbox: 50%", "sandbox: 101%", "'101%' is no part of the daily API calls"),
        ("grid: 30m", "grid: 0m", "whole number of grid steps"),
        ("activated: 2026-11-02 11:10", "activated: 2026-11-02 10:40", "must follow one another"),
        ('from: "09:00"', 'from: "9"', "is not a time of day"),
        ("equals: 0", "equal: 0", "did you mean 'equals'"),
        ("{deactivate: ", "{custom_permission: X, deactivate: ", "exactly one of"),
        ("SELECT COUNT() FROM Contact", "SELECT Id FROM Contact", "soql must be SELECT COUNT() FROM"),
    ],
)
def test_a_slip_in_the_example_is_told(tmp_path: Path, old: str, new: str, words: str) -> None:
    with pytest.raises(DocumentError) as caught:
        _read(tmp_path, old, new)
    assert [one for one in caught.value.problems if words in one.message and one.line], caught.value.problems


def test_every_key_of_a_release_is_on_the_page_and_the_example_is_read(tmp_path: Path) -> None:
    assert _lost(ReleaseEntry, RELEASE) - {"source", "zip", "insert", "update", "delete", "days", "from", "to"} == set()
    known = _read(tmp_path)
    (tmp_path / "r41" / "package").mkdir(parents=True)
    (tmp_path / "r41.yaml").write_text(RELEASE, encoding="utf-8")
    people, sandboxes = tuple(one.name for one in known.people), tuple(one.name for one in known.sandboxes)
    release = load_release(tmp_path / "r41.yaml", Calendar(known.zone, known.hours, known.grid, people, sandboxes))
    assert [one.id for one in release.runbook] == ["freeze", "deploy", "load", "fix", "tell", "count", "switch"]
    assert release.rehearsals[1].hours == "go_live" and release.rehearsals[1].pin.sandbox == "UATFULL"
