"""The team's sheet: messy files in, the same columns out; what cannot be read is explained and nothing is guessed."""

import csv
from dataclasses import replace
from datetime import date, datetime, time
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import openpyxl  # type: ignore[import-untyped,unused-ignore]
import pytest

from rehearse import clock
from rehearse.errors import NotFound, UsageError
from rehearse.schedule.ledger_dates import Moment, find_order, read_moment
from rehearse.schedule.ledger_file import build_rows, load_tabs, save_rows
from rehearse.schedule.ledger_sheet import COLUMNS, SheetReading, SheetTerms, Tab, read_tabs

NOW = clock.from_iso("2026-11-23T08:00:00Z")
DUBLIN = ZoneInfo("Europe/Dublin")


def read(*rows: list[Any], title: str = "", **more: Any) -> SheetReading:
    return read_tabs([Tab(title, rows)], SheetTerms(DUBLIN, NOW, ("UATFULL", "SIT1"), **more))


@pytest.mark.parametrize(
    ("cell", "expected"),
    [
        ("2026-11-05", Moment(date(2026, 11, 5))),
        ("2026-11-05 08:30", Moment(date(2026, 11, 5), time(8, 30))),
        ("2026/11/5", Moment(date(2026, 11, 5))),
        ("5.11.2026", Moment(date(2026, 11, 5))),
        ("05.11.26 8:30", Moment(date(2026, 11, 5), time(8, 30))),
        ("25/11/2026", Moment(date(2026, 11, 25))),
        ("11/25/2026 2:15 PM", Moment(date(2026, 11, 25), time(14, 15))),
        ("5 Nov 2026", Moment(date(2026, 11, 5))),
        ("5th November, 2026", Moment(date(2026, 11, 5))),
        ("Nov 5, 2026 12:00 am", Moment(date(2026, 11, 5), time(0))),
        ("05-Nov-26", Moment(date(2026, 11, 5))),
        ("  05  Nov  2026 ", Moment(date(2026, 11, 5))),
        ("5/5/2026", Moment(date(2026, 5, 5))),
        (46331, Moment(date(2026, 11, 5))),
        (46331.354166666664, Moment(date(2026, 11, 5), time(8, 30))),
        (datetime(2026, 11, 5, 8, 30), Moment(date(2026, 11, 5), time(8, 30))),  # noqa: DTZ001
        (datetime(2026, 11, 5), Moment(date(2026, 11, 5))),  # noqa: DTZ001
        (date(2026, 11, 5), Moment(date(2026, 11, 5))),
        ("", None), (None, None), ("n/a", None), (" TBC ", None), ("-", None),
    ],
)  # fmt: skip
def test_dates_as_people_type_them(cell: Any, expected: Moment | None) -> None:
    assert read_moment(cell) == expected


@pytest.mark.parametrize(
    "cell", ["sometime in May", "31/02/2026", "32/11/2026", "2026-13-01", "11-2026", "5 Mai 2026", "5/11/2026 late",
             "14.02.2026 10:15 CET", "2026-02-14 9:15 Mars/Olympus", "5 May 2026 9:00 +99", time(9, 30),
             "03/04/2026", "25:00", 7, True, "2026-11-05 25:00", "1/2/3/2026", "=TODAY()",
             "9999-12-31", "0001-01-01", date(1900, 1, 1)],
)  # fmt: skip
def test_what_is_no_date_is_never_guessed(cell: Any) -> None:
    with pytest.raises(UsageError):
        read_moment(cell)


def test_one_clear_date_of_a_column_says_how_to_read_the_others() -> None:
    assert find_order(["3/4/2026", "25/4/2026", None]) == "dmy"
    assert find_order(["3/4/2026", "4/25/2026"]) == "mdy"
    assert find_order(["3/4/2026", "3.4.2026"]) == ""
    with pytest.raises(UsageError):
        find_order(["25/4/2026", "4/25/2026"])
    assert read_moment("3/4/2026", "mdy") == Moment(date(2026, 3, 4))


