"""The states of a deployment: the queue, cancelling, and the two states that API 65.0 added (metadata.md 1.4 and 8)."""

import time

import pytest

from rehearse.practice.faults import place


@pytest.fixture(autouse=True)
def _calm(calm_practice):
    """Every test leaves the world without faults and with its usual settings."""


def until(ask, wanted):
    """The first answer that is as wanted."""
    end = time.monotonic() + 20
    while not wanted(found := ask()):
        assert time.monotonic() < end, found
        time.sleep(0.01)
    return found


def state(metadata, job_id, version="67.0"):
    (told,) = type(metadata)(metadata.practice, version=version).call(
        "checkDeployStatus", f"<asyncProcessId>{job_id}</asyncProcessId>"
    )
    return told["status"][0]


def test_metadata_8_a_deployment_that_never_ends_holds_up_the_queue_until_it_is_cancelled(
    metadata, calm_practice, tools
):
    calm_practice.faults.put(place("never-end", "deploy-job", nth=1, org="UATFULL"))
    stuck = metadata.start_deploy({"package.xml": tools.manifest()})
    until(lambda: calm_practice.faults.waiting(), lambda waiting: not waiting)
    behind = metadata.start_deploy({"package.xml": tools.manifest()})
    third = metadata.start_deploy({"package.xml": tools.manifest()})
    time.sleep(0.2)
    assert (state(metadata, stuck), state(metadata, behind)) == ("InProgress", "Pending")
    (told,) = metadata.call("cancelDeploy", f"<String>{third}</String>")
    assert told == {"done": ["true"], "id": [third]}, "a waiting one is cancelled at once"
    (told,) = metadata.call("cancelDeploy", f"<id>{stuck}</id>")  # jsforce calls the parameter so
    assert told["done"] == ["false"]
    cancelled = metadata.wait("checkDeployStatus", stuck)
    assert cancelled["status"] == ["Canceled"] and cancelled["canceledByName"] and cancelled["success"] == ["false"]
    assert metadata.wait("checkDeployStatus", behind)["status"] == ["Succeeded"]


def test_metadata_1_4_from_65_a_saved_deployment_is_finalizing_and_not_cancelled(metadata, calm_practice, tools, rest):
    calm_practice.estate.settings.put("finalizing_seconds", 2)
    job = metadata.start_deploy(tools.text_field("Finalizing__c"))
    until(lambda: state(metadata, job), lambda found: found == "Finalizing")
    assert state(metadata, job, "64.0") == "InProgress"
    assert rest("GET", f"metadata/deployRequest/{job}").json()["deployResult"]["status"] == "Finalizing"
    with pytest.raises(tools.Fault) as refused:
        metadata.call("cancelDeploy", f"<String>{job}</String>")
    assert "finalizing" in refused.value.text
    assert "Account.Finalizing__c" in metadata.names("CustomField"), "its work is saved"
    assert metadata.wait("checkDeployStatus", job)["status"] == ["Succeeded"]


def test_metadata_1_4_a_deployment_that_fails_to_finalize_has_saved_its_work(metadata, calm_practice, tools):
    calm_practice.faults.put(place("finalizing-failed", "deploy-job", nth=1))
    job = metadata.start_deploy(tools.text_field("Unfinished__c"))
    done = metadata.wait("checkDeployStatus", job)
    assert (done["status"], done["success"]) == (["FinalizingFailed"], ["false"])
    assert state(metadata, job, "64.0") == "Failed"
    assert "Account.Unfinished__c" in metadata.names("CustomField")
