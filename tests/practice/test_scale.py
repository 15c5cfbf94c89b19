"""Large worlds: what is asked for is made, a skewed account has its contacts, and small copies stay small."""

import pytest

from rehearse.practice import seed
from rehearse.practice.meta_files import read_tree
from rehearse.practice.seed_many import build_many


@pytest.fixture(scope="module")
def large(module_folder):
    estate = seed.build(module_folder / "estate", 1, 6000, 400, 1500)
    yield estate
    estate.close()


def count(org, sql):
    with org.lock:
        return org.db.execute(sql).fetchone()[0]


def test_one_account_has_so_many_contacts(large):
    most = 'SELECT max(n) FROM (SELECT count(*) AS n FROM "Contact" GROUP BY "AccountId")'
    assert 1500 <= count(large.production, most) < 1600
    assert count(large.production, 'SELECT count(*) FROM "Contact"') == 1500


def test_components_are_made_and_copied(large):
    for org in large.orgs():
        assert count(org, "SELECT count(*) FROM meta_component WHERE name LIKE 'Step%'") > 100
        assert (
            count(org, "SELECT count(*) FROM meta_component WHERE type = 'CustomField' AND name LIKE 'Ledger%'") == 120
        )
        assert org.object("Ledger000__c").find("Entry00001__c").type == "currency"


def test_a_tree_of_many_components_has_as_many_as_asked():
    tree = read_tree(build_many(1000))
    assert tree.problems == []
    made = [one for one in tree.components if one.type not in ("CustomObject", "CustomLabels", "ReportFolder")]
    assert len(made) == 1000


def test_indexes_are_there_after_the_load(large):
    names = "SELECT count(*) FROM sqlite_master WHERE type = 'index' AND tbl_name = 'Contact' AND sql IS NOT NULL"
    assert count(large.production, names) == count(large.sandbox("DEV1"), names) > 3


def test_a_copy_without_records_is_small_however_large_production_is(large):
    full, developer = (large.org_path(large.sandbox(name).org_id).stat().st_size for name in ("UATFULL", "DEV2"))
    assert developer < full / 2
