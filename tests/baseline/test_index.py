"""The index of baselines: names, look-up, proofs, and where the files are."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
import sqlalchemy as sa

from rehearse.baseline.index import Baselines, check_is_here
from rehearse.baseline.model import Baseline
from rehearse.errors import AmbiguousId, NotFound, StoreError, UsageError
from rehearse.state import TABLES, Database, open_database

AT = datetime(2026, 11, 23, 8, 30, tzinfo=UTC)
ONE = Baseline(
    name="B1", sandbox="UATFULL", org_id="00D000000000001AAA", capture="01K0AAAA", snapshot_id="abc123", taken_at=AT,
    records=3, components=2, bytes=5_000_000_000, verdict="usable", host="here", store="/store",
    manifest_sha256="f" * 64,
)  # fmt: skip


@pytest.fixture
def database(tmp_path: Path) -> Database:
    return open_database(tmp_path)


def test_what_is_added_is_found(database: Database) -> None:
    index = Baselines(database)
    index.add(ONE)
    later = replace(ONE, name="B2", capture="01K0BBBB", snapshot_id="abd456", taken_at=AT.replace(hour=9))
    index.add(later)
    assert index.load() == index.load("uatfull") == (ONE, later)
    assert index.load("SIT1") == ()
    assert index.find("B1") == index.find("01K0A") == index.find("abc") == ONE
    assert index.latest("UATFULL", ONE.org_id) == later
    assert index.latest("UATFULL", "00D000000000009AAA") is None
    with pytest.raises(AmbiguousId):
        index.find("ab")
    with pytest.raises(NotFound):
        index.find("B9")
    with pytest.raises(NotFound, match="SIT1 has no baseline 'B1'; UATFULL has"):
        index.find("B1", "SIT1")
    with pytest.raises(UsageError):
        index.add(ONE)
    index.remove(ONE)
    assert index.load() == (later,)
    database.close()


def test_another_letter_case_of_its_sandbox_hides_no_baseline(database: Database) -> None:
    Baselines(database).add(ONE)
    index = Baselines(database, ["Uatfull"])
    (found,) = index.load()
    assert found == index.find("B1", "uatFULL") == replace(ONE, sandbox="Uatfull")
    index.set_proof(found, "P1", "clean", AT)
    assert index.latest("Uatfull", ONE.org_id) == replace(found, proof="P1", proof_verdict="clean", proof_at=AT)
    index.remove(found)
    assert index.load() == ()
    database.close()


def test_a_proof_is_remembered(database: Database) -> None:
    index = Baselines(database)
    index.add(ONE)
    index.set_proof(ONE, "P1", "clean", AT)
    found = index.find("B1")
    assert (found.proof, found.proof_verdict, found.proof_at) == ("P1", "clean", AT)
    with pytest.raises(NotFound):
        index.set_proof(replace(ONE, name="B2"), "P1", "clean", AT)
    database.close()


def test_a_baseline_of_another_machine(tmp_path: Path) -> None:
    with pytest.raises(StoreError) as raised:
        check_is_here(ONE, tmp_path)
    assert "here" in raised.value.message and raised.value.hint


def test_a_store_that_was_moved_or_copied_has_its_baselines(tmp_path: Path) -> None:
    (tmp_path / "captures" / ONE.capture).mkdir(parents=True)
    (tmp_path / "captures" / ONE.capture / "manifest.json").write_text("{}")
    check_is_here(ONE, tmp_path)


def test_the_migration_makes_the_declared_table(database: Database) -> None:
    with database.begin() as connection:
        columns = {one["name"] for one in sa.inspect(connection).get_columns("baseline")}
    assert columns == set(TABLES.tables["baseline"].columns.keys())
    database.close()
