"""A laboratory for resets: a sandbox of the practice world, a baseline of it, a rehearsal, the reset, and the proof.

`photograph` reads the practice org's own database and knows nothing of our compare: what it says is the judge.
"""

import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import cache, lru_cache
from pathlib import Path
from typing import Any

import pytest
from lxml import etree

from rehearse import clock, lock
from rehearse.baseline.capture import CaptureRequest, capture
from rehearse.baseline.keys import Keys
from rehearse.baseline.model import Capture, Scope
from rehearse.baseline.record_store import CaptureStore
from rehearse.journal import Journal
from rehearse.org.connect import OrgReader, OrgWriter, SandboxClaim, WireOptions, connect_reader, connect_writer
from rehearse.org.model import Login
from rehearse.practice import admin, rows
from rehearse.practice.deploy import install
from rehearse.practice.org_state import OrgState
from rehearse.practice.server import PracticeServer
from rehearse.reset.apply import apply
from rehearse.reset.apply_context import Tools
from rehearse.reset.context import ApplySettings
from rehearse.reset.gather import GatherRequest, gather
from rehearse.reset.id_map import IdMap
from rehearse.reset.model import ApplyReport, Choices, Proof, ResetPlan, Switch
from rehearse.reset.plan import build_plan
from rehearse.reset.plan_file import load_plan, save_plan
from rehearse.reset.prove import ProofRequest, prove
from rehearse.secret import Reference
from rehearse.state import open_database

SANDBOX = "UATFULL"
NOISE = frozenset(
    [
        "SystemModstamp",
        "LastModifiedDate",
        "LastModifiedById",
        "LastViewedDate",
        "LastReferencedDate",
        "LastActivityDate",
        "IsDeleted",
    ]
)
QUICK = {"uncertain_for": timedelta(0), "poll": 0.0, "sleep": lambda seconds: None, "keep_newer": True}
"""Without waiting; and what somebody wrote after the plan is left alone, as in the moment after the first look."""
Hook = Callable[[str, str, str], None]


@dataclass
class Photograph:
    """What an org's own database holds: rows by object and id, components by type and name, versions of flows."""

    rows: dict[str, dict[str, dict[str, Any]]]
    components: dict[tuple[str, str], str]
    flows: dict[tuple[str, int], str]


