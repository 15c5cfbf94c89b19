"""A sandbox under attack: every answer is held against what Salesforce could have said, and every bug is found.

After each request the log of the practice org must hold no bug; after each module the estate folder must hold no file
that was not there before, besides those of bulk jobs.
"""

import logging

import pytest
from lxml import etree

ENVELOPE = (
    '<e:Envelope xmlns:e="http://schemas.xmlsoap.org/soap/envelope/"><e:Header><SessionHeader><sessionId>{}</sessionId>'
    "</SessionHeader></e:Header><e:Body>{}</e:Body></e:Envelope>"
)


class Target:
    """The sandbox DEV2 of a running practice world, and the bugs that its log has shown since one last looked."""

    def __init__(self, practice):
        self.practice = practice
        self.url = practice.http_url
        self.token = practice.orgs["DEV2"].access_token
        self.bugs = []

    def ask(self, method, path, **options):
        """One request to DEV2, and its answer, which was held."""
        answer = self.practice.ask("DEV2", method, path, **options)
        self.hold(path, answer)
        return answer

    def soap(self, kind, body, **headers):
        """One body to a SOAP address (kind m or u), and its answer, which was held."""
        path = f"/services/Soap/{kind}/67.0"
        headers = {"Content-Type": "text/xml", **headers}
        answer = self.practice.session.post(self.url + path, data=body, headers=headers, timeout=30)
        self.hold(path, answer)
        return answer

    def envelope(self, inner):
        """A SOAP body with a good session."""
        return ENVELOPE.format(self.token, inner).encode("utf-8", "replace")

    def no_bug(self):
        """Hold that the log shows no bug."""
        found = [*self.bugs]
        self.bugs.clear()
        assert found == []

    def hold(self, path, answer):
        """Hold that this is Salesforce's kind of success or of error."""
        self.no_bug()
        assert "Traceback" not in answer.text
        if answer.status_code < 400 or answer.request.method == "HEAD":
            return
        if "/Soap/" in path:
            assert answer.status_code == 500, answer.text
            fault = etree.fromstring(answer.content).find(".//faultstring")
            assert fault is not None and fault.text, answer.text
        elif "/async/" not in path and "/oauth2/" not in path:
            assert answer.status_code in (400, 401, 403, 404, 405, 409, 412, 413, 414, 415), answer.text
            for one in answer.json():
                assert one["errorCode"] and one["message"], answer.text

    def files(self):
        """The files of the estate folder, besides those of bulk jobs and SQLite's own."""
        folder = self.practice.server.folder
        found = {one.relative_to(folder) for one in folder.rglob("*") if one.is_file()}
        return {one for one in found if one.parts[0] != "pages" and not one.name.endswith(("-wal", "-shm", "-journal"))}


@pytest.fixture(scope="module")
def world(shared_practice):
    """The target; its folder has no new file in the end."""
    target = Target(shared_practice)
    handler = logging.Handler(logging.ERROR)
    handler.setFormatter(logging.Formatter("%(message)s"))
    handler.emit = lambda record: target.bugs.append(handler.format(record))
    logging.getLogger("rehearse.practice").addHandler(handler)
    before = target.files()
    yield target
    logging.getLogger("rehearse.practice").removeHandler(handler)
    target.no_bug()
    assert target.files() == before
