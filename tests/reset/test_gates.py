"""The quiet gate: running work closes it, recent edits of others are named."""

from typing import Any

import pytest

from rehearse.errors import GateClosed
from rehearse.reset.gates import Noise, fetch_noise, require_quiet


def test_a_quiet_org_says_nothing(lab: Any) -> None:
    assert [one for one in fetch_noise(lab.writer.reader, ("Routing__c",)) if one.blocks] == []


def test_a_queued_job_closes_the_gate_and_an_edit_is_named(lab: Any) -> None:
    (route,) = lab.pick('"Routing__c" ORDER BY "Id" LIMIT 1')
    lab.update("Routing__c", {"Id": route, "Remark__c": "theirs"}, by="admin")
    noise = fetch_noise(lab.writer.reader, ("Routing__c",))
    assert any("1 rows of Routing__c" in warning for warning in require_quiet(noise))
    with lab.org.transaction() as db:
        columns = [row[1] for row in db.execute('PRAGMA table_info("AsyncApexJob")')]
        values = {"Id": "707000000000001AAA", "Status": "Queued", "JobType": "BatchApex", "IsDeleted": 0}
        known = {name: value for name, value in values.items() if name in columns}
        marks = ", ".join("?" for _ in known)
        names = ", ".join(f'"{name}"' for name in known)
        db.execute(f'INSERT INTO "AsyncApexJob" ({names}) VALUES ({marks})', tuple(known.values()))
    with pytest.raises(GateClosed, match="Apex jobs"):
        require_quiet(fetch_noise(lab.writer.reader, ()))


def test_what_could_not_be_asked_is_named() -> None:
    assert require_quiet([Noise("deployments", "not asked: INVALID_TYPE", False)]) == (
        "deployments: not asked: INVALID_TYPE",
    )
