"""Bulk 2.0 against a server that cuts, miscounts and forgets."""

from pathlib import Path
from typing import Any

import pytest

from rehearse.errors import NotFound, OrgBusy, OrgRejected, OrgUncertain, OrgUnreachable, ProductionRefused, UsageError
from rehearse.ids import to_18
from rehearse.org import bulk_ingest
from rehearse.org.bulk import BulkReader
from rehearse.org.bulk_ingest import BulkWriter
from rehearse.org.wire import Wire

JOB = to_18("750000000000001")
USER = to_18("005000000000001")
PAGE = b'"Id","Name"\n"1","a\nb"\n"2",""\n'


def reply(body: object, status: int = 200, **headers: str) -> tuple[Any, ...]:
    return ("reply", body, status, {name.replace("_", "-"): value for name, value in headers.items()})


def page(body: bytes = PAGE, rows: str = "2", locator: str = "null", **headers: str) -> tuple[Any, ...]:
    known = {"Content_Type": "text/csv", "Sforce_NumberOfRecords": rows, "Sforce_Locator": locator}
    return reply(body, **(known | headers))


def job(state: str, **more: object) -> tuple[Any, ...]:
    return reply({"id": JOB, "operation": "query", "object": "Account", "state": state, **more})


@pytest.mark.parametrize(
    "fault",
    [
        page(rows="3"),
        page(rows="1"),
        page(rows=""),
        page(PAGE[:-1]),
        page(PAGE[:-3]),
        page(PAGE[:22]),
        page(Content_Length=""),
        ("drop", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nSforce-NumberOfRecords: 2\r\n\r\n" + PAGE),
        ("drop", b'HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nSforce-NumberOfRecords: 2\r\n\r\n5\r\n"Id"\n\r\n'),
        ("drop", b"HTTP/1.1 200 OK\r\nContent-Length: 28\r\nContent-Encoding: gzip\r\n\r\n" + PAGE),
        ("drop", b""),
        reply(b"<html>sorry</html>", 200, Content_Type="text/html"),
    ],
)
def test_a_page_that_is_not_whole_is_read_again(wire: Wire, scripted: Any, tmp_path: Path, fault: Any) -> None:
    # without a Content-Length, the scripted connection has to end for the body to end
    scripted.answers(fault if fault[0] != "reply" or fault[3].get("Content-Length") != "" else as_drop(fault), page())
    got = BulkReader(wire, "67.0").download(JOB, None, tmp_path / "page.csv")
    assert (got.rows, got.columns, got.next_locator) == (2, ("Id", "Name"), None)
    assert got.path.read_bytes() == PAGE
    assert len(scripted.seen) == 2


def as_drop(fault: Any) -> Any:
    return ("drop", b"HTTP/1.1 200 OK\r\nSforce-NumberOfRecords: 2\r\n\r\n" + fault[1])


def test_a_page_that_stays_broken_is_an_error(wire: Wire, scripted: Any, tmp_path: Path) -> None:
    scripted.answers(page(rows="3"))
    with pytest.raises(OrgBusy, match="2 rows where 3 were promised"):
        BulkReader(wire, "67.0").download(JOB, None, tmp_path / "page.csv")
    scripted.answers(("drop", b"HTTP/1.1 200 OK\r\nContent-Length: 99\r\nSforce-NumberOfRecords: 2\r\n\r\n" + PAGE))
    with pytest.raises(OrgUnreachable):
        BulkReader(wire, "67.0").download(JOB, None, tmp_path / "page.csv")


def test_pages_of_odd_content(wire: Wire, scripted: Any, tmp_path: Path) -> None:
    reader = BulkReader(wire, "67.0")
    scripted.answers(page(b"", "0"))
    assert reader.download(JOB, None, tmp_path / "page.csv").rows == 0
    scripted.answers(page(b'"Id"\n', "0", "abc"))
    assert reader.download(JOB, "x", tmp_path / "page.csv").next_locator == "abc"
    assert scripted.seen[-1].path.endswith("/results?locator=x")
    scripted.answers(page(b'"Id"\n"a\0b"\n', "1"))
    got = reader.download(JOB, None, tmp_path / "page.csv")
    assert (got.nul_bytes, got.path.read_bytes()) == (1, b'"Id"\n"ab"\n')


def test_old_versions_ask_for_a_page_size_and_list_no_pages(wire: Wire, scripted: Any, tmp_path: Path) -> None:
    reader = BulkReader(wire, "57.0")
    assert list(reader.page_locators(JOB)) == [None]
    scripted.answers(page())
    reader.download(JOB, None, tmp_path / "page.csv")
    assert "maxRecords=" in scripted.seen[-1].path


@pytest.mark.parametrize("key", ["nextRecordsUrl", "nextRecordUrl"])
def test_page_lists_are_followed_in_both_spellings(wire: Wire, scripted: Any, key: str) -> None:
    base = f"/services/data/v67.0/jobs/query/{JOB}"
    first = {"resultPages": [{"resultUrl": f"{base}/results"}, {"resultUrl": f"{base}/results?locator=b"}]}
    more = {**first, key: f"{base}/resultpages?locator=c%2B", "done": False}
    last = {"resultPages": [{"resultUrl": f"{base}/results?locator=c%2B"}], "done": True}
    scripted.answers(reply(more), reply(last))
    assert list(BulkReader(wire, "67.0").page_locators(JOB)) == [None, "b", "c+"]


def test_a_failed_query_is_an_error_in_the_orgs_words(wire: Wire, scripted: Any, slept: list[float]) -> None:
    scripted.answers(job("UploadComplete"), job("InProgress"), job("Failed", errorMessage="too large"))
    with pytest.raises(OrgRejected, match="FAILED: too large"):
        BulkReader(wire, "67.0").wait(JOB)
    assert len(slept) == 2 and 0 < slept[0] <= slept[1]


def test_only_own_query_jobs_are_deleted(wire: Wire, scripted: Any) -> None:
    reader = BulkReader(wire, "67.0")
    with pytest.raises(NotFound):
        reader.delete(JOB)
    assert scripted.seen == []
    scripted.answers(job("UploadComplete"))
    assert reader.start("SELECT Id FROM Account").id == JOB
    scripted.answers(job("InProgress"), job("Aborted"), reply(b"", 204))
    reader.delete(JOB)
    assert [one.method for one in scripted.seen[1:]] == ["GET", "PATCH", "DELETE"]


def test_a_delete_whose_reply_was_lost_ends_well(wire: Wire, scripted: Any) -> None:
    reader = BulkReader(wire, "67.0")
    scripted.answers(job("UploadComplete"))
    reader.start("SELECT Id FROM Account")
    gone = reply([{"errorCode": "NOT_FOUND", "message": "gone"}], 404)
    scripted.answers(job("JobComplete"), ("drop", b""), gone)
    reader.delete(JOB)


def test_a_job_of_an_interrupted_run_is_adopted_only_if_it_is_ours(wire: Wire, scripted: Any) -> None:
    reader = BulkReader(wire, "67.0")
    scripted.answers(job("JobComplete", createdById=to_18("005000000000002")))
    with pytest.raises(NotFound):
        reader.adopt(JOB, USER)
    scripted.answers(job("JobComplete", createdById=USER[:15]))
    assert reader.adopt(JOB, USER).created_by == USER[:15]
    assert wire.owns(JOB)


# ingest


def test_ingest_is_refused_on_a_closed_wire(wire: Wire, scripted: Any, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_bytes(b"Name\nx\n")
    writer = BulkWriter(wire, "67.0")
    for act in (
        lambda: writer.open("Account", "insert"),
        lambda: writer.upload(JOB, rows),
        lambda: writer.close(JOB),
        lambda: writer.abort(JOB),
    ):
        with pytest.raises(ProductionRefused):
            act()
    assert scripted.seen == []


def test_a_file_is_sent_as_it_stands(open_wire: Wire, scripted: Any, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    data = b'Name\n"a\r\nb"\n' + b'"' + b"x" * 3_000_000 + b'"\n'
    rows.write_bytes(data)
    scripted.answers(reply(b"", 201))
    BulkWriter(open_wire, "67.0").upload(JOB, rows)
    seen = scripted.seen[0]
    assert (seen.method, seen.path) == ("PUT", f"/services/data/v67.0/jobs/ingest/{JOB}/batches")
    assert seen.body == data
    assert seen.headers["content-length"] == str(len(data))


def test_an_upload_whose_reply_is_lost_is_not_repeated(open_wire: Wire, scripted: Any, tmp_path: Path) -> None:
    rows = tmp_path / "rows.csv"
    rows.write_bytes(b"Name\nx\n")
    scripted.answers(("drop", b""))
    with pytest.raises(OrgUncertain):
        BulkWriter(open_wire, "67.0").upload(JOB, rows)
    assert len(scripted.seen) == 1


def test_a_file_that_is_too_large_is_not_sent(
    open_wire: Wire, scripted: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bulk_ingest, "INGEST_BYTES", 5)
    rows = tmp_path / "rows.csv"
    rows.write_bytes(b"Name\nx\n")
    with pytest.raises(UsageError):
        BulkWriter(open_wire, "67.0").upload(JOB, rows)
    assert scripted.seen == []


@pytest.mark.parametrize(
    ("state", "methods"),
    [
        ("Open", ["PATCH", "GET", "PATCH"]),
        ("UploadComplete", ["PATCH", "GET"]),
        ("InProgress", ["PATCH", "GET"]),
        ("JobComplete", ["PATCH", "GET"]),
    ],
)
def test_after_a_lost_reply_the_job_says_whether_it_was_closed(
    open_wire: Wire, scripted: Any, state: str, methods: list[str]
) -> None:
    scripted.answers(("drop", b""), job(state), job("UploadComplete"))
    BulkWriter(open_wire, "67.0").close(JOB)
    assert [one.method for one in scripted.seen] == methods


def test_aborting_what_has_ended_is_no_error_and_what_runs_is_one(open_wire: Wire, scripted: Any) -> None:
    refusal = reply([{"errorCode": "INVALIDJOBSTATE", "message": "no"}], 400)
    scripted.answers(refusal, job("JobComplete"))
    BulkWriter(open_wire, "67.0").abort(JOB)
    scripted.answers(refusal, job("InProgress"))
    with pytest.raises(OrgRejected, match="INVALIDJOBSTATE"):
        BulkWriter(open_wire, "67.0").abort(JOB)


def test_results_keep_every_character(open_wire: Wire, scripted: Any) -> None:
    text = '"sf__Id","sf__Created","Name"\n"1","true","a\r\nb\u2028c\x85d""e"\n"2","false",""\n'
    scripted.answers(("drop", b""), reply(text.encode(), Content_Type="text/csv"))
    rows = list(BulkWriter(open_wire, "67.0").results(JOB, "successful"))
    assert [row["Name"] for row in rows] == ['a\r\nb\u2028c\x85d"e', ""]
    assert scripted.seen[-1].path.endswith("/successfulResults")


def test_results_that_are_cut_are_read_again(open_wire: Wire, scripted: Any) -> None:
    whole = b'"sf__Id","sf__Error"\n"1","no"\n'
    scripted.answers(reply(whole[:-2], Content_Type="text/csv"), reply(whole, Content_Type="text/csv"))
    rows = list(BulkWriter(open_wire, "67.0").results(JOB, "failed"))
    assert rows == [{"sf__Id": "1", "sf__Error": "no"}]
    scripted.answers(reply(b"", Content_Type="text/csv"))
    assert list(BulkWriter(open_wire, "67.0").results(JOB, "unprocessed")) == []


def test_a_job_is_opened_again_after_a_lost_reply_since_an_open_job_does_nothing(
    open_wire: Wire, scripted: Any
) -> None:
    scripted.answers(("drop", b""), job("Open"))
    assert BulkWriter(open_wire, "67.0").open("Account", "update").state == "Open"
    assert len(scripted.seen) == 2
