"""How to reach the practice world: addresses, CA, logins; and a rehearse.yaml that is ready to use.

Secrets go into files of their own in the estate folder, readable by their owner only; what is written into a workspace
refers to those files and never holds a secret. Refuses to overwrite any file that a user may have edited. Promise: the
workspace stays valid across restarts and refreshes, since ports, CA and clients of the folder stay the same.
"""

import json
import os
from dataclasses import asdict, dataclass, field
from pathlib import Path

from rehearse.practice.client_settings import ClientSettings, Door, describe_clients
from rehearse.practice.control import ControlError, Status
from rehearse.practice.estate import Estate
from rehearse.practice.person_secrets import ensure_jwt_key, ensure_password, ensure_security_token
from rehearse.practice.seed_access import COMPANY
from rehearse.practice.seed_records import PLAN
from rehearse.practice.tokens import Client

SECRETS = "secrets"
WORKSPACE_FILE = "rehearse.yaml"
TIMEZONE = "Europe/Dublin"
TAGS = {"UATFULL": ("payments", "sap"), "SIT1": ("sap",)}  # what is connected to a sandbox, for the example releases


@dataclass(frozen=True)
class OrgAccess:
    """One org and how to log in to it. `access_token` works until the org is replaced."""

    name: str
    org_id: str
    is_sandbox: bool
    username: str
    client_id: str
    client_secret_file: str
    access_token: str = field(repr=False)


@dataclass(frozen=True)
class Access:
    """The addresses of a practice world, the logins of its orgs, and how known clients are set up for one of them.

    Every active user has the password in `password_file`; `jwt_key_file` is the key of every client's certificate.
    """

    url: str
    http_url: str
    ca_file: str
    password_file: str
    security_token_file: str
    jwt_key_file: str
    orgs: tuple[OrgAccess, ...]
    clients_for: str
    clients: tuple[ClientSettings, ...]

    def as_json(self) -> dict[str, object]:
        """The body of `rehearse practice connect --json`; holds tokens, as a person at the practice world may."""
        return asdict(self)


def connect(folder: Path, status: Status, name: str = "") -> Access:
    """Access to every org that is live now, with a fresh token each; settings of clients are for the org `name`, or for
    the first sandbox. Raises ControlError while nothing serves, and for a name that no live org has."""
    if not status.running:
        raise ControlError(f"The practice org in {folder} is not running.", "Run `rehearse practice up`.")
    estate = Estate.open(folder)
    try:
        found = [_describe(estate, folder, client) for client in estate.tokens.clients()]
    finally:
        estate.close()
    orgs = tuple(org for org in found if org is not None)
    chosen = _choose(orgs, name)
    ca_file = str((folder / "tls" / "ca.pem").resolve())
    password, key = str(ensure_password(folder)), str(ensure_jwt_key(folder))
    door = Door(
        status.url, status.http_url, ca_file=ca_file, password_file=password, jwt_key_file=key, **asdict(chosen)
    )
    return Access(
        url=status.url,
        http_url=status.http_url,
        ca_file=ca_file,
        password_file=password,
        security_token_file=str(ensure_security_token(folder)),
        jwt_key_file=key,
        orgs=orgs,
        clients_for=chosen.name,
        clients=describe_clients(door),
    )


def _choose(orgs: tuple[OrgAccess, ...], name: str) -> OrgAccess:
    """The org of this name in any case; unless given, the first sandbox, or production where there is none."""
    if not name:
        return next((org for org in orgs if org.is_sandbox), orgs[0])
    found = next((org for org in orgs if org.name.lower() == name.lower()), None)
    if found is None:
        hint = f"There are: {', '.join(org.name for org in orgs)}."
        raise ControlError(f"The practice world has no org {name} that can be reached.", hint)
    return found


