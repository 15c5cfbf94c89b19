"""One call of the data API over SOAP: who asks which org, in which dialect, and what the envelope says.

Pure reading of elements that were parsed already; what is missing reads as empty text. Operations take this and nothing
of HTTP.
"""

from __future__ import annotations

from dataclasses import dataclass

from lxml import etree

from rehearse.practice.org_state import OrgState
from rehearse.practice.rest_call import Call
from rehearse.practice.soap_forms import Dialect


@dataclass(frozen=True)
class DataCall:
    """One call: who asks which org, in which dialect and version, the operation's element and the headers."""

    org: OrgState
    user_id: str
    version: str
    dialect: Dialect
    body: etree._Element
    header: etree._Element | None

    def text(self, name: str) -> str:
        """The text of the first child of the operation with this name."""
        return (self.body.findtext(f"{{*}}{name}") or "").strip()

    def texts(self, name: str) -> list[str]:
        """The texts of every child of the operation with this name."""
        return [(one.text or "").strip() for one in self.body.iterchildren(f"{{*}}{name}")]

    def option(self, header: str, name: str) -> str:
        """What a SOAP header says, in lower case; empty where it is not there."""
        found = self.header.findtext(f"{{*}}{header}/{{*}}{name}") if self.header is not None else None
        return (found or "").strip().lower()

    def as_rest(self, **query: str) -> Call:
        """The same call as the REST endpoints take it, about the object of `sObjectType`."""
        return Call(self.org, self.user_id, self.version, {"name": self.text("sObjectType")}, query)
