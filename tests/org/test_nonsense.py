"""Answers that no org gives, from whoever stands between: of another shape, without end, larger than all memory."""

import gzip
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from rehearse.errors import OrgBusy, OrgError, OrgRejected, OrgUncertain, OrgUnreachable
from rehearse.org import composite, sandboxes
from rehearse.org.bulk import BulkReader
from rehearse.org.bulk_ingest import BulkWriter
from rehearse.org.model import Session
from rehearse.org.reader import OrgReader
from rehearse.org.rest import RestReader, fetch_newest_version
from rehearse.org.rows import RowWriter
from rehearse.org.transport import Transport, WireOptions
from rehearse.org.wire import Call, Grant, Wire

ROW, JOB = "001000000000001AAA", "750000000000001AAA"
SHAPES: list[object] = [
    None, 17, "x", True, [], {}, [None], [[]], [{}], {"records": None}, {"records": 5}, {"records": [None]},
    {"records": [{}], "done": True, "totalSize": "x"}, {"records": [{"Id": "'; x"}], "totalSize": None},
    {"sobjects": [None], "fields": [None], "name": "x", "resultPages": [None], "compositeResponse": [None]},
    {"id": "\x1b[31m", "state": 1, "success": 1, "errors": [None], "compositeResponse": [{"referenceId": "r0"}]},
    b"[" * 100_000, b'{"a":' * 100_000, b"\xff\xfe\x00", b"1" * 5_000, b"NaN",
]  # fmt: skip


def reads(wire: Wire) -> dict[str, Callable[[], object]]:
    reader, rest, bulk = (
        OrgReader(wire, "67.0", "00D000000000001AAA", is_sandbox=True),
        RestReader(wire, "67.0"),
        BulkReader(wire, "67.0"),
    )
    return {
        "versions": lambda: fetch_newest_version(wire),
        "release": rest.fetch_release,
        "identity": rest.fetch_identity,
        "org": rest.fetch_org_id,
        "limits": rest.fetch_limits,
        "objects": reader.fetch_objects,
        "schema": lambda: reader.fetch_schema("Account"),
        "rows": lambda: list(rest.fetch_rows("SELECT Id, Owner.Name FROM Account")),
        "count": lambda: rest.fetch_count("SELECT COUNT() FROM Account"),
        "ids": lambda: rest.fetch_by_ids("Account", [ROW], ["Name"]),
        "time": rest.fetch_server_time,
        "records": lambda: sandboxes.fetch_records(rest),
        "copies": lambda: sandboxes.fetch_copies(rest),
        "stages": lambda: sandboxes.fetch_stages(rest),
        "start": lambda: bulk.start("SELECT Id FROM Account"),
        "job": lambda: bulk.fetch(JOB),
        "jobs": bulk.load_jobs,
        "pages": lambda: list(bulk.page_locators(JOB)),
    }


@pytest.fixture
def brief(scripted: Any) -> Any:
    """A closed wire that tries once."""
    options = WireOptions(connect_seconds=2, read_seconds=2, write_seconds=2, attempts=1, largest_answer=1 << 20)
    transport = Transport(None, options)
    yield Wire(transport, Grant(Session(scripted.url, "token")))
    transport.close()


def test_an_answer_of_another_shape_is_an_error_of_the_org_and_no_traceback(brief: Wire, scripted: Any) -> None:
    for shape in SHAPES:
        scripted.answers(("reply", shape, 200, {}))
        for name, read in reads(brief).items():
            try:
                read()
            except OrgError as error:
                assert "\x1b" not in error.message, name


