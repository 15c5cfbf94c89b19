"""Whatever a user gets wrong: one sentence, one hint, the right exit code, and nothing half-written."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest


@pytest.mark.parametrize(
    ("words", "code", "says"),
    [
        (("baseline", "capture", "NOPE"), 10, "no sandbox 'NOPE'"),
        (("diff", "SIT1"), 10, "no baseline of SIT1"),
        (("diff", "UATFULL", "--baseline", "B9"), 10, "no baseline 'B9'"),
        (("baseline", "capture", "UATFULL", "--name", "B1"), 2, "B1 already"),
        (("reset", "apply", "01XYZ"), 10, "no reset plan '01XYZ'"),
        (("plan", "plans/none.yaml"), 10, "no file plans/none.yaml"),
        (("book", "cancel", "nothing"), 10, "no booking 'nothing'"),
        (("book", "add", "SIT1", "--from", "2026-03-29 01:30", "--to", "2026-03-30 09:00", "--why", "x"), 2, "exist"),
        (("book", "add", "SIT1", "--from", "2026-12-02 10:00", "--to", "2026-12-02 09:00", "--why", "x"), 2, "after"),
        (("baseline", "verify"), 2, "one of the two"),
        (("baseline", "verify", "--proof", "none.json"), 10, "no proof"),
        (("status", "--break-lock", "01X"), 10, "no lock '01X'"),
    ],
)  # fmt: skip
def test_a_wrong_word_is_one_sentence_and_a_hint(
    shared_shell: Any, words: tuple[str, ...], code: int, says: str
) -> None:
    error = shared_shell.refused(*words, code=code)
    assert says in error["message"], error


def test_an_unknown_verb_or_option_is_a_usage_error(shared_shell: Any) -> None:
    assert "No such command" in shared_shell.run("teleport", code=2).err
    assert "No such option" in shared_shell.run("sandboxes", "--fast", code=2).err


def test_a_broken_plan_names_file_line_and_column(shared_shell: Any) -> None:
    text = (shared_shell.folder / "plans" / "r41.yaml").read_text()
    broken = shared_shell.folder / "plans" / "broken.yaml"
    broken.write_text(text.replace("duration: 6h", "duration: 6 hours").replace("kind: dress", "kind: dres"))
    error = shared_shell.refused("plan", "plans/broken.yaml", code=2)
    lines = error["message"].splitlines()
    assert len(lines) == 2 and all(line.startswith("plans/broken.yaml:") for line in lines), error
    assert "duration" in lines[0] and "kind" in lines[1]
    broken.unlink()


def test_a_broken_workspace_names_file_line_and_column(own_file: Any) -> None:
    shell = own_file
    shell.edit("timezone: Europe/Dublin", "timezone: Europe/Dubln")
    error = shell.refused("sandboxes", code=2)
    assert error["message"].startswith("rehearse.yaml:5:11: ") and "Europe/Dublin" in error["message"]
    shell.edit("scope:", "scoop:")
    shell.edit("version: 1", "version: 7")
    lines = shell.refused("sandboxes", code=2)["message"].splitlines()
    assert len(lines) == 2 and lines[0].startswith("rehearse.yaml:2:") and "did you mean 'scope'" in lines[1]


def test_a_wrong_secret_a_wrong_ca_and_an_org_that_is_down_each_say_so(shell: Any) -> None:
    secret = shell.world / "secrets" / "UATFULL.secret"
    kept = secret.read_text()
    secret.write_text("wrong")
    error = shell.refused("baseline", "capture", "UATFULL", code=12)
    assert "wrong" not in error["message"].replace("wrongly", "")
    secret.write_text(kept)

    ca_file = shell.world / "tls" / "ca.pem"
    shell.edit(str(ca_file), str(shell.folder / "other.pem"))
    assert "does not exist" in shell.refused("baseline", "capture", "UATFULL", code=12)["message"]
    from trustme import CA

    CA().cert_pem.write_to_path(shell.folder / "other.pem")
    assert "certificate" in shell.refused("baseline", "capture", "UATFULL", code=1)["message"].lower()
    shell.edit(str(shell.folder / "other.pem"), str(ca_file))

    shell.run("practice", "down")
    down = shell.json("baseline", "capture", "UATFULL", code=1)  # once: it is tried again for seconds before it is said
    assert "no connection" in down["message"] and down["hint"]
    assert not list((shell.folder / ".rehearse").glob("captures/*/manifest.json"))


@pytest.fixture(scope="module")
def planned(shared_shell: Any) -> str:
    """A reset plan of a sandbox that somebody changed (the shared baseline stays what it was)."""
    shared_shell.run("practice", "play", "UATFULL")
    plan: str = shared_shell.json("reset", "plan", "UATFULL")["id"]
    return plan


@pytest.fixture
def own_file(shared_shell: Any) -> Iterator[Any]:
    """The shared shell, whose rehearse.yaml is put back afterwards."""
    path = shared_shell.folder / "rehearse.yaml"
    kept = path.read_bytes()
    yield shared_shell
    path.write_bytes(kept)


def test_a_sandbox_whose_login_is_productions_is_never_written_to(own_file: Any, planned: str) -> None:
    shell = own_file
    text = (shell.folder / "rehearse.yaml").read_text()
    lines = text.splitlines()
    production = next(line for line in lines if line.startswith("  login: "))
    at = lines.index("  UATFULL:")
    lines[at + 1] = f"  {production}"
    (shell.folder / "rehearse.yaml").write_text("\n".join(lines) + "\n")
    apply = ("reset", "apply", planned, "--confirm", "UATFULL")
    assert shell.refused(*apply, code=5)["code"] in ("not-a-sandbox", "generation-changed")
    assert shell.refused("diff", "UATFULL", code=5)["code"] == "not-a-sandbox"


def test_without_a_production_login_nothing_on_this_machine_is_written_to(own_file: Any, planned: str) -> None:
    shell = own_file
    lines = (shell.folder / "rehearse.yaml").read_text().splitlines()
    lines = [line for line in lines if not line.startswith(("  login: ", "  control: "))]
    text = "\n".join(lines).replace("clock: org", "clock: machine")
    (shell.folder / "rehearse.yaml").write_text(text + "\n")
    shell.refused("reset", "apply", planned, "--confirm", "UATFULL", code=5)


def test_a_flipped_byte_in_the_store_is_noticed(shared_shell: Any) -> None:
    shell = shared_shell
    capture = shell.folder / ".rehearse" / "captures" / shell.json("baseline", "show", "B1")["capture"]
    part = next(capture.rglob("*.parquet"))
    whole = part.read_bytes()
    content = bytearray(whole)
    content[len(content) // 2] ^= 1
    part.write_bytes(content)
    for words in (("baseline", "verify", "B1"), ("diff", "UATFULL"), ("reset", "plan", "UATFULL")):
        assert shell.refused(*words, code=1)["code"] == "damaged"
    part.write_bytes(whole)
    shell.run("baseline", "verify", "B1")


def test_a_lost_key_is_said_and_is_never_made_anew(shared_shell: Any) -> None:
    shell = shared_shell
    key = shell.folder / ".rehearse-key"
    kept = key.read_bytes()
    key.unlink()
    assert shell.refused("baseline", "verify", "B1", "--deep", code=12)["code"] == "key"
    assert not key.exists()
    key.write_bytes(kept)
    shell.run("baseline", "verify", "B1", "--deep")


def test_a_refreshed_sandbox_voids_its_baseline(shell: Any) -> None:
    old = next(one for one in shell.json("sandboxes")["sandboxes"] if one["name"] == "DEV2")
    shell.run("baseline", "capture", "DEV2", "--allow-empty", "all")
    plan = shell.json("reset", "plan", "DEV2")["id"]
    shell.run("practice", "clock", "--move", "2d")
    _refresh(shell, "DEV2")
    apply = ("reset", "apply", plan, "--confirm", "DEV2")
    for words in (("diff", "DEV2"), ("reset", "plan", "DEV2"), ("reset", "prove", "DEV2"), apply):
        assert shell.refused(*words, code=5)["code"] == "generation-changed"
    row = next(one for one in shell.json("sandboxes")["sandboxes"] if one["name"] == "DEV2")
    assert row["generation"] >= 2 and row["org_id"] != old["org_id"] and row["requested"] > old["requested"]


def _refresh(shell: Any, name: str) -> None:
    """The platform team refreshes a sandbox and activates it, beside this tool."""
    from datetime import timedelta

    from rehearse.practice import admin, sandboxes
    from rehearse.practice.estate import Estate

    estate = Estate.open(shell.world)
    try:
        info = next(one for one in sandboxes.query_rows(estate, "SandboxInfo") if one["SandboxName"] == name)
        user = estate.tokens.clients()[0].user_id
        sandboxes.refresh(estate, info["Id"], {"LicenseType": info["LicenseType"], "AutoActivate": True}, user)
        admin.move_clock(estate, timedelta(days=2))
    finally:
        estate.close()


def test_dates_kept_by_hand_need_no_salesforce_at_all(tmp_path: Path, shared_shell: Any) -> None:
    by_hand = type(shared_shell)(tmp_path, shared_shell.starter)
    (tmp_path / "rehearse.yaml").write_text(
        "version: 1\ntimezone: Europe/Dublin\nsandboxes:\n"
        "  FULL1: {type: FULL, last_refresh: {requested: 2026-11-02 08:30, activated: 2026-11-04 11:10}}\n"
        "  DEV9: {type: DEVELOPER}\n"
        "storage: {path: .rehearse, key: {file: .key}}\n"
    )
    now = {"REHEARSE_NOW": "2026-11-23T08:00:00Z"}
    rows = {one["name"]: one for one in by_hand.json("sandboxes", **now)["sandboxes"]}
    assert rows["FULL1"]["possible_from"] == "2026-12-01T08:30:00Z"
    assert rows["FULL1"]["certain_from"] == "2026-12-03T11:10:00Z" and rows["FULL1"]["copy_p50_hours"] is None
    assert rows["DEV9"]["refreshable"] == "yes"
    assert by_hand.json("status", **now)["locks"] == []
    error = by_hand.refused("baseline", "capture", "FULL1", code=2, **now)
    assert "no login" in error["message"]
    assert by_hand.refused("sandboxes", code=2, REHEARSE_NOW="yesterday")["code"] == "usage"
    mistyped = by_hand.refused("sandboxes", code=2, REHEARSE_NOW="2025-11-23T08:00:00Z")["message"]
    assert mistyped == "The last_refresh of FULL1 in rehearse.yaml is in the future."


def test_there_is_no_workspace_here(tmp_path: Path, shared_shell: Any) -> None:
    nowhere = type(shared_shell)(tmp_path, shared_shell.starter)
    assert "rehearse init" in nowhere.refused("sandboxes", code=10)["hint"]
    nowhere.run("init", "--timezone", "Europe/Dublin")
    assert "was not touched" in nowhere.run("init", code=2).err
    assert nowhere.run("sandboxes", code=12).err.startswith("error:")
