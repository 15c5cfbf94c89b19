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


def test_an_org_reads_the_settings_of_its_estate(estate):
    estate.settings.put("binned_rows_hold_unique_values", False)
    assert estate.production.settings["binned_rows_hold_unique_values"] is False