@dataclass
class Lab:
    """One sandbox under reset, and the workspace beside it. `hook` hears of every call of the writer's wire."""

    folder: Path
    server: PracticeServer
    hook: Hook | None = None
    closed: bool = False
    writers: list[OrgWriter | OrgReader] = field(default_factory=list)

    def __post_init__(self) -> None:
        workspace = self.folder / "workspace"
        if not workspace.exists():
            workspace.mkdir()
            (workspace / "rehearse.db").write_bytes(empty_database())
        self.database = open_database(workspace)
        self.keys = Keys(self.folder / "workspace" / "keys", Reference(file=str(self.folder / "workspace" / "key")))
        self.store = CaptureStore(self.folder / "workspace", self.keys)
        self.writer = self._connect()
        self.ids = IdMap(self.database, self.writer.org_id)

    @property
    def org(self) -> OrgState:
        found = self.server.estate.sandbox(SANDBOX)
        assert found is not None
        return found

    def user(self, alias: str) -> str:
        """The id of a user of the sandbox: release (ours), admin, loader, sales1 …"""
        with self.org.lock:
            return str(self.org.db.execute('SELECT "Id" FROM "User" WHERE "Alias" = ?', (alias,)).fetchone()[0])

    def _connect(self) -> OrgWriter:
        quick = {"first_poll": 0.01, "longest_poll": 0.1, "wait_seconds": 0.01, "longest_wait": 0.05}
        options = WireOptions(**quick, on_call=self._heard)
        logins = [Login("token", url=self.server.http_url, secret=one) for one in self.tokens()]
        production = connect_reader(logins[0], options=WireOptions())
        writer = connect_writer(logins[1], SandboxClaim(SANDBOX, production), options=options)
        self.writers += [production, writer]
        return writer

    def tokens(self) -> tuple[str, str]:
        """Access tokens of production and of the sandbox, for another process."""
        estate = self.server.estate
        clients = {one.sandbox: one for one in estate.tokens.clients()}
        found = []
        for name in (None, SANDBOX):
            org = estate.org_of_client(clients[name])
            assert org is not None
            found.append(estate.issue_token(org, clients[name].user_id))
        return found[0], found[1]

    def _heard(self, when: str, method: str, path: str) -> None:
        if self.hook is not None:
            self.hook(when, method, path)

    # the rehearsal, in the practice org itself

    def insert(self, object: str, *values: Mapping[str, Any], by: str = "loader", automation: bool = True) -> list[str]:
        saved = rows.insert(self.org, self.user(by), object, values, automation=automation)
        assert all(one.success for one in saved), saved
        return [str(one.id) for one in saved]

    def update(self, object: str, *values: Mapping[str, Any], by: str = "loader", automation: bool = True) -> None:
        saved = rows.update(self.org, self.user(by), object, values, automation=automation)
        assert all(one.success for one in saved), saved

    def delete(self, *ids: str, hard: bool = False, by: str = "loader") -> None:
        saved = rows.delete(self.org, self.user(by), ids, hard=hard)
        assert all(one.success for one in saved), saved

    def deploy(self, files: Mapping[str, bytes | str]) -> None:
        install(self.org, {path: one if isinstance(one, bytes) else one.encode() for path, one in files.items()})

    def pick(self, soql_like: str, *values: Any) -> list[str]:
        """Ids by a piece of SQL after FROM: `"Invoice__c" WHERE ... ORDER BY "Id" LIMIT 3`."""
        with self.org.lock:
            found = self.org.db.execute(f'SELECT "Id" FROM {soql_like}', values).fetchall()
        return [str(row[0]) for row in found]

    def value(self, object: str, id: str, field_name: str) -> Any:
        with self.org.lock:
            found = self.org.db.execute(f'SELECT "{field_name}" FROM "{object}" WHERE "Id" = ?', (id,)).fetchone()
        return None if found is None else found[0]

    # our side

    def capture(self, *, objects: Sequence[str], types: Sequence[str] = (), frozen: Capture | None = None) -> Capture:
        scope = Scope(metadata_include=tuple(types), objects=tuple(objects))
        return capture(self.writer.reader, CaptureRequest(SANDBOX, scope, frozen=frozen), self.store)

    def rules(self) -> list[Any]:
        """Validation rules of the sandbox: object, name, active."""
        with self.org.lock:
            return self.org.db.execute("SELECT object, name, active FROM validation_rules ORDER BY 1, 2").fetchall()

    def plan(
        self,
        before: Capture,
        choices: Choices | None = None,
        types: Sequence[str] = (),
        bypass: tuple[Switch, ...] = (),
    ) -> ResetPlan:
        """Capture the live org, plan, and take the plan through its file, as the command line does."""
        after = self.capture(
            objects=[one.name for one in before.scope.objects], types=types or before.scope.types, frozen=before
        )
        request = GatherRequest(
            SANDBOX, "B1", before, after, clock.now(), self.ids.load(), choices or Choices(), bypass
        )
        plan = build_plan(gather(self.writer.reader, self.store, request))
        path = self.folder / "workspace" / "plan.json"
        save_plan(plan, path)
        return load_plan(path)

    def saved_plan(self) -> ResetPlan:
        """The plan that `plan` saved, from its file."""
        return load_plan(self.folder / "workspace" / "plan.json")

    def apply(self, plan: ResetPlan, **settings: Any) -> ApplyReport:
        self._begin_a_second(plan)
        with lock.hold(self.database, SANDBOX, "reset", clock.now()) as held:
            journal = Journal(self.database, held, plan.id)
            size = {"read_batch": settings["batch"]} if "batch" in settings else {}
            chosen = ApplySettings(**{**QUICK, **size, **settings})
            return apply(plan, Tools(self.writer, self.store, journal, self.ids), chosen)

    def _begin_a_second(self, plan: ResetPlan) -> None:
        """Let the org's clock reach the second after the plan's: stamps have whole seconds, and apply would wait."""
        planned = self.store.load(plan.live_capture).started
        if self.org.now().replace(microsecond=0) <= planned:
            admin.move_clock(self.server.estate, timedelta(seconds=1))

    def prove(self, before: Capture, plan: ResetPlan | None = None, report: ApplyReport | None = None) -> Proof:
        request = ProofRequest("B1", before, clock.now(), plan, report, self.ids.load())
        return prove(self.writer.reader, self.store, request)

    def reset(self, before: Capture, **settings: Any) -> Proof:
        plan = self.plan(before)
        return self.prove(before, plan, self.apply(plan, **settings))

    def continue_and_prove(self, before: str) -> Proof:
        """The same command again, and the proof."""
        plan = self.saved_plan()
        return self.prove(self.store.load(before), plan, self.apply(plan))

    def photograph(self, objects: Sequence[str]) -> Photograph:
        """The truth, from the practice org's own tables."""
        with self.org.lock:
            db = self.org.db
            found = {name: self._rows(name) for name in objects if self.org.find_object(name) is not None}
            components = {
                (type, name.lower()): canonical(xml, without_off=type == "Profile")
                for type, name, xml in db.execute("SELECT type, name, xml FROM meta_component")
                if type not in ("Flow", "FlowDefinition", "CustomLabels", "Workflow")
            }
            for type, name, path, body in db.execute("SELECT type, name, path, body FROM meta_file"):
                components[(f"{type} file", f"{name} {path}".lower())] = body.hex()
            flows = {
                (flow, number): status
                for flow, number, status in db.execute("SELECT flow, number, status FROM meta_flow_version")
            }
        return Photograph(found, components, flows)

    def _rows(self, name: str) -> dict[str, dict[str, Any]]:
        definition = self.org.object(name)
        stored = [one.name for one in definition.fields if not one.formula and one.name not in NOISE]
        cursor = self.org.db.execute(f'SELECT * FROM "{name}" WHERE "IsDeleted" = 0')
        columns = [one[0] for one in cursor.description]
        return {
            str(row["Id"]): {key: row[key] for key in stored if key in row}
            for row in (dict(zip(columns, values, strict=True)) for values in cursor)
        }

    def close(self) -> None:
        if self.closed:
            return
        self.closed = True
        for one in self.writers:
            one.close()
        self.database.close()
        self.server.stop()