def test_an_offset_is_kept_and_a_wall_time_that_does_not_exist_is_refused() -> None:
    found = read_moment("2026-11-05T08:30:00+05:00")
    assert found is not None and clock.iso(found.start(DUBLIN)) == "2026-11-05T03:30:00Z"
    for text in (
        "1 Jun 2026 3pm America/New_York",
        "1.6.2026 19:00Z",
        "2026-6-1 20:00 UTC+1",
        "1 Jun 2026 21:00 +0200",
    ):
        named = read_moment(text)
        assert named is not None and clock.iso(named.start(DUBLIN)) == "2026-06-01T19:00:00Z"
    gap = read_moment("2026-03-29 01:30")
    assert gap is not None
    with pytest.raises(UsageError, match="does not exist"):
        gap.start(DUBLIN)
    whole = read_moment("2026-10-25")
    assert whole is not None and clock.iso(whole.end(DUBLIN)) == "2026-10-26T00:00:00Z"


def test_titles_above_names_in_any_spelling_and_empty_rows_do_no_harm() -> None:
    found = read(
        ["Our environments", "", "", ""],
        ["", "", "", ""],
        [" Sandbox Name ", "LICENCE_TYPE", "Refresh requested", "Activated on", "next refresh?"],
        ["uat-full", "Full copy", "2026-11-05 08:00", "2026-11-07 11:00", "who knows"],
        ["", "", "", "", ""],
        ["TRAINING", "dev pro", "1 Oct 2026", "", ""],
    )
    assert found.bad == [] and found.rows == 2
    first, second = (one for one, _ in found.cycles)
    assert (first.sandbox, first.licence, first.state) == ("UATFULL", "FULL", "completed")
    assert clock.iso(first.requested) == "2026-11-05T08:00:00Z" and first.by_hand and first.source == "sheet"
    assert (second.sandbox, second.licence) == ("TRAINING", "DEVELOPER_PRO") and "assumed" in second.note


def test_a_single_date_of_refresh_is_that_day_from_its_begin_to_its_end() -> None:
    found = read(["Environment", "Last refresh"], ["UATFULL", "05/11/2026"], order="dmy")
    cycle = found.cycles[0][0]
    assert (clock.iso(cycle.requested), clock.iso(cycle.activated or NOW)) == (
        "2026-11-05T00:00:00Z", "2026-11-06T00:00:00Z",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (["", "2026-11-05", "", "", ""], "names no sandbox"),
        (["UAT FULL!", "soon", "", "", ""], "'soon' is not a date"),
        (["OLD/1", "2026-11-05", "", "", ""], "no name of a sandbox"),
        (["UATFULL", "2026-11-05", "2026-11-01", "", ""], "do not follow one another"),
        (["UATFULL", "2027-11-05", "", "", ""], "in the future"),
        (["UATFULL", "", "2026-11-05", "", ""], "not when it was requested"),
        (["UATFULL", "", "", "", ""], "no date"),
        (["UATFULL", "", "", "2026-12-05", ""], "from a date, but not until"),
        (["UATFULL", "", "", "2026-12-05", "2026-12-01"], "ends before it begins"),
        (["UATFULL", "03/04/2026", "", "", ""], "--dates dmy"),
    ],
)
def test_a_bad_row_is_left_out_whole_and_explained_with_its_number(row: list[str], why: str) -> None:
    found = read(["sandbox", "requested", "copied", "from", "to"], ["SIT1", "2026-11-01", "2026-11-02", "", ""], row)
    assert len(found.cycles) == 1 and not found.bookings
    assert [(one.row, why in one.why) for one in found.bad] == [(3, True)], found.bad


