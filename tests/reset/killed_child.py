"""A process that applies the saved plan of a lab and kills itself at write number N: run by test_crash.

Arguments: the lab's folder, the practice org's address, the tokens of production and sandbox, N.
"""

import os
import signal
import sys
from datetime import timedelta
from pathlib import Path

from rehearse import clock, lock
from rehearse.baseline.keys import Keys
from rehearse.baseline.record_store import CaptureStore
from rehearse.journal import Journal
from rehearse.org.connect import SandboxClaim, WireOptions, connect_reader, connect_writer
from rehearse.org.model import Login
from rehearse.reset.apply import apply
from rehearse.reset.apply_context import Tools
from rehearse.reset.context import ApplySettings
from rehearse.reset.id_map import IdMap
from rehearse.reset.plan_file import load_plan
from rehearse.secret import Reference
from rehearse.state import open_database


def main(folder: Path, url: str, tokens: tuple[str, str], kill: int) -> None:
    """Apply until the N-th call that is not a GET, then die without a word; every second one after it was answered."""
    heard = 0

    def hook(when: str, method: str, path: str) -> None:
        nonlocal heard
        if method == "GET" or "/jobs/query" in path:
            return
        heard += when == "before"
        if heard == kill + 1 and when == ("after" if kill % 2 else "before"):
            os.kill(os.getpid(), signal.SIGKILL)

    work = folder / "workspace"
    production = connect_reader(Login("token", url=url, secret=tokens[0]))
    options = WireOptions(first_poll=0.01, longest_poll=0.1, on_call=hook)
    writer = connect_writer(
        Login("token", url=url, secret=tokens[1]), SandboxClaim("UATFULL", production), options=options
    )
    database = open_database(work)
    store = CaptureStore(work, Keys(work / "keys", Reference(file=str(work / "key"))))
    plan = load_plan(work / "plan.json")
    settings = ApplySettings(uncertain_for=timedelta(0), poll=0.0)
    with lock.hold(database, "UATFULL", "reset", clock.now()) as held:
        journal = Journal(database, held, plan.id)
        apply(plan, Tools(writer, store, journal, IdMap(database, writer.org_id)), settings)


if __name__ == "__main__":
    main(Path(sys.argv[1]), sys.argv[2], (sys.argv[3], sys.argv[4]), int(sys.argv[5]))
