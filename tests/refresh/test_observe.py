"""What production hides from a login is said, and the rest is kept all the same."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from rehearse import clock, state
from rehearse.errors import OrgRejected
from rehearse.events import Event, Noted
from rehearse.org.model import CopyStage, SandboxCopy, SandboxRecord
from rehearse.refresh.observe import observe
from rehearse.schedule.ledger_store import load_cycles

NOW = clock.from_iso("2026-11-23T08:00:00Z")


class Production:
    """Answers as a production whose login may see copies, and neither SandboxInfo nor stages."""

    def fetch_sandboxes(self) -> tuple[SandboxRecord, ...]:
        raise OrgRejected("INVALID_TYPE", "sObject type 'SandboxInfo' is not supported.", "Reading")

    def fetch_sandbox_copies(self) -> tuple[SandboxCopy, ...]:
        return (SandboxCopy("0GR1", "0GQ1", "UATFull", "FULL", "completed", "Completed", "00D1", NOW),)

    def fetch_copy_stages(self) -> tuple[CopyStage, ...]:
        return ()


@pytest.fixture
def database(tmp_path: Path) -> Iterator[state.Database]:
    made = state.open_database(tmp_path)
    yield made
    made.close()


def test_what_production_hides_is_said_and_the_rest_is_kept(database: state.Database) -> None:
    heard: list[Event] = []
    observe(Production(), database, NOW, heard.append)  # type: ignore[arg-type]
    notes = [one.text for one in heard if isinstance(one, Noted)]
    assert len(notes) == 1 and "INVALID_TYPE" in notes[0]
    assert [one.id for one in load_cycles(database)["UATFULL"]] == ["0GR1"]
