"""The page about the practice org names every setting and every endpoint that there is."""

import re
from pathlib import Path

from rehearse.practice.app import collect_routes
from rehearse.practice.settings import KNOBS

PAGE = (Path(__file__).parents[2] / "docs" / "practice-org.md").read_text(encoding="utf-8")


def test_every_setting_is_on_the_page():
    assert [one.name for one in KNOBS if f"| `{one.name}` |" not in PAGE] == []


def test_every_endpoint_is_on_the_page():
    named = [one.replace("…", "/services/data/v{version}") for one in re.findall(r"`(/\S*?|…\S*?)`", PAGE)]
    lost = [route.path for route in collect_routes() if not any(route.path.startswith(one) for one in named if one)]
    assert lost == []
    assert "/services/data/v{version}" in named
    resources = {route.path.split("/")[4] for route in collect_routes() if route.path.count("/") > 3}
    known = {one.split("/")[4] for one in named if one.count("/") > 3}
    assert resources - known == set()
