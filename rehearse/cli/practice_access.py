"""What `rehearse practice connect` shows: the way to each org, then the exact settings of each known client for one."""

from __future__ import annotations

import shlex
from typing import TYPE_CHECKING

from rehearse.report.view import Page, Paragraph, Rows, Table, build_table

if TYPE_CHECKING:
    from rehearse.practice.client_settings import ClientSettings
    from rehearse.practice.connect import Access


def build_access_page(found: Access) -> Page:
    """The page of an access: addresses, orgs, files with secrets, and a part for every client."""
    rows: Rows = [
        [one.name, one.org_id, one.username, one.client_id[:16] + "…", one.client_secret_file] for one in found.orgs
    ]
    blocks: list[Table | Paragraph] = [
        Paragraph(f"HTTPS {found.url} with the CA in {found.ca_file}; plain HTTP {found.http_url}."),
        build_table("Orgs", ["org", "id", "user", "client id", "client secret in"], rows),
        Paragraph(
            f"Every user's password is in {found.password_file} (the security token in {found.security_token_file} may "
            f"follow it), the key for JWT logins in {found.jwt_key_file}. Whole client ids and all tokens: add --json."
        ),
        Paragraph(f"Settings of clients for {found.clients_for} (another org: --org NAME):"),
        *(Paragraph(_client_text(one)) for one in found.clients),
    ]
    return Page("", tuple(blocks))


def _client_text(client: ClientSettings) -> str:
    lines = [client.title]
    lines += [f"  export {name}={shlex.quote(value)}" for name, value in client.environment.items()]
    lines += [f"  {name}: {value}" for name, value in client.settings.items()]
    return "\n".join([*lines, *(f"  {line}" for line in client.example)])
