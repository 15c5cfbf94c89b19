"""The forms of SOAP that the data API speaks: values as elements, and the two dialects, partner and enterprise.

Partner (`/Soap/u`) knows one kind of record and writes its type inside; enterprise (`/Soap/c`) names the type of each
record in `xsi:type`, in a namespace of its own. Everything else is the same, so operations are written once and take a
Dialect. Refuses nothing; promise: an element's children stand in the order in which they are given.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from html import escape
from typing import Any

SOAP = "http://schemas.xmlsoap.org/soap/envelope/"
XSI = "http://www.w3.org/2001/XMLSchema-instance"
XSD = "http://www.w3.org/2001/XMLSchema"
RAW = "raw xml"


@dataclass(frozen=True)
class Dialect:
    """One of the two data APIs: its letter in the address and its namespaces."""

    letter: str
    namespace: str
    record_namespace: str
    typed: bool  # a record says its object in xsi:type


PARTNER = Dialect("u", "urn:partner.soap.sforce.com", "urn:sobject.partner.soap.sforce.com", False)
ENTERPRISE = Dialect("c", "urn:enterprise.soap.sforce.com", "urn:sobject.enterprise.soap.sforce.com", True)


def dialect_of(path: str) -> Dialect:
    """The dialect that an address speaks."""
    return ENTERPRISE if path.startswith("/services/Soap/c") else PARTNER


def render_envelope(operation: str, body: str, dialect: Dialect) -> str:
    """The whole answer of an operation around its `result` elements."""
    return (
        f'<?xml version="1.0" encoding="UTF-8"?><soapenv:Envelope xmlns:soapenv="{SOAP}" xmlns="{dialect.namespace}"'
        f' xmlns:sf="{dialect.record_namespace}" xmlns:xsi="{XSI}" xmlns:xsd="{XSD}"><soapenv:Body>'
        f"<{operation}Response>{body}</{operation}Response></soapenv:Body></soapenv:Envelope>"
    )


def render_value(tag: str, value: Any) -> str:
    """One value as an element: a mapping nests, a list repeats, None is nil; XML under `RAW` is put in as it is."""
    if isinstance(value, list):
        return "".join(render_value(tag, one) for one in value)
    if isinstance(value, Mapping):
        if RAW in value:
            return f'<{tag} xsi:type="{value["type"]}">{value[RAW]}</{tag}>'
        return f"<{tag}>{''.join(render_value(key, one) for key, one in value.items())}</{tag}>"
    if value is None:
        return f'<{tag} xsi:nil="true"/>'
    return f"<{tag}>{escape(as_text(value), quote=False)}</{tag}>"


def as_text(value: Any) -> str:
    """A value as XML Schema writes it."""
    return ("true" if value else "false") if isinstance(value, bool) else str(value)
