"""getUpdated and getDeleted: windows of whole minutes over SystemModstamp."""

import pytest

from rehearse.practice.http_errors import ApiError
from rehearse.practice.rest_call import Call, find_handler
from rehearse.practice.rest_replication import ENTRIES


@pytest.fixture
def ask(small):
    def call(path, start, end):
        handler, names = find_handler(ENTRIES, "GET", path)
        return handler(Call(small.org, small.user_id, "67.0", names, {"start": start, "end": end})).body

    return call


def test_data_2_4_what_changed_and_what_went_is_listed_by_minute(small, ask):
    kept, gone = small.insert("Account", Name="A"), small.insert("Account", Name="B")
    small.clock.wait(minutes=10)
    small.delete(gone)
    small.update("Account", kept, Name="C")
    small.clock.wait(minutes=10)
    day = ("2026-11-23T08:05:59Z", "2026-11-23T09:00:00+00:00")
    assert ask("/sobjects/Account/updated", *day) == {
        "ids": [kept],
        "latestDateCovered": "2026-11-23T08:20:00.000+0000",
    }
    found = ask("/sobjects/account/deleted", *day)
    assert found["deletedRecords"] == [{"id": gone, "deletedDate": "2026-11-23T08:10:00.000+0000"}]
    assert found["earliestDateAvailable"] == "2026-11-08T08:20:00.000+0000"
    assert ask("/sobjects/Account/updated", "2026-11-23T08:11:00Z", "2026-11-23T08:15:00Z")["ids"] == []


@pytest.mark.parametrize(
    ("start", "end"),
    [
        ("2026-11-23T07:00:10Z", "2026-11-23T07:00:50Z"),
        ("2026-11-23T07:05:00Z", "2026-11-23T07:00:00Z"),
        ("2026-10-01T00:00:00Z", "2026-11-23T07:00:00Z"),
        ("2026-11-24T07:00:00Z", "2026-11-24T08:00:00Z"),
        ("yesterday", "2026-11-23T07:00:00Z"),
        ("", ""),
    ],
)
def test_data_2_4_a_window_that_is_none_is_refused(ask, start, end):
    for what in ("updated", "deleted"):
        with pytest.raises(ApiError) as refusal:
            ask(f"/sobjects/Account/{what}", start, end)
        assert refusal.value.code == "INVALID_REPLICATION_DATE"
