"""The WSDL of the data API, as an org gives it for download: enterprise with this org's objects, or partner.

Made from soap_wsdl.txt and, for enterprise, from the org's definitions, so that a typed client can be built for the
very org that it will speak to. It describes what is served here and no more. Promise: what it says of a record is what
soap_records.py renders: Id first, then parents, fields and children by name.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from importlib import resources
from xml.sax.saxutils import quoteattr

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from rehearse.practice.oauth_grants import base_url
from rehearse.practice.org_state import OrgState
from rehearse.practice.schema import FieldDef, ObjectDef
from rehearse.practice.soap_forms import ENTERPRISE, PARTNER, XSD, Dialect

TABLE = resources.files("rehearse.practice").joinpath("soap_wsdl.txt").read_text(encoding="utf-8")
LINE = re.compile(r"([@!]?)(\w+)(?:\((.*?)\))?: (.*)")
KINDS = {"boolean": "xsd:boolean", "int": "xsd:int", "long": "xsd:long", "double": "xsd:double", "date": "xsd:date",
         "currency": "xsd:double", "percent": "xsd:double", "datetime": "xsd:dateTime", "time": "xsd:time",
         "base64": "xsd:base64Binary", "id": "tns:ID", "reference": "tns:ID", "address": "tns:address",
         "location": "tns:location"}  # fmt: skip
HEAD = (
    '<?xml version="1.0" encoding="UTF-8"?><definitions targetNamespace="{0}" xmlns="http://schemas.xmlsoap.org/wsdl/"'
    ' xmlns:soap="http://schemas.xmlsoap.org/wsdl/soap/" xmlns:xsd="{2}" xmlns:tns="{0}" xmlns:ens="{1}"><types>'
)
SCHEMA = '<schema elementFormDefault="qualified" xmlns="{}" targetNamespace="{}"><import namespace="{}"/>{}</schema>'
SIMPLE = ('<simpleType name="ID"><restriction base="xsd:string"><length value="18"/></restriction></simpleType>'
          '<simpleType name="QueryLocator"><restriction base="xsd:string"/></simpleType>')  # fmt: skip
NOTHING = '<complexType name="{}"><sequence>{}</sequence></complexType>'


def endpoint(request: Request) -> Response:
    """GET /soap/wsdl.jsp: partner, or with `type=*` the enterprise WSDL of the org of the session."""
    dialect = ENTERPRISE if request.query_params.get("type") == "*" else PARTNER
    address = f"{base_url(request)}/services/Soap/{dialect.letter}/64.0"
    return Response(build_wsdl(request.state.org, dialect, address), media_type="text/xml")


def build_wsdl(org: OrgState, dialect: Dialect, address: str) -> str:
    """The whole WSDL; `address` is where its service answers."""
    lines = [LINE.fullmatch(line) for line in TABLE.splitlines()]
    parsed = [(one[1], one[2], one[3] or "", one[4]) for one in lines if one is not None]
    operations = [(name, given, answer) for kind, name, given, answer in parsed if kind == "!"]
    headers = [name for kind, name, _, _ in parsed if kind == "@"]
    types = SIMPLE + "".join(_type(name, base, inner) for kind, name, base, inner in parsed if not kind)
    types += "".join(_element(name, _elements(inner)) for kind, name, _, inner in parsed if kind == "@")
    types += "".join(_call(*one) for one in operations)
    own, records = dialect.namespace, dialect.record_namespace
    schemas = SCHEMA.format(XSD, records, own, _records(org, dialect)) + SCHEMA.format(XSD, own, records, types)
    head = HEAD.format(own, records, XSD)
    return f"{head}{schemas}</types>{''.join(_tail(operations, headers, address))}</definitions>"


def _elements(inner: str) -> str:
    found = ""
    for one in filter(None, (part.strip() for part in inner.split(","))):
        name, _, kind = one.partition(" ")
        signs = kind[len(kind.rstrip("?~*")) :]
        found += _one(name, _named(kind.rstrip("?~*")), signs)
    return found


def _one(name: str, kind: str, signs: str) -> str:
    nil = ' nillable="true"' if "~" in signs else ""
    few = ' minOccurs="0"' if "?" in signs or "*" in signs else ""
    many = ' maxOccurs="unbounded"' if "*" in signs else ""
    return f'<element name="{name}" type="{kind}"{nil}{few}{many}/>'


def _named(kind: str) -> str:
    return kind if ":" in kind else f"xsd:{kind}"


def _type(name: str, base: str, inner: str) -> str:
    if not base:
        return NOTHING.format(name, _elements(inner))
    held = f'<extension base="tns:{base}"><sequence>{_elements(inner)}</sequence></extension>'
    return f'<complexType name="{name}"><complexContent>{held}</complexContent></complexType>'


def _element(name: str, inner: str) -> str:
    return f'<element name="{name}"><complexType><sequence>{inner}</sequence></complexType></element>'


def _call(name: str, given: str, answer: str) -> str:
    result = "" if answer == "-" else _elements(f"result {answer}")
    return _element(name, _elements(given)) + _element(f"{name}Response", result)


# ---- records


def _records(org: OrgState, dialect: Dialect) -> str:
    any_field = '<any namespace="##targetNamespace" minOccurs="0" maxOccurs="unbounded" processContents="lax"/>'
    nulls, row_id = _one("fieldsToNull", "xsd:string", "~*"), _one("Id", "tns:ID", "~")
    if not dialect.typed:
        return NOTHING.format("sObject", f"{_one('type', 'xsd:string', '')}{nulls}{row_id}{any_field}")
    plain = NOTHING.format("sObject", nulls + row_id)
    return (
        plain + _extended("AggregateResult", any_field) + "".join(_object(org, one) for one in org.objects().values())
    )


def _extended(name: str, inner: str) -> str:
    held = f'<extension base="ens:sObject"><sequence>{inner}</sequence></extension>'
    return f'<complexType name="{name}"><complexContent>{held}</complexContent></complexType>'


def _object(org: OrgState, definition: ObjectDef) -> str:
    found: dict[str, str] = {}
    for field in definition.fields:
        if field.name != "Id":
            found[field.name] = KINDS.get(field.type, "xsd:string")
        if field.relationship_name:
            found[field.relationship_name] = _parent(org, field)
    for child in org.objects().values():
        for field in child.fields:
            if field.child_relationship and definition.name in field.reference_to:
                found.setdefault(field.child_relationship, "tns:QueryResult")
    return _extended(definition.name, "".join(_one(name, found[name], "~?") for name in sorted(found)))


def _parent(org: OrgState, field: FieldDef) -> str:
    known = [name for name in field.reference_to if org.find_object(name) is not None]
    return f"ens:{known[0]}" if len(known) == 1 else "ens:sObject"


# ---- messages, port, binding, service


def _tail(operations: list[tuple[str, str, str]], headers: list[str], address: str) -> Iterator[str]:
    yield '<message name="Header">'
    yield "".join(f'<part element="tns:{name}" name="{name}"/>' for name in headers) + "</message>"
    for name, _, _ in operations:
        for ending, kind in (("", "Request"), ("Response", "Response")):
            yield f'<message name="{name}{kind}"><part element="tns:{name}{ending}" name="parameters"/></message>'
    yield '<portType name="Soap">'
    for name, _, _ in operations:
        ends = f'<input message="tns:{name}Request"/><output message="tns:{name}Response"/>'
        yield f'<operation name="{name}">{ends}</operation>'
    yield '</portType><binding name="SoapBinding" type="tns:Soap">'
    yield '<soap:binding style="document" transport="http://schemas.xmlsoap.org/soap/http"/>'
    body = '<soap:body parts="parameters" use="literal"/>'
    sent = "".join(f'<soap:header use="literal" message="tns:Header" part="{name}"/>' for name in headers)
    for name, _, _ in operations:
        ways = f"<input>{sent}{body}</input><output>{body}</output>"
        yield f'<operation name="{name}"><soap:operation soapAction=""/>{ways}</operation>'
    port = f'<port binding="tns:SoapBinding" name="Soap"><soap:address location={quoteattr(address)}/></port>'
    yield f'</binding><service name="SforceService">{port}</service>'


routes = [Route("/soap/wsdl.jsp", endpoint, methods=["GET"])]
