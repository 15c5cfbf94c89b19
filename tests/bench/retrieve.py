"""The reference of a metadata capture: the same retrieves, one after the other, by `requests` and plain text.

Run as a process of its own: `python -m tests.bench.retrieve QUESTION.json FOLDER`. The zips are decoded and written to
disk as they come; nothing is checked or read.
"""

from __future__ import annotations

import base64
import json
import re
import sys
import time
from pathlib import Path
from typing import Any
from xml.sax.saxutils import escape

import requests

VERSION = "67.0"
POLL = 0.1
NAMESPACE = "http://soap.sforce.com/2006/04/metadata"


def main(question: Path, folder: Path) -> None:
    """Retrieve every manifest of the question."""
    asked = json.loads(question.read_text())
    session = requests.Session()
    for number, manifest in enumerate(asked["manifests"]):
        types = "".join(
            f"<types>{''.join(f'<members>{escape(one)}</members>' for one in names)}<name>{type}</name></types>"
            for type, names in sorted(manifest.items())
        )
        request = (
            f"<retrieveRequest><apiVersion>{VERSION}</apiVersion><singlePackage>true</singlePackage>"
            f"<unpackaged>{types}<version>{VERSION}</version></unpackaged></retrieveRequest>"
        )
        job = _value(_call(session, asked, "retrieve", request), "id")
        status = f"<asyncProcessId>{job}</asyncProcessId><includeZip>false</includeZip>"
        while _value(_call(session, asked, "checkRetrieveStatus", status), "done") != "true":
            time.sleep(POLL)
        answer = _call(session, asked, "checkRetrieveStatus", status.replace("false", "true"))
        (folder / f"{number}.zip").write_bytes(base64.b64decode(_value(answer, "zipFile")))


def _call(session: requests.Session, asked: dict[str, Any], name: str, body: str) -> str:
    envelope = (
        '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Header>'
        f'<SessionHeader xmlns="{NAMESPACE}"><sessionId>{asked["token"]}</sessionId></SessionHeader></soapenv:Header>'
        f'<soapenv:Body><{name} xmlns="{NAMESPACE}">{body}</{name}></soapenv:Body></soapenv:Envelope>'
    )
    answer = session.post(
        f"{asked['url']}/services/Soap/m/{VERSION}",
        data=envelope.encode(),
        headers={"Content-Type": "text/xml; charset=UTF-8", "SOAPAction": '""'},
        timeout=600,
        verify=asked["ca_file"],
    )
    answer.raise_for_status()
    return answer.text


def _value(text: str, tag: str) -> str:
    found = re.search(rf"<(?:\w+:)?{tag}>([^<]*)<", text)
    return found[1] if found else ""


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
