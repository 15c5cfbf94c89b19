"""rehearse.yaml: the documented example loads whole; each mistake is named at its line and column."""

import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from rehearse.errors import DocumentError, NotFound, Refused
from rehearse.workspace.find import find_workspace
from rehearse.workspace.read import load_workspace

EXAMPLE = """\
version: 1
clock: machine
team: Release Management
timezone: Europe/Dublin
production:
  name: ACME
  login: {sf: acme-prod}
  control: {sf: acme-sandbox-admin}
sandboxes:
  UATFULL:
    login: {jwt: {url: https://u.example, username: r@acme.com, client_id: {env: SF_CLIENT}, key_file: ~/k.pem}}
    tags: [sap, payments]
  SIT1:
    login: {client_credentials: {url: https://s.example, client_id: {env: SIT1_ID}, client_secret: {env: SIT1_SECRET}}}
  SIT2:
    login: {token: {url: {env: SIT2_URL}, access_token: {env: SIT2_TOKEN}}}
  OLDDEV:
    type: DEVELOPER
    last_refresh: {requested: 2026-11-02 08:30, activated: 2026-11-02 11:10}
tls: {ca_bundle: certs/company.pem}
calendar:
  grid: 30m
  horizon: 26w
  hours: {days: [mon, tue, wed, thu, fri], from: "09:00", to: "18:00"}
  blackouts:
    - {name: Quarter end, from: 2026-12-28, to: 2027-01-02}
    - {name: Run, rrule: "FREQ=MONTHLY;BYMONTHDAY=25", from: 2026-11-25, at: "18:00", for: 4h, sandboxes: [UATFULL]}
people:
  lead: {timezone: America/New_York, away: [{from: 2026-12-14, to: 2026-12-16}]}
refresh:
  prefer: few
  settle: 6h
  copy_time: {FULL: 48h}
licences: {FULL: 1, PARTIAL: 2}
scope:
  metadata: {include: ["*"], exclude: []}
  records: {include: [Account], exclude: [], where: {Case: "CreatedDate = LAST_N_DAYS:400"}, files: false}
  bypass:
    - {custom_permission: Bypass_Automation}
budget: {production: 10%, sandbox: 50%, retrieves: 5}
storage: {path: .rehearse, database: {env: REHEARSE_DATABASE}, key: {keyring: rehearse}, keep: 60d}
notify:
  - {to: {env: SLACK_URL}, on: [refresh, proof]}
"""


def _write(folder: Path, text: str) -> Path:
    path = folder / "rehearse.yaml"
    path.write_text(text, encoding="utf-8")
    return path


