"""The verbs that keep a store, as a user gives them: mended, exported, pruned with care; and a diff as a file."""

import contextlib
import shutil
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from rehearse.baseline.manifest import MANIFEST, dump_checked, load_checked
from rehearse.cli.baseline_capture import load_past
from rehearse.cli.desk import open_desk
from rehearse.cli.proof import what_next
from rehearse.report.resets import build_plan_page
from rehearse.report.text import render_text
from rehearse.reset.model import Blocked, Grade, Outcome, Proof, ProofItem, ResetPlan

PLANS = Path(__file__).parents[2] / "plans"
LATER = {"REHEARSE_NOW": "2028-01-01T00:00:00Z"}


def test_a_baseline_is_damaged_mended_exported_and_pruned(desk: Any) -> None:
    desk.run("baseline", "capture", "SIT1")
    _forge(desk)
    desk.run("baseline", "capture", "SIT1", "--full")
    _mend(desk)
    _lose(desk)
    export = desk.json("baseline", "export", "B2", "--to", "out")
    assert export["written"]["records"] == export["records"] and (desk.folder / "out" / "records").is_dir()
    _prune(desk)
    foreseen = ("forecast", str(PLANS / "r41.yaml"), "--baseline", "B2", "--sandbox", "SIT1")
    for words in (("diff", "SIT1"), ("reset", "plan", "SIT1"), ("baseline", "export", "B2", "--to", "two"), foreseen):
        error = desk.refused(*words, code=1)
        assert "were destroyed" in error["message"] and error["hint"]


def test_a_store_whose_database_was_lost_lists_its_captures_again(kept_desk: Any, tmp_path: Path) -> None:
    """The rows and components of a baseline are there still: a month would be lost for want of a name."""
    desk = replace(kept_desk, folder=Path(shutil.copytree(kept_desk.folder, tmp_path / "lost")))
    known = desk.json("baseline", "list")["baselines"][0]
    for path in (desk.folder / ".rehearse").glob("rehearse.db*"):
        path.unlink()
    listed = desk.run("baseline", "list", "SIT1")
    way = f"rehearse baseline repair {known['capture']}"
    assert "Was the database lost?" in listed.err and way in listed.err
    assert way in desk.run("diff", "SIT1", code=10).err
    assert desk.run("baseline", "list", "DEV1").err == ""
    desk.run("baseline", "repair", known["capture"][:12], "--dry-run")
    assert desk.json("baseline", "list")["baselines"] == []
    part = next((desk.folder / ".rehearse" / "captures" / known["capture"]).glob("Account/*.parquet"))
    whole = part.read_bytes()
    part.write_bytes(whole[:-1])
    assert "damaged" in desk.refused("baseline", "repair", known["capture"], code=1)["code"]
    part.write_bytes(whole)
    desk.run("baseline", "repair", known["capture"])
    (again,) = desk.json("baseline", "list")["baselines"]
    assert {**again, "store": known["store"]} == known
    desk.run("diff", "SIT1")


def _forge(desk: Any) -> None:
    """A manifest that is whole but not the recorded one: nothing is built on it."""
    shown = desk.json("baseline", "show", "B1")
    path = desk.folder / ".rehearse" / "captures" / shown["capture"] / MANIFEST
    written = path.read_bytes()
    with contextlib.chdir(desk.folder), open_desk() as opened:
        assert [one.ulid for one in load_past(opened, shown["org_id"])] == [shown["capture"]]
        path.write_bytes(dump_checked({**load_checked(path), "release": "another"}))
        assert list(load_past(opened, shown["org_id"])) == []
    assert "not the one that was recorded" in desk.refused("baseline", "verify", "B1", code=1)["message"]
    path.write_bytes(written)


def _mend(desk: Any) -> None:
    capture = desk.json("baseline", "show", "B2")["capture"]
    part = next((desk.folder / ".rehearse" / "captures" / capture).glob("Account/*.parquet"))
    part.write_bytes(part.read_bytes()[:-1])
    error = desk.refused("baseline", "verify", "B2", code=1)
    assert "baseline repair B2 --sandbox" in error["hint"] and "Baseline B2 of" in error["message"]
    assert desk.json("baseline", "repair", "B2", "--dry-run", code=3)["damaged"][0]["what"] == "rows of Account"
    assert desk.json("baseline", "repair", "B2")["whole"]
    assert desk.json("baseline", "verify", "B2", "--deep")["whole"]
    assert {one["name"]: one["verdict"] for one in desk.json("baseline", "list")["baselines"]} == {
        "B1": "usable", "B2": "usable", "B2 damaged": "partial",
    }  # fmt: skip


