"""A world put back to its beginning: as large as it was made, with the same logins, without what was done to it."""

from rehearse.practice import rows, seed
from rehearse.practice.estate import Estate
from rehearse.practice.rebuild import rebuild


def sizes(estate):
    org = estate.production
    counts = [org.db.execute(f'SELECT count(*) FROM "{name}"').fetchone()[0] for name in ("Account", "Contact")]
    return [*counts, org.db.execute("SELECT count(*) FROM meta_component").fetchone()[0]]


def test_a_world_is_as_large_as_it_was_and_forgets_what_was_done(tmp_path):
    folder = tmp_path / "world"
    estate = seed.build(folder, 3, 1500, 40, 60)
    before, clients = sizes(estate), {one.client_id for one in estate.tokens.clients()}
    rows.load(estate.production, "Account", [{"Name": "Ours"}])
    estate.settings.put("bin_days", 2)
    estate.faults.add(("JOB", "query"), do="fail")
    estate.close()
    rebuild(folder)
    again = Estate.open(folder)
    try:
        assert again.seed == 3 and again.recipe == {"records": 1500, "components": 40, "skew": 60}
        assert sizes(again) == before
        assert {one.client_id for one in again.tokens.clients()} == clients
        assert again.settings["bin_days"] == 15 and again.faults.waiting() == []
    finally:
        again.close()
    assert not (folder / "rebuilding").exists()
