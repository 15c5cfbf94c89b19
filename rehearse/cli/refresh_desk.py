"""One sandbox on the way to its refresh: what is known of it, and the steps that the refresh verbs share.

Production is asked once at the start. The login that may refresh sandboxes is loaded only when something is about to
be asked for, and is handed to refresh/act, which alone uses it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

from rehearse.cli import overview, progress, ready_list
from rehearse.cli.answers import say
from rehearse.cli.availability import availability_of, known_cycles
from rehearse.cli.desk import Desk, build_login, open_desk
from rehearse.cli.gate import longest_call
from rehearse.errors import LoginError, NotASandbox, OrgUnreachable
from rehearse.events import OnEvent
from rehearse.refresh.decide import decide
from rehearse.refresh.model import Answer, Losses, Progress, Since
from rehearse.refresh.progress import build_progress, estimate_copy, expected_ends
from rehearse.report import refreshes as view
from rehearse.report.view import Paragraph, Table
from rehearse.schedule import store
from rehearse.schedule.ledger import Availability, Cycle, find_in_force
from rehearse.schedule.ledger_outlook import ForecastError, build_errors
from rehearse.schedule.ledger_stages import load_stages
from rehearse.schedule.ledger_store import load_cycles
from rehearse.schedule.model import Booking
from rehearse.workspace.model import SandboxConfig

if TYPE_CHECKING:
    from rehearse.refresh.act import Actor

Blocks = list[Paragraph | Table]


@dataclass
class Case:
    """A sandbox with its history, as production tells it at `now`."""

    desk: Desk
    config: SandboxConfig
    on_event: OnEvent
    now: datetime
    cycles: tuple[Cycle, ...] = ()

    @property
    def name(self) -> str:
        """The name as rehearse.yaml spells it."""
        return self.config.name

    @property
    def zone(self) -> ZoneInfo:
        """The zone in which people read times."""
        return self.desk.workspace.zone

    @property
    def last(self) -> Cycle | None:
        """The newest copy."""
        return self.cycles[-1] if self.cycles else None

    def load_bookings(self) -> tuple[Booking, ...]:
        """What stands in the calendar of this sandbox."""
        return store.load_bookings(self.desk.database, self.name)

    @property
    def may_act(self) -> bool:
        """Whether rehearse.yaml gives a login that may refresh sandboxes."""
        production = self.desk.workspace.production
        return production is not None and production.control is not None

    def load_open_kinds(self) -> frozenset[str]:
        """What a killed command left without an end."""
        from rehearse.refresh.act import find_open

        return find_open(self.desk.database, self.name)

    def was_asked(self) -> bool:
        """Whether the copy under way came of a request that was sent from here: then there is nothing to send."""
        from rehearse.refresh.act import UNDER_WAY, was_asked_by_us

        last = self.last
        return last is not None and last.state in UNDER_WAY and was_asked_by_us(self.desk.database, self.name, last.id)

    @property
    def availability(self) -> Availability:
        """The refresh dates."""
        return availability_of(self.desk, self.name, self.config, self.cycles, self.now)

    def load_answer(self) -> Answer:
        """What a request would meet now."""
        return decide(self.availability, self.load_bookings(), self.now)

    def observe(self) -> None:
        """Ask production again, and take over what it says."""
        self.now = self.desk.fetch_now(fresh=True)
        overview.refresh_ledger(self.desk, self.on_event)
        kept = tuple(load_cycles(self.desk.database).get(self.name, ()))
        self.cycles = known_cycles(self.desk, self.config, kept, self.now)

    def fetch_losses(self) -> Losses | None:
        """What a refresh would take; None where the sandbox cannot be asked, which is said."""
        from rehearse.refresh.loss import fetch_losses

        force = find_in_force(self.cycles)
        if self.config.login is None or force is None:
            return None
        since = Since(force.activated or force.copied or force.requested, None if force.clone_of else force.requested)
        try:
            reader = self.desk.connect_reader(self.config)
        except (LoginError, OrgUnreachable, NotASandbox) as error:
            say(f"note: What {self.name} holds cannot be looked at: {error.message}")
            return None
        if force.org_id and reader.org_id != force.org_id:
            say(f"note: The login of {self.name} leads to the org {reader.org_id}, which is another: correct it.")
            return None
        objects = self.desk.workspace.scope.objects
        return fetch_losses(
            reader, self.desk.connect_production(), since, [one for one in objects if "*" not in one], self.on_event
        )

    def show_losses(self, losses: Losses | None) -> Blocks:
        """The loss guard for people."""
        if losses is None:
            return [Paragraph(f"{self.name} could not be asked what it holds: look before you refresh it.", "warn")]
        return view.build_losses_blocks(losses, self.zone)

    @contextmanager
    def open_actor(self, what: str) -> Iterator[Actor]:
        """Lock the sandbox and log in as the one who may refresh; raises Locked, LoginError."""
        from rehearse.lock import hold
        from rehearse.refresh.act import Door, open_actor

        production, reading = self.desk.workspace.production, self.desk.connect_production()
        assert production is not None and production.control is not None
        self.desk.check_bypass(self.name)
        known = reading.org_id if reading is not None else None
        door = Door(build_login(production.control), self.desk.workspace.ca_bundle, known)
        with (
            hold(self.desk.database, self.name, what, self.now) as held,
            open_actor(door, (self.desk.database, held), act_settings(self.desk.org_clock.now), self.on_event) as actor,
        ):
            yield actor

    def progress(self) -> Progress:
        """How far the newest copy is."""
        ledger = load_cycles(self.desk.database)
        stages = load_stages(self.desk.database).get(self.last.id, ()) if self.last else ()
        estimate = None
        if self.last is not None and self.last.copied is None:
            configured = (self.desk.workspace.refresh.copy_time or {}).get(self.last.licence)
            estimate = estimate_copy(self.last, self.cycles, expected_ends(ledger, self.last), configured)
        return build_progress(self.name, self.cycles, stages, estimate)

    def forecast_error(self) -> ForecastError | None:
        """How the newest copy kept to what was expected of it; None while it is not made."""
        errors = build_errors(self.cycles, self.desk.workspace.refresh.copy_time)
        return errors[-1] if errors and self.last is not None and errors[-1].cycle == self.last.id else None

    def start_list(self, cycle: Cycle | None, losses: Losses | None) -> None:
        """Begin the ready list of the generation that a copy makes, or add to it what the loss guard found."""
        ready_list.start_list(self.desk, self.name, cycle, losses)

    def letter(self, deed: str) -> tuple[dict[str, Any], Blocks]:
        """What to ask the platform team for, as data and for people."""
        from rehearse.refresh.ask import build_letter

        workspace = self.desk.workspace
        production = self.desk.connect_production()
        fields: dict[str, Any] = {}
        if production is not None and deed == "request":
            records = [one for one in production.fetch_sandboxes() if one.name.casefold() == self.name.casefold()]
            fields = dict(records[0].fields) if records else {}
        called = workspace.production.name if workspace.production else "production"
        process = self.last.id if self.last and not self.last.by_hand else ""
        lines = build_letter(deed, called, self.name, fields, process)  # type: ignore[arg-type]
        return {"asked": False, "ask": list(lines)}, view.build_letter_blocks(lines)


@contextmanager
def open_case(sandbox: str) -> Iterator[Case]:
    """Open the workspace, ask production for its sandboxes, and bring the history of one together."""
    with open_desk() as desk, progress.shown() as on_event:
        config = desk.workspace.sandbox(sandbox)
        overview.refresh_ledger(desk, on_event)
        cycles = load_cycles(desk.database).get(config.name, ())
        now = desk.fetch_now()
        yield Case(desk, config, on_event, now, known_cycles(desk, config, tuple(cycles), now))


def act_settings(now: Callable[[], datetime]) -> Any:
    """How long a lost request may take effect, by the clock of production."""
    from rehearse.refresh.act import ActSettings

    longest = longest_call()
    return ActSettings(uncertain_for=longest, look_for=min(longest, timedelta(seconds=20)), now=now)
