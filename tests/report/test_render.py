"""Pages in every medium: nothing is cut, nothing is executed, nothing points outside."""

import json
from collections import Counter
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from icalendar import Calendar

from rehearse import clock
from rehearse.report.html import render_html
from rehearse.report.ical import Happening, render_ical
from rehearse.report.json import render_answer
from rehearse.report.markdown import render_markdown
from rehearse.report.text import render_text
from rehearse.report.view import Bar, Cell, Lane, Page, Paragraph, Timeline, build_table

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
DUBLIN = clock.zone("Europe/Dublin")
HOSTILE = "<script>alert(1)</script> | `x` [a](javascript:b) \u202e"


def _timeline(name: str = "UAT") -> Timeline:
    bar = Bar("booking", NOW + timedelta(days=2), NOW + timedelta(days=3), name)
    outside = Bar("copy", NOW - timedelta(days=90), NOW - timedelta(days=80), "old")
    return Timeline("Timeline", NOW, NOW + timedelta(weeks=6), (Lane(name, (bar, outside)),), ((NOW, "now"),))


def _page(text: str) -> Page:
    table = build_table("T", ["a", "b"], [[text, Cell("2", "good")]], right=(1,))
    return Page(text, (Paragraph(text, "bad"), table, _timeline(text)))


def test_html_escapes_what_an_org_calls_its_things_and_asks_for_nothing_outside() -> None:
    page = render_html(_page(HOSTILE), NOW, DUBLIN)
    assert "<script" not in page and "&lt;script&gt;" in page
    assert "src=" not in page and "href=" not in page and "url(" not in page


def test_html_draws_a_bar_inside_and_leaves_out_one_outside() -> None:
    page = render_html(Page("x", (_timeline(),)), NOW, DUBLIN)
    assert page.count("<title>UAT: ") == 1 and "old" not in page and "Wed 25 Nov 08:00" in page


def test_markdown_keeps_a_table_a_table() -> None:
    lines = render_markdown(_page(HOSTILE)).splitlines()
    row = next(line for line in lines if line.startswith("| \\<script"))
    assert row.replace("\\|", "").count("|") == 3


def test_markdown_escapes_titles_and_what_an_empty_table_says() -> None:
    page = render_markdown(Page(HOSTILE, (build_table(HOSTILE, ["a"], [], empty=HOSTILE),)))
    assert "<script" not in page.replace("\\<", "") and "[a]" not in page and page.count("\\<script") == 3


@settings(deadline=None, suppress_health_check=[HealthCheck.too_slow])  # other work on the machine is no fault of ours
@given(
    st.lists(
        st.lists(st.text("abcdefg _-", max_size=60).map(str.strip), min_size=5, max_size=5), min_size=1, max_size=3
    ),
    st.integers(20, 120),
)
@example([[""] * 5, ["", "", "", "", "_" * 25]], 20)
@example([["a" * 24, "", "", "", ""]], 21)
def test_text_fits_the_width_and_loses_no_letter_of_any_cell(rows: list[list[str]], width: int) -> None:
    rows = [[f"r{number}", *cells] for number, cells in enumerate(rows)]
    shown = render_text(Page("", (build_table("T", [f"c{n}" for n in range(6)], rows),)), width=width)
    assert all(len(line) <= width for line in shown.splitlines())
    told = Counter("".join(shown.split()))
    assert not Counter("".join("".join(one for row in rows for one in row if one != "-").split())) - told
    words = {word for row in rows for one in row for word in one.split() if len(word) <= 12}
    assert words - {"-"} <= set(shown.split())


def test_a_table_that_is_too_wide_is_told_in_bands_or_below_its_rows_and_a_command_in_one_piece() -> None:
    dates = ["2026-11-23 08:00"] * 5
    bands = render_text(Page("", (build_table("T", ["name", *"abcde"], [["UAT", *dates], ["SIT", *dates]]),)), width=60)
    assert bands.count("2026-11-23 08:00") == 10 and bands.count("UAT") == 2 and bands.count("name") == 2
    command = "sf data update bulk --sobject Thing__c --file records/thing-update.csv --target-org ORG"
    steps = build_table(
        "T", ["", "what", "command"], [["1", "Bring back " * 9, Cell(command, code=True)]] * 2, right=(0,)
    )
    told = render_text(Page("", (steps,)), width=60)
    assert f"    command: {command}\n" in told and "what" in told
    assert all(len(line) <= 60 for line in told.splitlines() if command not in line)


def test_a_list_is_a_list_with_a_mark_for_each_entry() -> None:
    told = render_text(Page("", (build_table("T", ["assumption"], [["a " * 30], ["b"]]),)), width=40)
    assert [line[:4] for line in told.splitlines()[2:5]] == [" - a", "   a", " - b"]


def test_text_has_no_colour_unless_it_is_asked_for() -> None:
    assert "\x1b[" not in render_text(_page("x"))
    assert "\x1b[" in render_text(_page("x"), colour=True)


def test_no_name_steers_a_terminal_or_turns_the_text_around_it() -> None:
    name = "UAT\x1b[2J\u202e\x9b"
    empty = build_table(name, [name], [], empty=name)
    page = Page(name, (Paragraph(name), build_table(name, [name], [[name]]), empty, _timeline(name)))
    for shown in (render_text(page), render_markdown(page), render_html(page, NOW, DUBLIN)):
        assert "\x1b" not in shown and "\u202e" not in shown and "\x9b" not in shown


def test_an_empty_table_says_so() -> None:
    assert render_text(Page("", (build_table("Locks", ["a"], []),))) == "Locks: none\n"


def test_a_row_of_another_length_is_a_mistake() -> None:
    with pytest.raises(ValueError, match="2 cells"):
        build_table("T", ["a", "b"], [["1"]])


def test_the_feed_is_read_back_and_keeps_its_uids() -> None:
    one = Happening("r41-mock", NOW, NOW + timedelta(hours=6), "UAT: R41 mock; “ä”, ok\nnext", "prepare: reset")
    first, again = (render_ical("Team", [one], at) for at in (NOW, NOW + timedelta(days=1)))
    (event,) = Calendar.from_ical(first).walk("VEVENT")
    (later,) = Calendar.from_ical(again).walk("VEVENT")
    assert event["UID"] == later["UID"] == "r41-mock@rehearse"
    assert event.decoded("DTSTART") == NOW and str(event["SUMMARY"]).startswith("UAT: R41 mock; “ä”, ok")
    assert all(len(line) <= 75 for line in first.split(b"\r\n"))


def test_an_answer_has_a_schema_and_utc_instants() -> None:
    body = {"rows": [], "at_home": NOW.astimezone(DUBLIN), "hours": timedelta(minutes=90), "cell": Cell("x")}
    answer = json.loads(render_answer("thing", NOW, body))
    assert answer == {
        "schema": "rehearse.thing/1",
        "at": "2026-11-23T08:00:00Z",
        "rows": [],
        "at_home": "2026-11-23T08:00:00Z",
        "hours": 1.5,
        "cell": {"text": "x", "tone": "plain", "code": False},
    }


def test_code_is_copied_as_it_is_out_of_any_medium() -> None:
    command = "sf data update bulk --sobject Thing__c --file a|b_c.csv"
    page = Page("", (build_table("T", ["c"], [[Cell(command, code=True)], [Cell("", code=True)], ["a__b"]]),))
    assert command.replace("|", r"\|") in (told := render_markdown(page)) and r"a\_\_b" in told and "``" not in told
    assert f"<code>{command}</code>" in render_html(page, NOW, DUBLIN)
    assert command in render_text(page, width=120)
