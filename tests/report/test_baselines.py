"""A baseline's pages: what needs a look is told, what is left out is named in full, what a verdict means."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from rehearse import clock
from rehearse.baseline.model import Baseline, Capture, CoverageRow, ObjectScope, ResolvedScope
from rehearse.report.baselines import build_baseline_page, build_capture_page
from rehearse.report.text import render_text

NOW = datetime(2026, 11, 23, 8, tzinfo=UTC)
DUBLIN = clock.zone("Europe/Dublin")
OTHERS = [CoverageRow("records", f"Thing{number}__c", "excluded", note="not in scope.records") for number in range(9)]


def _taken(verdict: str, hollow: tuple[str, ...], *coverage: CoverageRow) -> tuple[Baseline, Capture]:
    capture = Capture(
        "01M", "ab" * 32, "UAT", "00D000000000001AAA", NOW, NOW, "67.0", ResolvedScope((), ()), {}, (), 3, "", "",
        (*coverage, *OTHERS), verdict, hollow,  # type: ignore[arg-type]
    )  # fmt: skip
    baseline = Baseline(
        "B1", "UAT", capture.org_id, capture.ulid, capture.snapshot_id, NOW, 5, 3, 1, capture.verdict, "h", "s", "d"
    )
    return baseline, capture


def test_what_is_left_out_is_named_in_full() -> None:
    baseline, capture = _taken("usable", ())
    said = " ".join(render_text(build_baseline_page(baseline, capture, DUBLIN)).split())
    assert all(one.name in said for one in OTHERS) and "more" not in said


def test_what_needs_a_look_is_told_of_the_kind_that_it_is_of() -> None:
    files = CoverageRow("records", "Attachment (files)", "excluded", 1, "file contents are not captured: Body")
    lost = CoverageRow("metadata", "ApexClass", "not-retrieved", 2, "A, B: the org said no")
    rows = CoverageRow("records", "ApexClass", "excluded", note="its rows are metadata: ApexClass")
    text = render_text(build_capture_page(*_taken("hollow", ("ApexClass",), files, lost, rows), DUBLIN))
    assert "Attachment (files)" in text and "A, B: the org said no" in text and "its rows are metadata" not in text
    assert "Verdict: hollow. Do not reset to it" in text and "10 objects excluded" in text


def test_a_filter_is_shown_as_it_was_frozen() -> None:
    baseline, capture = _taken("usable", ())
    scope = ResolvedScope((), (ObjectScope("Case", (), "CreatedDate >= 2025-10-19T00:00:00Z"), ObjectScope("Lead", ())))
    for build in (build_baseline_page, build_capture_page):
        said = render_text(build(baseline, replace(capture, scope=scope), DUBLIN), width=300)
        assert "only rows with CreatedDate >= 2025-10-19T00:00:00Z" in said and "Lead" not in said


def test_a_verdict_says_what_it_means() -> None:
    assert "Verdict: usable\n" in render_text(build_capture_page(*_taken("usable", ()), DUBLIN))
    assert "cannot be proven" in render_text(build_capture_page(*_taken("partial", ()), DUBLIN))


def test_a_baseline_that_nothing_can_go_back_to_says_so_first() -> None:
    baseline, capture = _taken("usable", ())
    gone = replace(baseline, pruned=NOW + timedelta(days=61), voided=NOW + timedelta(days=30))
    said = " ".join(render_text(build_baseline_page(gone, capture, DUBLIN)).split())
    assert "destroyed on Sat 2027-01-23" in said and "Void since Wed 2026-12-23" in said
    assert "destroyed" not in render_text(build_baseline_page(baseline, capture, DUBLIN))
