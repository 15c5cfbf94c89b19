"""`rehearse practice fault` beside a world: what it keeps, what it shows, and what it refuses in one sentence."""

import json
import shutil

import pytest
from typer.testing import CliRunner

from rehearse.cli.practice_fault import app
from rehearse.errors import UsageError
from rehearse.practice.estate import Estate


@pytest.fixture
def run(company_folder, tmp_path):
    home = shutil.copytree(company_folder, tmp_path / "world")

    def run(*words):
        answer = CliRunner().invoke(app, [*words, "--folder", str(home)], catch_exceptions=False)
        assert answer.exit_code == 0, answer.output
        return answer.output

    run.home = home
    return run


def test_a_fault_is_kept_shown_and_cleared(run):
    run("add", "lose-reply", "--at", "activation", "--nth", "3", "--times", "2", "--org", "production")
    (shown,) = json.loads(run("list", "--json"))["faults"]
    assert (shown["deed"], shown["nth"], shown["times"], shown["org"]) == ("lose-reply", 3, 2, "production")
    estate = Estate.open(run.home)
    assert [one.point for one in estate.faults.waiting()] == ["PATCH"]
    estate.close()
    assert json.loads(run("clear", "--json"))["faults"] == []
    assert "No fault waits." in run("list")


def test_an_amount_that_is_not_given_is_the_usual_one(run):
    run("add", "slow", "--at", "retrieve-job")
    run("add", "slow", "--at", "query", "--amount", "0.5")
    assert [one["amount"] for one in json.loads(run("list", "--json"))["faults"]] == [5.0, 0.5]


def test_what_can_go_wrong_is_shown(run):
    known = json.loads(run("list", "--deeds", "--json"))
    assert "lose-reply" in known["kinds"]["activation"]
    assert known["kinds"]["copy"] == ["suspend", "stop"]
    assert "ingest-job" in run("list", "--deeds")


@pytest.mark.parametrize(
    ("words", "text"),
    [
        (("add", "stop", "--at", "query"), "stop cannot happen at query"),
        (("add", "explode"), "explode cannot happen at any"),
        (("add", "500", "--at", "nowhere"), "nowhere is no kind"),
        (("add", "500", "--match", "("), "no regular expression"),
        (("add", "500", "--org", "NOBODY"), "no sandbox NOBODY"),
    ],
)
def test_a_fault_that_cannot_be_is_a_sentence(run, words, text):
    with pytest.raises(UsageError, match=text.replace("(", r"\(")):
        run(*words)
    assert "No fault waits." in run("list")
