"""The verbs that keep a store, as a user gives them: pruned with care, written where they are wanted."""

from typing import Any

LATER = {"REHEARSE_NOW": "2028-01-01T00:00:00Z"}


def test_old_records_are_destroyed_only_when_it_is_confirmed(desk: Any) -> None:
    desk.run("baseline", "capture", "SIT1", "--metadata-only", "--name", "Bare")
    desk.run("baseline", "capture", "SIT1")
    assert {one["fate"] for one in desk.json("baseline", "prune", "--dry-run")["captures"]} == {"kept"}
    looked = desk.json("baseline", "prune", "--dry-run", **LATER)
    assert [(one["baseline"], one["fate"]) for one in looked["captures"]] == [
        ("Bare", "destroyed"),
        ("B1", "destroyed"),
    ]
    assert looked["swept"] is None
    error = desk.refused("baseline", "prune", code=5, **LATER)
    assert "SIT1" in error["message"] and "--confirm SIT1" in error["hint"]
    assert desk.json("baseline", "verify", "B1", "--deep")["whole"]
    swept = desk.json("baseline", "prune", "--confirm", "SIT1", **LATER)["swept"]
    assert swept["keys"] == 2 and swept["files"] > 0
    assert "records destroyed" in desk.run("baseline", "list").out
    assert "destroyed by prune" in desk.run("baseline", "verify", "B1").out
    for words in (("diff", "SIT1"), ("reset", "plan", "SIT1")):
        error = desk.refused(*words, code=1)
        assert "were destroyed" in error["message"] and error["hint"]


def test_a_difference_is_written_to_a_file_of_its_reader(kept_desk: Any, tmp_path: Any) -> None:
    for form in ("html", "markdown", "text"):
        path = tmp_path / f"diff.{form}"
        assert kept_desk.run("diff", "SIT1", "--format", form, "--output", str(path)).out == ""
        assert "Nothing differs" in path.read_text() and path.stat().st_mode & 0o777 == 0o600
    error = kept_desk.refused("diff", "SIT1", "--output", str(tmp_path / "no" / "such.html"), code=1)
    assert error["hint"]
    assert kept_desk.refused("diff", "SIT1", "--format", "html", code=2)["code"] == "usage"  # as JSON, too
