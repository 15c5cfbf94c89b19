"""What lies in folders: also in the public folder of the platform's own, which no list of folders names."""

from typing import Any

from rehearse.practice.play import take_seats
from rehearse.practice.play_client import Caller
from tests.reset.hazards.building import HEAD, NS, manifest, own

UNFILED = "unfiled$public"


def package(lab: Any, title: str, *names: str) -> dict[str, bytes]:
    body = own(lab, "Report:Receivables/Open_Invoices").replace("<name>", f"<name>{title} ", 1)
    files = {f"reports/{one}.report": f"{HEAD}<Report {NS}>{body}</Report>" for one in names}
    files["package.xml"] = manifest({"Report": names})
    return {path: text.encode() for path, text in files.items()}


def test_reports_without_a_folder_of_their_own_are_put_back(lab: Any) -> None:
    _, admin = take_seats(lab.server.estate, "UATFULL", lab.server.http_url)
    with Caller(admin) as caller:
        caller.deploy(package(lab, "Old", f"{UNFILED}/Kept", f"{UNFILED}/Gone"))
        before = lab.capture(objects=(), types=("Report",))
        picture = lab.photograph(())
        caller.deploy(package(lab, "Changed", f"{UNFILED}/Kept", f"{UNFILED}/Extra"))
        gone = {"package.xml": manifest({}), "destructiveChanges.xml": manifest({"Report": [f"{UNFILED}/Gone"]})}
        caller.deploy({path: text.encode() for path, text in gone.items()})
    assert lab.photograph(()) != picture
    proof = lab.reset(before)
    assert {(one.key, one.outcome) for one in proof.items} == {
        (f"{UNFILED}/{name}", "restored") for name in ("Kept", "Gone", "Extra")
    }
    assert proof.verdict == "clean" and lab.photograph(()) == picture
