"""Jobs begun ahead: in order, never twice, never more than wait, and by whoever comes first."""

from collections.abc import Callable
from threading import Event, Lock

import pytest

from rehearse.baseline import jobs_ahead
from rehearse.baseline.jobs_ahead import JobsAhead
from rehearse.errors import OrgRejected

NAMES = [f"Thing{number}__c" for number in range(6)]


class Org:
    """Begins jobs, and remembers for which objects, in order."""

    def __init__(self) -> None:
        self.begun: list[str] = []
        self.lock = Lock()

    def begin(self, name: str) -> Callable[[], str]:
        def begun() -> str:
            with self.lock:
                self.begun.append(name)
            if name == "Refused__c":
                raise OrgRejected("INVALIDENTITY", "Entity is not supported by the Bulk API", "Starting a bulk query")
            return f"job of {name}"

        return begun


def test_each_job_is_begun_once_whoever_asks_for_which_first(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_ahead, "MOST_AHEAD", 2)
    org = Org()
    ahead = JobsAhead({name: org.begin(name) for name in NAMES})
    for name in [*reversed(NAMES), "Other__c"]:
        assert ahead.take(name, org.begin(name)) == f"job of {name}"
    ahead.close()
    assert sorted(org.begun) == sorted([*NAMES, "Other__c"])


def test_no_more_wait_than_are_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jobs_ahead, "MOST_AHEAD", 2)
    org, third = Org(), Event()

    def begin_third() -> str:
        third.set()
        return "job"

    ahead = JobsAhead({**{name: org.begin(name) for name in NAMES[:2]}, "Third__c": begin_third})
    assert not third.is_set()
    ahead.take(NAMES[0], org.begin(NAMES[0]))
    assert third.wait(30)
    ahead.close()
    assert sorted(org.begun) == NAMES[:2]


def test_a_refusal_reaches_who_comes_for_it_and_nobody_else() -> None:
    org = Org()
    ahead = JobsAhead({name: org.begin(name) for name in ("Refused__c", NAMES[0])})
    with pytest.raises(OrgRejected):
        ahead.take("Refused__c", org.begin("Refused__c"))
    assert ahead.take(NAMES[0], org.begin(NAMES[0])) == f"job of {NAMES[0]}"
    ahead.close()
