"""The page about the practice org names every setting and every endpoint that there is."""

import json
import re
from pathlib import Path

from rehearse.practice.app import collect_routes
from rehearse.practice.settings import KNOBS, Knob

PAGE = (Path(__file__).parents[2] / "docs" / "practice-org.md").read_text(encoding="utf-8")


def row_of(knob: Knob) -> str:
    """The line of the settings table that a setting must have."""
    default = knob.default if isinstance(knob.default, str) else json.dumps(knob.default)
    choices = f" ({', '.join(knob.choices)})" if knob.choices else ""
    return f"| `{knob.name}` | `{default}` | {knob.meaning}{choices} |"


def test_the_table_of_settings_is_that_of_the_code():
    table = [line for line in PAGE.partition("## Settings")[2].splitlines() if line.startswith("| `")]
    assert table == [row_of(one) for one in KNOBS]


def test_rules_name_settings_that_there_are():
    rules = PAGE.partition("## Rules")[2].partition("## What it does not do")[0]
    named = set(re.findall(r"`([a-z]+(?:_[a-z]+)+)`", rules))
    assert named and named <= {one.name for one in KNOBS}


def test_every_endpoint_is_on_the_page():
    named = [one.replace("…", "/services/data/v{version}") for one in re.findall(r"`(/\S*?|…\S*?)`", PAGE)]
    lost = [route.path for route in collect_routes() if not any(route.path.startswith(one) for one in named if one)]
    assert lost == []
    assert "/services/data/v{version}" in named
    resources = {route.path.split("/")[4] for route in collect_routes() if route.path.count("/") > 3}
    known = {one.split("/")[4] for one in named if one.count("/") > 3}
    assert resources - known == set()