def test_a_row_may_hold_a_booking_and_whole_days_count_to_their_end() -> None:
    found = read(["Org", "Booked from", "Booked until", "Owner", "Purpose"],
                 ["sit1", "1 Dec 2026", "2 Dec 2026", "Ana", "UAT"])  # fmt: skip
    booking = found.bookings[0][0]
    assert (clock.iso(booking.start), clock.iso(booking.end)) == ("2026-12-01T00:00:00Z", "2026-12-03T00:00:00Z")
    assert (booking.sandbox, booking.by, booking.why, booking.what) == ("SIT1", "Ana", "UAT", "use")


def test_a_tab_without_a_column_of_names_is_the_tab_of_one_sandbox() -> None:
    found = read(["Date of refresh", "Comment"], ["2026-10-05", "before R40"], title="UAT Full")
    assert found.cycles[0][0].sandbox == "UATFULL" and found.cycles[0][1] == "UAT Full, row 2"


def test_a_sheet_whose_columns_nobody_can_tell_says_so_and_takes_their_names() -> None:
    rows = [["Umgebung", "Angefordert"], ["UATFULL", "2026-10-05"]]
    assert "no row names its columns" in read(*rows).bad[0].why
    assert len(read(*rows, called={"Umgebung": "sandbox", "angefordert": "requested"}).cycles) == 1
    assert (
        "begin with the day and some"
        in read(["sandbox", "requested"], ["UATFULL", "25/10/2026"], ["UATFULL", "10/25/2026"]).bad[0].why
    )


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("utf8.csv", "Sandbox,Requested\nUATFULL,2026-10-05\n".encode("utf-8-sig")),
        ("windows.csv", "Sandbox;Requested;Owner\r\nUATFULL;2026-10-05;Jürgen\r\n".encode("cp1252")),
        ("utf16.csv", "Sandbox\tRequested\nUATFULL\t2026-10-05\n".encode("utf-16")),
        ("quoted.csv", b'"Sandbox","Requested"\n"UATFULL","2026-10-05\n"\n'),
    ],
)
def test_csv_in_any_usual_encoding_and_delimiter(tmp_path: Path, name: str, content: bytes) -> None:
    (tmp_path / name).write_bytes(content)
    found = read_tabs(load_tabs(tmp_path / name), SheetTerms(DUBLIN, NOW, ("UATFULL",)))
    assert [one.sandbox for one, _ in found.cycles] == ["UATFULL"] and not found.bad


def test_a_workbook_with_merged_cells_true_dates_and_a_tab_a_sandbox(tmp_path: Path) -> None:
    book = openpyxl.Workbook()
    first = book.active
    first.title = "All"
    for row in (["Environments"], ["Sandbox", "Requested"], ["UATFULL", datetime(2026, 10, 5, 8)],  # noqa: DTZ001
                [None, date(2026, 6, 1)]):  # fmt: skip
        first.append(row)
    first.merge_cells("A3:A4")
    first.merge_cells("A1:B1")
    second = book.create_sheet("SIT 1")
    second.append(["Last refreshed"])
    second.append(["=1+1"])
    second.append([date(2026, 11, 1)])
    book.save(tmp_path / "team.xlsx")
    found = read_tabs(load_tabs(tmp_path / "team.xlsx"), SheetTerms(DUBLIN, NOW, ("UATFULL", "SIT1")))
    assert [one.sandbox for one, _ in found.cycles] == ["UATFULL", "UATFULL", "SIT1"] and not found.bad


@pytest.mark.parametrize("content", [b"PK\x03\x04broken", b"", b"\x00\x01\x02"])
def test_a_broken_workbook_is_an_error_with_a_hint(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "x.xlsx").write_bytes(content)
    with pytest.raises(UsageError):
        load_tabs(tmp_path / "x.xlsx")
    with pytest.raises(NotFound):
        load_tabs(tmp_path / "none.csv")