def test_the_documented_example_loads_whole(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("REHEARSE_DATABASE", raising=False)
    workspace = load_workspace(_write(tmp_path, EXAMPLE))
    assert [one.name for one in workspace.sandboxes] == ["UATFULL", "SIT1", "SIT2", "OLDDEV"]
    hand = workspace.sandbox("olddev").last_refresh
    assert hand and hand.requested == datetime(2026, 11, 2, 8, 30, tzinfo=UTC) and hand.copied is None
    assert workspace.blackouts[0].end == datetime(2027, 1, 3, tzinfo=UTC)
    assert workspace.blackouts[1].length == timedelta(hours=4)
    assert workspace.people[0].away[0][0] == datetime(2026, 12, 14, 5, tzinfo=UTC)
    login = workspace.sandbox("SIT1").login
    assert login and login.kind == "client_credentials" and "client_secret" in login.secrets
    assert workspace.storage.database is None and workspace.storage.unset == "REHEARSE_DATABASE"
    assert [(one.kind, one.name) for one in workspace.scope.bypass] == [("custom_permission", "Bypass_Automation")]
    assert not any("bypass" in one for one in workspace.not_acted_on)
    assert workspace.budget.retrieves == 5


@pytest.mark.parametrize(
    ("old", "new", "line", "words"),
    [
        ("settle: 6h", "setle: 6h", 32, "did you mean 'settle'"),
        ("version: 1", "version: 2", 1, "input should be 1"),
        ("client_secret: {env: SIT1_SECRET}", "client_secret: hunter2", 14, "a secret is never written here"),
        ("Europe/Dublin", "Europe/Dubln", 4, "Europe/Dublin"),
        ("grid: 30m", "grid: 7m", 22, "whole number of grid steps"),
        ("2026-11-02 08:30", "2026-03-29 01:30", 19, "does not exist"),
        ("for: 4h", "for: 4 hours", 27, "not a duration"),
        ("retrieves: 5", "retrieves: 0", 40, "greater than or equal to 1"),
        ("[UATFULL]", "[UATFUL]", 27, "no sandbox 'UATFUL'"),
        ("[mon, tue", "[mon, tues", 24, "'tue'"),
        ("  SIT2:", "  SIT1:", 15, "stands here twice"),
        ("  SIT2:", "  sit1:", 16, "but for capital letters"),
        ("  SIT2:", '  "../x":', 16, "no name of a sandbox"),
        ("  SIT2:", '  "":', 16, "no name of a sandbox"),
        ("  SIT2:", '  "a/b c":', 16, "no name of a sandbox"),
        ("  SIT2:", '  "UAT 📦":', 16, "no name of a sandbox"),
        ("  SIT2:", '  "UAT\\nFULL":', 16, "no name of a sandbox"),
        ("  SIT2:", f"  {'X' * 300}:", 16, "no name of a sandbox"),
        ("{sf: acme-prod}", "{sf: acme-prod, token: {url: x, access_token: {env: T}}}", 7, "exactly one of"),
        ("{name: Quarter end, from: 2026-12-28, to: 2027-01-02}", "{ics: none.ics}", 26, "cannot be read"),
        ("timezone: Europe/Dublin\n", "", 1, "'timezone' is missing"),
    ],
)
def test_a_mistake_is_named_at_its_line(tmp_path: Path, old: str, new: str, line: int, words: str) -> None:
    assert old in EXAMPLE
    with pytest.raises(DocumentError) as caught:
        load_workspace(_write(tmp_path, EXAMPLE.replace(old, new, 1)))
    found = [one for one in caught.value.problems if words in one.message]
    assert found and found[0].line == line and found[0].column > 0, caught.value.problems
    assert caught.value.exit_code == 2 and "hunter2" not in str(caught.value)


def test_all_mistakes_come_at_once(tmp_path: Path) -> None:
    broken = EXAMPLE.replace("settle", "setle").replace("version: 1", "version: 9").replace("grid:", "grit:")
    with pytest.raises(DocumentError) as caught:
        load_workspace(_write(tmp_path, broken))
    assert [one.line for one in caught.value.problems] == [1, 22, 32]


@pytest.mark.parametrize(
    "text",
    [
        "",
        "a: [",
        "a: &x [*x]",
        "- 1\n",
        "\tversion: 1",
        "version: 1\n---\nversion: 1\n",
        "? [a]\n: 1\n",
        "a: " + "[" * 3000,
    ],
)
def test_what_is_no_workspace_at_all_is_a_clear_mistake(tmp_path: Path, text: str) -> None:
    with pytest.raises(DocumentError):
        load_workspace(_write(tmp_path, text))


def test_bytes_that_are_not_text_are_a_clear_mistake(tmp_path: Path) -> None:
    (tmp_path / "rehearse.yaml").write_bytes(b"version: \xff\xfe1")
    with pytest.raises(DocumentError, match="not UTF-8"):
        load_workspace(tmp_path / "rehearse.yaml")


def test_the_file_is_found_upward(tmp_path: Path) -> None:
    path = _write(tmp_path, EXAMPLE)
    (tmp_path / "a" / "b").mkdir(parents=True)
    assert find_workspace(tmp_path / "a" / "b") == path
    with pytest.raises(NotFound, match=r"no rehearse\.yaml"):
        find_workspace(Path("/"))


def test_a_file_that_a_stranger_put_where_everybody_may_write_is_refused(tmp_path: Path) -> None:
    path = _write(tmp_path, EXAMPLE)
    (tmp_path / "mine").mkdir()
    stranger = os.geteuid() + 1
    if os.geteuid() == 0:
        os.chown(path, 65534, 65534)  # what the administrator put there is no stranger's
        stranger = 0
    assert find_workspace(tmp_path / "mine", stranger) == path  # a folder that not everybody may write to
    tmp_path.chmod(0o1777)
    with pytest.raises(Refused, match="another user") as raised:
        find_workspace(tmp_path / "mine", stranger)
    assert raised.value.hint is not None
    assert find_workspace(tmp_path / "mine", path.stat().st_uid) == path
    tmp_path.chmod(0o700)


def test_an_unknown_sandbox_lists_the_known_ones(tmp_path: Path) -> None:
    with pytest.raises(NotFound) as caught:
        load_workspace(_write(tmp_path, EXAMPLE)).sandbox("NOPE")
    assert "UATFULL" in (caught.value.hint or "")


def test_every_kind_of_bypass_is_read_and_a_mixed_one_is_named(tmp_path: Path) -> None:
    text = """version: 1
timezone: UTC
scope:
  bypass:
    - {custom_setting: Automation__c, field: Off__c, value: true}
    - {rows: {object: TriggerSwitch__c, where: "Name = 'all'", set: {Active__c: false}}}
    - {deactivate: "Flow:Route"}
"""
    file = tmp_path / "rehearse.yaml"
    file.write_text(text)
    found = load_workspace(file).scope.bypass
    assert [one.kind for one in found] == ["custom_setting", "rows", "deactivate"]
    assert found[0].values == (("Off__c", True),) and found[1].values == (("Active__c", False),)
    for wrong, words in (
        ("{custom_setting: A__c}", "custom_setting and field go together"),
        ("{custom_permission: A, deactivate: 'Flow:B'}", "exactly one of"),
        ("{deactivate: 'Layout:B'}", "Type:Name"),
    ):
        file.write_text(text.replace('{deactivate: "Flow:Route"}', wrong))
        with pytest.raises(DocumentError, match=words):
            load_workspace(file)
