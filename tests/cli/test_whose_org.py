"""A login that leads to another org than it stands for: nothing of that org is kept, compared or proved as it."""

import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from rehearse.cli.whose_org import require_itself
from rehearse.errors import NotASandbox

READING = (
    ("baseline", "capture", "SIT1"),
    ("diff", "SIT1"),
    ("reset", "plan", "SIT1"),
    ("reset", "prove", "SIT1"),
    ("fidelity", "SIT1"),
)


@pytest.fixture
def repointed(kept_desk: Any, tmp_path: Path) -> Callable[[str, str], Any]:
    """The kept workspace, in which the login of one org is that of another."""
    desk = replace(kept_desk, folder=Path(shutil.copytree(kept_desk.folder, tmp_path / "repointed")))
    file = desk.folder / "rehearse.yaml"
    text = file.read_text()
    logins = {
        name: re.search(rf"{name}:.*?login: (\{{.*?\}}\}}\}})", text, re.DOTALL)[1]  # type: ignore[index]
        for name in ("production", "SIT1", "DEV1")
    }

    def repoint(name: str, to: str) -> Any:
        at = text.index(f"{name}:")
        file.write_text(text[:at] + text[at:].replace(logins[name], logins[to], 1))
        return desk

    return repoint


@pytest.mark.parametrize("to", ["production", "DEV1"])
def test_the_login_of_a_sandbox_that_leads_elsewhere_reads_nothing(
    repointed: Callable[[str, str], Any], to: str
) -> None:
    desk = repointed("SIT1", to)
    kept = desk.json("baseline", "list")["baselines"]
    told = "which is no sandbox" if to == "production" else "is the sandbox DEV1"
    for words in READING:
        assert told in desk.refused(*words, code=5)["message"]
    assert desk.json("baseline", "list")["baselines"] == kept


def test_the_login_of_production_that_leads_to_a_sandbox_is_none(repointed: Callable[[str, str], Any]) -> None:
    desk = repointed("production", "DEV1")
    for words in (("sandboxes",), ("baseline", "capture", "production")):
        assert "which is a sandbox" in desk.refused(*words, code=12)["message"]


@pytest.mark.parametrize(("host", "passes"), [("acme--uat.sandbox.my.salesforce.com", True), ("cs9.example", True),
                                              ("acme--sit1.sandbox.my.salesforce.com", False)])  # fmt: skip
def test_where_production_cannot_be_asked_the_address_tells(tmp_path: Path, host: str, passes: bool) -> None:
    from types import SimpleNamespace

    from rehearse.state import open_database

    database = open_database(tmp_path)
    reader: Any = SimpleNamespace(is_sandbox=True, org_id="00D000000000001AAA", host=host)
    if passes:
        require_itself("UAT", reader, database, lambda: None)
    else:
        with pytest.raises(NotASandbox, match="Its address"):
            require_itself("UAT", reader, database, lambda: None)
    database.close()
