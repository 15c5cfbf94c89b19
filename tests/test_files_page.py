"""The page about the files that users write: its examples are read as they stand, and no key is left out."""

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from rehearse import documents
from rehearse.release.file import ReleaseEntry
from rehearse.release.read import Calendar, load_release
from rehearse.workspace.file import WorkspaceEntry
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


def test_every_key_of_rehearse_yaml_is_on_the_page_and_the_example_is_read(tmp_path: Path) -> None:
    assert _lost(WorkspaceEntry, WORKSPACE) - {"file", "command"} == set()  # these two stand in the list of secrets
    assert "{file: PATH}" in PAGE and "{command: [" in PAGE
    (tmp_path / "holidays.ics").write_text("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nEND:VCALENDAR\n")
    (tmp_path / "rehearse.yaml").write_text(WORKSPACE, encoding="utf-8")
    workspace = load_workspace(tmp_path / "rehearse.yaml")
    assert [one.name for one in workspace.sandboxes] == ["UATFULL", "SIT1", "SIT2", "OLDDEV"]
    assert len(workspace.scope.bypass) == 4 and workspace.not_acted_on


def test_every_key_of_a_release_is_on_the_page_and_the_example_is_read(tmp_path: Path) -> None:
    assert _lost(ReleaseEntry, RELEASE) - {"source", "zip", "insert", "update", "delete", "days", "from", "to"} == set()
    (tmp_path / "holidays.ics").write_text("BEGIN:VCALENDAR\nVERSION:2.0\nPRODID:x\nEND:VCALENDAR\n")
    (tmp_path / "rehearse.yaml").write_text(WORKSPACE, encoding="utf-8")
    known = load_workspace(tmp_path / "rehearse.yaml")
    (tmp_path / "r41" / "package").mkdir(parents=True)
    (tmp_path / "r41.yaml").write_text(RELEASE, encoding="utf-8")
    people, sandboxes = tuple(one.name for one in known.people), tuple(one.name for one in known.sandboxes)
    release = load_release(tmp_path / "r41.yaml", Calendar(known.zone, known.hours, known.grid, people, sandboxes))
    assert [one.id for one in release.runbook] == ["freeze", "deploy", "load", "fix", "tell", "count", "switch"]
    assert release.rehearsals[1].hours == "go_live" and release.rehearsals[1].pin.sandbox == "UATFULL"