def test_a_write_that_is_answered_with_nonsense_is_doubtful(
    scripted: Any, proven: Callable[[str], Any], quick: WireOptions
) -> None:
    transport = Transport(None, quick)
    wire = Wire(transport, Grant(Session(scripted.url, "token"), "open", proven(scripted.url)))
    rows = RowWriter(wire, "67.0")
    writes: list[Callable[[], object]] = [
        lambda: rows.insert("Account", [{"Name": "x"}]),
        lambda: rows.insert_one("Account", {"Name": "x"}),
        lambda: rows.update("Account", [{"Id": ROW, "Name": "x"}]),
        lambda: rows.delete([ROW]),
        lambda: rows.update_if_unchanged("Account", [{"Id": ROW, "Name": "x"}, {"Id": ROW, "Name": "y"}], {}),
    ]
    odd = [{"id": "no id", "success": True}, 5, [None], [5], ["x"], [{"id": "no id"}], [{"id": ROW, "errors": [1]}]]
    parts = [{"referenceId": f"r{place}", "httpStatusCode": "?"} for place in range(2)]
    for shape in [*odd, {"compositeResponse": parts}, {"compositeResponse": 5}, b"[" * 100_000]:
        scripted.answers(("reply", shape, 200, {}))
        for write in writes:
            scripted.seen.clear()
            with pytest.raises(OrgUncertain):
                write()
            assert len(scripted.seen) == 1
    with pytest.raises(OrgBusy):
        scripted.answers(("reply", {"compositeResponse": [{"referenceId": "r0"}]}, 200, {}))
        composite.fetch_queries(wire, "67.0", ["SELECT Id FROM Account"])
    transport.close()


def test_pages_that_go_round_for_ever_end(brief: Wire, scripted: Any) -> None:
    page = {"records": [], "done": False, "nextRecordsUrl": "/services/data/v67.0/query/01g-2000", "resultPages": []}
    scripted.answers(("reply", page, 200, {}))
    with pytest.raises(OrgBusy):
        list(RestReader(brief, "67.0").fetch_rows("SELECT Id FROM Account"))
    scripted.answers(("reply", {**page, "nextRecordsUrl": "/x?queryLocator=a&locator=a"}, 200, {}))
    with pytest.raises(OrgBusy):
        BulkReader(brief, "67.0").load_jobs()
    with pytest.raises(OrgBusy):
        list(BulkReader(brief, "67.0").page_locators(JOB))


def test_a_few_kilobytes_do_not_become_all_memory(brief: Wire, scripted: Any) -> None:
    bomb = gzip.compress(b" " * (3 << 20))
    for headers in ({"Content-Encoding": "gzip"}, {"Content-Encoding": "gzip", "Content-Type": "text/xml"}):
        scripted.answers(("reply", bomb, 200, headers))
        scripted.seen.clear()
        for name, read in reads(brief).items():
            if name != "stages":  # where an org does not know them, there are none
                with pytest.raises(OrgUnreachable, match="more than 1048576 bytes"):
                    read()
    contents = brief.fetch(Call("GET", "/services/data", "Reading the contents of a file", large=True)).content
    assert len(contents) == 3 << 20


def test_a_page_with_more_rows_than_promised_is_not_read_to_its_end(brief: Wire, scripted: Any, tmp_path: Path) -> None:
    body = b"Id\n" + f"{ROW}\n".encode() * 400_000
    scripted.answers(("reply", body, 200, {"Content-Type": "text/csv", "Sforce-NumberOfRecords": "2"}))
    with pytest.raises(OrgBusy, match="where 2 were promised"):
        BulkReader(brief, "67.0").download(JOB, None, tmp_path / "page")
    assert (tmp_path / "page").stat().st_size < len(body) / 2


def test_results_that_are_no_csv_are_unreadable(open_wire: Wire, scripted: Any) -> None:
    scripted.answers(("reply", b'"Id"x,"Name"\n"a"b,"c"\n', 200, {"Content-Type": "text/csv"}))
    with pytest.raises(OrgBusy):
        list(BulkWriter(open_wire, "67.0").results(JOB, "failed"))


def test_a_fault_without_end_is_read_for_a_while(brief: Wire, scripted: Any) -> None:
    for body in (b"[" * 200_000, json.dumps([{"errorCode": "A" * 400_000}]).encode()):
        scripted.answers(("reply", body, 400, {}))
        with pytest.raises(OrgRejected) as caught:
            RestReader(brief, "67.0").fetch_limits()
        assert len(caught.value.message) < 1_000
