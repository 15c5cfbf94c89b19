"""A write whose reply never came takes effect later: it is waited for, and never sent a second time."""

import time
from datetime import timedelta
from typing import Any

import pytest

from rehearse.org.connect import SandboxClaim, WireOptions, connect_writer
from rehearse.org.model import Login
from rehearse.practice.faults import Fault

LATE = 1.0  # seconds until the org does what it was asked; the client gives up long before


def impatient(lab: Any, sent: list[str]) -> None:
    """Let the lab write over a connection that gives up a reply early, and note what it sends."""

    def heard(when: str, method: str, path: str) -> None:
        if when == "before" and (method in ("PATCH", "DELETE") or "/Soap/u/" in path):
            sent.append(method)

    options = WireOptions(write_seconds=0.4, wait_seconds=0.01, longest_wait=0.05, first_poll=0.01, on_call=heard)
    login = Login("token", url=lab.server.http_url, secret=lab.tokens()[1])
    lab.writer = connect_writer(login, SandboxClaim("UATFULL", lab.writers[0]), options=options)
    lab.writers.append(lab.writer)


@pytest.mark.parametrize(("method", "change"), [("PATCH", "update"), ("DELETE", "insert")])
def test_a_delayed_commit_is_awaited_and_not_sent_again(lab: Any, method: str, change: str) -> None:
    before = lab.capture(objects=("Routing__c",))
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    if change == "update":
        lab.update("Routing__c", {"Id": route, "Remark__c": "rehearsal"})
    else:
        lab.insert("Routing__c", {"Code__c": "NEW"})
    plan = lab.plan(before)
    sent: list[str] = []
    impatient(lab, sent)
    lab.server.faults.put(Fault(method, "/sobjects", 1, "slow", 1, LATE))
    waiting = {"uncertain_for": timedelta(seconds=30), "poll": 0.1, "sleep": time.sleep}
    began = time.monotonic()
    report = lab.apply(plan, **waiting)
    assert time.monotonic() - began > LATE and sent.count(method) == 1
    proof = lab.prove(before, plan, report)
    assert proof.verdict == "clean" and [one.outcome for one in proof.items] == ["restored"]