def _lose(desk: Any) -> None:
    """A key that is lost, and files that are: neither is whole, and both say what to do."""
    capture = desk.json("baseline", "show", "B1")["capture"]
    for path in (desk.folder / ".rehearse" / "keys" / capture, desk.folder / ".rehearse" / "captures" / capture):
        path.rename(desk.folder / "away")
        assert desk.refused("baseline", "verify", "B1", code=12 if path.parent.name == "keys" else 10)["hint"]
        (desk.folder / "away").rename(path)


def test_a_key_that_cannot_be_had_is_told_before_anybody_is_asked_anything(desk: Any) -> None:
    """A capture needs it only once all metadata was read, which takes an hour in a large org."""
    path = desk.folder / "rehearse.yaml"
    text = path.read_text().replace("{file: .rehearse-key}", "{env: NOT_SET}").replace("SIT1.secret", "gone.secret")
    path.write_text(text)
    assert desk.refused("baseline", "capture", "SIT1", code=12)["code"] == "key"


def _prune(desk: Any) -> None:
    looked = desk.json("baseline", "prune", "--dry-run", **LATER)
    assert {one["fate"] for one in looked["captures"]} == {"destroyed"} and looked["swept"] is None
    error = desk.refused("baseline", "prune", code=5, **LATER)
    assert "of SIT1" in error["message"] and "--confirm SIT1" in error["hint"]
    assert desk.json("baseline", "verify", "B1")["whole"]
    swept = desk.json("baseline", "prune", "--confirm", "SIT1", **LATER)["swept"]
    assert swept["keys"] == 3 and swept["files"] > 0
    assert "records destroyed" in desk.run("baseline", "list").out
    assert "destroyed by prune" in " ".join(desk.run("baseline", "verify", "B1").out.split())


def test_a_difference_is_written_to_a_file_of_its_reader(kept_desk: Any, tmp_path: Any) -> None:
    path = tmp_path / "diff.html"
    assert kept_desk.run("diff", "SIT1", "--format", "html", "--output", str(path)).out == ""
    assert "Nothing differs" in path.read_text() and path.stat().st_mode & 0o777 == 0o600
    error = kept_desk.refused("diff", "SIT1", "--output", str(tmp_path / "no" / "such.html"), code=1)
    assert error["hint"]
    assert kept_desk.refused("diff", "SIT1", "--format", "html", code=2)["code"] == "usage"  # as JSON, too


def test_what_is_not_back_says_what_to_do_next() -> None:
    def said(*outcomes: Outcome) -> str:
        items = tuple(ProofItem("component", "Flow", one, one) for one in outcomes)
        at = datetime(2026, 11, 23, 8, tzinfo=UTC)
        return "\n".join(
            what_next(Proof("01", "UAT", "00D", "B1", "ab", "cd", None, at, "dirty", items, {}, {}, {}, (), {}))
        )

    assert said("restored", "already equal", "residue") == ""
    assert said("manual").endswith("rehearse reset prove UAT") and "refresh" not in said("manual")
    assert "rehearse refresh check UAT" in said("impossible") and "rehearse reset plan UAT" in said("failed")


def test_a_plan_with_something_impossible_says_that_the_sandbox_is_burned() -> None:
    def said(grade: Grade) -> str:
        blocked = (Blocked("component", "InstalledPackage", "pen", grade, "its version moved"),)
        at = datetime(2026, 11, 23, 8, tzinfo=UTC)
        return render_text(build_plan_page(ResetPlan("01", "UAT", "00D", "B1", "b", "l", at, (), blocked, (), "f")))

    assert "burns UAT" in said("impossible") and "rehearse refresh check UAT" in said("impossible")
    assert "burns" not in said("manual")


def test_a_proof_that_is_read_back_is_said_to_be_as_it_was_signed(desk: Any) -> None:
    desk.run("baseline", "capture", "DEV1", "--metadata-only")
    path = desk.json("reset", "prove", "DEV1")["file"]
    assert "as it was signed" in desk.run("baseline", "verify", "--proof", path).err
