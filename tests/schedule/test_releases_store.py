"""Go-lives are kept in the workspace database, and come back as releases without rehearsals."""

from datetime import timedelta
from pathlib import Path
from types import SimpleNamespace

from rehearse import state
from rehearse.clock import Span
from rehearse.schedule.releases_store import load_other_releases, record_releases
from rehearse.schedule.solver import solve


def test_known_releases_count_in_later_plannings(tmp_path: Path, worlds: SimpleNamespace) -> None:
    live, later = worlds.now - timedelta(days=2), worlds.now + timedelta(days=20)
    past = worlds.release("R1", live, worlds.rehearsal("m"), advance=Span(timedelta(hours=3)))
    coming = worlds.release("R2", later, worlds.rehearsal("m", "R2"))
    database = state.open_database(tmp_path / "store")
    record_releases(database, [past, coming], worlds.now)
    record_releases(database, [past], worlds.now)
    (known,) = load_other_releases(database, [coming])
    database.close()
    assert (known.name, known.go_live, known.advance, known.rehearsals) == ("R1", live, Span(timedelta(hours=3)), ())
    (advance,) = solve(worlds.wish([worlds.supply("U")], [coming, known])).advances
    assert advance.release == "R1" and advance.end - advance.start == timedelta(hours=3)
