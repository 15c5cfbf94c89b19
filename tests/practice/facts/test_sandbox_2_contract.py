"""The emulator contract of sandbox-and-auth.md 2.10: the codes that copies pass, their labels, what comes between."""

from datetime import timedelta

import pytest

from rehearse.practice import admin, sandboxes
from rehearse.practice.sandbox_rows import LABELS

TEMPLATE = "1ps000000000001"
SECTION_2_3 = {
    "Pending": "0", "Completed": "1", "Processing": "2", "Pending Activation": "4",
    "Activating: Activation Confirmed": "5", "Activating: Deactivation Confirmed": "6",
    "Activating: Deactivation Finished": "7", "Activating: Activation Processing": "8", "Sampling": "X",
    "Suspended": "S", "Stopped": "G", "Discarding": "F", "Deleting": "E", "Deleted": "D", "Locking": "L", "Locked": "B",
}  # fmt: skip


def passed(company, info_id, end, step=timedelta(minutes=5)):
    """The labels that the newest copy shows, in order, until it shows `end`."""
    seen = []
    for _ in range(2_000):
        label = company.row(info_id)["Status"]
        if not seen or seen[-1] != label:
            seen.append(label)
        if label == end:
            return seen
        admin.move_clock(company.estate, step)
    raise AssertionError(seen)


def test_sandbox_2_3_every_code_has_its_label():
    assert {label: code for code, label in LABELS.items()} == SECTION_2_3


def test_sandbox_2_10_a_create_and_a_refresh_pass_the_documented_codes(company):
    info_id = company.create("UAT", "Developer")
    assert passed(company, info_id, "Completed") == ["Pending", "Processing", "Activating", "Completed"]
    company.wait(days=2)
    company.refresh(info_id, "Developer")
    assert passed(company, info_id, "Pending Activation") == ["Pending", "Processing", "Pending Activation"]
    company.activate(info_id)
    assert passed(company, info_id, "Completed") == ["Activating", "Completed"]
    company.wait(days=2)
    company.refresh(info_id, "Developer", AutoActivate=True)
    assert passed(company, info_id, "Completed") == ["Pending", "Processing", "Activating", "Completed"]


def test_sandbox_2_10_a_partial_copy_samples_first_and_shows_no_progress(company):
    info_id = company.create("SIT", "Partial", TemplateId=TEMPLATE)
    assert passed(company, info_id, "Processing") == ["Pending", "Sampling", "Processing"]
    assert company.row(info_id)["CopyProgress"] is None


@pytest.mark.parametrize(("ends_as", "label"), [("D", "Deleted"), ("1", "Completed")])
def test_sandbox_2_10_what_a_discarded_copy_ends_as_is_a_setting(company, ends_as, label):
    company.estate.settings.put("discarded_ends_as", ends_as)
    info_id = company.ready("UAT", "Developer")
    company.wait(days=2)
    company.refresh(info_id, "Developer")
    company.finish()
    sandboxes.discard(company.estate, company.newest(info_id).id, company.admin_id)
    assert passed(company, info_id, label) == ["Discarding", label]


@pytest.mark.parametrize("at", ["copied", "completed"])
def test_sandbox_2_10_the_end_may_be_told_before_a_copy_is_usable(company, at):
    company.estate.settings.put("end_date_at", at)
    info_id = company.create("UAT", "Developer")
    passed(company, info_id, "Activating")
    assert (company.row(info_id)["EndDate"] is not None) is (at == "copied")
    passed(company, info_id, "Completed")
    assert company.row(info_id)["EndDate"] is not None


def test_sandbox_2_10_tokens_of_a_replaced_org_are_dead_and_the_queue_takes_one_at_a_time(company):
    first, second = company.create("ONE", "Developer"), company.create("TWO", "Developer")
    passed(company, first, "Processing")
    assert company.row(second)["Status"] == "Pending"
    company.finish()
    old = company.estate.sandbox("ONE")
    token = company.estate.issue_token(old, company.admin_id)
    company.wait(days=2)
    company.refresh(first, "Developer", AutoActivate=True)
    assert company.estate.token(token) is not None, "the old org lives while the new one is made"
    company.finish()
    assert company.estate.token(token) is None and company.estate.sandbox("ONE").org_id != old.org_id
