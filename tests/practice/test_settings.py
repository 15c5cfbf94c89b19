"""The named assumptions: defaults that are documented, changes that last, mistakes that are refused."""

import pytest

from rehearse.practice.estate import Estate
from rehearse.practice.settings import KNOBS


@pytest.fixture
def estate(tmp_path):
    made = Estate.create(tmp_path / "world")
    yield made
    made.close()


def test_every_setting_has_one_default_and_a_meaning(estate):
    assert len({knob.name for knob in KNOBS}) == len(KNOBS) == len(estate.settings)
    assert all(len(knob.meaning) > 10 or knob.meaning == "text of the same" for knob in KNOBS)
    assert {name: estate.settings[name] for name in estate.settings} == {knob.name: knob.default for knob in KNOBS}


def test_a_change_lasts_and_can_be_taken_back(estate):
    estate.settings.put("interval_counts_from", "end")
    other = Estate.open(estate.folder)
    assert other.settings["interval_counts_from"] == "end"
    other.settings.clear("interval_counts_from")
    other.close()
    assert estate.settings["interval_counts_from"] == "request"


def test_unknown_names_and_other_kinds_are_refused(estate):
    for name, value in [("pending_minutes", "5"), ("pending_minutes", True), ("pending_minutes", -1)]:
        with pytest.raises(TypeError, match="pending_minutes"):
            estate.settings.put(name, value)
    with pytest.raises(TypeError):
        estate.settings.put("licences", {"FULL": "many"})
    with pytest.raises(KeyError):
        estate.settings.put("no_such_setting", 1)
    with pytest.raises(KeyError):
        estate.settings["no_such_setting"]
    assert estate.settings.get("no_such_setting", 7) == 7


@pytest.mark.parametrize(
    ("name", "value", "why"),
    [
        ("inactive_days", 10**12, "at most 36,500"),
        ("session_idle_hours", float("inf"), "at most 876,000"),
        ("pending_minutes", 1e300, "at most 52,560,000"),
        ("processing_minutes", {"FULL": 1e300}, "at most 52,560,000"),
        ("bulk_delay_seconds", 1e9, "at most 86,400"),
        ("bulk_page_rows", 1e99, "at most 1,000,000,000,000"),
        ("duplicate_rules", [5], "is like"),
        ("duplicate_rules", ["Lead.Email maybe"], "such as `Lead.Email alert`"),
        ("assignment_rules", ["Lead"], "such as `Lead New_Leads`"),
        ("copy_templates", ["UATFULL Account"], "such as `1ps000000000001AAA Account Case`"),
    ],
)
def test_what_would_stop_the_world_or_do_nothing_is_refused(estate, name, value, why):
    with pytest.raises(TypeError, match=why):
        estate.settings.put(name, value)


def test_an_org_reads_the_settings_of_its_estate(estate):
    estate.settings.put("binned_rows_hold_unique_values", False)
    assert estate.production.settings["binned_rows_hold_unique_values"] is False
