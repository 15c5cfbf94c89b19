"""`rehearse practice org` beside a world: deliverability, jobs, schedules and package versions, by hand."""

import json

import pytest
from typer.testing import CliRunner

from rehearse.cli import practice
from rehearse.cli.practice_org import app
from rehearse.errors import UsageError
from rehearse.practice import admin
from rehearse.practice.packages_installed import move_package
from rehearse.practice.tooling_packages import installed_packages, package_versions


@pytest.fixture
def run(seeded_estate):
    """Words to a command beside the seed's world: the JSON of its answer."""
    folder = seeded_estate.folder

    def run(*words):
        answer = CliRunner().invoke(app, [*words, "--json", "--folder", str(folder)], catch_exceptions=False)
        assert answer.exit_code == 0, answer.output
        return json.loads(answer.output)

    run.folder = folder
    return run


def test_mail_jobs_and_schedules_by_hand(run):
    first = run("show", "UATFULL")
    assert (first["schema"], first["email"], first["jobs"]) == ("rehearse.practice-org/1", "system", [])
    assert run("mail", "UATFULL", "all")["email"] == "all"
    (job,) = run("job", "uatfull", "VisitPlanner")["jobs"]
    assert (job["kind"], job["apex_class"], job["status"]) == ("BatchApex", "VisitPlanner", "Processing")
    schedule = run("job", "UATFULL", "DunningLetter", "--cron", "0 0 3 * * ?")["jobs"][-1]
    assert schedule["following"] == "2026-11-24T03:00:00.000Z"
    assert [one["id"] for one in run("end", "UATFULL", job["id"])["jobs"]] == [schedule["id"]]
    assert run("end", "UATFULL", schedule["id"])["jobs"] == []


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("show", "NOPE"), "no sandbox NOPE"),
        (("mail", "UATFULL", "some"), "none, system, all"),
        (("job", "UATFULL", "Nobody"), "no class Nobody"),
        (("job", "UATFULL", "VisitPlanner", "--cron", "soon"), "six or seven parts"),
        (("end", "UATFULL", "707000000000001AAA"), "no job or schedule"),
        (("package", "UATFULL", "tidemaps", "3.1"), "no way back"),
        (("package", "UATFULL", "other", "3.1"), "No package other"),
        (("package", "UATFULL", "tidemaps", "new"), "such as 3.12"),
        (("copy", "UATFULL", "resume"), "No copy of UATFULL is suspended or stopped"),
        (("copy", "NOPE", "stop"), "no sandbox NOPE"),
        (("copy", "UATFULL", "halt"), "nothing that a copy can be told"),
    ],
)
def test_what_cannot_be_is_refused_in_a_sentence(run, words, said):
    with pytest.raises(UsageError, match=said):
        CliRunner().invoke(app, [*words, "--folder", str(run.folder)], catch_exceptions=False)


def test_a_package_that_moved_has_another_version_id_and_an_entry_in_the_trail(run, seeded_estate):
    org = seeded_estate.sandbox("UATFULL")
    (before,) = installed_packages(org)
    assert run("package", "UATFULL", "tidemaps", "3.13")["packages"] == {"tidemaps": "3.13"}
    (after,), (version,) = installed_packages(org), package_versions(org)
    assert (after["Id"], after["SubscriberPackageId"]) == (before["Id"], before["SubscriberPackageId"])
    assert after["SubscriberPackageVersionId"] == version["Id"] != before["SubscriberPackageVersionId"]
    assert (version["MajorVersion"], version["MinorVersion"]) == (3, 13)
    trail = 'SELECT "Display" FROM "SetupAuditTrail" ORDER BY "Id" DESC LIMIT 1'
    assert org.db.execute(trail).fetchone() == ("Changed InstalledPackage tidemaps",)
    with pytest.raises(ValueError, match="no way back"):
        move_package(org, "", "tidemaps", "3.13.0")


def test_a_copy_that_was_held_goes_on_and_locked_sandboxes_are_unlocked(company):
    company.ready("UAT")
    company.create("DEV", "Developer")
    company.wait(minutes=10)

    def status(*words):
        to = ["--json", "--folder", str(company.estate.folder)]
        answer = CliRunner().invoke(app, [*words, *to], catch_exceptions=False)
        assert answer.exit_code == 0, answer.output
        found = json.loads(answer.output)
        assert found["schema"] == "rehearse.practice-sandboxes/1"
        return [one["status"] for one in found["sandboxes"]]

    assert status("copy", "DEV", "suspend", "--minutes", "20") == ["Suspended", "Completed"]
    company.wait(minutes=21)
    assert status("copy", "DEV", "stop") == ["Stopped", "Completed"]  # its minutes were over, and it ran again
    assert status("copy", "dev", "resume") == ["Pending", "Completed"]
    shown = CliRunner().invoke(practice.app, ["clock", "--folder", str(company.estate.folder)], catch_exceptions=False)
    told = " ".join(shown.output.split())  # whatever the width
    assert f"next step of a copy is due {admin.next_event(company.estate):%Y-%m-%d %H:%M} UTC" in told
    assert status("lock") == ["Pending", "Locked"] and status("lock", "--off") == ["Pending", "Completed"]