@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_what_is_exported_is_imported_as_the_same(tmp_path: Path, name: str) -> None:
    head = ["sandbox", "type", "requested", "activated", "from", "to", "for", "by", "note"]
    found = read(head, ["UATFULL", "Full", "2026-10-05 08:00", "2026-10-07 09:30", "", "", "", "Ana", "=HYPERLINK(1)"],
                 ["SIT1", "", "", "", "2026-12-01 09:00", "2026-12-01 17:00", "UAT", "Bob", ""])  # fmt: skip
    cycles, bookings = [one for one, _ in found.cycles], [one for one, _ in found.bookings]
    twice = [clock.from_iso(f"2026-10-25T0{hour}:30:00Z") for hour in (0, 1)]  # both are 01:30 on a clock in Dublin
    cycles += [
        replace(cycles[0], id=one.isoformat(), sandbox="SIT1", requested=one, copied=None, activated=None)
        for one in twice
    ]
    rows = build_rows(cycles, bookings, DUBLIN)
    save_rows(tmp_path / name, rows)
    tabs = load_tabs(tmp_path / name)
    assert [str(one) for one in tabs[0].rows[0]] == list(COLUMNS)
    assert not any(str(cell).startswith("=") for tab in tabs for row in tab.rows for cell in row)
    again = read_tabs([Tab("", tabs[0].rows)], SheetTerms(DUBLIN, NOW, ("UATFULL", "SIT1")))
    assert not again.bad and [one.requested for one, _ in again.cycles] == [one.requested for one in cycles]
    assert again.cycles[0][0].id == cycles[0].id
    assert [(one.id, one.by, one.why) for one, _ in again.bookings] == [(one.id, one.by, one.why) for one in bookings]


def test_two_columns_of_one_meaning_are_told() -> None:
    found = read(["Sandbox", "Last refresh", "Refreshed on"], ["SIT1", "2026-10-01", "2026-10-02"])
    assert [one.requested.date() for one, _ in found.cycles] == [date(2026, 9, 30)]
    assert found.bad[0].row == 1 and "'refreshed'" in found.bad[0].why


def test_a_cell_without_an_end_is_refused_and_so_is_another_kind_of_file(tmp_path: Path) -> None:
    endless = tmp_path / "endless.csv"
    endless.write_text('Sandbox,Last refresh\nSIT1,"' + "x" * 140_000)
    kept = csv.field_size_limit(131_072)  # Python's own, which files of rows raise for the whole process
    try:
        with pytest.raises(UsageError, match="line 2"):
            load_tabs(endless)
    finally:
        csv.field_size_limit(kept)
    with pytest.raises(UsageError, match="neither"):
        save_rows(tmp_path / "sheet.pdf", [])


def test_what_is_still_to_come_is_in_no_ledger_and_today_is_not_over_yet() -> None:
    head = ["sandbox", "type", "requested", "activated"]
    found = read(head, ["SIT1", "Partial", "2026-11-20", "2026-11-30"], ["UATFULL", "Full", "2026-11-22", "2026-11-23"])
    assert [one.row for one in found.bad] == [2] and "future" in found.bad[0].why
    ((today, _),) = found.cycles
    assert today.activated == NOW


@pytest.mark.parametrize("name", ["out.csv", "out.xlsx"])
def test_what_steers_a_terminal_is_neither_taken_nor_given(tmp_path: Path, name: str) -> None:
    """A workbook cannot even hold it."""
    head = ["sandbox", "from", "to", "for", "by"]
    found = read(head, ["SIT1", "2026-12-01 10:00", "2026-12-01 12:00", "a \x1b[31mred\x07\nuse", "b\x00ob"])
    ((one, _),) = found.bookings
    assert (one.why, one.by) == ("a [31mred use", "b ob")
    older = replace(one, why="kept \x1b[0m before")
    save_rows(tmp_path / name, build_rows([], [older], DUBLIN))
    ((again, _),) = read(*load_tabs(tmp_path / name)[0].rows).bookings
    assert again.why == "kept [0m before"
