"""Fixtures of the whole suite: a private copy of a seeded practice world, with or without a running server.

The world is seeded once a test run, in a folder that all workers share, and copied for each test. At the end of a test
everything that production received is held against the list in design section 1 (tests of the practice org itself,
under tests/practice, may ask production whatever they like).
"""

import atexit
import fcntl
import gc
import os
import re
import shutil
import uuid
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import hypothesis
import pytest
import requests

from rehearse.practice import seed
from rehearse.practice.estate import Estate
from rehearse.practice.faults import Faults
from rehearse.practice.request_log import LoggedRequest, load_requests
from rehearse.practice.server import PracticeServer
from rehearse.practice.tls import ensure_certificate
from tests import postgres_server as postgres_server_of_tests
from tests.postgres_server import PostgresServer

READ_SOAP = re.compile(r"^(describe\w*|list\w*|retrieve|check\w*Status|checkStatus|getServerTimestamp)$")
REFRESH_PATH = re.compile(r"/tooling/sobjects/Sandbox(Info|Process)(/\w+)?$")


MEMORY, ENOUGH = Path("/dev/shm"), 4 << 30


def pytest_configure(config: pytest.Config) -> None:
    """Look for cyclic garbage less often, and keep the folders of tests in memory where there is room for them.

    Nobody pulls the plug in a test: what a killed process leaves is the same, and waiting for a disk is a fifth of the
    run. PYTEST_DEBUG_TEMPROOT, which is pytest's own, and --basetemp go before this.
    """
    gc.set_threshold(50_000, 20, 100)
    calm = hypothesis.settings(deadline=None, suppress_health_check=[hypothesis.HealthCheck.too_slow])
    hypothesis.settings.register_profile("calm", calm)  # other work on the machine is no fault of ours
    hypothesis.settings.load_profile("calm")
    if os.access(MEMORY, os.W_OK) and shutil.disk_usage(MEMORY).free > ENOUGH:
        os.environ.setdefault("PYTEST_DEBUG_TEMPROOT", str(MEMORY))


@dataclass(frozen=True)
class PracticeOrg:
    """One org of the practice world with everything that a test needs to speak to it."""

    name: str
    org_id: str
    username: str
    is_sandbox: bool
    client_id: str
    access_token: str = field(repr=False)
    client_secret: str = field(repr=False)


@dataclass
class Practice:
    """A running practice world on a private copy. `allow_refresh` lifts the bar for SandboxInfo / SandboxProcess."""

    server: PracticeServer
    orgs: dict[str, PracticeOrg]
    session: requests.Session
    allow_refresh: bool = False
    allow_everything: bool = False

    @property
    def url(self) -> str:
        return self.server.url

    @property
    def http_url(self) -> str:
        return self.server.http_url

    @property
    def ca_file(self) -> Path:
        return self.server.ca_file

    @property
    def estate(self) -> Estate:
        estate: Estate = self.server.estate
        return estate

    @property
    def faults(self) -> Faults:
        return self.server.faults

    @property
    def production(self) -> PracticeOrg:
        return next(org for org in self.orgs.values() if not org.is_sandbox)

    def restart(self, estate: Path | None = None) -> None:
        """Stop the server and start it again on the same ports; with `estate`, on a world restored from that folder."""
        ports = [int(url.rpartition(":")[2]) for url in (self.url, self.http_url)]
        self.server.stop()
        folder = self.server.folder
        if estate is not None:
            shutil.rmtree(folder)
            shutil.copytree(estate, folder)
        self.server = PracticeServer(folder, https_port=ports[0], http_port=ports[1]).start()

    def production_requests(self) -> list[LoggedRequest]:
        """Everything that production was asked so far."""
        return self.server.production_requests()

    def ask(self, org: str, method: str, path: str, **options: Any) -> requests.Response:
        """One raw request to an org by name; a `path` without a leading slash is under /services/data/v67.0."""
        who = self.production if org == "production" else self.orgs[org]
        full = path if path.startswith("/") else f"/services/data/v67.0/{path}"
        headers = {"Authorization": f"Bearer {who.access_token}", **options.pop("headers", {})}
        return self.session.request(method, self.http_url + full, headers=headers, timeout=30, **options)


def refused_for_production(log: list[LoggedRequest], *, refresh: bool) -> list[LoggedRequest]:
    """The requests that production must never receive (design section 1)."""
    own_jobs = {one.job_id for one in log if one.method == "POST" and one.path.endswith("/jobs/query")}

    def allowed(one: LoggedRequest) -> bool:
        if one.method in ("GET", "HEAD"):
            return True
        if one.operation is not None:
            return READ_SOAP.match(one.operation) is not None
        if one.method == "POST" and one.path in ("/services/oauth2/token", "/services/oauth2/userinfo"):
            return True
        if one.method == "POST" and one.path.endswith("/jobs/query"):
            return True
        if one.method in ("PATCH", "DELETE") and "/jobs/query/" in one.path:
            return one.job_id in own_jobs
        return refresh and REFRESH_PATH.search(one.path) is not None

    return [one for one in log if not allowed(one)]