def _describe(estate: Estate, folder: Path, client: Client) -> OrgAccess | None:
    org = estate.org_of_client(client)
    if org is None:
        return None
    with org.lock:
        row = org.db.execute('SELECT "Username" FROM "User" WHERE "Id" = ?', (client.user_id,)).fetchone()
    return OrgAccess(
        name=client.sandbox or "production",
        org_id=org.org_id,
        is_sandbox=org.is_sandbox,
        username=str(row[0]) if row is not None else "",
        client_id=client.client_id,
        client_secret_file=str(write_secret(folder, client)),
        access_token=estate.issue_token(org, client.user_id),
    )


def write_secret(folder: Path, client: Client) -> Path:
    """The file with the secret of a client, 0600; written again only when it is not as it should be."""
    home = (folder / SECRETS).resolve()
    home.mkdir(mode=0o700, exist_ok=True)
    path = home / f"{client.sandbox or 'production'}.secret"
    if not path.exists() or path.read_text(encoding="ascii") != client.client_secret:
        aside = path.with_suffix(".new")
        aside.unlink(missing_ok=True)
        with os.fdopen(os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="ascii") as file:
            file.write(client.client_secret)
        aside.replace(path)
    return path


def write_workspace(folder: Path, status: Status, target: Path) -> Path:
    """Write `target`/rehearse.yaml for the practice world. Raises ControlError when there is one already."""
    access = connect(folder, status)
    estate = Estate.open(folder)
    try:
        licences = dict(estate.settings["licences"])
    finally:
        estate.close()
    text = render_workspace(access, licences)
    path = target / WORKSPACE_FILE
    target.mkdir(parents=True, exist_ok=True)
    try:
        with path.open("x", encoding="utf-8") as file:
            file.write(text)
    except FileExistsError as error:
        hint = "Give another folder, or move the file away."
        raise ControlError(f"There is a {WORKSPACE_FILE} in {target} already; it was not touched.", hint) from error
    return path


def render_workspace(access: Access, licences: dict[str, int]) -> str:
    """The text of a rehearse.yaml: production and every sandbox by client credentials, `clock: org`."""
    production = next(org for org in access.orgs if not org.is_sandbox)
    sandboxes = [org for org in access.orgs if org.is_sandbox]
    objects = [name for name, _share, _writer in PLAN]
    lines = [
        f"# The practice world of {COMPANY}: local, safe to break, made by `rehearse practice`.",
        "version: 1",
        "clock: org                                # the practice world has a clock of its own",
        "team: Release Management",
        f"timezone: {TIMEZONE}",
        "production:",
        f"  name: {_quoted(COMPANY)}",
        f"  login: {_login(access, production)}",
        f"  control: {_login(access, production)}",
        "sandboxes:",
    ]
    for org in sandboxes:
        lines += [f"  {org.name}:", f"    login: {_login(access, org)}"]
        lines += [f"    tags: [{', '.join(TAGS[org.name])}]"] if org.name in TAGS else []
    lines += [
        f"tls: {{ca_bundle: {_quoted(access.ca_file)}}}",
        "calendar:",
        '  hours: {days: [mon, tue, wed, thu, fri], from: "09:00", to: "18:00"}',
        "  blackouts:",
        "    - {name: Year end, from: 2026-12-24, to: 2027-01-03}",
        f"licences: {{{', '.join(f'{name}: {count}' for name, count in licences.items())}}}",
        "scope:",
        '  metadata: {include: ["*"], exclude: []}',
        "  records:",
        f"    include: [{', '.join(objects)}]",
        "storage: {path: .rehearse, key: {file: .rehearse-key}}",
    ]
    return "\n".join(lines) + "\n"


def _login(access: Access, org: OrgAccess) -> str:
    secret = f"{{file: {_quoted(org.client_secret_file)}}}"
    inner = f"url: {_quoted(access.url)}, client_id: {_quoted(org.client_id)}, client_secret: {secret}"
    return f"{{client_credentials: {{{inner}}}}}"


def _quoted(text: str) -> str:
    """A text as YAML and JSON both read it."""
    return json.dumps(text, ensure_ascii=False)