@lru_cache(maxsize=4096)
def canonical(xml: bytes | None, *, without_off: bool = False) -> str:
    """XML whose elements are in a fixed order: the practice org's own text, without our canonical form.

    `without_off` leaves out entries of a profile that grant nothing: no deployment can take an entry itself away.
    """
    if not xml:
        return ""

    def grants(element: Any) -> bool:
        texts = {(one.text or "").strip() for one in element.iter() if not len(one)}
        return "true" in texts or not texts & {"false", "Hidden"}

    def shape(element: Any) -> Any:
        children = [one for one in element if not without_off or not len(one) or grants(one)]
        return (element.tag, (element.text or "").strip(), sorted((shape(one) for one in children), key=repr))

    return repr(shape(etree.fromstring(xml)))


@cache
def empty_database() -> bytes:
    """A workspace database as the migrations make it, made once a process: every lab begins with a copy."""
    with tempfile.TemporaryDirectory() as folder:
        open_database(Path(folder)).close()
        return (Path(folder) / "rehearse.db").read_bytes()


def open_lab(folder: Path, hook: Hook | None = None) -> Lab:
    """A lab over `folder/estate` and `folder/workspace`."""
    server = PracticeServer(folder / "estate")
    server.start()
    try:
        return Lab(folder, server, hook)
    except BaseException:
        server.stop()
        raise


@pytest.fixture
def lab(seeded_folder: Path, tmp_path: Path) -> Iterator[Lab]:
    """A lab on a private copy of the seeded world."""
    shutil.copytree(seeded_folder, tmp_path / "lab" / "estate")
    found = open_lab(tmp_path / "lab")
    try:
        yield found
    finally:
        found.close()


@pytest.fixture(scope="module")
def still_lab(seeded_folder: Path, module_folder: Path) -> Iterator[Lab]:
    """One lab for a whole file, for tests that leave it usable; its clock stands in the middle of a second."""
    shutil.copytree(seeded_folder, module_folder / "lab" / "estate")
    found = open_lab(module_folder / "lab")
    try:
        clock = found.server.estate.clock
        clock.set(found.org.now().replace(microsecond=0) + timedelta(seconds=2, milliseconds=400))
        clock.pause()
        yield found
    finally:
        found.close()


@pytest.fixture
def lab_at() -> Iterator[Callable[..., Lab]]:
    """Opens labs over given folders and closes whatever is still open at the end."""
    opened: list[Lab] = []

    def open_at(folder: Path, hook: Hook | None = None) -> Lab:
        opened.append(open_lab(folder, hook))
        return opened[-1]

    yield open_at
    for one in opened:
        one.close()