@pytest.fixture(scope="session")
def seeded_folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The once-seeded estate folder that every test copies; nobody writes to it."""
    root = tmp_path_factory.getbasetemp()
    shared = root.parent if root.name.startswith("popen-") else root  # one a run, not one a worker
    folder = shared / "seeded-estate"
    with (shared / "seeded-estate.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.exists():
            making = shared / "seeded-estate.making"
            shutil.rmtree(making, ignore_errors=True)
            seed.build(making, 1).close()
            ensure_certificate(making)
            making.rename(folder)
    return folder


@pytest.fixture(scope="module")
def module_folder(tmp_path_factory: pytest.TempPathFactory, request: pytest.FixtureRequest) -> Iterator[Path]:
    """A folder for what the tests of a file share: gone after the last of them, unless one of them failed."""
    folder, failed = tmp_path_factory.mktemp("module"), request.session.testsfailed
    yield folder
    if request.session.testsfailed == failed:
        shutil.rmtree(folder)


@pytest.fixture
def estate_folder(seeded_folder: Path, tmp_path: Path) -> Path:
    """A private copy of the seeded estate folder."""
    return Path(shutil.copytree(seeded_folder, tmp_path / "estate"))


@pytest.fixture
def seeded_estate(estate_folder: Path) -> Iterator[Estate]:
    """A private copy of the seeded estate, open, without a server."""
    estate = Estate.open(estate_folder)
    try:
        yield estate
    finally:
        estate.close()


def list_orgs(estate: Estate) -> dict[str, PracticeOrg]:
    """Every live org that has a client, by name, with a fresh token each."""
    found: dict[str, PracticeOrg] = {}
    for client in estate.tokens.clients():
        org = estate.org_of_client(client)
        if org is None:
            continue
        with org.lock:
            row = org.db.execute('SELECT "Username" FROM "User" WHERE "Id" = ?', (client.user_id,)).fetchone()
        name = client.sandbox or "production"
        found[name] = PracticeOrg(
            name=name,
            org_id=org.org_id,
            username=row[0],
            is_sandbox=client.sandbox is not None,
            client_id=client.client_id,
            access_token=estate.issue_token(org, client.user_id),
            client_secret=client.client_secret,
        )
    return found


@pytest.fixture
def practice(estate_folder: Path, request: pytest.FixtureRequest) -> Iterator[Practice]:
    """A running in-process practice org on a private copy of the seeded world."""
    yield from serve(estate_folder, request)


@pytest.fixture
def own_practice(estate_folder: Path, request: pytest.FixtureRequest) -> Iterator[Practice]:
    """The same, for a test in a module that otherwise shares one world."""
    yield from serve(estate_folder, request)


def serve(estate_folder: Path, request: pytest.FixtureRequest) -> Iterator[Practice]:
    """Serve a folder for one test, and hold what production received against the list of what it may."""
    server = PracticeServer(estate_folder).start()
    with requests.Session() as session:
        world = Practice(server, list_orgs(server.estate), session)
        world.allow_everything = "practice" in request.path.parts
        try:
            yield world
        finally:
            world.server.stop()
    log = load_requests(estate_folder)
    if not world.allow_everything:
        assert refused_for_production(log, refresh=world.allow_refresh) == []


@pytest.fixture(scope="module")
def shared_practice(seeded_folder: Path, module_folder: Path) -> Iterator[Practice]:
    """One running world for all tests of a module, for tests of the practice org that leave it usable for the next."""
    server = PracticeServer(Path(shutil.copytree(seeded_folder, module_folder / "shared-estate"))).start()
    with requests.Session() as session:
        try:
            yield Practice(server, list_orgs(server.estate), session, allow_everything=True)
        finally:
            server.stop()


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[PostgresServer | str]:
    """A PostgreSQL of our own, or the sentence why there is none."""
    yield from postgres_server_of_tests.serve()


@pytest.fixture
def postgres(postgres_server: PostgresServer | str, request: pytest.FixtureRequest) -> Iterator[PostgresServer]:
    """The running PostgreSQL; where there is none, what needs it is left out and the end of the run says so."""
    if isinstance(postgres_server, str):
        request.node.user_properties.append(("postgres", f"not tested: {postgres_server}"))
        pytest.skip(f"no PostgreSQL: {postgres_server}")
    request.node.user_properties.append(("postgres", f"tested against {postgres_server.version}"))
    yield postgres_server


@pytest.fixture
def postgres_url(postgres: PostgresServer) -> Iterator[str]:
    """The URL of an empty database on it."""
    name = f"t{uuid.uuid4().hex[:12]}"
    postgres.execute(f"CREATE DATABASE {name}")
    yield postgres.url(name)
    postgres.execute(f"DROP DATABASE {name} WITH (FORCE)")


@pytest.fixture(params=["sqlite", "postgresql"])
def database_place(request: pytest.FixtureRequest, tmp_path: Path) -> Path | str:
    """Where a workspace database is to be: a folder, and then a PostgreSQL, for tests that hold for both."""
    return tmp_path / "store" if request.param == "sqlite" else str(request.getfixturevalue("postgres_url"))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say whether the team database was tested, and against what."""
    reports = [one for some in terminalreporter.stats.values() for one in some if hasattr(one, "user_properties")]
    for text in sorted({str(value) for one in reports for name, value in one.user_properties if name == "postgres"}):
        terminalreporter.write_line(f"PostgreSQL: {text}")


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_auto_num_workers(config: pytest.Config) -> int | None:
    """One more than there are cores: a test waits for its servers and child processes a quarter of its time."""
    if "PYTEST_XDIST_AUTO_NUM_WORKERS" in os.environ:
        return None
    return (len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1) + 1


LONG_FIRST = ("scenario", "faults", "reset", "cli", "baseline", "org", "schedule")


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Folders with long tests go first, so that no worker is left alone with one of them at the end."""

    def rank(item: pytest.Item) -> int:
        folder = item.path.relative_to(Path(__file__).parent).parts[0]
        return LONG_FIRST.index(folder) if folder in LONG_FIRST else len(LONG_FIRST)

    items.sort(key=rank)
    gc.freeze()  # modules and tests are never garbage: no collection needs to look at them
    atexit.register(gc.unfreeze)  # what ends with this process is freed as ever: some modules count what is left
